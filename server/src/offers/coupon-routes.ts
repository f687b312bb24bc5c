/** Coupons, for the shop and the host, and for those who claim them. Viewers have them with the show too. */
import { Id, Page, PageQuery } from '@nacre/contract/common';
import {
  CouponHandOut, CouponLower, CouponMake, OfficeCoupon, OfficeCoupons, OwnCoupon, RoomCoupon, ShopCoupons,
} from '@nacre/contract/coupons';
import { Type } from 'typebox';
import { personIdOf, personOf } from '../http/actor.ts';
import type { App } from '../http/app.ts';
import { refusals } from '../http/openapi.ts';
import type { Coupons } from './coupons.ts';

export interface CouponRoutesDeps {
  coupons: Coupons;
  /** @throws Refusal `shops.not_found` */
  shopBySlug(slug: string): Promise<{ id: string }>;
}

const tags = ['coupons'];
const shopParams = Type.Object({ shopId: Id });
const params = Type.Object({ couponId: Id });

export function couponRoutes(app: App, { coupons, shopBySlug }: CouponRoutesDeps): void {
  officeRoutes(app, coupons);

  app.post('/api/coupons/:couponId/claim', {
    schema: {
      operationId: 'claimCoupon', summary: 'Claim a coupon; once a person, a repeat answers the same', tags,
      params, response: { 200: OwnCoupon, ...refusals },
    },
  }, (request) => coupons.claim(personOf(request), request.params.couponId));

  app.get('/api/coupons', {
    schema: {
      operationId: 'listMyCoupons', summary: 'Coupons one has claimed oneself, the last first', tags,
      querystring: PageQuery, response: { 200: Page(OwnCoupon), ...refusals },
    },
  }, (request) => coupons.listMine(personOf(request).personId, request.query));

  app.get('/api/shops/:slug/coupons', {
    schema: {
      operationId: 'listShopCoupons', summary: 'What can be claimed from a shop, and one’s own to use there', tags,
      params: Type.Object({ slug: Type.String({ maxLength: 200 }) }), response: { 200: ShopCoupons, ...refusals },
    },
  }, async (request) => {
    const { id } = await shopBySlug(request.params.slug);
    const personId = personIdOf(request.actor);
    const [open, own] = await Promise.all([
      coupons.openIn(id), personId === null ? [] : coupons.claimedIn(personId, id),
    ]);
    return { open, own };
  });
}

function officeRoutes(app: App, coupons: Coupons): void {
  app.get('/api/office/shops/:shopId/coupons', {
    schema: {
      operationId: 'listOfficeCoupons', summary: 'Coupons of a shop, the newest first, for who runs shows', tags,
      params: shopParams, response: { 200: OfficeCoupons, ...refusals },
    },
  }, async (request) => ({ items: await coupons.listOfShop(personOf(request), request.params.shopId) }));

  app.post('/api/office/shops/:shopId/coupons', {
    schema: {
      operationId: 'makeCoupon', summary: 'Make a coupon; afterwards only fewer of it can be made', tags,
      params: shopParams, body: CouponMake, response: { 201: OfficeCoupon, ...refusals },
    },
  }, async (request, reply) => (
    reply.code(201).send(await coupons.make(personOf(request), request.params.shopId, request.body))
  ));

  app.patch('/api/office/coupons/:couponId', {
    schema: {
      operationId: 'lowerCoupon', summary: 'Lower the number of a coupon there is', tags,
      params, body: CouponLower, response: { 200: OfficeCoupon, ...refusals },
    },
  }, (request) => coupons.lower(personOf(request), request.params.couponId, request.body));

  app.post('/api/office/coupons/:couponId/end', {
    schema: {
      operationId: 'endCoupon', summary: 'End a coupon; what is claimed stays good', tags,
      params, response: { 200: OfficeCoupon, ...refusals },
    },
  }, (request) => coupons.end(personOf(request), request.params.couponId));

  app.put('/api/office/shows/:showId/coupon', {
    schema: {
      operationId: 'handOutCoupon', summary: 'Hand a coupon out on the picture of a show, or none any more', tags,
      params: Type.Object({ showId: Id }), body: CouponHandOut,
      response: { 200: Type.Object({ items: Type.Array(RoomCoupon) }), ...refusals },
    },
  }, async (request) => (
    { items: await coupons.handOut(personOf(request), request.params.showId, request.body.couponId) }
  ));
}
