import type { Page } from '@nacre/contract/common';
import type { OwnCoupon } from '@nacre/contract/coupons';
import { apiOf, askPage } from '#lib/server/load.ts';
import { signInFirst } from '#lib/server/person.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  signInFirst((await event.parent()).me, event.url);
  const query = { limit: 20 };
  return { coupons: (await askPage(apiOf(event).GET('/api/coupons', { params: { query } }))) as Page<OwnCoupon> };
};
