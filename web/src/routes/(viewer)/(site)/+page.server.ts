import type { Page } from '@nacre/contract/common';
import type { ShowTile } from '@nacre/contract/shows';
import { ask } from '#lib/api.ts';
import { apiOf } from '#lib/server/load.ts';
import type { PageServerLoad } from './$types';

export interface HomeLists {
  live: ShowTile[];
  /** Where the live shows go on; null when these are all. */
  liveNext: string | null;
  planned: ShowTile[];
  past: ShowTile[];
  failed: boolean;
}

// What fits before a person scrolls twice.
const liveLimit = 24;
const plannedLimit = 8;
const pastLimit = 8;

export const load: PageServerLoad = async (event) => {
  event.depends('nacre:shows');
  const api = apiOf(event);
  const list = async (state: 'live' | 'planned' | 'ended', limit: number): Promise<Page<ShowTile>> =>
    (await ask(api.GET('/api/shows', { params: { query: { state, limit } } }))) as Page<ShowTile>;
  const lists: Promise<HomeLists> = Promise.all([
    list('live', liveLimit),
    list('planned', plannedLimit),
    list('ended', pastLimit),
  ])
    .then(([live, planned, past]) => ({
      live: live.items,
      liveNext: live.next,
      planned: planned.items,
      past: past.items,
      failed: false,
    }))
    .catch(() => ({ live: [], liveNext: null, planned: [], past: [], failed: true }));
  // The first page comes whole; on the way here from another page the skeleton stands while the lists arrive.
  return { lists: event.isDataRequest ? lists : await lists, nowMs: Date.now() };
};
