import type { Clip } from '@nacre/contract/clips';
import { apiOf, askPage } from '#lib/server/load.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const params = { path: { clipId: event.params.id } };
  const clip = (await askPage(apiOf(event).GET('/api/clips/{clipId}', { params }))) as Clip;
  return { clip };
};
