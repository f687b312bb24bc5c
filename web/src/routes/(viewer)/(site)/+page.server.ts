import type { Watching } from '@nacre/contract/replays';
import { WATCHING_MOST } from '@nacre/contract/watching';
import { ask } from '#lib/api.ts';
import { readFilters } from '#lib/home/filters.ts';
import { loadHomeLists } from '#lib/home/home-lists.ts';
import { watchingCookie } from '#lib/replay/kept.ts';
import { apiOf } from '#lib/server/load.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const filters = readFilters(event.url.searchParams);
  const api = apiOf(event);
  const lists = loadHomeLists(filters, undefined, api);
  // The first page comes whole; on the way here from another page the skeleton stands while the lists arrive.
  if (event.isDataRequest) return { filters, lists, watching: null, watchingExpected: 0 };
  // Of a guest the browser knows it; their number alone comes with the request.
  const watching = ask(api.GET('/api/me/watching')).then(
    (answer) => (answer as { items: Watching[] }).items,
    () => null,
  );
  const expected = Math.floor(Number(event.cookies.get(watchingCookie) ?? 0)) || 0;
  return {
    filters,
    lists: await lists,
    watching: await watching,
    watchingExpected: Math.min(WATCHING_MOST, Math.max(0, expected)),
  };
};
