import { loadMessages } from '#lib/i18n/load.ts';
import { isLocale } from '#lib/i18n/locales.ts';
import type { LayoutLoad } from './$types';

/** The office shows goods and shows with the viewer's own parts, so it needs their texts too. */
export const load: LayoutLoad = async ({ parent }) => {
  const { locale } = await parent();
  const shown = typeof document === 'undefined' ? locale : document.documentElement.lang.slice(0, 2);
  await loadMessages(isLocale(shown) ? shown : locale, 'viewer', 'promise');
};
