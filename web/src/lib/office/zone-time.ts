/** Wall-clock time in a named zone to an instant and back, for fields of date and time. Pure. */

/** What the clock on the wall in `timeZone` shows at `instant`, as `2026-03-14T20:00`. */
export function toWallClock(instant: string | Date, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(new Date(instant));
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.find((entry) => entry.type === type)?.value ?? '';
  return `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}`;
}

/**
 * The instant at which the clock in `timeZone` shows `wall`; null when `wall` is no date and time. In the hour that a
 * clock skips in spring the time moves on by the skipped hour; in the hour it repeats in autumn the first is taken.
 */
export function fromWallClock(wall: string, timeZone: string): string | null {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(wall)) return null;
  const asUtcMs = Date.parse(`${wall.slice(0, 16)}:00Z`);
  if (Number.isNaN(asUtcMs)) return null;
  const offsetAt = (ms: number): number => Date.parse(`${toWallClock(new Date(ms), timeZone)}:00Z`) - ms;
  const dayMs = 86_400_000;
  const candidates = [offsetAt(asUtcMs - dayMs), offsetAt(asUtcMs + dayMs)].map((offset) => asUtcMs - offset);
  const exact = candidates.filter((ms) => offsetAt(ms) === asUtcMs - ms);
  const chosen = exact.length > 0 ? Math.min(...exact) : Math.max(...candidates);
  return new Date(chosen).toISOString();
}

/** "China Standard Time (GMT+8)" in the reader's language. */
export function zoneName(timeZone: string, locale: string, at: Date): string {
  const name = (style: 'long' | 'shortOffset'): string =>
    new Intl.DateTimeFormat(locale, { timeZone, timeZoneName: style })
      .formatToParts(at)
      .find((part) => part.type === 'timeZoneName')?.value ?? timeZone;
  const long = name('long');
  const offset = name('shortOffset');
  return long === offset ? long : `${long} (\u200e${offset}\u200e)`;
}
