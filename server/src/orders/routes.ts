/** Orders over HTTP: the buyer's side, and the shop's in the office. */
import { Id, Page, PageQuery } from '@nacre/contract/common';
import {
  CounterSale, OfficeOrderQuery, Order, OrderCounts, OrderPlace, PickupCode, Receipt,
} from '@nacre/contract/orders';
import { OrderPromise } from '@nacre/contract/promise';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { personOf } from '../http/actor.ts';
import type { App } from '../http/app.ts';
import { refusals } from '../http/openapi.ts';
import { fulfilmentRoutes } from './fulfilment-routes.ts';
import type { Orders } from './orders.ts';
import type { KeptPromise } from './reading.ts';

const orderParams = Type.Object({ orderId: Id });
const shopParams = Type.Object({ shopId: Id });
const tags = ['orders'];
const officeTags = ['office'];

export function ordersRoutes(app: App, deps: { orders: Orders }): void {
  buyerRoutes(app, deps.orders);
  officeRoutes(app, deps.orders);
  pickupRoutes(app, deps.orders);
  counterRoutes(app, deps.orders);
  fulfilmentRoutes(app, deps.orders);
}

function buyerRoutes(app: App, orders: Orders): void {
  app.post(
    '/api/orders',
    {
      schema: {
        operationId: 'placeOrder',
        summary: 'Holds the pieces for five minutes and opens the payment; the same key gives the same order',
        tags,
        body: OrderPlace,
        response: { 201: Order, ...refusals },
      },
    },
    async (request, reply) => reply.code(201).send(await orders.place(personOf(request), request.body)),
  );

  app.get(
    '/api/orders',
    {
      schema: {
        operationId: 'listMyOrders',
        summary: 'One’s own orders, the newest first',
        tags,
        querystring: PageQuery,
        response: { 200: Page(Order), ...refusals },
      },
    },
    async (request) => orders.listMine(personOf(request).personId, request.query),
  );

  app.get(
    '/api/orders/:orderId',
    {
      schema: {
        operationId: 'getOrder',
        summary: 'An order of one’s own',
        tags,
        params: orderParams,
        response: { 200: Order, ...refusals },
      },
    },
    async (request) => orders.get(personOf(request).personId, request.params.orderId),
  );

  app.get('/api/orders/:orderId/promise', {
    schema: {
      operationId: 'getPromise', summary: 'What an order of one’s own was promised, as it was hashed', tags,
      params: orderParams, response: { 200: OrderPromise, ...refusals },
    },
  }, async (request, reply) => (
    sendPromise(reply, await orders.promiseOf(personOf(request).personId, request.params.orderId))
  ));

  app.post(
    '/api/orders/:orderId/cancel',
    {
      schema: {
        operationId: 'cancelOrder',
        summary: 'Gives up an order that is not packed; what was paid goes back',
        tags,
        params: orderParams,
        response: { 200: Order, ...refusals },
      },
    },
    async (request) => orders.cancel(personOf(request).personId, request.params.orderId),
  );
}

/** As bytes, so that nothing writes them anew on the way. RFC 9530 names the hash. */
function sendPromise(reply: FastifyReply, { number, document, sha256 }: KeptPromise): FastifyReply {
  reply.header('content-disposition', `attachment; filename="${number}-promise.json"`);
  reply.header('repr-digest', `sha-256=:${sha256.toString('base64')}:`);
  reply.header('cache-control', 'private, no-store');
  return reply.type('application/json').send(Buffer.from(document, 'utf8'));
}

function officeRoutes(app: App, orders: Orders): void {
  app.get(
    '/api/office/shops/:shopId/orders',
    {
      schema: {
        operationId: 'listShopOrders',
        summary: 'The shop’s orders, the newest first',
        tags: officeTags,
        params: shopParams,
        querystring: OfficeOrderQuery,
        response: { 200: Page(Order), ...refusals },
      },
    },
    async (request) => orders.listOfShop(personOf(request).personId, request.params.shopId, request.query),
  );

  app.get(
    '/api/office/shops/:shopId/order-counts',
    {
      schema: {
        operationId: 'countShopOrders',
        summary: 'How many orders of the shop are in each state',
        tags: officeTags,
        params: shopParams,
        response: { 200: OrderCounts, ...refusals },
      },
    },
    async (request) => orders.counts(personOf(request).personId, request.params.shopId),
  );

  app.get(
    '/api/office/orders/:orderId',
    {
      schema: {
        operationId: 'getShopOrder',
        summary: 'An order of the shop',
        tags: officeTags,
        params: orderParams,
        response: { 200: Order, ...refusals },
      },
    },
    async (request) => orders.getOfShop(personOf(request).personId, request.params.orderId),
  );

  app.get('/api/office/orders/:orderId/promise', {
    schema: {
      operationId: 'getShopPromise', summary: 'What an order of the shop was promised, as it was hashed',
      tags: officeTags,
      params: orderParams, response: { 200: OrderPromise, ...refusals },
    },
  }, async (request, reply) => (
    sendPromise(reply, await orders.promiseOfShop(personOf(request).personId, request.params.orderId))
  ));
}

function pickupRoutes(app: App, orders: Orders): void {
  app.post('/api/office/orders/:orderId/ready', {
    schema: {
      operationId: 'readyOrder', summary: 'A paid order lies in the shop for its buyer', tags: officeTags,
      params: orderParams, response: { 200: Order, ...refusals },
    },
  }, async (request) => orders.ready(personOf(request).personId, request.params.orderId));

  app.post('/api/office/shops/:shopId/pickups/find', {
    schema: {
      operationId: 'findPickup', summary: 'The order that waits under a pick-up code', tags: officeTags,
      params: shopParams, body: PickupCode, response: { 200: Order, ...refusals },
    },
  }, async (request) => (
    orders.findPickup(personOf(request).personId, request.params.shopId, request.body.code)
  ));

  app.post('/api/office/orders/:orderId/hand-over', {
    schema: {
      operationId: 'handOverOrder', summary: 'The buyer has it; the code proves who that is', tags: officeTags,
      params: orderParams, body: PickupCode, response: { 200: Order, ...refusals },
    },
  }, async (request) => (
    orders.handOver(personOf(request).personId, request.params.orderId, request.body.code)
  ));
}

function counterRoutes(app: App, orders: Orders): void {
  app.post('/api/office/shops/:shopId/counter/sales', {
    schema: {
      operationId: 'sellAtCounter', summary: 'Sells over the counter; the same key gives the same sale',
      tags: officeTags,
      params: shopParams, body: CounterSale, response: { 201: Order, ...refusals },
    },
  }, async (request, reply) => {
    const sale = await orders.sellAtCounter(personOf(request).personId, request.params.shopId, request.body);
    return reply.code(201).send(sale);
  });

  app.post('/api/office/orders/:orderId/void', {
    schema: {
      operationId: 'voidSale', summary: 'Undoes a counter sale within 15 minutes', tags: officeTags,
      params: orderParams, response: { 200: Order, ...refusals },
    },
  }, async (request) => orders.voidSale(personOf(request).personId, request.params.orderId));

  app.get('/api/receipts/:orderId', {
    schema: {
      operationId: 'getReceipt', summary: 'The receipt of a counter sale, for whoever has its address', tags,
      params: orderParams, response: { 200: Receipt, ...refusals },
    },
  }, async (request) => orders.receiptOf(request.params.orderId));
}
