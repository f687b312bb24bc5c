/** How far this viewer has watched: with the account, else in this browser. */
import { api, ask } from '#lib/api.ts';

const keyOf = (showId: string): string => `nacre-watched-${showId}`;
const path = (showId: string) => ({ params: { path: { showId } } });

/** Null: not at all, or to the end. */
export async function loadWatched(showId: string, isSignedIn: boolean): Promise<number | null> {
  if (isSignedIn) {
    const answer = await ask(api.GET('/api/me/watching/{showId}', path(showId))).catch(() => null);
    return (answer as { positionMs: number | null } | null)?.positionMs ?? null;
  }
  const kept = Number(localStorage.getItem(keyOf(showId)) ?? Number.NaN);
  return Number.isSafeInteger(kept) && kept >= 0 ? kept : null;
}

/** Lost, the next one tells. Near the end it is forgotten. */
export async function saveWatched(
  showId: string, isSignedIn: boolean, { positionMs, isSeen }: { positionMs: number; isSeen: boolean },
): Promise<void> {
  if (isSignedIn) {
    await ask(api.PUT('/api/me/watching/{showId}', { ...path(showId), body: { positionMs } })).catch(() => undefined);
  } else if (isSeen) localStorage.removeItem(keyOf(showId));
  else localStorage.setItem(keyOf(showId), String(positionMs));
}
