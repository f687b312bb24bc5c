import type { Show } from '@nacre/contract/shows';
import { ApiError, ask } from '#lib/api.ts';
import { apiOf, askPage } from '#lib/server/load.ts';
import type { PageServerLoad } from './$types';

/** The show for those who may run it; null for everybody else. */
export const load: PageServerLoad = async ({ params, parent, fetch, url }) => {
  const { me } = await parent();
  if (!me.person) return { show: null };
  const call = () =>
    apiOf({ fetch, url }).GET('/api/office/shows/{showId}', { params: { path: { showId: params.showId } } });
  try {
    const show: Show = await ask(call());
    return { show };
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return { show: null };
    return askPage(call()).then((show: Show) => ({ show }));
  }
};
