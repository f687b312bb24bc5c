/**
 * Selling over the counter: from the same shelf as everybody else, to somebody whom we need not know.
 *
 * One transaction takes the pieces, writes the order as handed over, and notes the money that the shop has taken. Locks
 * in this order: the sale's key, the goods by variant id, the new order, its payment.
 */
import { VOID_WITHIN_MS, type CounterSale, type Order, type Receipt } from '@nacre/contract/orders';
import { Refusal } from '../lib/refusal.ts';
import type { Tx } from '../platform/database.ts';
import { move } from './moving.ts';
import type { OrdersDeps } from './orders.ts';
import { byVariant, hashSale, lineRows, priceOrder, readLines, type PricedOrder } from './placing.ts';
import { lockedOfShop, viewOne } from './reading.ts';
import * as store from './store.ts';
import { counterFactOf, numberOf, subjectOf } from './view.ts';

interface Selling {
  personId: string;
  shopId: string;
  sale: CounterSale;
  requestHash: Buffer;
}

export async function sell(deps: OrdersDeps, personId: string, shopId: string, sale: CounterSale): Promise<Order> {
  await deps.shops.assertMay(personId, shopId, 'counter.sell');
  const selling: Selling = { personId, shopId, sale, requestHash: hashSale(sale) };
  const order = await deps.platform.database.transaction((tx) => sellIn(deps, tx, selling));
  return viewOne(deps, order, 'shop');
}

async function sellIn(deps: OrdersDeps, tx: Tx, selling: Selling): Promise<store.OrderRow> {
  const { personId, shopId, sale, requestHash } = selling;
  const asked = readLines(sale.lines);
  await store.lockCounterKey(tx, shopId, sale.idempotencyKey);
  const before = await store.findByCounterKey(tx, shopId, sale.idempotencyKey);
  if (before !== null) {
    if (!before.request_hash.equals(requestHash)) throw new Refusal('orders.key_reused');
    return before;
  }
  const goods = await deps.catalog.lockForOrder(tx, asked.map(({ variantId }) => variantId));
  const priced = priceOrder(asked, byVariant(goods));
  if (priced.shopId !== shopId) {
    throw new Refusal('request.invalid', { details: { field: 'lines', reason: 'of another shop' } });
  }
  const orderId = deps.platform.newId();
  const ref = { orderId, personId };
  await deps.catalog.hold(tx, priced.lines, ref);
  await deps.catalog.sell(tx, priced.lines, ref);
  return write(deps, tx, orderId, selling, priced);
}

async function write(
  deps: OrdersDeps, tx: Tx, orderId: string, selling: Selling, priced: PricedOrder,
): Promise<store.OrderRow> {
  const { personId, shopId, sale: { idempotencyKey, method }, requestHash } = selling;
  const { currency, totalMinor } = priced;
  const now = deps.platform.clock.now();
  const lines = lineRows(orderId, priced, null);
  const [order] = await store.insertOrders(tx, [{
    ...store.NOTHING_HAPPENED,
    ...store.NOT_SENT,
    ...store.NO_COUPON,
    id: orderId, shop_id: shopId, buyer_id: null, buyer_name: '', show_id: null, idempotency_key: idempotencyKey,
    request_hash: requestHash, state: 'handed_over', currency, total_minor: totalMinor, channel: 'counter',
    delivery: 'counter', counter_method: method, address: null, pickup: null,
    // It was never held.
    hold_expires_at: now, placed_at: now, paid_at: now, handed_over_at: now,
  }], lines, [{
    order_id: orderId, from_state: null, to_state: 'handed_over', person_id: personId, at: now, reason: null,
  }]);
  if (order === undefined) throw new Error(`order ${orderId} was not written`);
  await deps.payments.takeAtCounter(tx, {
    subject: subjectOf(orderId), amountMinor: totalMinor, currency, method, description: numberOf(order),
  });
  const payload = { ...counterFactOf(order, lines) };
  await deps.platform.outbox.publish(tx, { topic: 'orders.sold_at_counter', payload });
  return order;
}

export async function voidSale(deps: OrdersDeps, personId: string, orderId: string): Promise<Order> {
  const order = await lockedOfShop(deps, personId, orderId, 'counter.sell', async (tx, found) => {
    if (found.state === 'voided') return found;
    const now = deps.platform.clock.now();
    if (found.channel === 'counter' && now.getTime() - found.placed_at.getTime() > VOID_WITHIN_MS) {
      throw new Refusal('orders.void_too_late');
    }
    const after = await move(deps, tx, found, 'voided', personId, { voided_at: now });
    const lines = await store.readLines(tx, [orderId]);
    await deps.payments.refund(tx, [subjectOf(orderId)]);
    const pieces = lines.map((line) => ({ variantId: line.variant_id, quantity: line.quantity }));
    await deps.catalog.takeBack(tx, pieces, { orderId, personId });
    await deps.platform.outbox.publish(tx, { topic: 'orders.voided', payload: { ...counterFactOf(after, lines) } });
    return after;
  });
  return viewOne(deps, order, 'shop');
}

/** The order's id is 74 bits of chance and told by the receipt's code alone; what it opens has nobody's name in it. */
export async function receiptOf(deps: OrdersDeps, orderId: string): Promise<Receipt> {
  const order = await store.readOrder(deps.platform.database.db, orderId);
  if (order === null || order.counter_method === null) throw new Refusal('orders.not_found');
  const [view, place] = await Promise.all([viewOne(deps, order, 'shop'), deps.shops.placeOf(order.shop_id)]);
  const { number, state, shop: { slug, name }, lines, totalMinor, currency, placedAt, voidedAt } = view;
  return {
    number, state, shop: { slug, name, place }, lines, totalMinor, currency, method: order.counter_method,
    soldAt: placedAt, voidedAt,
  };
}
