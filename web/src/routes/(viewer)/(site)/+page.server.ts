import { readFilters } from '#lib/home/filters.ts';
import { loadHomeLists } from '#lib/home/home-lists.ts';
import { apiOf } from '#lib/server/load.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const filters = readFilters(event.url.searchParams);
  const lists = loadHomeLists(filters, undefined, apiOf(event));
  // The first page comes whole; on the way here from another page the skeleton stands while the lists arrive.
  return { filters, lists: event.isDataRequest ? lists : await lists };
};
