/** Selling over the counter, and handing over what was picked up, on a real database. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Product } from '@nacre/contract/catalog';
import { VOID_WITHIN_MS, type CounterSale, type Order } from '@nacre/contract/orders';
import type { ShopPlace } from '@nacre/contract/shops';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { asking, createMarket, linesOf } from '../../../tests/support/market.ts';
import { Refusal } from '../lib/refusal.ts';
import { WRONG_CODES_PER_MINUTE } from './code-tries.ts';

const database = await createTestDatabase(import.meta.url);
const market = await createMarket({ url: database.serverUrl });
after(async () => {
  await market.stop();
  await database.drop();
});
const { orders, shops, catalog, outbox } = market;
const owner = (await market.newPerson('Owner')).personId;
const shopId = await market.newShop(owner);
const PLACE: ShopPlace = {
  address: {
    phone: '', line1: '张掖路 1 号', line2: '', city: '兰州', region: '甘肃', postalCode: '730000', country: 'CN',
  },
  hours: Array.from({ length: 7 }, () => ({ opens: '10:00', closes: '19:30' })),
};
await shops.patch(owner, shopId, { place: PLACE, offersPickup: true });
const PICKUP = { name: '林小雨', phone: '' };

const goods = (stock: number, sizes?: string[]) => market.newProduct(owner, shopId, {
  stock, ...(sizes === undefined ? {} : { sizes }),
});
const firstOf = (product: Product) => product.variants[0]?.id ?? '';
let keys = 0;
function sale(product: Product, more: Partial<CounterSale> = {}): CounterSale {
  keys += 1;
  return { idempotencyKey: `sale-key-${keys}`, lines: linesOf(product), method: 'cash', ...more };
}
const sell = (asked: CounterSale) => orders.sellAtCounter(owner, shopId, asked);

function pickupOf(product: Product) {
  const { address: _, ...rest } = asking(product);
  return { ...rest, pickup: PICKUP };
}

async function pay(personId: string, orderId: string): Promise<Order> {
  await market.payments.decide(personId, (await market.paymentOf(orderId)).id, 'succeed');
  await outbox.drain();
  return orders.get(personId, orderId);
}

async function paidPickup(): Promise<{ buyerId: string; order: Order; code: string }> {
  const buyer = await market.newPerson();
  const placed = await orders.place(buyer, pickupOf(await goods(1)));
  const order = await pay(buyer.personId, placed.id);
  return { buyerId: buyer.personId, order, code: order.pickup?.code ?? '' };
}

async function codesOf(work: Promise<unknown>[]): Promise<string[]> {
  return (await Promise.allSettled(work)).map((result) => {
    if (result.status === 'fulfilled') return 'in';
    if (result.reason instanceof Refusal) return result.reason.code;
    throw result.reason;
  });
}

test('[O35] a sale takes the pieces at once, and the viewers hear of it', async () => {
  const product = await goods(5);
  const heard: unknown[] = [];
  market.platform.bus.subscribe('catalog.stock', (fact) => {
    heard.push(fact);
  });
  const sold = await sell(sale(product, { lines: linesOf(product, 2), method: 'card' }));
  assert.deepEqual(await market.levelsOf(firstOf(product)), { available: 3, held: 0, sold: 2 });
  assert.deepEqual([sold.state, sold.channel, sold.delivery, sold.counterMethod, sold.totalMinor], [
    'handed_over', 'counter', 'counter', 'card', 25_800,
  ]);
  assert.deepEqual((heard.at(-1) as { levels: { available: number }[] }).levels.map((level) => level.available), [3]);
});

test('[O35] of the last piece, wanted at the counter and online at once twenty times, each goes to one', async () => {
  const buyer = await market.newPerson();
  for (let turn = 0; turn < 20; turn += 1) {
    const product = await goods(1);
    const outcome = await codesOf([sell(sale(product)), orders.place(buyer, asking(product))]);
    assert.deepEqual(outcome.toSorted(), ['in', 'orders.sold_out']);
    const { available, held, sold } = await market.levelsOf(firstOf(product));
    assert.deepEqual([available, held + sold], [0, 1]);
    for (const { id, state } of (await orders.listMine(buyer.personId, {})).items) {
      if (state === 'held') await orders.cancel(buyer.personId, id);
    }
  }
});

test('[O36] a sale sells all lines or none, and says which is sold out', async () => {
  const product = await goods(3, ['S', 'M']);
  const [small, medium] = product.variants;
  assert.ok(small && medium);
  await catalog.changeStock(owner, medium.id, { setTo: 0 });
  await assert.rejects(sell(sale(product)), {
    code: 'orders.sold_out', details: { variantId: medium.id, available: 0 },
  });
  assert.deepEqual(await market.levelsOf(small.id), { available: 3, held: 0, sold: 0 });
});

test('[O36] what is not this shop’s, twice in a sale, or at another price is refused and sells nothing', async () => {
  const product = await goods(3);
  const [line] = linesOf(product);
  assert.ok(line);
  const otherShop = await market.newShop(owner);
  const foreign = await market.newProduct(owner, otherShop, { stock: 1 });
  await assert.rejects(sell(sale(foreign)), { code: 'request.invalid' });
  await assert.rejects(sell(sale(product, { lines: [line, line] })), { code: 'request.invalid' });
  await assert.rejects(sell(sale(product, { lines: [] })), { code: 'request.invalid' });
  await assert.rejects(sell(sale(product, { lines: [{ ...line, unitPriceMinor: 1 }] })), {
    code: 'orders.price_changed',
  });
  const stranger = (await market.newPerson()).personId;
  await assert.rejects(orders.sellAtCounter(stranger, shopId, sale(product)), { code: 'shops.not_a_member' });
  assert.deepEqual(await market.levelsOf(firstOf(product)), { available: 3, held: 0, sold: 0 });
});

test('[O37] one key is one sale, also tapped many times at once; with other contents it is refused', async () => {
  const product = await goods(9);
  const asked = sale(product);
  const sold = await Promise.all(Array.from({ length: 6 }, () => sell(asked)));
  assert.equal(new Set(sold.map(({ id }) => id)).size, 1);
  assert.deepEqual(await market.levelsOf(firstOf(product)), { available: 8, held: 0, sold: 1 });
  await assert.rejects(sell({ ...asked, method: 'card' }), { code: 'orders.key_reused' });
});

test('[O38] undoing brings the pieces back once and gives the money back, however often', async () => {
  const product = await goods(4);
  const sold = await sell(sale(product, { lines: linesOf(product, 3) }));
  const undone = await Promise.all(Array.from({ length: 4 }, () => orders.voidSale(owner, sold.id)));
  assert.deepEqual([...new Set(undone.map(({ state }) => state))], ['voided']);
  await outbox.drain();
  assert.deepEqual(await market.levelsOf(firstOf(product)), { available: 4, held: 0, sold: 0 });
  assert.equal((await market.paymentOf(sold.id)).state, 'refunded');
  assert.deepEqual((await market.transitionsOf(sold.id)).map(({ to, personId }) => [to, personId]), [
    ['handed_over', owner], ['voided', owner],
  ]);
});

test('[O38] after fifteen minutes, and of another’s or an online order, nothing is undone', async () => {
  const product = await goods(4);
  const sold = await sell(sale(product));
  const { order } = await paidPickup();
  await assert.rejects(orders.voidSale(owner, order.id), { code: 'orders.wrong_state' });
  const stranger = (await market.newPerson()).personId;
  await assert.rejects(orders.voidSale(stranger, sold.id), { code: 'orders.not_found' });
  market.clock.advance(VOID_WITHIN_MS + 1);
  await assert.rejects(orders.voidSale(owner, sold.id), { code: 'orders.void_too_late' });
  assert.deepEqual(await market.levelsOf(firstOf(product)), { available: 3, held: 0, sold: 1 });
});

test('[O39] the shop has the money at once, from nobody whom we know; the news of it changes nothing', async () => {
  const sold = await sell(sale(await goods(1), { method: 'card' }));
  await outbox.drain();
  const payment = await market.database.db.selectFrom('payment').selectAll()
    .where('subject', '=', `order/${sold.id}`).executeTakeFirstOrThrow();
  assert.deepEqual(
    [payment.provider, payment.payer_id, payment.method, payment.state, payment.refund_requested_at],
    ['counter', null, 'card', 'captured', null],
  );
  await assert.rejects(market.payments.decide(owner, payment.id, 'decline'), { code: 'payments.not_found' });
  await assert.rejects(market.payments.get(owner, payment.id), { code: 'payments.not_found' });
  assert.equal((await orders.getOfShop(owner, sold.id)).state, 'handed_over');
});

test('[O41] a receipt is there for whoever has its address, of counter sales only', async () => {
  const sold = await sell(sale(await goods(2)));
  const receipt = await orders.receiptOf(sold.id);
  assert.deepEqual([receipt.number, receipt.method, receipt.shop.place, receipt.totalMinor], [
    sold.number, 'cash', PLACE, 12_900,
  ]);
  await orders.voidSale(owner, sold.id);
  assert.equal((await orders.receiptOf(sold.id)).state, 'voided');
  const { order } = await paidPickup();
  await assert.rejects(orders.receiptOf(order.id), { code: 'orders.not_found' });
});

test('[O42] goods are found by SKU in any case of letters, else by title; of several all are offered', async () => {
  const ownerOfOther = (await market.newPerson()).personId;
  const other = await market.newShop(ownerOfOther);
  await market.newProduct(ownerOfOther, other, { stock: 1 });
  const mine = await market.newShop(owner);
  const product = await market.newProduct(owner, mine, { stock: 2, sizes: ['S', 'M'] });
  const twin = await market.newProduct(owner, mine, { stock: 1, sizes: ['S'] });
  const found = await catalog.findForCounter(owner, mine, ' d-s ');
  assert.equal(found.isSku, true);
  assert.deepEqual(found.items.map(({ productId }) => productId).toSorted(), [product.id, twin.id].toSorted());
  const byTitle = await catalog.findForCounter(owner, mine, 'mer DR');
  assert.deepEqual([byTitle.isSku, byTitle.items.length], [false, 3]);
  assert.deepEqual(await catalog.findForCounter(owner, mine, '%'), { isSku: false, items: [] });
  await catalog.patch(owner, twin.id, { state: 'archived' });
  assert.equal((await catalog.findForCounter(owner, mine, 'D-S')).items.length, 1);
});

test('[O31] a pick-up needs a name and no address, and keeps the shop’s place as it was', async () => {
  const buyer = await market.newPerson();
  const placed = await orders.place(buyer, pickupOf(await goods(1)));
  assert.deepEqual([placed.delivery, placed.address, placed.pickup], [
    'pickup', null, { ...PICKUP, place: PLACE, code: null },
  ]);
  const address = { ...PLACE.address, line1: '别处 2 号' };
  await shops.patch(owner, shopId, { place: { address, hours: null } });
  assert.deepEqual((await orders.get(buyer.personId, placed.id)).pickup?.place, PLACE);
  await shops.patch(owner, shopId, { place: PLACE });
});

test('[O31] where no pick-up is offered, and with both ways or none, nothing is placed', async () => {
  const buyer = await market.newPerson();
  const online = await market.newShop(owner);
  const far = await market.newProduct(owner, online, { stock: 1 });
  await assert.rejects(orders.place(buyer, pickupOf(far)), { code: 'orders.no_pickup' });
  const near = await goods(1);
  await assert.rejects(orders.place(buyer, { ...asking(near), pickup: PICKUP }), { code: 'request.invalid' });
  const { pickup: _, ...neither } = pickupOf(near);
  await assert.rejects(orders.place(buyer, neither), { code: 'request.invalid' });
  assert.deepEqual(await market.levelsOf(firstOf(near)), { available: 1, held: 0, sold: 0 });
});

test('[O32] only the buyer reads the code, from the payment until the goods are handed over', async () => {
  const { buyerId, order, code } = await paidPickup();
  assert.equal(code.length, 6);
  assert.equal((await orders.getOfShop(owner, order.id)).pickup?.code, null);
  await orders.handOver(owner, order.id, code);
  assert.equal((await orders.get(buyerId, order.id)).pickup?.code, null);
});

test('[O32] two open pick-ups of one shop never have one code; the database refuses it', async () => {
  const [one, two] = [await paidPickup(), await paidPickup()];
  assert.notEqual(one.code, two.code);
  const again = market.database.db.updateTable('order').set({ pickup_code: one.code }).where('id', '=', two.order.id);
  await assert.rejects(again.execute(), /order_open_pickup/);
});

test('[O33] ready is told to the buyer, once; a parcel is never ready, and a pick-up never shipped', async () => {
  const { buyerId, order } = await paidPickup();
  await orders.ready(owner, order.id);
  await orders.ready(owner, order.id);
  const told = () => market.told.filter(({ personId, event }) => (
    personId === buyerId && event.type === 'own-order' && event.order.state === 'ready'
  )).length;
  for (let waitedMs = 0; told() === 0 && waitedMs < 15_000; waitedMs += 50) await sleep(50);
  assert.equal(told(), 1);
  await assert.rejects(orders.ship(owner, order.id, { carrier: 'SF', trackingNumber: '1' }), {
    code: 'orders.wrong_state', details: { state: 'ready' },
  });
  const buyer = await market.newPerson();
  const parcel = await pay(buyer.personId, (await orders.place(buyer, asking(await goods(1)))).id);
  await assert.rejects(orders.ready(owner, parcel.id), { code: 'orders.wrong_state' });
  await assert.rejects(orders.handOver(owner, parcel.id, 'ABC234'), { code: 'orders.wrong_state' });
});

test('[O34] the code opens the order and hands it over once, also when two do it at once', async () => {
  const { order, code } = await paidPickup();
  const found = await orders.findPickup(owner, shopId, `${code.slice(0, 3)}-${code.slice(3).toLowerCase()}`);
  assert.equal(found.id, order.id);
  const done = await Promise.all([1, 2, 3].map(() => orders.handOver(owner, order.id, code)));
  assert.deepEqual(done.map(({ state }) => state), ['handed_over', 'handed_over', 'handed_over']);
  assert.equal((await market.transitionsOf(order.id)).filter(({ to }) => to === 'handed_over').length, 1);
  await assert.rejects(orders.findPickup(owner, shopId, code), { code: 'orders.code_unknown' });
});

test('[O34] another’s code, another shop’s and none at all are unknown alike; ten a minute and no more', async () => {
  const [one, two] = [await paidPickup(), await paidPickup()];
  const elsewhere = (await market.newPerson()).personId;
  const otherShop = await market.newShop(elsewhere);
  await assert.rejects(orders.findPickup(elsewhere, otherShop, one.code), { code: 'orders.code_unknown' });
  await assert.rejects(orders.findPickup(elsewhere, shopId, one.code), { code: 'shops.not_a_member' });
  market.clock.advance(60_000);
  await assert.rejects(orders.handOver(owner, one.order.id, two.code), { code: 'orders.code_unknown' });
  for (let wrong = 1; wrong < WRONG_CODES_PER_MINUTE; wrong += 1) {
    await assert.rejects(orders.findPickup(owner, shopId, '???'), { code: 'orders.code_unknown' });
  }
  await assert.rejects(orders.handOver(owner, one.order.id, one.code), { code: 'request.too_many' });
  market.clock.advance(60_000);
  assert.equal((await orders.handOver(owner, one.order.id, one.code)).state, 'handed_over');
});

test('[O40] the office finds what is to be shipped, picked up, and was sold at the counter', async () => {
  const mine = await market.newShop(owner);
  await shops.patch(owner, mine, { place: PLACE, offersPickup: true });
  const product = await market.newProduct(owner, mine, { stock: 9 });
  const buyer = await market.newPerson();
  const parcel = await pay(buyer.personId, (await orders.place(buyer, asking(product))).id);
  const pickup = await pay(buyer.personId, (await orders.place(buyer, pickupOf(product))).id);
  await orders.place(buyer, pickupOf(product));
  const sold = await orders.sellAtCounter(owner, mine, sale(product));
  const idsOf = async (group: 'to_ship' | 'to_pick_up' | 'counter') =>
    (await orders.listOfShop(owner, mine, { group })).items.map(({ id }) => id);
  assert.deepEqual(await idsOf('to_ship'), [parcel.id]);
  assert.deepEqual(await idsOf('to_pick_up'), [pickup.id]);
  assert.deepEqual(await idsOf('counter'), [sold.id]);
  const counts = await orders.counts(owner, mine);
  assert.deepEqual(
    [counts.to_ship, counts.to_pick_up, counts.counter, counts.paid, counts.held, counts.handed_over, counts.voided],
    [1, 1, 1, 2, 1, 1, 0],
  );
});

test('[O30] the database refuses a state that the delivery does not have, and no buyer elsewhere', async () => {
  const { order } = await paidPickup();
  const change = (set: object) => market.database.db.updateTable('order').set(set).where('id', '=', order.id).execute();
  const parcel = { state: 'shipped', shipped_at: new Date(), pickup_code: null };
  await assert.rejects(change(parcel), /order_delivery_state/);
  await assert.rejects(change({ buyer_id: null }), /order_buyer/);
  await assert.rejects(change({ delivery: 'counter' }), /order_/);
});
