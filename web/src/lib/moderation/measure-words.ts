/** Measures in words; needs the catalogue `moderation`. */
import type { Measure } from '@nacre/contract/moderation';
import type { I18n } from '#lib/i18n/i18n.svelte.ts';

// Within half a day the clock time says it; later the day is needed.
const nearMs = 12 * 3_600_000;

/** "until 3:40 PM", "until the show ends", "for good". */
export function untilWords({ kind, until }: Pick<Measure, 'kind' | 'until'>, i18n: I18n): string {
  if (until !== null) {
    const isNear = Date.parse(until) - Date.now() < nearMs;
    return i18n.t('moderation.until_time', { time: isNear ? i18n.format.time(until) : i18n.format.dateTime(until) });
  }
  return i18n.t(kind === 'mute' ? 'moderation.until_show_end' : 'moderation.until_for_good');
}

/** How long it holds, or that it is over; null for what has simply happened. */
export function standWords(measure: Measure, i18n: I18n): string | null {
  if (measure.liftedAt !== null) {
    return i18n.t('moderation.lifted_at', { time: i18n.format.dateTime(measure.liftedAt) });
  }
  if (measure.kind === 'removal' || measure.kind === 'end') return null;
  return measure.isInForce ? untilWords(measure, i18n) : i18n.t('moderation.over');
}

/** Between first strong isolate and pop isolate: what people wrote does not reorder the line around it. */
const isolate = (words: string): string => `\u2068${words}\u2069`;

/** The reason, and what was said with it. */
export function reasonWords({ reason, words }: Pick<Measure, 'reason' | 'words'>, i18n: I18n): string {
  const named = i18n.t(`moderation.reason_${reason}`);
  if (words === '') return named;
  return reason === 'other' ? isolate(words) : `${named} · ${isolate(words)}`;
}
