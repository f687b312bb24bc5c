import type { ShopPage } from '@nacre/contract/shops';
import type { Show } from '@nacre/contract/shows';
import { ask } from '#lib/api.ts';
import { apiOf, askPage } from '#lib/server/load.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const api = apiOf(event);
  const show = (await askPage(
    api.GET('/api/shows/{showId}', { params: { path: { showId: event.params.id } } }),
  )) as Show;
  // Whether the reader follows is a detail: the show opens without it too.
  const shop = (await ask(api.GET('/api/shops/{slug}', { params: { path: { slug: show.shop.slug } } })).catch(
    () => null,
  )) as ShopPage | null;
  return { show, following: shop?.following ?? false, nowMs: Date.now() };
};
