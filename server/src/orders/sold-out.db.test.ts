/** "Sold out" from memory, on a real database: who is told so at once, and who is not. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { OrderPlace } from '@nacre/contract/orders';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { asking, createMarket } from '../../../tests/support/market.ts';
import type { PersonActor } from '../http/actor.ts';
import type { Buyer } from './orders.ts';
import { HOLD_MS, type Placing } from './place.ts';
import { createSoldOut } from './sold-out.ts';
import { lockPlacing } from './store.ts';

const database = await createTestDatabase(import.meta.url);
const market = await createMarket({ url: database.serverUrl, deliver: false });
/** Another process. */
const other = await createMarket({ url: database.serverUrl, deliver: false, clock: market.clock });
after(async () => {
  await other.stop();
  await market.stop();
  await database.drop();
});
const { catalog, clock, offers, orders } = market;
const owner = await market.newPerson('Owner');
const shopId = await market.newShop(owner.personId);
const SOLD_OUT = { code: 'orders.sold_out' };

/** One piece, held by somebody, and somebody after them, who has made a batch find out. */
async function gone(showId: string | null = null) {
  const product = await market.newProduct(owner.personId, shopId, { stock: 1, priceMinor: 10_000 });
  const variantId = product.variants[0]!.id;
  const holder = await market.newPerson('Holder');
  const request = asking(product, { showId });
  const order = await orders.place(holder, request);
  await assert.rejects(orders.place(await market.newPerson(), asking(product, { showId })), SOLD_OUT);
  const want = async (more: Partial<OrderPlace> = {}, buyer?: Buyer) => (
    orders.place(buyer ?? await market.newPerson(), asking(product, { showId, ...more }))
  );
  return { product, variantId, holder, request, order, want };
}

/** While no batch gets anywhere. */
async function withoutBatches(work: () => Promise<void>): Promise<void> {
  await market.database.transaction(async (tx) => {
    await lockPlacing(tx);
    await work();
  });
}

test('[O120] what a batch has found sold out is told without one; after a second one is asked again', async () => {
  const { variantId, want } = await gone();
  await withoutBatches(() => assert.rejects(want(), { ...SOLD_OUT, details: { variantId, available: 0 } }));
  clock.advance(999);
  await withoutBatches(() => assert.rejects(want(), SOLD_OUT));
  await other.catalog.changeStock(owner.personId, variantId, { change: 1 });
  await assert.rejects(want(), SOLD_OUT, 'what another process does is not heard here');
  clock.advance(1);
  assert.equal((await want()).state, 'held');
});

test('[O120] too few for one is not sold out for all', async () => {
  const product = await market.newProduct(owner.personId, shopId, { stock: 2 });
  const want = async (quantity: number) => orders.place(await market.newPerson(), asking(product, { quantity }));
  await assert.rejects(want(3), { ...SOLD_OUT, details: { variantId: product.variants[0]!.id, available: 2 } });
  assert.equal((await want(2)).state, 'held');
});

test('[O121] what comes back here can be had at once: given up, counted anew, or when its time is over', async () => {
  const { variantId, holder, order, want } = await gone();
  await orders.cancel(holder.personId, order.id);
  assert.equal((await want()).state, 'held');
  await assert.rejects(want(), SOLD_OUT);
  await catalog.changeStock(owner.personId, variantId, { setTo: 1 });
  assert.equal((await want()).state, 'held');
  clock.advance(HOLD_MS);
  await assert.rejects(want(), SOLD_OUT);
  assert.ok(await orders.sweepExpired() >= 2);
  assert.equal((await want()).state, 'held');
});

test('[O121] what came back while a batch was under way is not forgotten for what the batch had read before', () => {
  const soldOut = createSoldOut(market);
  const placing = placingOf('v', 'a key');
  const reading = soldOut.reading();
  market.platform.bus.publish('catalog.stock', { levels: [{ productId: 'p', variantId: 'v', available: 1, held: 0 }] });
  soldOut.learn(reading, [{ showId: null, variantId: 'v' }]);
  let joined = 0;
  const join = async () => void (joined += 1);
  void soldOut.ask(placing, join);
  assert.equal(joined, 1);
});

test('[O122] whose key has an order is answered with it; with other contents it is refused as ever', async () => {
  const { holder, request, order, product } = await gone();
  assert.equal((await orders.place(holder, request)).id, order.id);
  const changed = { ...asking(product, { quantity: 2 }), idempotencyKey: request.idempotencyKey };
  await assert.rejects(orders.place(holder, changed), { code: 'orders.key_reused' });
});

test('[O122] a key whose order is on its way goes the same way', async () => {
  const { variantId } = await gone();
  const buyer = await market.newPerson();
  const soldOut = createSoldOut(market);
  const end = Promise.withResolvers<string>();
  const placing = { ...placingOf(variantId, 'on its way'), buyer };
  const first = soldOut.ask(placing, () => end.promise);
  soldOut.learn(soldOut.reading(), [{ showId: null, variantId }]);
  const second = soldOut.ask(placing, () => end.promise);
  await assert.rejects(soldOut.ask({ ...placingOf(variantId, 'another'), buyer }, () => end.promise), SOLD_OUT);
  end.resolve('order');
  assert.deepEqual(await Promise.all([first, second]), ['order', 'order']);
  await assert.rejects(soldOut.ask(placing, () => end.promise), SOLD_OUT);
});

test('[O123] who waited in line gets what is kept, while the others read that it is sold out', async () => {
  const { product, variantId, holder, order, want } = await gone();
  const waiter = await market.newPerson('Waiter');
  await catalog.joinLine(waiter.personId, { variantId, quantity: 1 });
  await orders.cancel(holder.personId, order.id);
  await assert.rejects(want(), SOLD_OUT);
  await withoutBatches(() => assert.rejects(want(), SOLD_OUT));
  assert.equal((await orders.place(waiter, asking(product))).state, 'held');
});

test('[O123] at a live price of which pieces are left it is sold, when nothing else lies there', async () => {
  const product = await market.newProduct(owner.personId, shopId, { stock: 3, priceMinor: 10_000 });
  const variantId = product.variants[0]!.id;
  const showId = await market.newShow(shopId, [product.id]);
  const actor = { kind: 'person', ...owner } as PersonActor;
  await offers.set(actor, showId, { variantId, priceMinor: 7_000, quota: 3, perPerson: 1 });
  const at = (unitPriceMinor: number, where: string | null) => (
    { showId: where, lines: [{ variantId, quantity: 1, unitPriceMinor }] }
  );
  const place = async (unitPriceMinor: number, where: string | null, buyer?: Buyer) => (
    orders.place(buyer ?? await market.newPerson(), asking(product, at(unitPriceMinor, where)))
  );
  const mei = await market.newPerson();
  await place(7_000, showId, mei);
  // Who has had theirs finds nothing at the price of the day, in the show and outside.
  for (const where of [showId, null]) await assert.rejects(place(10_000, where, mei), SOLD_OUT);
  assert.equal((await place(7_000, showId)).totalMinor, 7_000);
  await withoutBatches(() => assert.rejects(place(10_000, null), SOLD_OUT));
});

function placingOf(variantId: string, idempotencyKey: string): Placing {
  const { showId, lines, ...request } = asking({ variants: [{ id: variantId, priceMinor: 1 }] } as never);
  return {
    buyer: owner, request: { ...request, idempotencyKey, showId, lines }, requestHash: Buffer.alloc(32), bag: null,
    asked: [{ variantId, quantity: 1, unitPriceMinor: 1n }],
  };
}
