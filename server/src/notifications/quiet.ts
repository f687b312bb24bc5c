/** Quiet hours: times of day in a person's time zone, over midnight and through a change of clocks. Pure. */

/** Minutes after midnight. */
export interface Quiet {
  from: number;
  to: number;
}

const DAY_MINUTES = 24 * 60;
const MINUTE_MS = 60_000;

/** `HH:MM` as minutes after midnight. */
export function readTimeOfDay(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  return hours * 60 + minutes;
}

export function writeTimeOfDay(minutes: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function minuteOfDay(at: Date, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', { timeZone, hour: 'numeric', minute: 'numeric', hourCycle: 'h23' })
    .formatToParts(at);
  const valueOf = (type: string) => Number(parts.find((part) => part.type === type)?.value ?? 0);
  return valueOf('hour') * 60 + valueOf('minute');
}

/** From 0 to a day less one minute. */
const forward = (minutes: number) => ((minutes % DAY_MINUTES) + DAY_MINUTES) % DAY_MINUTES;

/** When the quiet hours that are now end; null when it is not quiet. `from` is quiet, `to` is not. */
export function quietUntil(quiet: Quiet | null, timeZone: string, now: Date): Date | null {
  if (quiet === null) return null;
  const local = minuteOfDay(now, timeZone);
  if (forward(local - quiet.from) >= forward(quiet.to - quiet.from)) return null;
  const minuteStartMs = Math.floor(now.getTime() / MINUTE_MS) * MINUTE_MS;
  const end = new Date(minuteStartMs + forward(quiet.to - local) * MINUTE_MS);
  // The clocks were changed meanwhile: by half a day at most, so the shorter way is the right one.
  const off = forward(quiet.to - minuteOfDay(end, timeZone));
  const onTheWall = new Date(end.getTime() + (off > DAY_MINUTES / 2 ? off - DAY_MINUTES : off) * MINUTE_MS);
  // A time that the change leaves out is met late, and not before the hours are over.
  return minuteOfDay(onTheWall, timeZone) === quiet.to ? onTheWall : end;
}
