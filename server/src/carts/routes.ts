/** Carts over HTTP. A guest's cart is kept by the browser; the server only says what is true of it. */
import { Cart, CartCount, CartLineSet, CartLook, CartPut, CartPutAnswer } from '@nacre/contract/carts';
import { Id } from '@nacre/contract/common';
import { ShippingOffer } from '@nacre/contract/orders';
import { Type } from 'typebox';
import { personIdOf, personOf } from '../http/actor.ts';
import type { App } from '../http/app.ts';
import { refusals } from '../http/openapi.ts';
import type { Carts } from './carts.ts';

const tags = ['cart'];
const lineParams = Type.Object({ variantId: Id });

export function cartsRoutes(app: App, { carts }: { carts: Carts }): void {
  app.get('/api/cart', {
    schema: { operationId: 'getCart', summary: 'One’s own cart', tags, response: { 200: Cart, ...refusals } },
  }, async (request) => carts.get(personOf(request).personId));

  app.get('/api/cart/count', {
    schema: {
      operationId: 'countCart', summary: 'How many pieces are in one’s own cart', tags,
      response: { 200: CartCount, ...refusals },
    },
  }, async (request) => carts.count(personOf(request).personId));

  app.post('/api/cart/put', {
    schema: {
      operationId: 'putIntoCart', summary: 'Puts pieces into the cart; the same putting again changes nothing', tags,
      body: CartPut, response: { 200: CartPutAnswer, ...refusals },
    },
  }, async (request) => carts.put(personOf(request).personId, request.body));

  app.post('/api/cart/look', {
    schema: {
      operationId: 'lookAtCart', summary: 'What is true of lines that a browser keeps for a guest', tags,
      body: CartLook, response: { 200: Cart, ...refusals },
    },
  }, async (request) => carts.look(request.body.lines));

  app.put('/api/cart/lines/:variantId', {
    schema: {
      operationId: 'setCartLine', summary: 'From now on so many pieces; also puts back what was taken out', tags,
      params: lineParams, body: CartLineSet, response: { 200: Cart, ...refusals },
    },
  }, async (request) => carts.set(personOf(request).personId, request.params.variantId, request.body));

  app.delete('/api/cart/lines/:variantId', {
    schema: {
      operationId: 'takeFromCart', summary: 'Takes a line out', tags, params: lineParams,
      response: { 200: Cart, ...refusals },
    },
  }, async (request) => carts.takeAway(personOf(request).personId, request.params.variantId));

  app.get('/api/shops/:slug/shipping', {
    schema: {
      operationId: 'getShippingOffer', summary: 'What sending costs who buys from the shop now', tags,
      params: Type.Object({ slug: Type.String({ maxLength: 200 }) }),
      querystring: Type.Object({ showId: Type.Optional(Id) }),
      response: { 200: ShippingOffer, ...refusals },
    },
  }, async (request) => (
    carts.shippingOffer(personIdOf(request.actor), request.params.slug, request.query.showId ?? null)
  ));
}
