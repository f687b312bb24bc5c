/** How far this viewer has watched: with the account, else in this browser. */
import type { Watching } from '@nacre/contract/replays';
import type { ShowTile } from '@nacre/contract/shows';
import { api, ask } from '#lib/api.ts';
import { readKept, watchingCookie, withPlace, withoutShow, type KeptPlace } from './kept.ts';

const storageKey = 'nacre-watched';
const path = (showId: string) => ({ params: { path: { showId } } });
/** As many as the server lists of a person. */
const listMost = 6;
const yearSeconds = 365 * 86_400;

const kept = (): KeptPlace[] => readKept(localStorage.getItem(storageKey));

function keep(places: readonly KeptPlace[]): void {
  localStorage.setItem(storageKey, JSON.stringify(places));
  const many = Math.min(listMost, places.length);
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

/** Lost, the next one tells. Near the end it is forgotten. */
export async function saveWatched(
  showId: string, isSignedIn: boolean, { positionMs, isSeen }: { positionMs: number; isSeen: boolean },
): Promise<void> {
  if (isSignedIn) {
    await ask(api.PUT('/api/me/watching/{showId}', { ...path(showId), body: { positionMs } })).catch(() => undefined);
  } else keep(isSeen ? withoutShow(kept(), showId) : withPlace(kept(), { showId, positionMs }));
}

/** What was begun and not finished, the latest first. Rejects as `ask` does. */
export async function loadWatching(isSignedIn: boolean, shopId?: string): Promise<Watching[]> {
  if (isSignedIn) {
    const query = shopId === undefined ? {} : { shopId };
    return ((await ask(api.GET('/api/me/watching', { params: { query } }))) as { items: Watching[] }).items;
  }
  const places = new Map(kept().map(({ showId, positionMs }) => [showId, positionMs]));
  if (places.size === 0) return [];
  const query = { showIds: [...places.keys()] };
  const { items } = (await ask(api.GET('/api/replays', { params: { query } }))) as { items: ShowTile[] };
  const ours = items.filter(({ shop }) => shopId === undefined || shop.id === shopId);
  return ours.slice(0, listMost).map((show) => ({ show, positionMs: places.get(show.id) ?? 0 }));
}

/** Off the list, and it begins anew. Rejects as `ask` does. */
export async function forgetWatched(showId: string, isSignedIn: boolean): Promise<void> {
  if (isSignedIn) await ask(api.DELETE('/api/me/watching/{showId}', path(showId)));
  else keep(withoutShow(kept(), showId));
}
