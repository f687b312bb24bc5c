/** How far this viewer has watched: with the account, else in this browser. */
import type { Watching } from '@nacre/contract/replays';
import type { ShowTile } from '@nacre/contract/shows';
import { WATCHING_MOST } from '@nacre/contract/watching';
import { api, ApiError, ask } from '#lib/api.ts';
import { readKept, watchingCookie, withPlace, withoutShow, type KeptPlace } from './kept.ts';

const storageKey = 'nacre-watched';
const path = (showId: string) => ({ params: { path: { showId } } });
const goneStatus = 404;
const yearSeconds = 365 * 86_400;

const kept = (): KeptPlace[] => readKept(localStorage.getItem(storageKey));

function keep(places: readonly KeptPlace[]): void {
  localStorage.setItem(storageKey, JSON.stringify(places));
  const many = Math.min(WATCHING_MOST, places.length);
  document.cookie = `${watchingCookie}=${many}; path=/; max-age=${yearSeconds}; samesite=lax`;
}

/** Null: not at all, or to the end. */
export async function loadWatched(showId: string, isSignedIn: boolean): Promise<number | null> {
  if (isSignedIn) {
    const answer = await ask(api.GET('/api/me/watching/{showId}', path(showId))).catch(() => null);
    return (answer as { positionMs: number | null } | null)?.positionMs ?? null;
  }
  return kept().find((place) => place.showId === showId)?.positionMs ?? null;
}

/** What is on its way to the server: a list that overtook it would not have it. */
let saving: Promise<unknown> = Promise.resolve();

/** Lost, the next one tells. Near the end it is forgotten. */
export async function saveWatched(
  showId: string, isSignedIn: boolean, { positionMs, isSeen }: { positionMs: number; isSeen: boolean },
): Promise<void> {
  if (isSignedIn) {
    const sent = ask(api.PUT('/api/me/watching/{showId}', { ...path(showId), body: { positionMs } }));
    saving = sent.catch(() => undefined);
    await saving;
  } else keep(isSeen ? withoutShow(kept(), showId) : withPlace(kept(), { showId, positionMs }));
}

/** What was begun as a guest goes on with the account; what that knows of already stays as it is. */
async function handOver(): Promise<void> {
  // The latest comes last, and stands first in the list.
  for (const { showId, positionMs } of kept().toReversed()) {
    try {
      const known = (await ask(api.GET('/api/me/watching/{showId}', path(showId)))) as { positionMs: number | null };
      if (known.positionMs === null) {
        await ask(api.PUT('/api/me/watching/{showId}', { ...path(showId), body: { positionMs } }));
      }
    } catch (error) {
      // A show that is there no more has no place; without the network the rest waits for the next time.
      if (!(error instanceof ApiError) || error.status !== goneStatus) throw error;
    }
    keep(withoutShow(kept(), showId));
  }
}

/** What was begun and not finished, the latest first. Rejects as `ask` does. */
export async function loadWatching(isSignedIn: boolean, shopId?: string): Promise<Watching[]> {
  if (isSignedIn) {
    await saving;
    await handOver().catch(() => undefined);
    const query = shopId === undefined ? {} : { shopId };
    return ((await ask(api.GET('/api/me/watching', { params: { query } }))) as { items: Watching[] }).items;
  }
  const places = new Map(kept().map(({ showId, positionMs }) => [showId, positionMs]));
  if (places.size === 0) return [];
  const query = { showIds: [...places.keys()] };
  const { items } = (await ask(api.GET('/api/replays', { params: { query } }))) as { items: ShowTile[] };
  const ours = items.filter(({ shop }) => shopId === undefined || shop.id === shopId);
  return ours.slice(0, WATCHING_MOST).map((show) => ({ show, positionMs: places.get(show.id) ?? 0 }));
}

/** Off the list, and it begins anew. Rejects as `ask` does. */
export async function forgetWatched(showId: string, isSignedIn: boolean): Promise<void> {
  if (isSignedIn) await ask(api.DELETE('/api/me/watching/{showId}', path(showId)));
  else keep(withoutShow(kept(), showId));
}
