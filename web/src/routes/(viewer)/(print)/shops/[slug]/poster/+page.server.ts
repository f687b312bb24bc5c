import type { Page } from '@nacre/contract/common';
import type { Shop } from '@nacre/contract/shops';
import type { ShowTile } from '@nacre/contract/shows';
import { apiOf, askPage } from '#lib/server/load.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const api = apiOf(event);
  const { slug } = event.params;
  const shop = (await askPage(api.GET('/api/shops/{slug}', { params: { path: { slug } } }))) as Shop;
  const query = { state: 'planned' as const, shopId: shop.id, limit: 1 };
  const planned = (await askPage(api.GET('/api/shows', { params: { query } }))) as Page<ShowTile>;
  return { shop, next: planned.items[0] ?? null };
};
