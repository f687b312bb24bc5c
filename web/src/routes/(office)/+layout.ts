import { loadShown } from '#lib/i18n/load.ts';
import type { LayoutLoad } from './$types';

/** The office shows goods and shows with the viewer's own parts, so it needs their texts too. */
export const load: LayoutLoad = async ({ parent }) => {
  const { locale } = await parent();
  await loadShown(locale, 'viewer', 'promise', 'heal');
};
