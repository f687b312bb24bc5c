/** Shops for visitors, and for those who keep them. */
import { Id, Page, PageQuery, type Locale } from '@nacre/contract/common';
import { Shop, ShopCreate, ShopPage, ShopPatch, type Following } from '@nacre/contract/shops';
import { Type } from 'typebox';
import { personIdOf, personOf } from '../http/actor.ts';
import type { App } from '../http/app.ts';
import { refusals } from '../http/openapi.ts';
import type { Shops } from './shops.ts';

export interface ShopsRoutesDeps {
  shops: Shops;
  /** Followers of the shop, and whether this person is one; null for a guest. */
  followingOf(shopId: string, personId: string | null): Promise<Following>;
  /** The person's own, in which a shop speaks unless it is told otherwise. */
  languageOf(personId: string): Promise<Locale>;
}

const tags = ['shops'];
/** `slug` gives the one shop at that address, or nobody: so one asks whether an address is free. */
const ShopsQuery = Type.Object({ ...PageQuery.properties, slug: Type.Optional(Type.String({ maxLength: 200 })) });
const ShopParams = Type.Object({ shopId: Id });

export function shopsRoutes(app: App, { shops, followingOf, languageOf }: ShopsRoutesDeps): void {
  app.post('/api/shops', {
    schema: {
      operationId: 'createShop', summary: 'Open a shop', tags, body: ShopCreate, response: { 201: Shop, ...refusals },
    },
  }, async (request, reply) => {
    const { personId } = personOf(request);
    const language = request.body.language ?? (await languageOf(personId));
    const shop = await shops.create(personId, { ...request.body, language });
    return reply.code(201).send(shop);
  });

  app.get('/api/shops', {
    schema: {
      operationId: 'listShops', summary: 'Shops, newest first', tags, querystring: ShopsQuery,
      response: { 200: Page(Shop), ...refusals },
    },
  }, async (request) => shops.list(request.query));

  app.get('/api/shops/:slug', {
    schema: {
      operationId: 'getShop', summary: 'A shop as its visitors see it', tags,
      params: Type.Object({ slug: Type.String() }), response: { 200: ShopPage, ...refusals },
    },
  }, async (request) => {
    const shop = await shops.bySlug(request.params.slug);
    const personId = personIdOf(request.actor);
    return { ...shop, ...(await followingOf(shop.id, personId)) };
  });

  app.get('/api/office/shops/:shopId', {
    schema: {
      operationId: 'getOfficeShop', summary: 'A shop, for its members', tags, params: ShopParams,
      response: { 200: Shop, ...refusals },
    },
  }, async (request) => {
    const { shopId } = request.params;
    await shops.assertMay(personOf(request).personId, shopId, 'shop.see');
    return shops.byId(shopId);
  });

  app.patch('/api/office/shops/:shopId', {
    schema: {
      operationId: 'patchShop', summary: 'Change a shop', tags, params: ShopParams, body: ShopPatch,
      response: { 200: Shop, ...refusals },
    },
  }, async (request) => shops.patch(personOf(request).personId, request.params.shopId, request.body));
}
