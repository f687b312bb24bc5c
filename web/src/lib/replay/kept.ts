/** How far a guest has watched which replays, as the browser keeps it: the latest first, bounded. Pure. */
import { REPLAY_TILES_MOST } from '@nacre/contract/watching';

export interface KeptPlace {
  showId: string;
  positionMs: number;
}

/** As many shows as may be asked for at once. */
export const keptMost = REPLAY_TILES_MOST;
/** Tells the server for how many tiles to leave room in the first drawing, and nothing more. */
export const watchingCookie = 'nacre_watching';
const id = /^[0-9a-f-]{36}$/;

/** Only what is right of it: anybody may have written there. */
export function readKept(text: string | null): KeptPlace[] {
  let read: unknown;
  try {
    read = JSON.parse(text ?? '[]');
  } catch {
    return [];
  }
  if (!Array.isArray(read)) return [];
  const right = read.filter((place: Partial<KeptPlace> | null): place is KeptPlace => (
    typeof place?.showId === 'string' && id.test(place.showId)
    && Number.isSafeInteger(place.positionMs) && place.positionMs! >= 0
  ));
  return right.slice(0, keptMost).map(({ showId, positionMs }) => ({ showId, positionMs }));
}

export function withPlace(kept: readonly KeptPlace[], place: KeptPlace): KeptPlace[] {
  return [place, ...withoutShow(kept, place.showId)].slice(0, keptMost);
}

export function withoutShow(kept: readonly KeptPlace[], showId: string): KeptPlace[] {
  return kept.filter((place) => place.showId !== showId);
}
