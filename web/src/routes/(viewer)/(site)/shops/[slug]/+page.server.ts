import type { Product } from '@nacre/contract/catalog';
import type { ShopCoupons } from '@nacre/contract/coupons';
import type { Page } from '@nacre/contract/common';
import type { Watching } from '@nacre/contract/replays';
import type { ShopPage } from '@nacre/contract/shops';
import type { ShowTile } from '@nacre/contract/shows';
import { ask } from '#lib/api.ts';
import { apiOf, askPage } from '#lib/server/load.ts';
import type { PageServerLoad } from './$types';

const productsLimit = 48;
const showsLimit = 8;

export const load: PageServerLoad = async (event) => {
  const api = apiOf(event);
  const { slug } = event.params;
  const shop = (await askPage(api.GET('/api/shops/{slug}', { params: { path: { slug } } }))) as ShopPage;
  const shows = async (state: 'live' | 'planned' | 'ended') => {
    const query = { state, shopId: shop.id, limit: showsLimit };
    return ((await askPage(api.GET('/api/shows', { params: { query } }))) as Page<ShowTile>).items;
  };
  // Of a guest the browser knows it.
  const watching = ask(api.GET('/api/me/watching', { params: { query: { shopId: shop.id } } })).then(
    (answer) => (answer as { items: Watching[] }).items,
    () => null,
  );
  const [live, planned, past, products, coupons] = await Promise.all([
    shows('live'),
    shows('planned'),
    shows('ended'),
    askPage(api.GET('/api/shops/{slug}/products', { params: { path: { slug }, query: { limit: productsLimit } } })),
    askPage(api.GET('/api/shops/{slug}/coupons', { params: { path: { slug } } })),
  ]);
  return {
    shop, live, planned, past, products: products as Page<Product>, coupons: coupons as ShopCoupons,
    watching: await watching,
    nowMs: Date.now(),
  };
};
