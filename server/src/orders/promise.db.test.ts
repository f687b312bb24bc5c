/** What orders were promised, on a real database. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import type { OrderPromise } from '@nacre/contract/promise';
import pg from 'pg';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { ADDRESS, asking, createMarket } from '../../../tests/support/market.ts';
import type { PersonActor } from '../http/actor.ts';
import { canonicalJson } from '../lib/canonical-json.ts';
import { Refusal } from '../lib/refusal.ts';
import { newId } from '../platform/ids.ts';

const database = await createTestDatabase(import.meta.url);
const market = await createMarket({ url: database.serverUrl });
const server = new pg.Client({ connectionString: database.serverUrl });
await server.connect();
after(async () => {
  await server.end();
  await market.stop();
  await database.drop();
});
const owner = await market.newPerson('Owner');
const shopId = await market.newShop(owner.personId);

const refusedWith = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;

async function showOnScreen(showId: string, productId: string): Promise<void> {
  const { db } = market.database;
  await db.insertInto('on_screen_interval')
    .values({ id: newId(), show_id: showId, product_id: productId, started_at: market.clock.now() }).execute();
}

async function promised(personId: string, orderId: string): Promise<OrderPromise> {
  return JSON.parse((await market.orders.promiseOf(personId, orderId)).document) as OrderPromise;
}

test('[O100] what was promised is kept with the order: lines, prices, terms, screen and time in the show', async () => {
  await market.shops.patch(owner.personId, shopId, { terms: { returns: ' 14 days, 不问理由 ', shipping: 'In 2 days' } });
  const sold = await market.newProduct(owner.personId, shopId, { stock: 9, sizes: ['M'] });
  const shown = await market.newProduct(owner.personId, shopId, { stock: 1 });
  await market.catalog.patch(owner.personId, shown.id, { description: 'Silk. “Hand-made” 🧵' });
  const showId = await market.newShow(shopId, [sold.id, shown.id]);
  await showOnScreen(showId, shown.id);
  market.clock.advance(65_432);
  const buyer = await market.newPerson('林小雨');
  const asked = asking(sold, { quantity: 2, showId });
  const [line] = asked.lines;
  assert.ok(line);
  await market.offers.set({ kind: 'person', ...owner } as PersonActor, showId, {
    variantId: line.variantId, priceMinor: 9_900, quota: 2, perPerson: 2,
  });
  const order = await market.orders.place(buyer, { ...asked, lines: [{ ...line, unitPriceMinor: 9_900 }] });
  const cards = [
    {
      productId: sold.id, title: 'Summer dress', description: '', imageIds: [],
      options: [{ name: 'Size', values: ['M'] }],
    },
    {
      productId: shown.id, title: 'Summer dress', description: 'Silk. “Hand-made” 🧵', imageIds: [], options: [],
    },
  ].sort((one, other) => (one.productId < other.productId ? -1 : 1));
  assert.deepEqual(await promised(buyer.personId, order.id), {
    offer: {
      cards,
      shop: { id: shopId, name: 'Silk Road Dresses', terms: { returns: '14 days, 不问理由', shipping: 'In 2 days' } },
      show: { id: showId, title: 'Tonight', onScreenProductId: shown.id },
    },
    order: {
      format: 'nacre-promise/1', id: order.id, number: order.number, placedAt: order.placedAt,
      lines: [{
        productId: sold.id, variantId: line.variantId, title: 'Summer dress', optionValues: ['M'], sku: 'D-M',
        number: 1, quantity: 2, unitPriceMinor: 9_900, formerPriceMinor: 12_900, totalMinor: 19_800,
      }],
      shippingMinor: 0, totalMinor: 19_800, currency: 'CNY', delivery: 'parcel', address: ADDRESS, pickup: null,
      showOffsetMs: 65_432,
    },
  });
});

test('[O101] the text is canonical, and its SHA-256 is that of its bytes', async () => {
  const product = await market.newProduct(owner.personId, shopId, { stock: 5 });
  const buyer = await market.newPerson('Zoë \u{1f469}‍\u{1f373}');
  const address = { ...ADDRESS, line1: 'Rue "É"\u000f \\ 1' };
  const order = await market.orders.place(buyer, asking(product, { address }));
  const { document, sha256, number } = await market.orders.promiseOf(buyer.personId, order.id);
  assert.equal(document, canonicalJson(JSON.parse(document)));
  assert.deepEqual(createHash('sha256').update(Buffer.from(document, 'utf8')).digest(), sha256);
  assert.equal(number, order.number);
  assert.equal((JSON.parse(document) as OrderPromise).offer.show, null);
});

test('[O102] nothing changes it: not the shop, not the goods, not the server itself', async () => {
  const product = await market.newProduct(owner.personId, shopId, { stock: 5 });
  const buyer = await market.newPerson();
  const order = await market.orders.place(buyer, asking(product));
  const before = await market.orders.promiseOf(buyer.personId, order.id);
  await market.shops.patch(owner.personId, shopId, { name: 'Another', terms: { returns: 'None', shipping: '' } });
  await market.catalog.patch(owner.personId, product.id, { title: 'Another', description: 'Another' });
  await market.orders.cancel(buyer.personId, order.id);
  assert.deepEqual(await market.orders.promiseOf(buyer.personId, order.id), before);
  for (const table of ['order_promise', 'promise_offer']) {
    await assert.rejects(server.query(`update ${table} set body = body`), { code: '42501' });
    await assert.rejects(server.query(`delete from ${table}`), { code: '42501' });
  }
});

test('[O103] the buyer reads it, and whose role includes orders; nobody else learns of it', async () => {
  const product = await market.newProduct(owner.personId, shopId, { stock: 5 });
  const [buyer, stranger, host] = [await market.newPerson(), await market.newPerson(), await market.newPerson()];
  const order = await market.orders.place(buyer, asking(product));
  await market.database.db.insertInto('shop_member')
    .values({ shop_id: shopId, person_id: host.personId, role: 'host', created_at: market.clock.now() }).execute();
  const { document } = await market.orders.promiseOf(buyer.personId, order.id);
  assert.equal((await market.orders.promiseOfShop(owner.personId, order.id)).document, document);
  for (const { personId } of [stranger, host, owner]) {
    await assert.rejects(market.orders.promiseOf(personId, order.id), refusedWith('orders.not_found'));
  }
  await assert.rejects(market.orders.promiseOfShop(stranger.personId, order.id), refusedWith('orders.not_found'));
  await assert.rejects(market.orders.promiseOfShop(host.personId, order.id), refusedWith('shops.not_allowed'));
  const [variant] = product.variants;
  assert.ok(variant);
  const { id } = await market.orders.sellAtCounter(owner.personId, shopId, {
    idempotencyKey: 'counter-promise', method: 'cash',
    lines: [{ variantId: variant.id, quantity: 1, unitPriceMinor: variant.priceMinor }],
  });
  await assert.rejects(market.orders.promiseOfShop(owner.personId, id), refusedWith('orders.no_promise'));
});

test('[O104] a shop says how goods go back and how soon they go out, in 1,000 signs each, or nothing', async () => {
  const shop = await market.shops.byId(await market.newShop(owner.personId));
  assert.deepEqual(shop.terms, { returns: '', shipping: '' });
  const terms = { returns: 'r'.repeat(1_000), shipping: '三天内发货' };
  assert.deepEqual((await market.shops.patch(owner.personId, shop.id, { terms })).terms, terms);
  assert.deepEqual((await market.shops.bySlug(shop.slug)).terms, terms);
  await market.shops.patch(owner.personId, shop.id, { story: 'No word of terms' });
  assert.deepEqual((await market.shops.byId(shop.id)).terms, terms);
});

test('[O105] what many orders were promised alike is kept once, and each order has its own', async () => {
  const product = await market.newProduct(owner.personId, shopId, { stock: 50 });
  const buyers = await Promise.all(Array.from({ length: 20 }, () => market.newPerson()));
  const orders = await Promise.all(buyers.map((buyer) => market.orders.place(buyer, asking(product))));
  const { rows } = await server.query<{ offers: string; promises: string; hashes: string }>(
    `select count(distinct offer_sha256) as offers, count(*) as promises, count(distinct sha256) as hashes
       from order_promise where order_id = any ($1)`, [orders.map(({ id }) => id)],
  );
  assert.deepEqual(rows[0], { offers: '1', promises: '20', hashes: '20' });
  for (const [at, order] of orders.entries()) {
    assert.equal((await promised(buyers[at]?.personId ?? '', order.id)).order.id, order.id);
  }
});
