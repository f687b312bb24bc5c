/** What becomes of orders: paid, declined, expired, cancelled, shipped; on a real database. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Product } from '@nacre/contract/catalog';
import type { Order } from '@nacre/contract/orders';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { asking, createMarket, linesOf } from '../../../tests/support/market.ts';
import type { LateFact } from './events.ts';
import type { Buyer } from './orders.ts';
import { HOLD_MS } from './place.ts';

const database = await createTestDatabase(import.meta.url);
const market = await createMarket({ url: database.serverUrl });
after(async () => {
  await market.stop();
  await database.drop();
});
/** What was told of money that came too late. */
const late: LateFact[] = [];
market.outbox.on('orders.paid_late', async (_tx, fact: { orders: LateFact[] }) => void late.push(...fact.orders));
const owner = await market.newPerson('Owner');
const shopId = await market.newShop(owner.personId);
const PARCEL = { carrier: 'SF Express', trackingNumber: 'SF 1234 5678' };

interface Placed {
  product: Product;
  variantId: string;
  buyer: Buyer;
  order: Order;
  paymentId: string;
}

/** Two of ten pieces, held; or of other goods. */
async function placed(goods: { product?: Product; quantity?: number } = {}): Promise<Placed> {
  const product = goods.product ?? await market.newProduct(owner.personId, shopId, { stock: 10 });
  const buyer = await market.newPerson();
  const order = await market.orders.place(buyer, asking(product, { quantity: goods.quantity ?? 2 }));
  const variantId = order.lines[0]?.variantId ?? '';
  return { product, variantId, buyer, order, paymentId: (await market.paymentOf(order.id)).id };
}

async function decide({ buyer, paymentId }: Placed, outcome: 'succeed' | 'decline' | 'slow'): Promise<void> {
  await market.payments.decide(buyer.personId, paymentId, outcome);
  await market.outbox.drain();
}

const stateOf = async ({ buyer, order }: Placed) => (await market.orders.get(buyer.personId, order.id)).state;

/** Waits for work of the job queue. */
async function eventually(what: string, check: () => Promise<boolean>): Promise<void> {
  for (let waitedMs = 0; waitedMs < 10_000; waitedMs += 50) {
    if (await check()) return;
    await sleep(50);
  }
  assert.fail(`after 10 s still not: ${what}`);
}

const RETURNED = { available: 10, held: 0, sold: 0 };
const HELD = { available: 8, held: 2, sold: 0 };
const SOLD = { available: 8, held: 0, sold: 2 };

test('[O10] paying sells the pieces, tells the buyer and keeps who and when', async () => {
  const it = await placed();
  const placedAt = market.clock.now();
  market.clock.advance(60_000);
  await decide(it, 'succeed');
  const order = await market.orders.get(it.buyer.personId, it.order.id);
  assert.equal(order.state, 'paid');
  assert.equal(order.paidAt, market.clock.now().toISOString());
  assert.equal(order.paymentUrl, null);
  assert.deepEqual(await market.levelsOf(it.variantId), SOLD);
  assert.deepEqual(await market.transitionsOf(it.order.id), [
    { to: 'held', personId: it.buyer.personId, at: placedAt },
    { to: 'paid', personId: null, at: market.clock.now() },
  ]);
  await eventually('the buyer was told', async () =>
    market.told.some(({ personId, event }) => (
      personId === it.buyer.personId && event.type === 'own-order' && event.order.state === 'paid'
    )));
});

test('[O10] the news that it is paid may come again: it is sold once', async () => {
  const it = await placed();
  await decide(it, 'succeed');
  const subject = `order/${it.order.id}`;
  await Promise.all(Array.from({ length: 5 }, () =>
    market.database.transaction((tx) => market.orders.paymentsCaptured(tx, [subject]))));
  await market.database.transaction((tx) => market.orders.paymentsDeclined(tx, [subject]));
  assert.equal(await stateOf(it), 'paid');
  assert.deepEqual(await market.levelsOf(it.variantId), SOLD);
  assert.equal((await market.paymentOf(it.order.id)).state, 'captured');
});

test('[O10] news of something that is no order is nobody’s', async () => {
  for (const subject of ['tray/1', 'order/', `order/${owner.personId}`]) {
    await market.database.transaction((tx) => market.orders.paymentsCaptured(tx, [subject]));
  }
});

test('[O11] when the payment is declined, the pieces are back at once', async () => {
  const it = await placed();
  await decide(it, 'decline');
  assert.equal(await stateOf(it), 'declined');
  assert.deepEqual(await market.levelsOf(it.variantId), RETURNED);
  assert.deepEqual((await market.transitionsOf(it.order.id)).map((one) => one.to), ['held', 'declined']);
});

test('[O10] a slow payment keeps the pieces held and sells them when the money comes', async () => {
  const it = await placed();
  await decide(it, 'slow');
  assert.equal((await market.payments.get(it.buyer.personId, it.paymentId)).state, 'processing');
  assert.equal(await stateOf(it), 'held');
  await eventually('paid', async () => (await stateOf(it)) === 'paid');
  assert.deepEqual(await market.levelsOf(it.variantId), SOLD);
});

test('[O12] a hold ends when its time is over and not before', async () => {
  const it = await placed();
  market.clock.advance(HOLD_MS - 1);
  await market.orders.sweepExpired();
  assert.equal(await stateOf(it), 'held');
  market.clock.advance(1);
  assert.equal(await market.orders.sweepExpired(), 1);
  assert.equal(await stateOf(it), 'expired');
  assert.deepEqual(await market.levelsOf(it.variantId), RETURNED);
  assert.equal((await market.paymentOf(it.order.id)).state, 'expired');
  assert.equal(await market.orders.sweepExpired(), 0);
});

test('[O12] two sweeps at once return the pieces of sixty holds exactly once', async () => {
  const product = await market.newProduct(owner.personId, shopId, { stock: 100, sizes: ['S', 'M'] });
  const buyers = await Promise.all(Array.from({ length: 60 }, () => market.newPerson()));
  const lines = linesOf(product);
  const orders = await Promise.all(buyers.map((buyer) => market.orders.place(buyer, asking(product, { lines }))));
  const levels = () => Promise.all(lines.map((line) => market.levelsOf(line.variantId)));
  assert.deepEqual(await levels(), lines.map(() => ({ available: 40, held: 60, sold: 0 })));
  market.clock.advance(HOLD_MS);
  const ended = await Promise.all([market.orders.sweepExpired(), market.orders.sweepExpired()]);
  assert.equal(ended[0] + ended[1], 60);
  assert.deepEqual(await levels(), lines.map(() => ({ available: 100, held: 0, sold: 0 })));
  for (const order of orders) {
    assert.deepEqual((await market.transitionsOf(order.id)).map((one) => one.to), ['held', 'expired']);
  }
});

/** As a fault of ours would. */
async function setHeld({ variantId }: Placed, held: number): Promise<void> {
  await market.database.db.updateTable('stock').set({ held }).where('variant_id', '=', variantId).execute();
}

/** An order whose hold is over and whose payer has paid all the same: the notice comes when the test sends it. */
async function lapsed(goods?: { product: Product; quantity?: number }): Promise<Placed> {
  const it = await placed(goods);
  market.clock.advance(HOLD_MS);
  await market.orders.sweepExpired();
  assert.equal(await stateOf(it), 'expired');
  return it;
}

async function capture(...these: Placed[]): Promise<void> {
  await Promise.all(these.map(({ paymentId: id }) => (
    market.payments.receive({ noticeId: `${id}/captured`, paymentId: id, kind: 'captured' })
  )));
  await market.outbox.drain();
}

test('[O80] money that comes after the hold is honoured while the pieces are there, once, and the step says why',
  async () => {
    const it = await lapsed();
    assert.deepEqual(await market.levelsOf(it.variantId), RETURNED);
    await capture(it);
    await market.payments.receive({ noticeId: 'again', paymentId: it.paymentId, kind: 'captured' });
    await market.outbox.drain();
    const order = await market.orders.get(it.buyer.personId, it.order.id);
    assert.deepEqual([order.state, order.latePayment], ['paid', 'kept']);
    assert.deepEqual(await market.levelsOf(it.variantId), SOLD);
    const steps = await market.database.db.selectFrom('order_transition').select(['to_state', 'reason'])
      .where('order_id', '=', it.order.id).orderBy('id').execute();
    assert.deepEqual(steps.map((step) => [step.to_state, step.reason]), [
      ['held', null], ['expired', null], ['paid', 'late_payment'],
    ]);
    await eventually('the buyer was told', async () => market.told.some(({ personId, event }) => (
      personId === it.buyer.personId && event.order.latePayment === 'kept'
    )));
  });

test('[O80] [O81] of several that come late those get the pieces who placed first; the money of the others goes back',
  async () => {
    const product = await market.newProduct(owner.personId, shopId, { stock: 5 });
    const first = await placed({ product, quantity: 2 });
    market.clock.advance(1);
    const second = await placed({ product, quantity: 3 });
    market.clock.advance(HOLD_MS);
    await market.orders.sweepExpired();
    // Somebody else has taken one meanwhile.
    const other = await placed({ product, quantity: 1 });
    await capture(second, first, other);
    assert.deepEqual([await stateOf(first), await stateOf(second), await stateOf(other)], ['paid', 'expired', 'paid']);
    assert.equal((await market.orders.get(second.buyer.personId, second.order.id)).latePayment, 'returned');
    await eventually('refunded', async () => (await market.paymentOf(second.order.id)).state === 'refunded');
    assert.deepEqual(await market.levelsOf(first.variantId), { available: 2, held: 0, sold: 3 });
    // The news comes again: nothing happens twice.
    const subjects = [first, second, other].map(({ order }) => `order/${order.id}`);
    await market.database.transaction((tx) => market.orders.paymentsCaptured(tx, subjects));
    assert.deepEqual(await market.levelsOf(first.variantId), { available: 2, held: 0, sold: 3 });
    await market.outbox.drain();
    const told = (orderId: string) => late.filter((fact) => fact.orderId === orderId).map((fact) => fact.late);
    assert.deepEqual([told(first.order.id), told(second.order.id), told(other.order.id)], [['kept'], ['returned'], []]);
  });

test('[O82] a hundred payments that come together sell their pieces once; one that cannot be paid holds up no other',
  async () => {
    const product = await market.newProduct(owner.personId, shopId, { stock: 60 });
    const broken = await placed();
    const sound = await Promise.all(Array.from({ length: 50 }, () => placed({ product, quantity: 1 })));
    // A fault of ours: its pieces are not held any more.
    await setHeld(broken, 0);
    const twice = [...sound, broken, ...sound];
    await Promise.all(twice.map(({ buyer, paymentId }, i) => (
      i <= 50 ? market.payments.decide(buyer.personId, paymentId, 'doubled')
        : market.payments.receive({ noticeId: `${paymentId}/other`, paymentId, kind: 'captured' })
    )));
    await eventually('all are paid', async () => (
      (await market.levelsOf(sound[0]!.variantId)).sold === 50
    ));
    assert.deepEqual(await market.levelsOf(sound[0]!.variantId), { available: 10, held: 0, sold: 50 });
    assert.equal(await stateOf(broken), 'held');
    // It is still to be done.
    const waiting = await market.database.db.selectFrom('outbox').select('payload')
      .where('topic', '=', 'payments.captured').execute();
    assert.deepEqual(waiting.map(({ payload }) => JSON.stringify(payload).includes(broken.paymentId)), [true]);
    await setHeld(broken, 2);
    market.clock.advance(2_000);
    await market.outbox.drain();
    assert.equal(await stateOf(broken), 'paid');
  });

test('[O83] two processes end a thousand holds, a broken one among them; each piece comes back once', async () => {
  const count = 1_000;
  const product = await market.newProduct(owner.personId, shopId, { stock: count });
  const other = await createMarket({ url: database.serverUrl, clock: market.clock, deliver: false });
  try {
    const buyers = await Promise.all(Array.from({ length: count / 5 }, () => market.newPerson()));
    const orders = await Promise.all(Array.from({ length: count }, (_, i) => (
      market.orders.place(buyers[i % buyers.length]!, asking(product))
    )));
    const broken = await placed();
    await setHeld(broken, 0);
    const variantId = orders[0]?.lines[0]?.variantId ?? '';
    market.clock.advance(HOLD_MS);
    const [one, two] = await Promise.all([market.orders.sweepExpired(), other.orders.sweepExpired()]);
    assert.equal(one + two, count);
    assert.deepEqual(await market.levelsOf(variantId), { available: count, held: 0, sold: 0 });
    assert.equal(await stateOf(broken), 'held');
    const { rows } = await market.database.pool.query<{ ended: number }>(
      `select count(*)::int as ended from stock_move where variant_id = $1 and reason = 'released'`, [variantId]);
    assert.equal(rows[0]?.ended, count);
    await setHeld(broken, 2);
    assert.equal(await market.orders.sweepExpired(), 1);
  } finally {
    await other.stop();
  }
});

test('[O13] money whose news finds the order over goes back as well', async () => {
  const it = await placed();
  await decide(it, 'succeed');
  // As if a person had ended the order by hand between the money and its news.
  const other = await placed();
  await market.orders.cancel(other.buyer.personId, other.order.id);
  await market.database.db.updateTable('payment').set({ state: 'captured' }).where('id', '=', other.paymentId)
    .execute();
  await market.database.transaction((tx) => market.orders.paymentsCaptured(tx, [`order/${other.order.id}`]));
  await eventually('refunded', async () => (await market.paymentOf(other.order.id)).state === 'refunded');
  assert.equal(await stateOf(other), 'cancelled');
  assert.equal(await stateOf(it), 'paid');
});

test('[O14] money that came in time counts, though the sweep is quicker than the news', async () => {
  const slow = await createMarket({ url: database.serverUrl, clock: market.clock, deliver: false });
  try {
    const product = await slow.newProduct(owner.personId, shopId, { stock: 10 });
    const buyer = await slow.newPerson();
    const order = await slow.orders.place(buyer, asking(product, { quantity: 2 }));
    const { id } = await slow.paymentOf(order.id);
    market.clock.advance(HOLD_MS - 1);
    await slow.payments.decide(buyer.personId, id, 'succeed');
    market.clock.advance(1);
    await slow.orders.sweepExpired();
    await assert.rejects(slow.orders.cancel(buyer.personId, order.id), { code: 'orders.wrong_state' });
    await market.outbox.drain();
    assert.equal((await slow.orders.get(buyer.personId, order.id)).state, 'paid');
    assert.deepEqual(await slow.levelsOf(order.lines[0]?.variantId ?? ''), SOLD);
  } finally {
    await slow.stop();
  }
});

test('[O15] a buyer gives up an unpaid order: the pieces are back, a repeat changes nothing', async () => {
  const it = await placed();
  const cancelled = await market.orders.cancel(it.buyer.personId, it.order.id);
  assert.equal(cancelled.state, 'cancelled');
  assert.equal(cancelled.paymentUrl, null);
  assert.equal((await market.orders.cancel(it.buyer.personId, it.order.id)).state, 'cancelled');
  assert.deepEqual(await market.levelsOf(it.variantId), RETURNED);
  await assert.rejects(market.payments.decide(it.buyer.personId, it.paymentId, 'succeed'), {
    code: 'payments.not_pending',
  });
  await market.payments.receive({ noticeId: 'late', paymentId: it.paymentId, kind: 'captured' });
  await eventually('refunded', async () => (await market.paymentOf(it.order.id)).state === 'refunded');
  assert.equal(await stateOf(it), 'cancelled');
});

test('[O141] money for an order that is over goes back, and the buyer reads so', async () => {
  const cancelled = await placed();
  await market.orders.cancel(cancelled.buyer.personId, cancelled.order.id);
  const declined = await placed();
  await decide(declined, 'decline');
  for (const it of [cancelled, declined]) {
    const { buyer, order, paymentId } = it;
    const state = await stateOf(it);
    await market.payments.receive({ noticeId: `over-${paymentId}`, paymentId, kind: 'captured' });
    await eventually('told', async () => market.told.some(({ personId, event }) => (
      personId === buyer.personId && event.order.latePayment === 'returned'
    )));
    const seen = await market.orders.get(buyer.personId, order.id);
    assert.deepEqual([seen.state, seen.latePayment, seen.paidAt], [state, 'returned', null]);
    assert.equal((await market.paymentOf(order.id)).state, 'refunded');
    assert.deepEqual(await market.levelsOf(it.variantId), RETURNED);
  }
});

test('[O15] what is over cannot be given up', async () => {
  const declined = await placed();
  await decide(declined, 'decline');
  await assert.rejects(market.orders.cancel(declined.buyer.personId, declined.order.id), {
    code: 'orders.wrong_state',
  });
});

test('[O15] giving up and paying at the same moment have one outcome', async () => {
  for (let round = 0; round < 10; round += 1) {
    const it = await placed();
    await Promise.allSettled([
      market.orders.cancel(it.buyer.personId, it.order.id),
      market.payments.decide(it.buyer.personId, it.paymentId, 'succeed'),
    ]);
    await market.outbox.drain();
    const state = await stateOf(it);
    const payment = await market.paymentOf(it.order.id);
    // Paid first and told at once, it is given up as a paid one: the money is on its way back, or is back.
    assert.match(`${state} ${payment.state}`,
      /^(paid captured|cancelled cancelled|cancelled captured|(cancelled|refunded) refunded)$/);
    assert.deepEqual(await market.levelsOf(it.variantId), state === 'paid' ? SOLD : RETURNED);
  }
});

test('[O16] nobody else sees or moves an order, and nobody else learns that it exists', async () => {
  const it = await placed();
  const stranger = await market.newPerson();
  await market.newShop(stranger.personId);
  const { id } = it.order;
  for (const personId of [stranger.personId, owner.personId]) {
    await assert.rejects(market.orders.get(personId, id), { code: 'orders.not_found' });
    await assert.rejects(market.orders.cancel(personId, id), { code: 'orders.not_found' });
  }
  for (const personId of [stranger.personId, it.buyer.personId]) {
    await assert.rejects(market.orders.getOfShop(personId, id), { code: 'orders.not_found' });
    await assert.rejects(market.orders.ship(personId, id, PARCEL), { code: 'orders.not_found' });
    await assert.rejects(market.orders.listOfShop(personId, shopId, {}), { code: 'shops.not_a_member' });
    await assert.rejects(market.orders.counts(personId, shopId), { code: 'shops.not_a_member' });
  }
  await assert.rejects(market.orders.get(stranger.personId, shopId), { code: 'orders.not_found' });
  assert.deepEqual((await market.orders.listMine(stranger.personId, {})).items, []);
  assert.deepEqual(await market.levelsOf(it.variantId), HELD);
});

test('[O16] a member of the shop sees the order, but not where to pay', async () => {
  const it = await placed();
  const seen = await market.orders.getOfShop(owner.personId, it.order.id);
  const history = it.order.history.map((step) => ({ ...step, by: 'Mei' }));
  assert.deepEqual(seen, { ...it.order, paymentUrl: null, history });
});

test('[O16] lists are paged, the newest first, nothing twice; the shop may ask for one state or show', async () => {
  const shop = await market.newShop(owner.personId);
  const product = await market.newProduct(owner.personId, shop, { stock: 10 });
  const buyer = await market.newPerson();
  const showId = await market.newShow(shop, [product.id]);
  const orders: Order[] = [];
  for (let i = 0; i < 4; i += 1) orders.push(await market.orders.place(buyer, asking(product)));
  orders.push(await market.orders.place(buyer, asking(product, { showId })));
  const ids = orders.map((order) => order.id).reverse();
  const first = await market.orders.listMine(buyer.personId, { limit: 3 });
  const second = await market.orders.listMine(buyer.personId, { limit: 3, cursor: first.next ?? '' });
  assert.deepEqual([...first.items, ...second.items].map((order) => order.id), ids);
  assert.equal(second.next, null);
  const payment = await market.paymentOf(ids[0] ?? '');
  await market.payments.decide(buyer.personId, payment.id, 'succeed');
  await market.outbox.drain();
  const paid = await market.orders.listOfShop(owner.personId, shop, { state: 'paid' });
  assert.deepEqual(paid.items.map((order) => order.id), [ids[0]]);
  assert.equal((await market.orders.listOfShop(owner.personId, shop, {})).items.length, 5);
  const ofShow = await market.orders.listOfShop(owner.personId, shop, { showId });
  assert.deepEqual(ofShow.items.map((order) => order.id), [ids[0]]);
  assert.deepEqual(await market.orders.counts(owner.personId, shop), {
    held: 4, paid: 1, packed: 0, shipped: 0, delivered: 0, completed: 0, ready: 0, handed_over: 0, expired: 0,
    declined: 0, cancelled: 0, refunded: 0, voided: 0, to_ship: 1, to_pick_up: 0, counter: 0,
  });
});

test('[O17] a member ships a paid order; the same parcel again changes nothing, another is refused', async () => {
  const it = await placed();
  await assert.rejects(market.orders.ship(owner.personId, it.order.id, PARCEL), {
    code: 'orders.wrong_state', details: { state: 'held' },
  });
  await decide(it, 'succeed');
  const shipped = await market.orders.ship(owner.personId, it.order.id, { ...PARCEL, carrier: ' SF Express ' });
  assert.equal(shipped.state, 'shipped');
  assert.deepEqual(shipped.parcels.map(({ carrier, trackingNumber }) => ({ carrier, trackingNumber })), [PARCEL]);
  assert.equal(shipped.shippedAt, market.clock.now().toISOString());
  market.clock.advance(1_000);
  assert.deepEqual(await market.orders.ship(owner.personId, it.order.id, PARCEL), shipped);
  await assert.rejects(market.orders.ship(owner.personId, it.order.id, { ...PARCEL, trackingNumber: 'other' }), {
    code: 'orders.wrong_state',
  });
  assert.deepEqual((await market.transitionsOf(it.order.id)).map(({ to, personId }) => [to, personId]), [
    ['held', it.buyer.personId], ['paid', null], ['shipped', owner.personId],
  ]);
  const mine = await market.orders.get(it.buyer.personId, it.order.id);
  assert.deepEqual([mine.state, mine.parcels[0]?.trackingNumber], ['shipped', PARCEL.trackingNumber]);
  await eventually('the buyer was told', async () =>
    market.told.some(({ personId, event }) => (
      personId === it.buyer.personId && event.type === 'own-order' && event.order.state === 'shipped'
    )));
});

test('[O9] the database refuses a transition that the table does not have, and changing what was', async () => {
  const it = await placed();
  const insert = (from: string | null, to: string) =>
    market.database.db.insertInto('order_transition')
      .values({ order_id: it.order.id, from_state: from, to_state: to, person_id: null, at: market.clock.now() })
      .execute();
  for (const [from, to] of [['cancelled', 'paid'], ['held', 'shipped'], [null, 'paid'], ['paid', 'held']] as const) {
    await assert.rejects(insert(from, to), /order_transition_check/);
  }
  await assert.rejects(insert(null, 'held'), /order_transition_once/);
  // Only late money brings an order back, and the step says so.
  await assert.rejects(insert('expired', 'paid'), /order_transition_reason/);
  await assert.rejects(market.database.db.deleteFrom('order_transition').execute(), /permission denied/);
  await assert.rejects(market.database.db.updateTable('order_transition').set({ to_state: 'paid' }).execute(),
    /permission denied/);
});

test('[O23] an order that cannot be ended keeps no other order’s pieces', async () => {
  const broken = await placed();
  // A fault of ours: its pieces are not held any more.
  await setHeld(broken, 0);
  const sound = await placed();
  market.clock.advance(HOLD_MS);
  await market.orders.sweepExpired();
  assert.equal(await stateOf(broken), 'held');
  assert.equal(await stateOf(sound), 'expired');
  assert.deepEqual(await market.levelsOf(sound.variantId), RETURNED);
});
