/** Coupons on a real database, with orders as they are placed. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { CouponMake, OwnCoupon } from '@nacre/contract/coupons';
import type { Product } from '@nacre/contract/catalog';
import type { OrderPlace } from '@nacre/contract/orders';
import type { OrderPromise } from '@nacre/contract/promise';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { deadlocksDuring } from '../../../tests/support/deadlocks.ts';
import { asking, createMarket } from '../../../tests/support/market.ts';
import { until } from '../../../tests/support/nacre.ts';
import { refusalOf } from '../../../tests/support/refusals.ts';
import { RUSH_ROUNDS } from '../../../tests/support/rush-rounds.ts';
import type { PersonActor } from '../http/actor.ts';
import type { Buyer } from '../orders/orders.ts';
import { COUPONS_TOPIC, type CouponsChanged } from './events.ts';

const DAY_MS = 24 * 3_600_000;
const database = await createTestDatabase(import.meta.url);
const market = await createMarket({ url: database.serverUrl });
after(async () => {
  await market.stop();
  await database.drop();
});
const { orders, offers: { coupons } } = market;
const owner = await market.newPerson('Owner');
const shopId = await market.newShop(owner.personId);
const actor = ({ personId, name }: Buyer) => ({ kind: 'person', personId, name }) as PersonActor;
const boss = actor(owner);

const terms = (more: Partial<CouponMake> = {}): CouponMake => ({
  name: 'Ten off', showId: null, amountMinor: 1_000, percent: null, mostMinor: null, minimumMinor: 0, productIds: null,
  quota: 100, validFrom: market.clock.now().toISOString(),
  validUntil: new Date(market.clock.now().getTime() + DAY_MS).toISOString(), ...more,
});
const make = (more: Partial<CouponMake> = {}) => coupons.make(boss, shopId, terms(more));
const newGoods = (priceMinor = 10_000, stock = 500) => (
  market.newProduct(owner.personId, shopId, { stock, priceMinor })
);
const buying = (product: Product, own: OwnCoupon, discountMinor: number, more: Partial<OrderPlace> = {}) => (
  asking(product, { coupon: { claimId: own.claimId, discountMinor }, ...more })
);
async function claimer(couponId: string) {
  const buyer = await market.newPerson();
  return { buyer, own: await coupons.claim(actor(buyer), couponId) };
}
async function pay(buyer: Buyer, orderId: string): Promise<void> {
  await market.payments.decide(buyer.personId, (await market.paymentOf(orderId)).id, 'succeed');
  await market.outbox.drain();
}
const codeOf = async (promise: Promise<unknown>) => (await refusalOf(promise))?.code ?? 'done';
const times = <T>(count: number, work: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => work(at));
/** `side` times `turns` rounds, so many side by side; round n comes after n - `side`. */
const inTurns = (side: number, turns: number, round: (n: number) => Promise<void>) => Promise.all(
  times(side, async (lane) => {
    for (let turn = 0; turn < turns; turn += 1) await round(turn * side + lane);
  }),
);
const inOffice = async (id: string) => (await coupons.listOfShop(boss, shopId)).find((one) => one.id === id)!;
/** Of a shop of its own, so that its fifty are not used up. */
async function newShopping() {
  const keeper = await market.newPerson('Keeper');
  return { keeper: actor(keeper), shopId: await market.newShop(keeper.personId) };
}

// First: for the queue, which goes by the database’s clock, the time of this one has come.
test('[CO16] the rooms look again when a coupon’s time begins, and it can be claimed then', async () => {
  const { shopId: shop, keeper } = await newShopping();
  const heard: CouponsChanged[] = [];
  const leave = market.platform.bus.subscribe(COUPONS_TOPIC, (change) => {
    if ((change as CouponsChanged).shopId === shop) heard.push(change as CouponsChanged);
  });
  const validFrom = new Date(market.clock.now().getTime() + 1_000);
  const made = await coupons.make(keeper, shop, terms({ validFrom: validFrom.toISOString() }));
  assert.equal(await codeOf(coupons.claim(keeper, made.id)), 'coupons.early');
  await until('the second notice', 15_000, () => heard.length === 2);
  leave();
  assert.deepEqual(heard, [{ shopId: shop, showId: null }, { shopId: shop, showId: null }]);
  market.clock.advance(1_000);
  assert.equal(await codeOf(coupons.claim(keeper, made.id)), 'done');
});

test('[CO1] who may set prices makes one; every term is looked at', async () => {
  const product = await newGoods();
  const made = await make({ percent: 20, amountMinor: null, mostMinor: 500, productIds: [product.id], quota: 3 });
  assert.deepEqual({ ...made, id: 0, validFrom: 0, validUntil: 0 }, {
    id: 0, shopId, showId: null, name: 'Ten off', amountMinor: null, percent: 20, mostMinor: 500, minimumMinor: 0,
    productIds: [product.id], currency: 'CNY', left: 3, validFrom: 0, validUntil: 0, state: 'open', quota: 3,
    claimed: 0, used: 0,
  });
  const stranger = actor(await market.newPerson());
  assert.equal(await codeOf(coupons.make(stranger, shopId, terms())), 'shops.not_a_member');
  assert.equal(await codeOf(coupons.end(stranger, made.id)), 'shops.not_a_member');
  assert.equal(await codeOf(coupons.listOfShop(stranger, shopId)), 'shops.not_a_member');
  const other = await newShopping();
  const foreign = await market.newProduct(other.keeper.personId, other.shopId, { stock: 1 });
  const yesterday = new Date(market.clock.now().getTime() - DAY_MS).toISOString();
  for (const [field, more] of [
    ['amountMinor', { percent: 5 }], ['amountMinor', { amountMinor: null }], ['mostMinor', { mostMinor: 5 }],
    ['validUntil', { validUntil: yesterday }], ['productIds', { productIds: [foreign.id] }],
    ['validUntil', { validUntil: new Date(market.clock.now().getTime() + 400 * DAY_MS).toISOString() }],
  ] as const) {
    const refusal = await refusalOf(make(more as Partial<CouponMake>));
    assert.deepEqual([refusal?.code, refusal?.details?.['field']], ['request.invalid', field]);
  }
  const foreignShow = await market.newShow(other.shopId, [foreign.id]);
  assert.equal(await codeOf(make({ showId: foreignShow })), 'shows.not_found');
  const many = await Promise.all(times(52, () => codeOf(coupons.make(other.keeper, other.shopId, terms()))));
  assert.equal(many.filter((code) => code === 'done').length, 50);
  assert.equal(many.filter((code) => code === 'coupons.too_many').length, 2);
});

test('[CO2] claimed once by each person; a repeat is the same claim, whatever has become of the coupon', async () => {
  const { id } = await make({ quota: 2 });
  const buyer = await market.newPerson();
  const answers = await Promise.all(times(10, () => coupons.claim(actor(buyer), id)));
  assert.equal(new Set(answers.map(({ claimId }) => claimId)).size, 1);
  await claimer(id);
  assert.equal(await codeOf(claimer(id)), 'coupons.all_claimed');
  await coupons.end(boss, id);
  assert.equal((await coupons.claim(actor(buyer), id)).claimId, answers[0]!.claimId);
  assert.equal(await codeOf(claimer(id)), 'coupons.over');
  assert.equal(await codeOf(coupons.claim(actor(buyer), shopId)), 'coupons.not_found');
});

test('[CO3] fifty at once for the last of a quota, a hundred times: never one too many', async () => {
  const people = (await Promise.all(times(50, () => market.newPerson()))).map(actor);
  const shop = await newShopping();
  // Ten rounds at a time: claims of several coupons share batches.
  await inTurns(10, RUSH_ROUNDS / 10, async (round) => {
    const quota = round % 7 + 1;
    const { id } = await coupons.make(shop.keeper, shop.shopId, terms({ quota }));
    const codes = await Promise.all(people.map((person) => codeOf(coupons.claim(person, id))));
    assert.equal(codes.filter((code) => code === 'done').length, quota);
    assert.equal(codes.filter((code) => code === 'coupons.all_claimed').length, 50 - quota);
    const after = await coupons.end(shop.keeper, id);
    assert.deepEqual([after.claimed, after.left], [quota, 0]);
  });
});

test('[CO3] two processes claim the last ones: never one too many', async () => {
  const other = await createMarket({ url: database.serverUrl, deliver: false });
  const people = (await Promise.all(times(40, () => market.newPerson()))).map(actor);
  for (let round = 0; round < 5; round += 1) {
    const { id } = await make({ quota: 5 });
    const codes = await Promise.all(people.map((person, at) => (
      codeOf((at % 2 === 0 ? market : other).offers.coupons.claim(person, id))
    )));
    assert.equal(codes.filter((code) => code === 'done').length, 5);
    await coupons.end(boss, id);
  }
  await other.stop();
});

test('[CO4] not before its time nor after; one of a show only while that runs', async () => {
  const now = market.clock.now().getTime();
  const later = new Date(now + 3_600_000).toISOString();
  const early = await make({ validFrom: later });
  assert.equal(early.state, 'early');
  assert.deepEqual(await refusalOf(claimer(early.id)), { code: 'coupons.early', details: { validFrom: later } });
  market.clock.advance(3_600_000);
  const { own } = await claimer(early.id);
  assert.equal(own.state, 'good');
  market.clock.advance(DAY_MS);
  assert.equal(await codeOf(claimer(early.id)), 'coupons.over');
  const product = await newGoods();
  const showId = await market.newShow(shopId, [product.id]);
  const inShow = await make({ showId });
  assert.deepEqual((await coupons.inShow(showId)).map(({ id }) => id), [inShow.id]);
  assert.ok((await coupons.openIn(shopId)).every(({ id }) => id !== inShow.id));
  const { buyer } = await claimer(inShow.id);
  await market.database.db.updateTable('show').set({ state: 'ended', ended_at: market.clock.now() })
    .where('id', '=', showId).execute();
  assert.equal(await codeOf(claimer(inShow.id)), 'coupons.only_in_show');
  assert.deepEqual(await coupons.inShow(showId), []);
  // What was claimed there is good on the shop's pages, too.
  const kept = await coupons.claim(actor(buyer), inShow.id);
  assert.equal((await orders.place(buyer, buying(product, kept, 1_000))).totalMinor, 9_000);
});

test('[CO5] the quota is lowered, not below what is claimed; ended, what is claimed stays good', async () => {
  const { id } = await make({ quota: 5 });
  const { buyer, own } = await claimer(id);
  await claimer(id);
  const lower = (quota: number) => coupons.lower(boss, id, { quota });
  assert.equal(await codeOf(lower(6)), 'coupons.only_lower');
  assert.deepEqual(await refusalOf(lower(1)), { code: 'coupons.already_claimed', details: { claimed: 2 } });
  assert.equal((await lower(2)).left, 0);
  assert.equal(await codeOf(claimer(id)), 'coupons.all_claimed');
  assert.equal((await coupons.end(boss, id)).state, 'over');
  assert.equal((await coupons.end(boss, id)).state, 'over');
  assert.equal(await codeOf(lower(2)), 'coupons.over');
  const order = await orders.place(buyer, buying(await newGoods(), own, 1_000));
  assert.deepEqual(order.coupon, { id, name: 'Ten off', discountMinor: 1_000 });
});

test('[CO6] [CO12] order, lines, payment and promise have it; a live price counts before it', async () => {
  const { id } = await make({ percent: 15, amountMinor: null });
  const product = await newGoods(9_999);
  const showId = await market.newShow(shopId, [product.id]);
  const variantId = product.variants[0]!.id;
  await market.offers.set(boss, showId, { variantId, priceMinor: 3_333, quota: 5, perPerson: 5 });
  const { buyer, own } = await claimer(id);
  const lines = [{ variantId, quantity: 3, unitPriceMinor: 3_333 }];
  // 15 % of 99.99 is 14.9985: rounded up.
  const order = await orders.place(buyer, buying(product, own, 1_500, { showId, lines }));
  assert.deepEqual([order.totalMinor, order.coupon], [8_499, { id, name: 'Ten off', discountMinor: 1_500 }]);
  const { db } = market.database;
  const line = await db.selectFrom('order_line').select('discount_minor').where('order_id', '=', order.id)
    .executeTakeFirstOrThrow();
  assert.equal(line.discount_minor, 1_500n);
  const payment = await db.selectFrom('payment').select('amount_minor').where('subject', '=', `order/${order.id}`)
    .executeTakeFirstOrThrow();
  assert.equal(payment.amount_minor, 8_499n);
  const { document } = await orders.promiseOf(buyer.personId, order.id);
  const promised = (JSON.parse(document) as OrderPromise).order;
  assert.deepEqual([promised.coupon, promised.totalMinor], [order.coupon, 8_499]);
  assert.ok(!(await orders.promiseOf(buyer.personId, (await orders.place(buyer, asking(product))).id)).document
    .includes('coupon'));
});

test('[CO7] the goods must cost its minimum; sending goes by the goods without it', async () => {
  const { keeper, shopId: ownShop } = await newShopping();
  await market.shops.patch(keeper.personId, ownShop, { shipping: { feeMinor: 700, freeFromMinor: 10_000 } });
  const product = await market.newProduct(keeper.personId, ownShop, { stock: 9, priceMinor: 10_000 });
  const made = await coupons.make(keeper, ownShop, terms({ minimumMinor: 10_001 }));
  const { buyer, own } = await claimer(made.id);
  assert.equal(await codeOf(orders.place(buyer, buying(product, own, 1_000))), 'coupons.not_fitting');
  const two = buying(product, own, 1_000, {});
  const order = await orders.place(buyer, { ...two, lines: [{ ...two.lines[0]!, quantity: 2 }] });
  assert.deepEqual([order.shippingMinor, order.totalMinor], [0, 19_000]);
});

test('[CO8] one claim, fifty orders at once, a hundred times: one order has it, the rest take nothing', async () => {
  const product = await newGoods(10_000, 5_000);
  const buyers = await Promise.all(times(10, () => market.newPerson()));
  const { id } = await make();
  const claims = new Map<Buyer, OwnCoupon>();
  for (const buyer of buyers) claims.set(buyer, await coupons.claim(actor(buyer), id));
  // Each buyer ten times, all of them side by side.
  await inTurns(buyers.length, RUSH_ROUNDS / 10, async (round) => {
    const buyer = buyers[round % buyers.length]!;
    const results = await Promise.allSettled(times(50, () => (
      orders.place(buyer, buying(product, claims.get(buyer)!, 1_000))
    )));
    const placed = results.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    assert.equal(placed.length, 1);
    assert.ok(results.every((one) => one.status === 'fulfilled' || one.reason.code === 'coupons.used'));
    await orders.cancel(buyer.personId, placed[0]!.id);
  });
  assert.deepEqual(await market.levelsOf(product.variants[0]!.id), { available: 5_000, held: 0, sold: 0 });
});

test('[CO8] two processes, one claim: one order has it; orders that end meanwhile wait in no circle', async () => {
  const other = await createMarket({ url: database.serverUrl, deliver: false });
  const product = await newGoods(10_000, 5_000);
  const { id } = await make();
  const all = await Promise.all(times(8, () => claimer(id)));
  const deadlocks = await deadlocksDuring(market.database.db, async () => {
    for (let round = 0; round < 4; round += 1) {
      await Promise.all(all.map(async ({ buyer, own }, n) => {
        const results = await Promise.allSettled(times(4, (at) => (
          ((at + n) % 2 === 0 ? market : other).orders.place(buyer, buying(product, own, 1_000))
        )));
        const placed = results.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
        assert.equal(placed.length, 1);
        await (n % 2 === 0 ? market : other).orders.cancel(buyer.personId, placed[0]!.id);
      }));
    }
  });
  assert.equal(deadlocks, 0);
  await other.stop();
});

test('[CO9] free again when its order ends unpaid, or is cancelled after it was paid', async () => {
  const { id } = await make();
  const { buyer, own } = await claimer(id);
  const product = await newGoods();
  const state = async () => (await coupons.listMine(buyer.personId, {})).items[0]!;
  const first = await orders.place(buyer, buying(product, own, 1_000));
  assert.deepEqual([(await state()).state, (await state()).orderId], ['used', first.id]);
  assert.equal((await inOffice(id)).used, 1);
  assert.deepEqual(await coupons.mineIn(buyer.personId, [shopId]), []);
  assert.deepEqual((await coupons.claimedIn(buyer.personId, shopId)).map(({ state: is }) => is), ['used']);
  market.clock.advance(6 * 60_000);
  await orders.sweepExpired();
  assert.equal((await state()).state, 'good');
  const second = await orders.place(buyer, buying(product, own, 1_000));
  await pay(buyer, second.id);
  assert.equal(await codeOf(orders.place(buyer, buying(product, own, 1_000))), 'coupons.used');
  await orders.cancelByShop(owner.personId, second.id, { reason: 'out_of_stock', note: '' });
  assert.equal((await state()).state, 'good');
  market.clock.advance(2 * DAY_MS);
  assert.equal((await state()).state, 'over');
  assert.equal(await codeOf(orders.place(buyer, buying(product, own, 1_000))), 'coupons.over');
});

test('[CO10] late money is honoured if the coupon is free, and goes back if another order has it', async () => {
  const { id } = await make();
  const product = await newGoods();
  for (const isTaken of [false, true]) {
    const { buyer, own } = await claimer(id);
    const late = await orders.place(buyer, buying(product, own, 1_000));
    market.clock.advance(6 * 60_000);
    await orders.sweepExpired();
    const next = isTaken ? await orders.place(buyer, buying(product, own, 1_000)) : null;
    const { id: paymentId } = await market.paymentOf(late.id);
    await market.payments.receive({ noticeId: `${paymentId}/late`, paymentId, kind: 'captured' });
    await market.outbox.drain();
    const after = await orders.get(buyer.personId, late.id);
    assert.deepEqual([after.state, after.latePayment], isTaken ? ['expired', 'returned'] : ['paid', 'kept']);
    const [mine] = (await coupons.listMine(buyer.personId, {})).items;
    assert.equal(mine!.orderId, isTaken ? next!.id : late.id);
  }
});

test('[CO11] another amount, another’s, early and unfitting ones are refused, and nothing is placed', async () => {
  const product = await newGoods();
  const { id } = await make({ productIds: [product.id] });
  const { buyer, own } = await claimer(id);
  assert.deepEqual(await refusalOf(orders.place(buyer, buying(product, own, 999))), {
    code: 'coupons.discount_changed', details: { discountMinor: 1_000, currency: 'CNY' },
  });
  const stranger = await market.newPerson();
  assert.equal(await codeOf(orders.place(stranger, buying(product, own, 1_000))), 'coupons.not_found');
  assert.equal(await codeOf(orders.place(buyer, buying(await newGoods(), own, 1_000))), 'coupons.not_fitting');
  const { keeper, shopId: otherShop } = await newShopping();
  const foreign = await market.newProduct(keeper.personId, otherShop, { stock: 1 });
  assert.equal(await codeOf(orders.place(buyer, buying(foreign, own, 1_000))), 'coupons.not_found');
  const unknown = buying(product, { ...own, claimId: shopId }, 1);
  assert.equal(await codeOf(orders.place(buyer, unknown)), 'coupons.not_found');
  assert.deepEqual(await market.levelsOf(product.variants[0]!.id), { available: 500, held: 0, sold: 0 });
  // The key of a refused order is good for the next try; of a placed one only with the same coupon.
  const asked = buying(product, own, 1_000);
  const order = await orders.place(buyer, asked);
  assert.equal((await orders.place(buyer, asked)).id, order.id);
  const { coupon: _, ...without } = asked;
  assert.equal(await codeOf(orders.place(buyer, without)), 'orders.key_reused');
});

test('[CO13] the host hands out one in a show that runs, another instead, or none', async () => {
  const product = await newGoods();
  const showId = await market.newShow(shopId, [product.id]);
  const [one, two] = [await make({ showId }), await make()];
  const other = await make({ showId: await market.newShow(shopId, [product.id]) });
  const told: unknown[] = [];
  const stop = market.platform.bus.subscribe('coupons.changed', (message) => void told.push(message));
  const out = async (couponId: string | null) => (await coupons.handOut(boss, showId, couponId))
    .filter(({ handedOutAt }) => handedOutAt !== null).map(({ id }) => id);
  assert.deepEqual(await out(one.id), [one.id]);
  assert.deepEqual(await out(two.id), [two.id]);
  assert.deepEqual(await out(null), []);
  assert.equal(told.length, 3);
  assert.equal(await codeOf(out(other.id)), 'coupons.not_found');
  await claimer(one.id);
  assert.deepEqual(told.at(-1), { shopId, showId });
  await coupons.end(boss, two.id);
  assert.deepEqual(told.at(-1), { shopId, showId: null });
  stop();
  assert.equal(await codeOf(out(two.id)), 'coupons.over');
  assert.equal(await codeOf(coupons.handOut(actor(await market.newPerson()), showId, one.id)), 'shops.not_a_member');
  await market.database.db.updateTable('show').set({ state: 'ended', ended_at: market.clock.now() })
    .where('id', '=', showId).execute();
  assert.equal(await codeOf(out(one.id)), 'shows.not_live');
});

test('[CO14] when too many claim at once, one more is told so, and its next try is good', async () => {
  const { id } = await make({ quota: 1 });
  const person = actor(await market.newPerson());
  const codes = await Promise.all(times(9_000, () => codeOf(coupons.claim(person, id))));
  assert.ok(codes.includes('coupons.rush'));
  assert.ok(codes.every((code) => code === 'done' || code === 'coupons.rush'));
  assert.equal((await inOffice(id)).claimed, 1);
});

test('[CO15] one reads one’s own page by page, and on a shop’s page what is open there', async () => {
  const { keeper, shopId: ownShop } = await newShopping();
  const made = [];
  for (let n = 0; n < 5; n += 1) {
    made.push(await coupons.make(keeper, ownShop, terms({ name: `No ${n}`, quota: 1 })));
    market.clock.advance(1_000);
  }
  assert.deepEqual((await coupons.openIn(ownShop)).map(({ name }) => name), ['No 4', 'No 3', 'No 2', 'No 1', 'No 0']);
  const buyer = await market.newPerson();
  for (const { id } of made.slice(0, 3)) {
    await coupons.claim(actor(buyer), id);
    market.clock.advance(1_000);
  }
  assert.deepEqual((await coupons.openIn(ownShop)).map(({ name }) => name), ['No 4', 'No 3']);
  const first = await coupons.listMine(buyer.personId, { limit: 2 });
  const rest = await coupons.listMine(buyer.personId, { limit: 2, cursor: first.next! });
  assert.deepEqual([...first.items, ...rest.items].map(({ coupon }) => coupon.name), ['No 2', 'No 1', 'No 0']);
  assert.equal(rest.next, null);
  assert.deepEqual((await coupons.listMine(owner.personId, {})).items, []);
});

test('[O110] coupons are asked for by no statement without one, by one for a whole batch', async () => {
  const product = await newGoods();
  const { id } = await make();
  const all = await Promise.all(times(20, () => claimer(id)));
  const asked = new Array<string>();
  const { pool } = market.database;
  const connect = pool.connect.bind(pool) as () => Promise<import('pg').PoolClient>;
  pool.connect = (async () => {
    const client = await connect();
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    client.query = ((...args: unknown[]) => {
      const text = typeof args[0] === 'string' ? args[0] : (args[0] as { text: string }).text;
      if (/coupon_claim/.test(text)) asked.push(text.trim().split(/\s+/)[0]!);
      return query(...args);
    }) as never;
    return client;
  }) as never;
  await Promise.all(all.map(({ buyer }) => orders.place(buyer, asking(product))));
  assert.equal(asked.length, 0);
  await Promise.all(all.map(({ buyer, own }) => orders.place(buyer, buying(product, own, 1_000))));
  assert.ok(asked.length <= 4 && asked.includes('select') && asked.includes('update'), asked.join(' '));
});
