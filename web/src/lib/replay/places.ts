/**
 * Places in a recording and moments of the day, each from the other; what was on screen and how many liked it at a
 * place. Pure. Places are ms from the recording's beginning, moments are Unix epoch, ms.
 */
import type { Replay, ReplayChapter, ReplayStretch } from '@nacre/contract/replays';

const minuteMs = 60_000;

/** Of a moment in a break, where the picture comes back; after the end, the end. */
export function placeOf(stretches: readonly ReplayStretch[], momentMs: number): number {
  for (const { fromMs, startedAt, durationMs } of stretches) {
    const startedMs = Date.parse(startedAt);
    if (momentMs < startedMs + durationMs) return fromMs + Math.max(0, momentMs - startedMs);
  }
  const last = stretches.at(-1);
  return last === undefined ? 0 : last.fromMs + last.durationMs;
}

/** Null where nothing is recorded. */
export function momentOf(stretches: readonly ReplayStretch[], placeMs: number): number | null {
  const stretch = stretches.findLast(({ fromMs }) => fromMs <= placeMs) ?? stretches[0];
  if (stretch === undefined) return null;
  return Date.parse(stretch.startedAt) + Math.max(0, Math.min(stretch.durationMs, placeMs - stretch.fromMs));
}

/** The part at that place, when it came from the shop's device after the show, and proves nothing. */
export function healedAt(stretches: readonly ReplayStretch[], placeMs: number): ReplayStretch | null {
  const stretch = stretches.findLast(({ fromMs }) => fromMs <= placeMs);
  return stretch?.isHealed ? stretch : null;
}

export function chapterAt(chapters: readonly ReplayChapter[], placeMs: number): ReplayChapter | null {
  return chapters.find(({ fromMs, toMs }) => fromMs <= placeMs && placeMs < toMs) ?? null;
}

/** Likes up to the place; within a minute they come evenly. */
export function likesAt({ stretches, likesByMinute }: Replay, wentLiveMs: number, placeMs: number): number {
  const moment = momentOf(stretches, placeMs);
  if (moment === null) return 0;
  const minutes = Math.max(0, moment - wentLiveMs) / minuteMs;
  const whole = Math.floor(minutes);
  const before = likesByMinute.slice(0, whole).reduce((sum, likes) => sum + likes, 0);
  return before + Math.floor((likesByMinute[whole] ?? 0) * (minutes - whole));
}

/**
 * Where to begin, from the page's address: `t` is a place in s, `at` a moment of the day in ms. Null when it names
 * neither, or nonsense.
 */
export function placeAsked(query: URLSearchParams, { stretches, durationMs }: Replay): number | null {
  const read = (name: string): number | null => {
    const text = query.get(name) ?? '';
    return /^\d{1,16}$/.test(text) ? Number(text) : null;
  };
  const seconds = read('t');
  const moment = read('at');
  if (seconds !== null) return Math.min(seconds * 1_000, durationMs);
  return moment === null ? null : Math.min(placeOf(stretches, moment), durationMs);
}
