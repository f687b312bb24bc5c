/** What becomes of a paid order: packed, sent in parcels, arrived, cancelled, refunded; many at once; on a database. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Product } from '@nacre/contract/catalog';
import { BULK_MAX, ORDER_STATES, PARCELS_MAX, type Order, type OrderState } from '@nacre/contract/orders';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { asking, createMarket, linesOf } from '../../../tests/support/market.ts';
import type { Buyer } from './orders.ts';
import { mayBecome } from './states.ts';

const database = await createTestDatabase(import.meta.url);
const market = await createMarket({ url: database.serverUrl });
const { orders, clock } = market;
after(async () => {
  await market.stop();
  await database.drop();
});
const owner = (await market.newPerson('Liu')).personId;
const packer = (await market.newPerson('Ping')).personId;
const shopId = await market.newShop(owner);
await market.database.db.insertInto('shop_member')
  .values({ shop_id: shopId, person_id: packer, role: 'packer', created_at: clock.now() }).execute();
const DAY_MS = 24 * 3_600_000;
const WAITS = { deliveredMs: 10 * DAY_MS, completedMs: 7 * DAY_MS };
const WHY = { reason: 'out_of_stock', note: 'The last one had a hole.' } as const;
const SENT = { carrier: 'SF Express', trackingNumber: 'SF1' };

interface Bought {
  buyer: Buyer;
  id: string;
  number: string;
  variantId: string;
  product: Product;
}

/** Three pieces of ten, of each variant, paid. */
async function paid(sizes?: string[], inShop = shopId): Promise<Bought> {
  const product = await market.newProduct(owner, inShop, { stock: 10, ...(sizes && { sizes }) });
  const buyer = await market.newPerson('Mei');
  const order = await orders.place(buyer, asking(product, { lines: linesOf(product, 3) }));
  await pay(buyer, order.id);
  return { buyer, product, id: order.id, number: order.number, variantId: order.lines[0]?.variantId ?? '' };
}

async function pay(buyer: Buyer, orderId: string): Promise<void> {
  await market.payments.decide(buyer.personId, (await market.paymentOf(orderId)).id, 'succeed');
  await market.outbox.drain();
}

const seenByBuyer = ({ buyer, id }: Bought) => orders.get(buyer.personId, id);
const stateOf = async (it: Bought) => (await seenByBuyer(it)).state;

async function eventually(what: string, check: () => Promise<boolean>): Promise<void> {
  for (let waitedMs = 0; waitedMs < 10_000; waitedMs += 50) {
    if (await check()) return;
    await sleep(50);
  }
  assert.fail(`after 10 s still not: ${what}`);
}

const SOLD = { available: 7, held: 0, sold: 3 };
const RETURNED = { available: 10, held: 0, sold: 0 };

/** Brings a fresh order of a parcel into the state, by the verbs that lead there. */
const INTO: Partial<Record<OrderState, (it: Bought) => Promise<unknown>>> = {
  paid: async () => {},
  packed: ({ id }) => orders.pack(packer, id),
  shipped: ({ id }) => orders.ship(packer, id, SENT),
  delivered: async (it) => {
    await orders.ship(packer, it.id, SENT);
    await orders.arrived(it.buyer.personId, it.id);
  },
  completed: async (it) => {
    await INTO.delivered?.(it);
    clock.advance(WAITS.completedMs);
    await orders.sweepWaiting(WAITS);
  },
  cancelled: ({ id }) => orders.cancelByShop(owner, id, WHY),
  refunded: async (it) => {
    await orders.cancel(it.buyer.personId, it.id);
    await eventually('refunded', async () => (await stateOf(it)) === 'refunded');
  },
};

/** What each verb makes of an order; from a state that is not here it is refused. The same again is the same. */
const VERBS: Record<string, { act(it: Bought): Promise<Order>; to: Partial<Record<OrderState, OrderState>> }> = {
  pack: { act: ({ id }) => orders.pack(packer, id), to: { paid: 'packed', packed: 'packed' } },
  ship: {
    act: ({ id }) => orders.ship(packer, id, { carrier: 'ZTO', trackingNumber: '9' }),
    to: { paid: 'shipped', packed: 'shipped' },
  },
  arrived: {
    act: ({ buyer, id }) => orders.arrived(buyer.personId, id),
    to: { shipped: 'delivered', delivered: 'delivered', completed: 'completed' },
  },
  cancel: {
    act: ({ buyer, id }) => orders.cancel(buyer.personId, id),
    to: { held: 'cancelled', paid: 'cancelled', cancelled: 'cancelled', refunded: 'refunded' },
  },
  cancelByShop: {
    act: ({ id }) => orders.cancelByShop(owner, id, WHY),
    to: { paid: 'cancelled', packed: 'cancelled', cancelled: 'cancelled', refunded: 'refunded' },
  },
  ready: { act: ({ id }) => orders.ready(packer, id), to: {} },
};

test('[O50] each verb takes an order on from the states that the table has, and from no other', async () => {
  for (const [verb, { act, to }] of Object.entries(VERBS)) {
    for (const [state, bring] of Object.entries(INTO) as [OrderState, (it: Bought) => Promise<unknown>][]) {
      const it = await paid();
      await bring(it);
      const before = (await market.transitionsOf(it.id)).length;
      const becomes = to[state];
      // The money of what was cancelled comes back by itself meanwhile.
      const isThere = (found: OrderState) => found === becomes || (becomes === 'cancelled' && found === 'refunded');
      if (becomes === undefined) {
        await assert.rejects(act(it), { code: 'orders.wrong_state' }, `${verb} from ${state}`);
        assert.equal((await market.transitionsOf(it.id)).length, before + Number(await cameBack(it, state)));
        continue;
      }
      assert.ok(isThere((await act(it)).state), `${verb} from ${state}`);
      assert.ok(isThere((await act(it)).state), `${verb} from ${state}, again`);
      assert.ok(becomes === state || mayBecome('parcel', state, becomes));
    }
  }
});

/** Whether the refund of a cancelled order was noted since. */
const cameBack = async (it: Bought, state: OrderState) => state === 'cancelled' && (await stateOf(it)) === 'refunded';

test('[O50] the database refuses states without what belongs to them', async () => {
  const it = await paid();
  const change = (set: object) => market.database.db.updateTable('order').set(set).where('id', '=', it.id).execute();
  await assert.rejects(change({ state: 'shipped' }), /order_shipped_at/);
  await assert.rejects(change({ state: 'delivered', shipped_at: clock.now() }), /order_delivered_at/);
  await assert.rejects(change({ state: 'cancelled' }), /order_cancelled_by/);
  await assert.rejects(change({ state: 'cancelled', cancelled_by: 'shop' }), /order_cancel_reason/);
  await assert.rejects(change({ state: 'refunded', cancelled_by: 'buyer', paid_at: null }), /order_paid_at/);
  await assert.rejects(change({ state: 'ready', ready_at: clock.now() }), /order_delivery_state/);
  assert.deepEqual(new Set(Object.keys(INTO)), new Set(ORDER_STATES.filter((state) => (
    mayBecome('parcel', 'paid', state) || ['paid', 'delivered', 'completed', 'refunded'].includes(state)
  ))));
});

test('[O51] [O60] a packer packs, the shop reads who did what and when, the buyer only what and when', async () => {
  const it = await paid();
  clock.advance(60_000);
  const packed = await orders.pack(packer, it.id);
  assert.deepEqual(packed.history.map(({ state, by }) => [state, by]), [
    ['held', 'Mei'], ['paid', null], ['packed', 'Ping'],
  ]);
  assert.equal(packed.history[2]?.at, clock.now().toISOString());
  assert.deepEqual(await orders.pack(packer, it.id), packed, 'again');
  assert.deepEqual((await seenByBuyer(it)).history, packed.history.map((step) => ({ ...step, by: null })));
  const toShip = await orders.listOfShop(owner, shopId, { group: 'to_ship' });
  assert.ok(toShip.items.some(({ id }) => id === it.id));
  await eventually('the buyer was told', async () => market.told.some(({ personId, event }) => (
    personId === it.buyer.personId && event.order.state === 'packed'
  )));
});

test('[O52] [O54] an order goes in several parcels; the last pieces make it shipped; the buyer sees each', async () => {
  const it = await paid(['S', 'M']);
  const [small, medium] = it.product.variants.map(({ id }) => id);
  assert.ok(small && medium);
  const first = { ...SENT, pieces: [{ variantId: small, quantity: 2 }] };
  assert.equal((await orders.ship(packer, it.id, first)).state, 'packed', 'a part of it is packed and gone');
  assert.equal((await orders.ship(packer, it.id, first)).parcels.length, 1, 'the same again');
  const second = { carrier: 'Van', trackingNumber: '2', pieces: [{ variantId: medium, quantity: 3 }] };
  await orders.ship(packer, it.id, second);
  const shipped = await orders.ship(packer, it.id, { carrier: ' ZTO ', trackingNumber: ' 3 ' });
  assert.equal(shipped.state, 'shipped');
  const again = await orders.ship(packer, it.id, { carrier: 'ZTO', trackingNumber: '3' });
  assert.deepEqual(again, shipped, 'the same again');
  const { parcels } = await seenByBuyer(it);
  assert.deepEqual(parcels.map(({ number, carrier, pieces }) => ({ number, carrier, pieces })), [
    { number: 1, carrier: 'SF Express', pieces: [{ variantId: small, quantity: 2 }] },
    { number: 2, carrier: 'Van', pieces: [{ variantId: medium, quantity: 3 }] },
    { number: 3, carrier: 'ZTO', pieces: [{ variantId: small, quantity: 1 }] },
  ]);
  assert.match(parcels[0]?.trackingUrl ?? '', /kuaidi100.*nu=SF1$/);
  assert.equal(parcels[1]?.trackingUrl, null);
  assert.deepEqual((await market.transitionsOf(it.id)).map(({ to }) => to), ['held', 'paid', 'packed', 'shipped']);
  await assert.rejects(market.database.db.updateTable('order_parcel').set({ carrier: 'x' }).execute(), /permission/);
});

test('[O53] pieces that are not left, a parcel with other contents and one too many are refused, and nothing is lost',
  async () => {
    const it = await paid(['S', 'M']);
    const [small, medium] = it.product.variants.map(({ id }) => id);
    assert.ok(small && medium);
    const send = (trackingNumber: string, ...pieces: { variantId: string; quantity: number }[]) => (
      orders.ship(packer, it.id, { carrier: 'SF', trackingNumber, pieces })
    );
    await send('1', { variantId: small, quantity: 2 });
    const before = await seenByBuyer(it);
    const refused = { code: 'orders.nothing_left', details: { variantId: small, left: 1 } };
    await assert.rejects(send('2', { variantId: small, quantity: 2 }), refused);
    const twice = [{ variantId: small, quantity: 1 }, { variantId: small, quantity: 1 }];
    await assert.rejects(send('2', ...twice), refused);
    await assert.rejects(send('2', { variantId: owner, quantity: 1 }), {
      code: 'orders.nothing_left', details: { variantId: owner, left: 0 },
    });
    await assert.rejects(send('1', { variantId: medium, quantity: 1 }), {
      code: 'orders.parcel_known', details: { parcel: 1 },
    });
    assert.deepEqual(await seenByBuyer(it), before);
    const many = await market.newProduct(owner, shopId, { stock: 99 });
    const order = await orders.place(it.buyer, asking(many, { quantity: PARCELS_MAX + 1 }));
    await pay(it.buyer, order.id);
    const [line] = order.lines;
    const one = (number: number) => orders.ship(packer, order.id, {
      carrier: 'SF', trackingNumber: String(number), pieces: [{ variantId: line?.variantId ?? '', quantity: 1 }],
    });
    for (let number = 1; number <= PARCELS_MAX; number += 1) await one(number);
    await assert.rejects(one(PARCELS_MAX + 1), { code: 'orders.too_many_parcels', details: { max: PARCELS_MAX } });
    // Two members at the same moment: each piece is in one parcel.
    const both = await paid();
    const pieces = [{ variantId: both.variantId, quantity: 2 }];
    const results = await Promise.allSettled(['a', 'b'].map((trackingNumber) => (
      orders.ship(packer, both.id, { carrier: 'SF', trackingNumber, pieces })
    )));
    assert.deepEqual(results.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
  });

test('[O55] it has arrived when its buyer says so, and nobody else can', async () => {
  const it = await paid();
  await orders.ship(packer, it.id, SENT);
  await assert.rejects(orders.arrived(owner, it.id), { code: 'orders.not_found' });
  const delivered = await orders.arrived(it.buyer.personId, it.id);
  assert.deepEqual(delivered.history.at(-1), { state: 'delivered', at: clock.now().toISOString(), by: null });
  clock.advance(1_000);
  assert.deepEqual(await orders.arrived(it.buyer.personId, it.id), delivered, 'again');
});

test('[O56] without a word it is delivered and completed by time, never before, once however many sweeps', async () => {
  await orders.sweepWaiting(WAITS);
  const shipped = [await paid(), await paid(), await paid()];
  await Promise.all(shipped.map(({ id }) => orders.ship(packer, id, SENT)));
  const states = async () => new Set(await Promise.all(shipped.map(stateOf)));
  clock.advance(WAITS.deliveredMs - 1);
  await orders.sweepWaiting(WAITS);
  assert.deepEqual(await states(), new Set(['shipped']));
  clock.advance(1);
  const moved = await Promise.all([orders.sweepWaiting(WAITS), orders.sweepWaiting(WAITS)]);
  assert.ok(moved[0] + moved[1] >= 3);
  assert.deepEqual(await states(), new Set(['delivered']));
  clock.advance(WAITS.completedMs - 1);
  await orders.sweepWaiting(WAITS);
  assert.deepEqual(await states(), new Set(['delivered']));
  clock.advance(1);
  await orders.sweepWaiting(WAITS);
  assert.deepEqual(await states(), new Set(['completed']));
  assert.deepEqual((await market.transitionsOf(shipped[0]?.id ?? '')).slice(-2), [
    { to: 'delivered', personId: null, at: new Date(clock.now().getTime() - WAITS.completedMs) },
    { to: 'completed', personId: null, at: clock.now() },
  ]);
  await eventually('the buyer was told', async () => market.told.some(({ personId, event }) => (
    personId === shipped[2]?.buyer.personId && event.order.state === 'completed'
  )));
});

test('[O57] [O59] a buyer cancels until it is packed: the pieces are back at once, the money follows', async () => {
  const it = await paid();
  assert.deepEqual(await market.levelsOf(it.variantId), SOLD);
  const cancelled = await Promise.all([1, 2, 3].map(() => orders.cancel(it.buyer.personId, it.id)));
  assert.deepEqual(cancelled.map(({ cancellation }) => cancellation?.by), ['buyer', 'buyer', 'buyer']);
  assert.deepEqual(await market.levelsOf(it.variantId), RETURNED);
  await eventually('refunded', async () => (await stateOf(it)) === 'refunded');
  assert.equal((await market.paymentOf(it.id)).state, 'refunded');
  await market.database.transaction((tx) => orders.paymentRefunded(tx, `order/${it.id}`));
  assert.deepEqual((await market.transitionsOf(it.id)).map(({ to }) => to), ['held', 'paid', 'cancelled', 'refunded']);
  assert.deepEqual(await market.levelsOf(it.variantId), RETURNED);
  // Packing and cancelling at the same moment: one of them.
  const both = await paid();
  await Promise.allSettled([orders.pack(packer, both.id), orders.cancel(both.buyer.personId, both.id)]);
  const isPacked = (await stateOf(both)) === 'packed';
  assert.deepEqual(await market.levelsOf(both.variantId), isPacked ? SOLD : RETURNED);
});

test('[O58] the shop cancels with a reason that the buyer reads, if the role may, not what is on its way', async () => {
  const it = await paid();
  await orders.pack(packer, it.id);
  await assert.rejects(orders.cancelByShop(packer, it.id, WHY), { code: 'shops.not_allowed' });
  await assert.rejects(orders.cancelByShop(it.buyer.personId, it.id, WHY), { code: 'orders.not_found' });
  await orders.cancelByShop(owner, it.id, { ...WHY, note: '  The last one had a hole. ' });
  assert.deepEqual((await seenByBuyer(it)).cancellation, { by: 'shop', ...WHY });
  assert.deepEqual(await market.levelsOf(it.variantId), RETURNED);
  const parts = await paid();
  await orders.ship(packer, parts.id, { ...SENT, pieces: [{ variantId: parts.variantId, quantity: 1 }] });
  await assert.rejects(orders.cancelByShop(owner, parts.id, WHY), { code: 'orders.on_its_way' });
  assert.deepEqual(await market.levelsOf(parts.variantId), SOLD);
});

test('[O61] many are packed and sent at once; one that cannot be is told by number and stops no other', async () => {
  const all = [await paid(), await paid(), await paid()];
  const [first, second, third] = all;
  assert.ok(first && second && third);
  await orders.cancelByShop(owner, second.id, WHY);
  const elsewhere = await paid(undefined, await market.newShop(owner));
  const numbers = [first.number, second.number, elsewhere.number, third.number.slice(2), `n ${first.number.slice(1)}`];
  const { results } = await orders.packMany(packer, shopId, numbers);
  assert.deepEqual(results.map(({ number, problem }) => [number, problem?.code ?? null]), [
    [first.number, null], [second.number, 'orders.wrong_state'], [elsewhere.number, 'orders.not_found'],
    [third.number, null], [first.number, null],
  ]);
  const parcels = all.map(({ number }, index) => ({ number, carrier: 'SF', trackingNumber: `B${index}` }));
  const codes = async () => (
    (await orders.shipMany(packer, shopId, { parcels })).results.map(({ problem }) => problem?.code ?? null)
  );
  assert.deepEqual(await codes(), [null, 'orders.wrong_state', null]);
  assert.deepEqual(await codes(), [null, 'orders.wrong_state', null], 'again');
  assert.deepEqual(await Promise.all([first, third, elsewhere].map(stateOf)), ['shipped', 'shipped', 'paid']);
  await assert.rejects(orders.packMany(first.buyer.personId, shopId, [first.number]), { code: 'shops.not_a_member' });
  assert.equal(BULK_MAX, 100);
});

test('[O62] what is selected and read by number is the shop’s own, and of the filter', async () => {
  const mine = await market.newShop(owner);
  const [first, second] = [await paid(undefined, mine), await paid(undefined, mine)];
  const other = await paid();
  await orders.pack(owner, first.id);
  assert.deepEqual(await orders.select(owner, mine, { group: 'to_ship' }), {
    numbers: [second.number, first.number], isAll: true,
  });
  assert.deepEqual((await orders.select(owner, mine, { state: 'packed' })).numbers, [first.number]);
  const found = await orders.findByNumbers(owner, mine, [second.number, other.number, first.number, second.number]);
  assert.deepEqual(found.orders.map(({ number }) => number), [second.number, first.number]);
  assert.deepEqual(found.orders[1], await orders.getOfShop(owner, first.id));
});

test('[O63] the file has a line for each line of the orders of the filter; what people wrote is text', async () => {
  const mine = await market.newShop(owner);
  const product = await market.newProduct(owner, mine, { stock: 900, sizes: ['S', 'M'] });
  const buyer = await market.newPerson('=1+1');
  const order = await orders.place(buyer, asking(product, { lines: linesOf(product, 2) }));
  await pay(buyer, order.id);
  await orders.ship(owner, order.id, SENT);
  await paid(undefined, mine);
  const parts: string[] = [];
  for await (const part of await orders.csv(owner, mine, { state: 'shipped' })) parts.push(part);
  const [head, first, second, ...rest] = parts.join('').split('\r\n');
  assert.match(head ?? '', /^\ufefforder,placed_at_utc,state,.*,carrier,tracking_number,order_discount,coupon$/);
  const begin = `${order.number},${order.placedAt},shipped,online,parcel,'=1\\+1,D-S,Summer dress,S,`;
  assert.match(first ?? '', new RegExp(`^${begin}`
    + ',2,CNY,129.00,258.00,516.00,林小雨,.*,CN,SF Express,SF1,0.00,$'));
  assert.match(second ?? '', /,D-M,/);
  assert.deepEqual(rest, ['']);
  await assert.rejects(orders.csv(buyer.personId, mine, {}), { code: 'shops.not_a_member' });
});
