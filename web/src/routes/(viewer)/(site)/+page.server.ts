import type { Page } from '@nacre/contract/common';
import type { ShowTile } from '@nacre/contract/shows';
import { ask } from '#lib/api.ts';
import { apiOf } from '#lib/server/load.ts';
import type { PageServerLoad } from './$types';

export interface HomeLists {
  live: ShowTile[];
  planned: ShowTile[];
  past: ShowTile[];
  failed: boolean;
}

// What fits before a person scrolls twice; the rest is a shop page away.
const liveLimit = 24;
const plannedLimit = 8;
const pastLimit = 8;

export const load: PageServerLoad = async (event) => {
  event.depends('nacre:shows');
  const api = apiOf(event);
  const list = async (state: 'live' | 'planned' | 'ended', limit: number): Promise<ShowTile[]> => {
    const page = await ask(api.GET('/api/shows', { params: { query: { state, limit } } }));
    return (page as Page<ShowTile>).items;
  };
  const lists: Promise<HomeLists> = Promise.all([
    list('live', liveLimit),
    list('planned', plannedLimit),
    list('ended', pastLimit),
  ])
    .then(([live, planned, past]) => ({ live, planned, past, failed: false }))
    .catch(() => ({ live: [], planned: [], past: [], failed: true }));
  // The first page comes whole; on the way here from another page the skeleton stands while the lists arrive.
  return { lists: event.isDataRequest ? lists : await lists, nowMs: Date.now() };
};
