import { loadShown } from '#lib/i18n/load.ts';
import type { PageLoad } from './$types';

/** The replay's page is fetched by those only who see one. */
export const load: PageLoad = async ({ data, parent }) => {
  if (data.replay?.state !== 'ready' && data.replay?.state !== 'running') return { ...data, ReplayPage: null };
  const [{ default: ReplayPage }] = await Promise.all([
    import('#lib/replay/ReplayPage.svelte'),
    loadShown((await parent()).locale, 'replay'),
  ]);
  return { ...data, ReplayPage };
};
