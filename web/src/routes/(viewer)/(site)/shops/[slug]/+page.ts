import { loadMessages } from '#lib/i18n/load.ts';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ data, parent }) => {
  const { locale } = await parent();
  const { place, terms } = data.shop;
  if (place) await loadMessages(locale, 'place');
  if (data.coupons.open.length > 0) await loadMessages(locale, 'coupon');
  if (terms.shipping || terms.returns) await loadMessages(locale, 'promise');
  return data;
};
