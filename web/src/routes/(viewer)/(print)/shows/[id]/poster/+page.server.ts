import type { Shop } from '@nacre/contract/shops';
import type { Show } from '@nacre/contract/shows';
import { error } from '@sveltejs/kit';
import { apiOf, askPage } from '#lib/server/load.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const params = { path: { showId: event.params.id } };
  const show = (await askPage(apiOf(event).GET('/api/shows/{showId}', { params }))) as Show;
  // Who scans it must be let in, and in time.
  const isOver = show.state === 'ended' || show.state === 'cancelled';
  if (isOver || show.visibility === 'private') error(404, { message: 'shows.not_found', code: 'shows.not_found' });
  const at = { path: { slug: show.shop.slug } };
  const shop = (await askPage(apiOf(event).GET('/api/shops/{slug}', { params: at }))) as Shop;
  return { show, place: shop.place };
};
