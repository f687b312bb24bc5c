/** Follow and unfollow. */
import { Nullable } from '@nacre/contract/common';
import { FollowBody, Following, type Shop } from '@nacre/contract/shops';
import { Type } from 'typebox';
import { personOf } from '../http/actor.ts';
import type { App } from '../http/app.ts';
import { refusals } from '../http/openapi.ts';
import type { Follows } from './follows.ts';

export interface FollowsRoutesDeps {
  follows: Follows;
  /** @throws Refusal `shops.not_found` */
  shopBySlug(slug: string): Promise<Shop>;
}

const tags = ['follows'];
const params = Type.Object({ slug: Type.String() });

export function followsRoutes(app: App, { follows, shopBySlug }: FollowsRoutesDeps): void {
  app.put('/api/shops/:slug/follow', {
    schema: {
      operationId: 'followShop', summary: 'Follow a shop, from its page or from a show', tags, params,
      // No body at all is as good as an empty one.
      body: Nullable(FollowBody),
      response: { 200: Following, ...refusals },
    },
  }, async (request) => {
    const { personId } = personOf(request);
    const shop = await shopBySlug(request.params.slug);
    return follows.follow(personId, shop.id, request.body?.showId ?? null);
  });

  app.delete('/api/shops/:slug/follow', {
    schema: {
      operationId: 'unfollowShop', summary: 'Follow a shop no longer', tags, params,
      response: { 200: Following, ...refusals },
    },
  }, async (request) => {
    const { personId } = personOf(request);
    const shop = await shopBySlug(request.params.slug);
    return follows.unfollow(personId, shop.id);
  });
}
