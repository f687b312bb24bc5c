/** Replays to go on with: a person's own, kept here; a guest's are kept by the browser, which asks by their shows. */
import type { Watching, WatchingQuery } from '@nacre/contract/replays';
import type { ShowTile } from '@nacre/contract/shows';
import { WATCHING_MOST } from '@nacre/contract/watching';
import type { Actor, PersonActor } from '../http/actor.ts';
import type { RecordingsDeps } from './recordings.ts';
import * as store from './store.ts';

type WatchingDeps = Pick<RecordingsDeps, 'platform' | 'shows'>;

/** Looked through for those that can still be seen. Fewer leaves places empty after a shop went private. */
const LOOKED_THROUGH = 24;

export async function watching(
  deps: WatchingDeps, person: PersonActor, { shopId }: WatchingQuery,
): Promise<Watching[]> {
  const rows = await store.watchedOf(deps.platform.database.db, person.personId, {
    ...(shopId !== undefined && { shopId }), limit: LOOKED_THROUGH,
  });
  const positions = new Map(rows.map(({ showId, positionMs }) => [showId, positionMs]));
  const tiles = await replayTiles(deps, person, [...positions.keys()]);
  return tiles.slice(0, WATCHING_MOST).map((show) => ({ show, positionMs: positions.get(show.id) ?? 0 }));
}

export async function replayTiles(
  { shows }: WatchingDeps, actor: Actor, showIds: readonly string[],
): Promise<ShowTile[]> {
  if (showIds.length === 0) return [];
  const tiles = await shows.publicTiles(showIds);
  const seen = await Promise.all([...new Set(showIds)].map(async (id) => {
    const tile = tiles.get(id);
    const isThere = tile !== undefined && tile.replayMs !== null && await shows.mayReplay(id, actor);
    return isThere ? [tile] : [];
  }));
  return seen.flat();
}
