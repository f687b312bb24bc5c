/** Whether what happened to a show is still news by the time it is told. Pure. */
import type { ShowState } from '@nacre/contract/shows';

export type ShowNewsKind = 'live' | 'moved' | 'cancelled';

/** As it is now. */
export interface ShowNow {
  state: ShowState;
  /** Instant */
  startsAt: string;
}

/** Who comes later than this has missed the beginning; the list still has it. */
export const LIVE_NEWS_MS = 15 * 60_000;

/** @param told when it became true, and the start that was told then */
export function isStillNews(
  kind: ShowNewsKind, show: ShowNow | undefined, told: { at: Date; startsAt: Date }, now: Date,
): boolean {
  if (show === undefined) return false;
  if (kind === 'live') {
    const isRunning = show.state === 'live' || show.state === 'interrupted';
    return isRunning && now.getTime() - told.at.getTime() <= LIVE_NEWS_MS;
  }
  if (told.startsAt <= now) return false;
  if (kind === 'cancelled') return show.state === 'cancelled';
  return show.state === 'planned' && new Date(show.startsAt).getTime() === told.startsAt.getTime();
}

/** Whether the list shows it: what no longer is so is left out. */
export function isListed(kind: ShowNewsKind, state: ShowState): boolean {
  if (kind === 'live') return state === 'live' || state === 'interrupted' || state === 'ended';
  return kind === 'moved' ? state === 'planned' : state === 'cancelled';
}
