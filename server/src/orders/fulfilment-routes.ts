/** What becomes of a paid order, over HTTP: one by one, and many at once in the office. */
import { Readable } from 'node:stream';
import { Id } from '@nacre/contract/common';
import {
  BulkResult, BulkShip, FoundOrders, OfficeOrderFilter, Order, OrderCancel, OrderNumbers, OrderShip, SelectedNumbers,
} from '@nacre/contract/orders';
import { Type } from 'typebox';
import { personOf } from '../http/actor.ts';
import type { App } from '../http/app.ts';
import { refusals } from '../http/openapi.ts';
import type { Orders } from './orders.ts';

const orderParams = Type.Object({ orderId: Id });
const shopParams = Type.Object({ shopId: Id });
const officeTags = ['office'];
const CSV = 'text/csv';

export function fulfilmentRoutes(app: App, orders: Orders): void {
  oneByOne(app, orders);
  manyAtOnce(app, orders);
  reading(app, orders);
}

function oneByOne(app: App, orders: Orders): void {
  app.post('/api/orders/:orderId/arrived', {
    schema: {
      operationId: 'orderArrived', summary: 'The buyer has all of a shipped order', tags: ['orders'],
      params: orderParams, response: { 200: Order, ...refusals },
    },
  }, async (request) => orders.arrived(personOf(request).personId, request.params.orderId));

  app.post('/api/office/orders/:orderId/pack', {
    schema: {
      operationId: 'packOrder', summary: 'A paid order lies packed; its buyer can no longer cancel it',
      tags: officeTags, params: orderParams, response: { 200: Order, ...refusals },
    },
  }, async (request) => orders.pack(personOf(request).personId, request.params.orderId));

  app.post('/api/office/orders/:orderId/ship', {
    schema: {
      operationId: 'shipOrder',
      summary: 'Sends a parcel of a paid order: these pieces, or all that are left. The last ones make it shipped',
      tags: officeTags, params: orderParams, body: OrderShip, response: { 200: Order, ...refusals },
    },
  }, async (request) => orders.ship(personOf(request).personId, request.params.orderId, request.body));

  app.post('/api/office/orders/:orderId/cancel', {
    schema: {
      operationId: 'cancelShopOrder',
      summary: 'The shop takes back a paid order that is not on its way; the money goes back, the buyer reads why',
      tags: officeTags, params: orderParams, body: OrderCancel, response: { 200: Order, ...refusals },
    },
  }, async (request) => orders.cancelByShop(personOf(request).personId, request.params.orderId, request.body));
}

function manyAtOnce(app: App, orders: Orders): void {
  app.post('/api/office/shops/:shopId/orders/pack', {
    schema: {
      operationId: 'packOrders', summary: 'Marks up to 100 orders as packed, each on its own', tags: officeTags,
      params: shopParams, body: OrderNumbers, response: { 200: BulkResult, ...refusals },
    },
  }, async (request) => (
    orders.packMany(personOf(request).personId, request.params.shopId, request.body.numbers)
  ));

  app.post('/api/office/shops/:shopId/orders/ship', {
    schema: {
      operationId: 'shipOrders', summary: 'Sends up to 100 orders, each on its own, all that is left in one parcel',
      tags: officeTags, params: shopParams, body: BulkShip, response: { 200: BulkResult, ...refusals },
    },
  }, async (request) => orders.shipMany(personOf(request).personId, request.params.shopId, request.body));
}

function reading(app: App, orders: Orders): void {
  app.get('/api/office/shops/:shopId/order-numbers', {
    schema: {
      operationId: 'selectOrders', summary: 'Numbers of the newest 500 orders of a filter', tags: officeTags,
      params: shopParams, querystring: OfficeOrderFilter, response: { 200: SelectedNumbers, ...refusals },
    },
  }, async (request) => orders.select(personOf(request).personId, request.params.shopId, request.query));

  app.post('/api/office/shops/:shopId/orders/find', {
    schema: {
      operationId: 'findOrders', summary: 'Up to 100 orders by number, to print them; unknown ones are missing',
      tags: officeTags, params: shopParams, body: OrderNumbers, response: { 200: FoundOrders, ...refusals },
    },
  }, async (request) => (
    orders.findByNumbers(personOf(request).personId, request.params.shopId, request.body.numbers)
  ));

  app.get('/api/office/shops/:shopId/orders.csv', {
    schema: {
      operationId: 'getOrdersFile',
      summary: 'The newest 50,000 orders of a filter as a file (RFC 4180, UTF-8 with a byte order mark), a line for '
        + 'each line of an order',
      tags: officeTags,
      params: shopParams,
      querystring: OfficeOrderFilter,
      response: {
        200: { description: 'CSV', content: { [CSV]: { schema: Type.String() } } },
        ...refusals,
      },
    },
  }, async (request, reply) => {
    const lines = await orders.csv(personOf(request).personId, request.params.shopId, request.query);
    reply.header('content-disposition', 'attachment; filename="orders.csv"');
    reply.header('cache-control', 'private, no-store');
    return reply.type(`${CSV}; charset=utf-8; header=present`).send(Readable.from(lines));
  });
}
