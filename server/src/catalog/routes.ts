/** Goods for visitors, and for those who sell them. */
import {
  CounterGoods, CounterGoodsQuery, Product, ProductCreate, ProductPatch, ProductQuery, StockChange, StockLevel,
} from '@nacre/contract/catalog';
import { Id, Page, PageQuery } from '@nacre/contract/common';
import { Type } from 'typebox';
import { personOf } from '../http/actor.ts';
import type { App } from '../http/app.ts';
import { refusals } from '../http/openapi.ts';
import type { Catalog } from './catalog.ts';

const tags = ['catalog'];
const ShopParams = Type.Object({ shopId: Id });
const ProductParams = Type.Object({ productId: Id });

export function catalogRoutes(app: App, { catalog }: { catalog: Catalog }): void {
  visitorRoutes(app, catalog);
  officeRoutes(app, catalog);
}

function visitorRoutes(app: App, catalog: Catalog): void {
  app.get('/api/shops/:slug/products', {
    schema: {
      operationId: 'listShopProducts', summary: 'What a shop sells, newest first', tags,
      params: Type.Object({ slug: Type.String() }), querystring: PageQuery,
      response: { 200: Page(Product), ...refusals },
    },
  }, async (request) => catalog.listForVisitor(request.params.slug, request.query));

  app.get('/api/products/:productId', {
    schema: {
      operationId: 'getProduct', summary: 'A product that is for sale', tags, params: ProductParams,
      response: { 200: Product, ...refusals },
    },
  }, async (request) => catalog.forVisitor(request.params.productId));
}

function officeRoutes(app: App, catalog: Catalog): void {
  app.get('/api/office/shops/:shopId/products', {
    schema: {
      operationId: 'listOfficeProducts', summary: 'Products of a shop in any state, newest first', tags,
      params: ShopParams, querystring: ProductQuery, response: { 200: Page(Product), ...refusals },
    },
  }, async (request) => catalog.listForOffice(personOf(request).personId, request.params.shopId, request.query));

  app.post('/api/office/shops/:shopId/products', {
    schema: {
      operationId: 'createProduct', summary: 'Add a product with its variants and their stock', tags,
      params: ShopParams, body: ProductCreate, response: { 201: Product, ...refusals },
    },
  }, async (request, reply) => {
    const product = await catalog.create(personOf(request).personId, request.params.shopId, request.body);
    return reply.code(201).send(product);
  });

  app.get('/api/office/products/:productId', {
    schema: {
      operationId: 'getOfficeProduct', summary: 'A product in any state, for members of its shop', tags,
      params: ProductParams, response: { 200: Product, ...refusals },
    },
  }, async (request) => catalog.forOffice(personOf(request).personId, request.params.productId));

  app.patch('/api/office/products/:productId', {
    schema: {
      operationId: 'patchProduct', summary: 'Change a product; missing variants are withdrawn', tags,
      params: ProductParams, body: ProductPatch, response: { 200: Product, ...refusals },
    },
  }, async (request) => catalog.patch(personOf(request).personId, request.params.productId, request.body));

  app.get('/api/office/shops/:shopId/counter/goods', {
    schema: {
      operationId: 'findCounterGoods', summary: 'What the counter can sell, by SKU, else by a part of the title', tags,
      params: ShopParams, querystring: CounterGoodsQuery, response: { 200: CounterGoods, ...refusals },
    },
  }, async (request) => (
    catalog.findForCounter(personOf(request).personId, request.params.shopId, request.query.text)
  ));

  app.post('/api/office/variants/:variantId/stock', {
    schema: {
      operationId: 'changeStock', summary: 'An arrival, a loss or a count of one variant', tags,
      params: Type.Object({ variantId: Id }), body: StockChange, response: { 200: StockLevel, ...refusals },
    },
  }, async (request) => catalog.changeStock(personOf(request).personId, request.params.variantId, request.body));
}
