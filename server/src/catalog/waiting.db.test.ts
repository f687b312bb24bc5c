/** Waiting in line, on a real database: whose pieces are whose, whatever happens at the same time. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Product } from '@nacre/contract/catalog';
import { KEPT_MS, WAITS_MAX, type Wait } from '@nacre/contract/waiting';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { asking, createMarket, linesOf } from '../../../tests/support/market.ts';
import { newId } from '../platform/ids.ts';
import type { Buyer } from '../orders/orders.ts';
import type { KeptFact } from './events.ts';

const database = await createTestDatabase(import.meta.url);
const market = await createMarket({ url: database.serverUrl, deliver: false });
/** Another process. */
const other = await createMarket({ url: database.serverUrl, deliver: false, clock: market.clock });
after(async () => {
  await other.stop();
  await market.stop();
  await database.drop();
});
const { catalog, orders } = market;
const owner = await market.newPerson('Owner');
const shopId = await market.newShop(owner.personId);

interface SoldOut {
  product: Product;
  variantId: string;
  /** Who has bought, and has not paid yet. */
  holder: Buyer;
  orderId: string;
}

/** All pieces are held by one order. */
async function soldOut(stock = 1): Promise<SoldOut> {
  const product = await market.newProduct(owner.personId, shopId, { stock });
  const holder = await market.newPerson('Holder');
  const { id } = await orders.place(holder, asking(product, { quantity: stock }));
  return { product, variantId: product.variants[0]!.id, holder, orderId: id };
}

async function inLine(variantId: string, ...quantities: number[]): Promise<Array<{ buyer: Buyer; wait: Wait }>> {
  const line: Array<{ buyer: Buyer; wait: Wait }> = [];
  for (const quantity of quantities) {
    const buyer = await market.newPerson(`Waiter ${line.length}`);
    line.push({ buyer, wait: await catalog.joinLine(buyer.personId, { variantId, quantity }) });
  }
  return line;
}

const keptOf = async ({ buyer }: { buyer: Buyer }) => (await catalog.waitsOf(buyer.personId))[0]?.kept ?? null;
const restock = (variantId: string, change: number) => catalog.changeStock(owner.personId, variantId, { change });

test('[WL1] [WL2] [WL11] who finds it sold out waits, once, and reads how many stand before', async () => {
  const { variantId, product } = await soldOut();
  const [, second] = await inLine(variantId, 1, 2);
  assert.deepEqual([second?.wait.state, second?.wait.before, second?.wait.quantity], ['waiting', 1, 2]);
  assert.deepEqual([second?.wait.title, second?.wait.shop.name], [product.title, 'Silk Road Dresses']);
  const asked = await Promise.all([3, 3, 3, 3].map((quantity) => (
    catalog.joinLine(second!.buyer.personId, { variantId, quantity })
  )));
  assert.deepEqual(new Set(asked.map(({ id, before, quantity }) => `${id} ${before} ${quantity}`)),
    new Set([`${second?.wait.id} 1 3`]));
  const mei = await market.newPerson();
  const there = await market.newProduct(owner.personId, shopId, { stock: 2 });
  const ask = (id: string) => catalog.joinLine(mei.personId, { variantId: id, quantity: 1 });
  await assert.rejects(ask(there.variants[0]!.id), { code: 'waits.in_stock', details: { available: 2 } });
  await assert.rejects(ask(newId()), { code: 'catalog.not_found' });
  await catalog.patch(owner.personId, product.id, { state: 'archived' });
  await assert.rejects(ask(variantId), { code: 'waits.not_for_sale' });
});

test('[WL3] a person waits in twenty lines at most, also when asking for all at once', async () => {
  const sizes = Array.from({ length: WAITS_MAX + 3 }, (_, n) => `S${n}`);
  const product = await market.newProduct(owner.personId, shopId, { stock: 0, sizes });
  const mei = await market.newPerson();
  const asked = await Promise.allSettled(product.variants.map(({ id }) => (
    catalog.joinLine(mei.personId, { variantId: id, quantity: 1 })
  )));
  const refused = asked.flatMap((one) => (one.status === 'rejected' ? [(one.reason as { code: string }).code] : []));
  assert.deepEqual(refused, Array.from({ length: 3 }, () => 'waits.too_many'));
  assert.equal((await catalog.waitsOf(mei.personId)).length, WAITS_MAX);
});

test('[WL4] [WL10] what comes back goes to the line in sequence, as far as it reaches; each is told', async () => {
  const facts: KeptFact[] = [];
  other.outbox.on('catalog.kept', async (_tx, fact: { kept: KeptFact[] }) => void facts.push(...fact.kept));
  const { variantId, holder, orderId } = await soldOut(2);
  const [first, second, third] = await inLine(variantId, 1, 3, 1);
  await orders.cancel(holder.personId, orderId);
  assert.deepEqual([await keptOf(first!), await keptOf(second!), await keptOf(third!)], [1, 1, null]);
  assert.deepEqual(await market.levelsOf(variantId), { available: 0, held: 2, sold: 0 });
  const [kept] = await catalog.waitsOf(first!.buyer.personId);
  assert.equal(kept?.keptUntil, new Date(market.clock.now().getTime() + KEPT_MS).toISOString());
  assert.equal((await catalog.waitsOf(third!.buyer.personId))[0]?.before, 0);
  // From the shop's count as well, and what is over is for everybody.
  assert.deepEqual(await restock(variantId, 3), {
    productId: kept?.productId, variantId, available: 2, held: 3,
  });
  assert.equal(await keptOf(third!), 1);
  for (let waited = 0; waited < 100 && market.toldWaits.length < 3; waited += 1) await sleep(20);
  const told = (buyer: Buyer) => market.toldWaits.filter(({ personId }) => personId === buyer.personId)
    .map(({ wait }) => wait?.kept);
  assert.deepEqual([told(first!.buyer), told(second!.buyer), told(third!.buyer)], [[1], [1], [1]]);
  // The fact waits for whoever delivers it, though this process does not.
  await other.outbox.drain();
  const ofThis = facts.filter((fact) => fact.variantId === variantId);
  assert.deepEqual(ofThis.map(({ waitId, kept: pieces }) => [waitId, pieces]), [
    [first!.wait.id, 1], [second!.wait.id, 1], [third!.wait.id, 1],
  ]);
});

test('[WL4] from a hold that ended and a payment that was declined as well', async () => {
  for (const way of ['expired', 'declined'] as const) {
    const it = await soldOut();
    const [first] = await inLine(it.variantId, 1);
    if (way === 'expired') {
      market.clock.advance(5 * 60_000);
      await orders.sweepExpired();
    } else {
      await market.payments.decide(it.holder.personId, (await market.paymentOf(it.orderId)).id, 'decline');
      await market.outbox.drain();
    }
    assert.equal(await keptOf(first!), 1, way);
    assert.deepEqual(await market.levelsOf(it.variantId), { available: 0, held: 1, sold: 0 });
    assert.equal(await catalog.sweepKept(), 0);
  }
});

test('[WL5] [WL7] fifty want the piece that is kept for one: only she gets it, once, and the sum stays', async () => {
  const { product, variantId, holder, orderId } = await soldOut();
  const [first, second] = await inLine(variantId, 1, 1);
  const crowd = await Promise.all(Array.from({ length: 49 }, () => market.newPerson()));
  const place = (buyer: Buyer, at: typeof orders) => at.place(buyer, asking(product)).then(
    () => 'placed', (error: { code?: string }) => error.code ?? String(error));
  // Some ask before it comes back, some after; she herself twice.
  const before = crowd.slice(0, 10).map((buyer) => place(buyer, orders));
  await orders.cancel(holder.personId, orderId);
  const results = await Promise.all([
    ...before, ...crowd.slice(10).map((buyer, n) => place(buyer, n % 2 === 0 ? orders : other.orders)),
  ]);
  assert.deepEqual(new Set(results), new Set(['orders.sold_out']));
  const sale = { idempotencyKey: newId(), lines: linesOf(product), method: 'cash' as const };
  await assert.rejects(orders.sellAtCounter(owner.personId, shopId, sale), { code: 'orders.sold_out' });
  const own = await Promise.all([
    place(first!.buyer, orders), place(second!.buyer, other.orders), place(first!.buyer, other.orders),
    ...crowd.map((buyer, n) => place(buyer, n % 2 === 0 ? orders : other.orders)),
  ]);
  assert.equal(own.filter((result) => result === 'placed').length, 1);
  assert.equal([own[0], own[2]].filter((result) => result === 'placed').length, 1);
  assert.deepEqual(await market.levelsOf(variantId), { available: 0, held: 1, sold: 0 });
  assert.deepEqual(await catalog.waitsOf(first!.buyer.personId), []);
  // Of the moves as well, each with its reason.
  const { rows } = await market.database.pool.query<{ reason: string; available: number; held: number }>(
    `select reason, sum(available_change)::int as available, sum(held_change)::int as held from stock_move
      where variant_id = $1 group by reason order by reason`, [variantId]);
  assert.deepEqual(rows, [
    { reason: 'held', available: -2, held: 2 }, { reason: 'kept', available: -1, held: 1 },
    { reason: 'let_go', available: 1, held: -1 }, { reason: 'released', available: 1, held: -1 },
    { reason: 'set', available: 1, held: 0 },
  ]);
  // She does not pay: it goes on to the next.
  market.clock.advance(5 * 60_000);
  await orders.sweepExpired();
  assert.equal(await keptOf(second!), 1);
});

test('[WL6] what is kept too long goes on to the next, once, whoever sweeps; so does what is let go', async () => {
  // What other tests have left.
  do market.clock.advance(KEPT_MS); while (await catalog.sweepKept() > 0);
  const { product, variantId, holder, orderId } = await soldOut(2);
  const line = await inLine(variantId, 2, 2, 2);
  await orders.cancel(holder.personId, orderId);
  market.clock.advance(KEPT_MS - 1);
  assert.equal(await catalog.sweepKept(), 0);
  market.clock.advance(1);
  // Nobody has swept yet, and it is over all the same.
  await assert.rejects(orders.place(line[0]!.buyer, asking(product)), { code: 'orders.sold_out' });
  const ended = await Promise.all([catalog.sweepKept(), other.catalog.sweepKept(), catalog.sweepKept()]);
  assert.equal(ended.reduce((sum, one) => sum + one), 1);
  assert.deepEqual(await Promise.all(line.map(keptOf)), [null, 2, null]);
  await Promise.all([1, 2, 3].map(() => catalog.leaveLine(line[1]!.buyer.personId, line[1]!.wait.id)));
  assert.deepEqual(await Promise.all(line.map(keptOf)), [null, null, 2]);
  await catalog.leaveLine(line[2]!.buyer.personId, line[2]!.wait.id);
  assert.deepEqual(await market.levelsOf(variantId), { available: 2, held: 0, sold: 0 });
});

test('[WL8] who buys more takes the rest from the shelf, who buys fewer leaves it to the next in line', async () => {
  const more = await soldOut();
  const [eager] = await inLine(more.variantId, 1);
  await restock(more.variantId, 3);
  assert.deepEqual(await market.levelsOf(more.variantId), { available: 2, held: 2, sold: 0 });
  await orders.place(eager!.buyer, asking(more.product, { quantity: 3 }));
  assert.deepEqual(await market.levelsOf(more.variantId), { available: 0, held: 4, sold: 0 });

  const fewer = await soldOut(3);
  const [modest, next] = await inLine(fewer.variantId, 3, 1);
  await orders.cancel(fewer.holder.personId, fewer.orderId);
  await orders.place(modest!.buyer, asking(fewer.product));
  assert.equal(await keptOf(next!), 1);
  assert.deepEqual(await market.levelsOf(fewer.variantId), { available: 1, held: 2, sold: 0 });
});

test('[WL9] leaving is one step, a repeat changes nothing, and nobody leaves for another', async () => {
  const { variantId } = await soldOut();
  const [first, second] = await inLine(variantId, 1, 1);
  await assert.rejects(catalog.leaveLine(second!.buyer.personId, first!.wait.id), { code: 'waits.not_found' });
  await assert.rejects(catalog.leaveLine(second!.buyer.personId, newId()), { code: 'waits.not_found' });
  await catalog.leaveLine(first!.buyer.personId, first!.wait.id);
  await catalog.leaveLine(first!.buyer.personId, first!.wait.id);
  assert.deepEqual(await catalog.waitsOf(first!.buyer.personId), []);
  assert.equal((await catalog.waitsOf(second!.buyer.personId))[0]?.before, 0);
});

test('[WL4] of goods that are off sale nothing is kept; once they are back, the line is served', async () => {
  const { product, variantId, holder, orderId } = await soldOut();
  const [first] = await inLine(variantId, 1);
  await catalog.patch(owner.personId, product.id, { state: 'archived' });
  await orders.cancel(holder.personId, orderId);
  await catalog.serveLeftOver();
  assert.equal(await keptOf(first!), null);
  await catalog.patch(owner.personId, product.id, { state: 'active' });
  await Promise.all([catalog.serveLeftOver(), other.catalog.serveLeftOver()]);
  assert.equal(await keptOf(first!), 1);
  assert.deepEqual(await market.levelsOf(variantId), { available: 0, held: 1, sold: 0 });
});

test('[WL12] members read how many wait for what; others do not', async () => {
  const shop = await market.newShop(owner.personId);
  const product = await market.newProduct(owner.personId, shop, { stock: 0, sizes: ['S', 'M'] });
  const [small, medium] = product.variants.map(({ id }) => id);
  await inLine(small!, 2);
  await inLine(medium!, 1, 3, 4);
  await restock(medium!, 2);
  assert.deepEqual(await catalog.linesOf(owner.personId, shop), { items: [
    { variantId: small, productId: product.id, people: 1, pieces: 2, kept: 0 },
    { variantId: medium, productId: product.id, people: 1, pieces: 4, kept: 2 },
  ] });
  await assert.rejects(catalog.linesOf((await market.newPerson()).personId, shop), { code: 'shops.not_a_member' });
});
