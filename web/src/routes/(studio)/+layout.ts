import { loadShown } from '#lib/i18n/load.ts';
import type { LayoutLoad } from './$types';

/** The studio picks and orders goods with the office's own parts, so it needs their texts too. */
export const load: LayoutLoad = async ({ parent }) => {
  const { locale } = await parent();
  await loadShown(locale, 'office', 'uplink', 'heal');
};
