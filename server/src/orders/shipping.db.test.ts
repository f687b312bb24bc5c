/** What sending costs, on a real database. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { OrderPlace } from '@nacre/contract/orders';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { ADDRESS, asking, createMarket } from '../../../tests/support/market.ts';

const database = await createTestDatabase(import.meta.url);
const market = await createMarket({ url: database.serverUrl });
after(async () => {
  await market.stop();
  await database.drop();
});
const owner = await market.newPerson('Owner');
const shopId = await market.newShop(owner.personId);
const setTerms = (feeMinor: number, freeFromMinor: number | null) => (
  market.shops.patch(owner.personId, shopId, { shipping: { feeMinor, freeFromMinor } })
);
await setTerms(800, 50_000);
const product = await market.newProduct(owner.personId, shopId, { stock: 500 });
const showId = await market.newShow(shopId, [product.id]);
const ask = (more: Partial<OrderPlace> & { quantity?: number } = {}) => asking(product, more);

async function pay(orderId: string): Promise<void> {
  const { id } = await market.paymentOf(orderId);
  await market.database.db.updateTable('payment').set({ state: 'captured' }).where('id', '=', id).execute();
  await market.database.transaction((tx) => market.orders.paymentsCaptured(tx, [`order/${orderId}`]));
}

test('[O75] [O78] the total and the payment have the fee; another fee than the one seen places nothing', async () => {
  const buyer = await market.newPerson();
  const unseen = ask();
  await assert.rejects(market.orders.place(buyer, unseen), {
    code: 'orders.shipping_changed', details: { shopId, shippingMinor: 800, currency: 'CNY' },
  });
  assert.deepEqual((await market.orders.listMine(buyer.personId, {})).items, []);
  const seen = { ...unseen, shippingMinor: 800 };
  const order = await market.orders.place(buyer, seen);
  assert.deepEqual([order.totalMinor, order.shippingMinor, order.shipsWith], [13_700, 800, null]);
  const payment = await market.paymentOf(order.id);
  assert.equal((await market.payments.get(buyer.personId, payment.id)).amountMinor, 13_700);
  // A repeat is the same order, whatever the page believes of the fee by now.
  assert.deepEqual(await market.orders.place(buyer, { ...seen, shippingMinor: 0 }), order);
  const free = await market.orders.place(buyer, ask({ quantity: 4 }));
  assert.deepEqual([free.totalMinor, free.shippingMinor], [51_600, 0]);
});

test('[O75] a pick-up has no fee', async () => {
  const { name: _name, ...shopAddress } = ADDRESS;
  const place = { address: shopAddress, hours: null };
  await market.shops.patch(owner.personId, shopId, { place, offersPickup: true });
  const { address: _address, ...request } = ask({ showId });
  const buyer = await market.newPerson();
  const order = await market.orders.place(buyer, { ...request, pickup: { name: 'Mei', phone: '' } });
  assert.deepEqual([order.shippingMinor, order.totalMinor], [0, 12_900]);
});

test('[O76] orders of one show go together until the first is on its way; one that ends changes no other', async () => {
  const buyer = await market.newPerson();
  const place = (more: Partial<OrderPlace> = {}) => market.orders.place(buyer, ask({ showId, ...more }));
  const first = await place({ shippingMinor: 800 });
  const second = await place();
  assert.deepEqual([second.shippingMinor, second.totalMinor], [0, 12_900]);
  assert.deepEqual(second.shipsWith, { id: first.id, number: first.number });
  await assert.rejects(place({ shippingMinor: 800 }), { code: 'orders.shipping_changed' });
  await market.orders.cancel(buyer.personId, first.id);
  const unchanged = await market.orders.get(buyer.personId, second.id);
  assert.deepEqual([unchanged.totalMinor, unchanged.shipsWith?.id], [12_900, first.id]);
  // What is left of them goes on taking others along.
  assert.equal((await place()).shipsWith?.id, second.id);
  const open = await market.orders.openParcels(buyer.personId, [{ shopId, showId }, { shopId, showId: shopId }]);
  assert.deepEqual(open.map((all) => all.length), [2, 0]);
  for (const { orderId } of open[0]!) {
    await pay(orderId);
    await market.orders.ship(owner.personId, orderId, { carrier: 'SF', trackingNumber: '1' });
  }
  assert.equal((await place({ shippingMinor: 800 })).shipsWith, null);
});

test('[O77] of parcels placed in parallel one pays, and the others go with it', async () => {
  const buyer = await market.newPerson();
  const tries = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => (
    market.orders.place(buyer, ask({ showId, shippingMinor: i % 2 === 0 ? 800 : 0 }))
  )));
  const placed = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const paying = placed.filter(({ shippingMinor }) => shippingMinor === 800);
  assert.equal(paying.length, 1);
  assert.ok(placed.length > 2);
  for (const order of placed) {
    assert.equal(order.shipsWith?.id ?? null, order.id === paying[0]!.id ? null : paying[0]!.id);
  }
});

test('[O78] a fee that changes while one looks is told', async () => {
  await setTerms(1_200, null);
  const asked = ask({ shippingMinor: 800 });
  const buyer = await market.newPerson();
  await assert.rejects(market.orders.place(buyer, asked), { code: 'orders.shipping_changed' });
  assert.equal((await market.orders.place(buyer, { ...asked, shippingMinor: 1_200 })).totalMinor, 14_100);
  await setTerms(0, null);
  await assert.rejects(market.orders.place(buyer, ask({ shippingMinor: 1_200 })), {
    code: 'orders.shipping_changed', details: { shopId, shippingMinor: 0, currency: 'CNY' },
  });
});
