/** The shows of the home page: drawn by the server first, then renewed by the page. */
import type { Page } from '@nacre/contract/common';
import type { ShowTile } from '@nacre/contract/shows';
import { api, ask } from '#lib/api.ts';

export interface HomeLists {
  /** The first page; `next` is where the live shows go on. */
  live: Page<ShowTile>;
  planned: ShowTile[];
  past: ShowTile[];
  failed: boolean;
  /** When the lists were true: what "in five minutes" counts from. */
  nowMs: number;
}

// What fits before a person scrolls twice.
const liveLimit = 24;
const plannedLimit = 8;
const pastLimit = 8;

/**
 * Never throws: what could not be had is `failed`.
 * @param client in `load`, the reader's
 */
export async function loadHomeLists(client = api): Promise<HomeLists> {
  const list = async (state: 'live' | 'planned' | 'ended', limit: number): Promise<Page<ShowTile>> =>
    (await ask(client.GET('/api/shows', { params: { query: { state, limit } } }))) as Page<ShowTile>;
  try {
    const [live, planned, past] = await Promise.all([
      list('live', liveLimit),
      list('planned', plannedLimit),
      list('ended', pastLimit),
    ]);
    return { live, planned: planned.items, past: past.items, failed: false, nowMs: Date.now() };
  } catch {
    return { live: { items: [], next: null }, planned: [], past: [], failed: true, nowMs: Date.now() };
  }
}
