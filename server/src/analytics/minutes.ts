/** Minutes of a show: which one a moment falls into, and how rows become the stretches that people read. Pure. */
import { FIGURE_MINUTES_MAX, type FigureCounts } from '@nacre/contract/analytics';

export const MINUTE_MS = 60_000;
/** The bucket of what came before the show went live. */
export const BEFORE = -1;
/** The bucket of what came after it ended, or after its last row. */
export const AFTER = FIGURE_MINUTES_MAX;

export interface Span {
  /** Null: it never was live, so everything is before. */
  startMs: number | null;
  /** Null: it has not ended. */
  endMs: number | null;
}

/** Minute 0 begins when the show goes live; the moment of the end is after it. */
export function bucketOf(span: Span, atMs: number): number {
  if (span.startMs === null || atMs < span.startMs) return BEFORE;
  if (span.endMs !== null && atMs >= span.endMs) return AFTER;
  return Math.min(AFTER, Math.floor((atMs - span.startMs) / MINUTE_MS));
}

/** Rows that the show has by now: begun minutes count. 0 before it is live. */
export function rowsOf(span: Span, nowMs: number): number {
  if (span.startMs === null) return 0;
  const lastedMs = Math.max(0, (span.endMs ?? nowMs) - span.startMs);
  // A running show has begun its first minute; one that ended exactly at a minute's end has not begun another.
  const begun = span.endMs === null
    ? Math.floor(lastedMs / MINUTE_MS) + 1
    : Math.max(1, Math.ceil(lastedMs / MINUTE_MS));
  return Math.min(FIGURE_MINUTES_MAX, begun);
}

export function noCounts(): FigureCounts {
  return {
    watchedSeconds: 0, chats: 0, explains: 0, likes: 0, followers: 0, cardsOpened: 0, sheetsOpened: 0, placed: 0,
    paid: 0, salesMinor: 0, refundedMinor: 0,
  };
}

/** Adds `more` onto `sum`. */
export function addCounts(sum: FigureCounts, more: FigureCounts): void {
  for (const key of Object.keys(sum) as Array<keyof FigureCounts>) sum[key] += more[key];
}
