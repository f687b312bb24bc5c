import { loadHomeLists } from '#lib/home-lists.ts';
import { apiOf } from '#lib/server/load.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const lists = loadHomeLists(apiOf(event));
  // The first page comes whole; on the way here from another page the skeleton stands while the lists arrive.
  return { lists: event.isDataRequest ? lists : await lists };
};
