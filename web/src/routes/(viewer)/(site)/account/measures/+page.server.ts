import type { Measure, Report } from '@nacre/contract/moderation';
import { apiOf, askPage } from '#lib/server/load.ts';
import { signInFirst } from '#lib/server/person.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const { me } = await event.parent();
  signInFirst(me, event.url);
  const api = apiOf(event);
  const [measures, reports] = await Promise.all([
    askPage(api.GET('/api/me/measures')), askPage(api.GET('/api/me/reports')),
  ]);
  return { measures: measures.items as Measure[], reports: reports.items as Report[] };
};
