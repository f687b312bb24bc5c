import type { Shop } from '@nacre/contract/shops';
import { apiOf, askPage } from '#lib/server/load.ts';
import type { LayoutServerLoad } from './$types';

/** The shop of the address, for its members; null for everybody else. */
export const load: LayoutServerLoad = async ({ params, parent, fetch, url }) => {
  const { me } = await parent();
  const mine = me.shops.find((shop) => shop.slug === params.shop);
  if (!mine) return { shop: null };
  const shop: Shop = await askPage(
    apiOf({ fetch, url }).GET('/api/office/shops/{shopId}', { params: { path: { shopId: mine.id } } }),
  );
  return { shop };
};
