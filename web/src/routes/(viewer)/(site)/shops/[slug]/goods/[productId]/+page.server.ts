import type { Product } from '@nacre/contract/catalog';
import type { ClipTile } from '@nacre/contract/clips';
import type { Page } from '@nacre/contract/common';
import type { Shop } from '@nacre/contract/shops';
import type { ShowTile } from '@nacre/contract/shows';
import { error } from '@sveltejs/kit';
import { ask } from '#lib/api.ts';
import { apiOf, askPage } from '#lib/server/load.ts';
import type { PageServerLoad } from './$types';

const showsLimit = 4;

export const load: PageServerLoad = async (event) => {
  const api = apiOf(event);
  const { slug, productId } = event.params;
  const [shop, product] = await Promise.all([
    askPage(api.GET('/api/shops/{slug}', { params: { path: { slug } } })) as Promise<Shop>,
    askPage(api.GET('/api/products/{productId}', { params: { path: { productId } } })) as Promise<Product>,
  ]);
  // One product has one address.
  if (product.shopId !== shop.id) error(404, { message: 'catalog.not_found', code: 'catalog.not_found' });
  const shows = async (state: 'live' | 'planned') => {
    const query = { state, productId, limit: showsLimit };
    return ((await askPage(api.GET('/api/shows', { params: { query } }))) as Page<ShowTile>).items;
  };
  // Clips are a detail: the product opens without them too.
  const clips = ask(api.GET('/api/products/{productId}/clips', { params: { path: { productId } } })).catch(() => []);
  const [live, planned, seen] = await Promise.all([shows('live'), shows('planned'), clips]);
  return { shop, product, live, planned, clips: seen as ClipTile[], nowMs: Date.now() };
};
