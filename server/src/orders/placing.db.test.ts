/** Placing orders on a real database. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Order } from '@nacre/contract/orders';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { ADDRESS, asking, createMarket, linesOf } from '../../../tests/support/market.ts';
import { RUSH_ROUNDS } from '../../../tests/support/rush-rounds.ts';
import { Refusal } from '../lib/refusal.ts';
import { HELD_ORDERS_MAX } from './deciding.ts';
import { WAITING_MAX } from './batch-limits.ts';
import { HOLD_MS } from './place.ts';
import { lockPlacing } from './store.ts';

const database = await createTestDatabase(import.meta.url);
const market = await createMarket({ url: database.serverUrl });
after(async () => {
  await market.stop();
  await database.drop();
});
const owner = await market.newPerson('Owner');
const shopId = await market.newShop(owner.personId);

const goods = (stock: number, more: { priceMinor?: number; sizes?: string[] } = {}) =>
  market.newProduct(owner.personId, shopId, { stock, ...more });

const variantOf = (product: { variants: { id: string }[] }, index = 0) => {
  const id = product.variants[index]?.id;
  assert.ok(id);
  return id;
};

/** What became of placings made at the same time. */
async function all(placings: Promise<Order>[]): Promise<{ orders: Order[]; codes: string[] }> {
  const results = await Promise.allSettled(placings);
  const orders: Order[] = [];
  const codes: string[] = [];
  for (const result of results) {
    if (result.status === 'fulfilled') orders.push(result.value);
    else if (result.reason instanceof Refusal) codes.push(result.reason.code);
    else throw result.reason;
  }
  return { orders, codes };
}

const countOrders = async (variantId: string) =>
  (await market.database.db.selectFrom('order_line').select('order_id').where('variant_id', '=', variantId).execute())
    .length;

test('[O1] placing holds the pieces for five minutes and opens a payment of the total', async () => {
  const product = await goods(5);
  const buyer = await market.newPerson('林小雨');
  const now = market.clock.now();
  const order = await market.orders.place(buyer, asking(product, { quantity: 2 }));
  assert.equal(order.state, 'held');
  assert.match(order.number, /^N-\d{4,}$/);
  assert.equal(order.totalMinor, 25_800);
  assert.equal(order.currency, 'CNY');
  assert.equal(order.buyerName, '林小雨');
  assert.deepEqual(order.address, ADDRESS);
  assert.equal(order.placedAt, now.toISOString());
  assert.equal(order.holdExpiresAt, new Date(now.getTime() + 5 * 60_000).toISOString());
  assert.equal(HOLD_MS, 5 * 60_000);
  const payment = await market.paymentOf(order.id);
  assert.equal(order.paymentUrl, `/pay/sandbox/${payment.id}`);
  const seen = await market.payments.get(buyer.personId, payment.id);
  assert.deepEqual(seen, {
    id: payment.id, amountMinor: 25_800, currency: 'CNY', state: 'pending', expiresAt: order.holdExpiresAt,
    subject: `order/${order.id}`, description: order.number,
  });
  assert.deepEqual(await market.levelsOf(variantOf(product)), { available: 3, held: 2, sold: 0 });
});

test('[O2] twenty buyers want the last piece at once: one gets it, nineteen read that it is sold out', async () => {
  const product = await goods(1);
  const buyers = await Promise.all(Array.from({ length: 20 }, (_, i) => market.newPerson(`Buyer ${i}`)));
  const { orders, codes } = await all(buyers.map((buyer) => market.orders.place(buyer, asking(product))));
  assert.equal(orders.length, 1);
  assert.deepEqual(codes, Array.from({ length: 19 }, () => 'orders.sold_out'));
  assert.deepEqual(await market.levelsOf(variantOf(product)), { available: 0, held: 1, sold: 0 });
  assert.equal(await countOrders(variantOf(product)), 1);
});

test('[O2] fifty want the last piece at once, a hundred times: it goes to one', async () => {
  const buyers = await Promise.all(Array.from({ length: 50 }, () => market.newPerson()));
  // Five rounds side by side: their orders share batches.
  await Promise.all(Array.from({ length: 5 }, async () => {
    const product = await goods(1);
    for (let round = 0; round < RUSH_ROUNDS / 5; round += 1) {
      const { orders, codes } = await all(buyers.map((buyer) => market.orders.place(buyer, asking(product))));
      assert.equal(orders.length, 1);
      assert.deepEqual(new Set(codes), new Set(['orders.sold_out']));
      assert.deepEqual(await market.levelsOf(variantOf(product)), { available: 0, held: 1, sold: 0 });
      const { personId } = buyers.find(({ personId: id }) => market.told.some((told) => (
        told.personId === id && told.event.order.id === orders[0]!.id
      )))!;
      await market.orders.cancel(personId, orders[0]!.id);
    }
  }));
});

test('[O2] twenty buyers, seven pieces, two each: three orders, one piece left', async () => {
  const product = await goods(7);
  const buyers = await Promise.all(Array.from({ length: 20 }, () => market.newPerson()));
  const { orders, codes } = await all(
    buyers.map((buyer) => market.orders.place(buyer, asking(product, { quantity: 2 }))),
  );
  assert.equal(orders.length, 3);
  assert.equal(codes.length, 17);
  assert.deepEqual(await market.levelsOf(variantOf(product)), { available: 1, held: 6, sold: 0 });
});

test('[O2] a placing that was refused leaves nothing, says what is left, and its key can be used again', async () => {
  const product = await goods(1);
  const buyer = await market.newPerson();
  const request = asking(product, { quantity: 2 });
  await assert.rejects(market.orders.place(buyer, request), {
    code: 'orders.sold_out', details: { variantId: variantOf(product), available: 1 },
  });
  assert.equal((await market.orders.listMine(buyer.personId, {})).items.length, 0);
  await market.catalog.changeStock(owner.personId, variantOf(product), { change: 1 });
  assert.equal((await market.orders.place(buyer, request)).state, 'held');
});

test('[O3] the same key twenty times at once is one order with one answer', async () => {
  const product = await goods(50);
  const buyer = await market.newPerson();
  const request = asking(product);
  const { orders, codes } = await all(Array.from({ length: 20 }, () => market.orders.place(buyer, request)));
  assert.deepEqual(codes, []);
  for (const order of orders) assert.deepEqual(order, orders[0]);
  assert.equal(await countOrders(variantOf(product)), 1);
  assert.deepEqual(await market.levelsOf(variantOf(product)), { available: 49, held: 1, sold: 0 });
});

test('[O3] the same key again gives the same order, whatever has become of it and of the goods', async () => {
  const product = await goods(1);
  const buyer = await market.newPerson();
  const request = asking(product);
  const placed = await market.orders.place(buyer, request);
  await market.orders.cancel(buyer.personId, placed.id);
  await market.catalog.patch(owner.personId, product.id, { state: 'archived' });
  const again = await market.orders.place(buyer, { ...request, saveAddress: true });
  assert.equal(again.id, placed.id);
  assert.equal(again.state, 'cancelled');
  assert.deepEqual(await market.levelsOf(variantOf(product)), { available: 1, held: 0, sold: 0 });
});

test('[O3] the same key with other contents is refused; the same key of another buyer is another order', async () => {
  const product = await goods(9);
  const buyer = await market.newPerson();
  const request = asking(product);
  const first = await market.orders.place(buyer, request);
  const more = request.lines.map((line) => ({ ...line, quantity: 2 }));
  for (const other of [{ ...request, lines: more }, { ...request, address: { ...ADDRESS, city: '武威' } }]) {
    await assert.rejects(market.orders.place(buyer, other), { code: 'orders.key_reused' });
  }
  const stranger = await market.orders.place(await market.newPerson(), request);
  assert.notEqual(stranger.id, first.id);
  assert.deepEqual(await market.levelsOf(variantOf(product)), { available: 7, held: 2, sold: 0 });
});

test('[O4] when one line is sold out, the other lines are not held either', async () => {
  const plenty = await goods(5);
  const none = await goods(0);
  const buyer = await market.newPerson();
  const request = asking(plenty);
  request.lines.push(...asking(none).lines);
  await assert.rejects(market.orders.place(buyer, request), { code: 'orders.sold_out' });
  assert.deepEqual(await market.levelsOf(variantOf(plenty)), { available: 5, held: 0, sold: 0 });
});

test('[O4] carts with the same goods in opposite sequences do not block each other', async () => {
  const product = await goods(100, { sizes: ['S', 'M', 'L'] });
  const lines = linesOf(product);
  const buyers = await Promise.all(Array.from({ length: 40 }, () => market.newPerson()));
  const { orders } = await all(buyers.map((buyer, i) =>
    market.orders.place(buyer, asking(product, { lines: i % 2 === 0 ? lines : lines.toReversed() }))));
  assert.equal(orders.length, 40);
  for (const { id } of product.variants) {
    assert.deepEqual(await market.levelsOf(id), { available: 60, held: 40, sold: 0 });
  }
});

test('[O5] a price that has changed is told, and nothing is placed', async () => {
  const product = await goods(5);
  const buyer = await market.newPerson();
  const request = asking(product);
  const variants = product.variants.map(({ id, optionValues, sku }) => ({ id, optionValues, sku, priceMinor: 9_900 }));
  await market.catalog.patch(owner.personId, product.id, { options: product.options, variants });
  await assert.rejects(market.orders.place(buyer, request), {
    code: 'orders.price_changed',
    details: { variantId: variantOf(product), priceMinor: 9_900, currency: 'CNY' },
  });
  assert.deepEqual(await market.levelsOf(variantOf(product)), { available: 5, held: 0, sold: 0 });
});

test('[O6] drafts, archived goods, unknown variants and goods of two shops are refused', async () => {
  const buyer = await market.newPerson();
  const product = await goods(5);
  const otherShop = await market.newShop(owner.personId);
  const foreign = await market.newProduct(owner.personId, otherShop, { stock: 5 });
  const mixed = asking(product);
  mixed.lines.push(...asking(foreign).lines);
  await assert.rejects(market.orders.place(buyer, mixed), { code: 'request.invalid' });
  for (const state of ['draft', 'archived'] as const) {
    await market.catalog.patch(owner.personId, product.id, { state });
    await assert.rejects(market.orders.place(buyer, asking(product)), { code: 'orders.not_for_sale' });
  }
  const unknown = { variantId: product.id, quantity: 1, unitPriceMinor: 1 };
  const asksUnknown = asking(product, { lines: [unknown] });
  await assert.rejects(market.orders.place(buyer, asksUnknown), { code: 'orders.not_for_sale' });
  assert.deepEqual(await market.levelsOf(variantOf(product)), { available: 5, held: 0, sold: 0 });
});

test('[O6] a show that does not exist or is of another shop is refused', async () => {
  const buyer = await market.newPerson();
  const product = await goods(5);
  const otherShop = await market.newShop(owner.personId);
  const foreignShow = await market.newShow(otherShop, [product.id]);
  const placeIn = (showId: string) => market.orders.place(buyer, asking(product, { showId }));
  await assert.rejects(placeIn(product.id), { code: 'shows.not_found' });
  await assert.rejects(placeIn(foreignShow), { code: 'request.invalid' });
});

test('[O8] one person has five unpaid orders at most, also when placed in parallel', async () => {
  const product = await goods(50);
  const buyer = await market.newPerson();
  const { orders, codes } = await all(
    Array.from({ length: 12 }, () => market.orders.place(buyer, asking(product))),
  );
  assert.equal(orders.length, HELD_ORDERS_MAX);
  assert.deepEqual(new Set(codes), new Set(['orders.too_many_open']));
  const [first] = orders;
  assert.ok(first);
  await market.orders.cancel(buyer.personId, first.id);
  assert.equal((await market.orders.place(buyer, asking(product))).state, 'held');
  assert.deepEqual(await market.levelsOf(variantOf(product)), { available: 45, held: 5, sold: 0 });
});

test('[O18] an order keeps words, options, price and number of the moment', async () => {
  const product = await goods(5, { sizes: ['S', 'M'] });
  const showId = await market.newShow(shopId, [product.id]);
  const buyer = await market.newPerson();
  const placed = await market.orders.place(buyer, asking(product, { showId }));
  await market.catalog.patch(owner.personId, product.id, {
    title: 'Another name', state: 'archived', options: [],
    variants: [{ optionValues: [], sku: 'NEW', priceMinor: 1 }],
  });
  const { lines, showId: keptShow } = await market.orders.get(buyer.personId, placed.id);
  assert.equal(keptShow, showId);
  assert.deepEqual(lines, [{
    variantId: variantOf(product), productId: product.id, title: 'Summer dress', optionValues: ['S'], sku: 'D-S',
    image: null, unitPriceMinor: 12_900, quantity: 1, number: 1,
  }]);
});

test('[O19] the buyer is told of a placing after its commit, and of a refused one not at all', async () => {
  const product = await goods(1);
  const buyer = await market.newPerson();
  const order = await market.orders.place(buyer, asking(product));
  await assert.rejects(market.orders.place(buyer, asking(product)), { code: 'orders.sold_out' });
  await new Promise((resolve) => setTimeout(resolve, 100));
  const mine = market.told.filter((one) => one.personId === buyer.personId);
  assert.deepEqual(mine.map((one) => one.event), [{ type: 'own-order', order }]);
});

test('[O22] the address is kept once if asked, not on a repeat, and a full address book does not matter', async () => {
  const product = await goods(9);
  const buyer = await market.newPerson();
  const request = { ...asking(product), saveAddress: true };
  const kept = () => market.keptAddresses.filter((personId) => personId === buyer.personId).length;
  await market.orders.place(buyer, request);
  await market.orders.place(buyer, request);
  await market.orders.place(buyer, asking(product));
  assert.equal(kept(), 1);
  assert.equal((await market.orders.place(buyer, { ...asking(product), saveAddress: true })).state, 'held');
});

test('[O43] [O44] who comes beyond the queue’s bound is told at once; all others have their answers', async () => {
  const product = await goods(WAITING_MAX);
  const buyer = await market.newPerson();
  const open = Promise.withResolvers<void>();
  const isShut = Promise.withResolvers<void>();
  // Another process is at it for long.
  const other = market.database.transaction(async (tx) => {
    await lockPlacing(tx);
    isShut.resolve();
    await open.promise;
  });
  await isShut.promise;
  const first = market.orders.place(buyer, asking(product));
  await new Promise((resolve) => setImmediate(resolve));
  const rest = Array.from({ length: WAITING_MAX }, () => market.orders.place(buyer, asking(product)));
  const last = asking(product);
  await assert.rejects(market.orders.place(buyer, last), { code: 'orders.rush', retryAfterSeconds: 2 });
  open.resolve();
  await other;
  const { orders, codes } = await all([first, ...rest]);
  assert.equal(orders.length, HELD_ORDERS_MAX);
  assert.deepEqual([...new Set(codes)], ['orders.too_many_open']);
  assert.equal(await countOrders(variantOf(product)), HELD_ORDERS_MAX);
  const [{ id }] = orders as [Order];
  await market.orders.cancel(buyer.personId, id);
  assert.equal((await market.orders.place(buyer, last)).state, 'held');
});
