import { loadMessages } from '#lib/i18n/load.ts';
import { isLocale } from '#lib/i18n/locales.ts';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ parent }) => {
  const { locale } = await parent();
  // After a switch of language the document knows better than the data of the first request.
  const shown = typeof document === 'undefined' ? locale : document.documentElement.lang.slice(0, 2);
  await loadMessages(isLocale(shown) ? shown : locale, 'coupon');
};
