/** The shows of the home page: drawn by the server first, then renewed by the page. */
import type { Home } from '@nacre/contract/discovery';
import { api, ask } from '#lib/api.ts';
import type { HomeFilters } from './filters.ts';

export interface HomeLists extends Home {
  failed: boolean;
  /** When the lists were true: what "in five minutes" counts from. */
  nowMs: number;
}

/**
 * Never throws: what could not be had is `failed`.
 * @param turn of the lists before, so that those who have had a place keep it
 * @param client in `load`, the reader's
 */
export async function loadHomeLists(filters: HomeFilters, turn?: number, client = api): Promise<HomeLists> {
  try {
    const query = { ...filters, ...(turn === undefined ? {} : { turn }) };
    const home = (await ask(client.GET('/api/home', { params: { query } }))) as Home;
    return { ...home, failed: false, nowMs: Date.now() };
  } catch {
    const facets = { categories: [], regions: [], languages: [] };
    const nothing: Home = { live: { items: [], next: null }, planned: [], past: [], facets, turn: 0 };
    return { ...nothing, failed: true, nowMs: Date.now() };
  }
}
