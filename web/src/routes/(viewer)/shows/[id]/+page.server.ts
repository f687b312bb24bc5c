import type { Replay } from '@nacre/contract/replays';
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
  const isRunning = show.state === 'live' || show.state === 'interrupted';
  // Of a running show what has been so far can be seen by who asks for a place in it.
  const asksForPlace = ['t', 'at'].some((name) => event.url.searchParams.has(name));
  // As an order's moment is: not what was added afterwards.
  const query = event.url.searchParams.get('as') === 'aired' ? { as: 'aired' as const } : {};
  // Whether the reader follows, and what they put aside, are details: the show opens without them too.
  const [shop, aside, replay] = await Promise.all([
    ask(api.GET('/api/shops/{slug}', { params: { path: { slug: show.shop.slug } } })).catch(() => null),
    ask(api.GET('/api/shows/{showId}/aside', { params: { path: { showId: show.id } } })).catch(() => null),
    show.state === 'ended' || (isRunning && asksForPlace)
      ? ask(api.GET('/api/shows/{showId}/replay', { params: { path: { showId: show.id }, query } })).catch(() => null)
      : null,
  ]);
  return {
    show,
    following: (shop as ShopPage | null)?.following ?? false,
    replay: replay as Replay | null,
    isAired: query.as !== undefined && (replay as Replay | null)?.isReplaced === true,
    asideIds: (aside as { productIds: string[] } | null)?.productIds ?? [],
    // A hint that not every browser gives (https://wicg.github.io/ua-client-hints); without it the page finds out itself.
    isPhone: event.request.headers.get('sec-ch-ua-mobile') === '?1',
    nowMs: Date.now(),
  };
};
