/** Live prices on a real database, with orders as they are placed. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { LivePriceSet } from '@nacre/contract/offers';
import type { Product } from '@nacre/contract/catalog';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { asking, createMarket } from '../../../tests/support/market.ts';
import { refusalOf } from '../../../tests/support/refusals.ts';
import { RUSH_ROUNDS } from '../../../tests/support/rush-rounds.ts';
import type { PersonActor } from '../http/actor.ts';
import { Refusal } from '../lib/refusal.ts';
import type { Buyer } from '../orders/orders.ts';

const DAY_MS = 24 * 3_600_000;
const database = await createTestDatabase(import.meta.url);
const market = await createMarket({ url: database.serverUrl });
after(async () => {
  await market.stop();
  await database.drop();
});
const { offers, orders } = market;
const owner = await market.newPerson('Owner');
const shopId = await market.newShop(owner.personId);
const actor = ({ personId, name }: Buyer) => ({ kind: 'person', personId, name }) as PersonActor;

async function stage(stock: number, terms: Partial<LivePriceSet> = {}, state: 'live' | 'planned' = 'live') {
  const product = await market.newProduct(owner.personId, shopId, { stock, priceMinor: 10_000 });
  const showId = await market.newShow(shopId, [product.id]);
  if (state === 'planned') await moveShow(showId, 'planned');
  const variantId = product.variants[0]!.id;
  const set = (more: Partial<LivePriceSet> = {}) => offers.set(actor(owner), showId, {
    variantId, priceMinor: 7_000, quota: 5, perPerson: 2, ...terms, ...more,
  });
  return { product, showId, variantId, set };
}

async function moveShow(showId: string, state: 'planned' | 'live' | 'ended'): Promise<void> {
  await market.database.db.updateTable('show').set({
    state, went_live_at: state === 'planned' ? null : market.clock.now(),
    ended_at: state === 'ended' ? market.clock.now() : null,
  }).where('id', '=', showId).execute();
}

const buying = (product: Product, showId: string, quantity: number, unitPriceMinor: number) => {
  const { lines, ...rest } = asking(product, { showId });
  return { ...rest, lines: [{ ...lines[0]!, quantity, unitPriceMinor }] };
};
const one = async (showId: string) => (await offers.liveIn(showId))[0]!;

test('[OF1] [OF3] a live price sets its pieces aside at once; price, stock, bag and right are looked at', async () => {
  const { showId, variantId, set } = await stage(8);
  const live = await set();
  assert.deepEqual(
    { ...live, id: 0 },
    {
      id: 0, showId, variantId, productId: live.productId, priceMinor: 7_000, formerMinor: 10_000, quota: 5, left: 5,
      perPerson: 2, state: 'live',
    },
  );
  assert.deepEqual(await market.levelsOf(variantId), { available: 3, held: 5, sold: 0 });
  assert.deepEqual(await refusalOf(set({ priceMinor: 10_000 })), {
    code: 'offers.not_lower', details: { priceMinor: 10_000 },
  });
  assert.deepEqual(await refusalOf(set({ quota: 9 })), {
    code: 'catalog.stock_too_low', details: { available: 8 },
  });
  const stranger = await market.newPerson();
  const input = { variantId, priceMinor: 1, quota: 1, perPerson: 1 };
  assert.equal((await refusalOf(offers.set(actor(stranger), showId, input)))?.code, 'shops.not_a_member');
  const other = await stage(1);
  assert.equal(
    (await refusalOf(offers.set(actor(owner), showId, { ...input, variantId: other.variantId })))?.code,
    'shows.not_in_bag',
  );
  await moveShow(showId, 'ended');
  assert.equal((await refusalOf(set()))?.code, 'shows.wrong_state');
});

test('[OF2] [OF3] one that is planned begins with the show, for what is there, and ends with it', async () => {
  const { product, showId, variantId, set } = await stage(3, {}, 'planned');
  assert.equal((await set()).state, 'planned');
  assert.deepEqual(await offers.liveIn(showId), []);
  assert.deepEqual(await market.levelsOf(variantId), { available: 3, held: 0, sold: 0 });
  await moveShow(showId, 'live');
  await offers.settle(showId);
  await offers.settle(showId);
  assert.deepEqual([(await one(showId)).quota, (await one(showId)).left], [3, 3]);
  await orders.place(await market.newPerson(), buying(product, showId, 1, 7_000));
  await moveShow(showId, 'ended');
  await offers.settle(showId);
  await offers.settle(showId);
  assert.deepEqual(await offers.liveIn(showId), []);
  assert.deepEqual(await market.levelsOf(variantId), { available: 2, held: 1, sold: 0 });
});

test('[OF2] one that was set by a process which died begins all the same', async () => {
  const { showId, set } = await stage(3, {}, 'planned');
  await set();
  await moveShow(showId, 'live');
  await market.database.transaction(async (tx) => {
    await market.outbox.publish(tx, { topic: 'offers.set', payload: { showId } });
  });
  for (let look = 0; look < 100 && (await offers.liveIn(showId)).length === 0; look += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.equal((await one(showId)).left, 3);
});

test('[OF4] [OF12] fifty at once for the last pieces, a hundred times: as many as there are, none more', async () => {
  const buyers = await Promise.all(Array.from({ length: 50 }, () => market.newPerson()));
  // Five rounds side by side: their orders share batches.
  const lanes = Array.from({ length: 5 }, async () => {
    const { product, showId, variantId, set } = await stage(60, { quota: 7, perPerson: 1 });
    for (let round = 0; round < RUSH_ROUNDS / 5; round += 1) {
      await set();
      const placed = await Promise.all(buyers.map(async (buyer) => {
        try {
          return { buyer, id: (await orders.place(buyer, buying(product, showId, 1, 7_000))).id };
        } catch (error) {
          assert.ok(error instanceof Refusal && error.code === 'orders.price_changed', String(error));
          return null;
        }
      }));
      const had = placed.filter((one) => one !== null);
      assert.equal(had.length, 7);
      assert.equal((await one(showId)).left, 0);
      assert.deepEqual(await market.levelsOf(variantId), { available: 53, held: 7, sold: 0 });
      await Promise.all(had.map(({ buyer, id }) => orders.cancel(buyer.personId, id)));
    }
  });
  await Promise.all(lanes);
});

test('[OF5] [OF6] nobody gets more than the limit, whichever way; then the price of the day counts', async () => {
  const { product, showId, set } = await stage(20, { quota: 10, perPerson: 2 });
  const { id, variantId } = await set();
  const buyer = await market.newPerson();
  const at = (quantity: number, price: number) => (
    refusalOf(orders.place(buyer, buying(product, showId, quantity, price)))
  );
  assert.deepEqual(await at(3, 7_000), { code: 'offers.limit', details: { variantId, most: 2, left: 2 } });
  // Who asks for the dearer price is told the better one.
  const better = await at(1, 10_000);
  assert.deepEqual([better?.code, better?.details?.['priceMinor']], ['orders.price_changed', 7_000]);
  const codes = await Promise.all(Array.from({ length: 4 }, async () => (await at(1, 7_000))?.code ?? 'placed'));
  assert.deepEqual(codes.toSorted(), ['offers.limit', 'offers.limit', 'placed', 'placed']);
  assert.equal(await at(1, 10_000), null);
  // Three pieces at the price of the day, for which there is no limit, by somebody who has had none.
  const other = await market.newPerson();
  assert.equal(await refusalOf(orders.place(other, buying(product, showId, 3, 10_000))), null);
  // More than are left of it.
  await offers.lower(actor(owner), id, { quota: 3 });
  assert.deepEqual(await refusalOf(orders.place(other, buying(product, showId, 2, 7_000))), {
    code: 'offers.few_left', details: { variantId, left: 1 },
  });
  await orders.place(other, buying(product, showId, 1, 7_000));
  assert.equal((await refusalOf(orders.place(other, buying(product, showId, 1, 7_000))))?.code, 'orders.price_changed');
  // Outside the show it is no price at all.
  const outside = { ...buying(product, showId, 1, 7_000), showId: null };
  assert.equal((await refusalOf(orders.place(await market.newPerson(), outside)))?.code, 'orders.price_changed');
});

test('[OF7] [OF12] what is not paid is there at the live price again, later on the shelf', async () => {
  const { product, showId, variantId, set } = await stage(4, { quota: 2, perPerson: 2 });
  await set();
  const buyer = await market.newPerson();
  const order = await orders.place(buyer, buying(product, showId, 2, 7_000));
  assert.equal((await one(showId)).left, 0);
  await orders.cancel(buyer.personId, order.id);
  assert.equal((await one(showId)).left, 2);
  assert.deepEqual(await market.levelsOf(variantId), { available: 2, held: 2, sold: 0 });
  const again = await orders.place(buyer, buying(product, showId, 2, 7_000));
  await offers.end(actor(owner), (await one(showId)).id);
  await orders.cancel(buyer.personId, again.id);
  assert.deepEqual(await market.levelsOf(variantId), { available: 4, held: 0, sold: 0 });
});

test('[OF8] the host lowers quota and limit and ends it, and cannot raise; what is sold stays sold', async () => {
  const { product, showId, variantId, set } = await stage(10, { quota: 6, perPerson: 3 });
  const { id } = await set();
  await orders.place(await market.newPerson(), buying(product, showId, 2, 7_000));
  const lower = (change: { quota?: number; perPerson?: number }) => offers.lower(actor(owner), id, change);
  assert.equal((await refusalOf(lower({ quota: 7 })))?.code, 'offers.only_lower');
  assert.equal((await refusalOf(lower({ perPerson: 4 })))?.code, 'offers.only_lower');
  assert.deepEqual(await refusalOf(lower({ quota: 1 })), { code: 'offers.already_sold', details: { sold: 2 } });
  const lowered = await lower({ quota: 3, perPerson: 1 });
  assert.deepEqual([lowered.quota, lowered.left, lowered.perPerson], [3, 1, 1]);
  assert.deepEqual(await market.levelsOf(variantId), { available: 7, held: 3, sold: 0 });
  const stranger = await market.newPerson();
  assert.equal((await refusalOf(offers.end(actor(stranger), id)))?.code, 'shops.not_a_member');
  assert.equal((await offers.end(actor(owner), id)).state, 'over');
  assert.equal((await offers.end(actor(owner), id)).state, 'over');
  assert.deepEqual(await market.levelsOf(variantId), { available: 8, held: 2, sold: 0 });
  assert.equal((await refusalOf(lower({ quota: 3 })))?.code, 'offers.not_found');
  assert.equal((await refusalOf(offers.end(actor(owner), showId)))?.code, 'offers.not_found');
});

test('[OF9] [C14] the former price is the lowest of thirty days, live prices included, or none', async () => {
  const { product, set } = await stage(50, { quota: 1 });
  const price = (priceMinor: number) => market.catalog.patch(owner.personId, product.id, {
    options: [], variants: [{ id: product.variants[0]!.id, optionValues: [], sku: 'D-1', priceMinor }],
  });
  await price(9_000);
  market.clock.advance(10 * DAY_MS);
  await price(12_000);
  assert.equal((await set()).formerMinor, 9_000);
  // 9,000 was asked until 25 days ago.
  market.clock.advance(25 * DAY_MS);
  assert.equal((await set({ priceMinor: 8_000 })).formerMinor, null, 'the live price of 7,000 has just ended');
  market.clock.advance(31 * DAY_MS);
  assert.equal((await set({ priceMinor: 6_000 })).formerMinor, 8_000, 'it was still in force until now');
  await price(11_000);
  market.clock.advance(31 * DAY_MS);
  assert.equal((await set({ priceMinor: 5_000 })).formerMinor, 6_000);
});

test('[OF10] a new live price ends the one before, with its pieces', async () => {
  const { showId, variantId, set } = await stage(5);
  const first = await set();
  const second = await set({ priceMinor: 6_000, quota: 4 });
  assert.deepEqual((await offers.liveIn(showId)).map(({ id }) => id), [second.id]);
  assert.notEqual(first.id, second.id);
  assert.deepEqual(await market.levelsOf(variantId), { available: 1, held: 4, sold: 0 });
});
