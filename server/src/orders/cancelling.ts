/**
 * Cancelling: by the buyer until the order is packed, by the shop until something of it is on its way.
 *
 * What was paid goes back by payments' own job; until it has, the order is cancelled, then refunded. Locks in this
 * order: the order, its payment, its goods, its coupon.
 */
import type { Order, OrderCancel, OrderState } from '@nacre/contract/orders';
import { Refusal } from '../lib/refusal.ts';
import type { Tx } from '../platform/database.ts';
import { usesOf } from './couponing.ts';
import { goodsOf, move } from './moving.ts';
import type { OrdersDeps } from './orders.ts';
import { endHolds } from './paying.ts';
import { readParcels } from './parcel-store.ts';
import { lockedOfShop, tellBuyersAfterCommit, viewOne } from './reading.ts';
import { assertMayBecome } from './states.ts';
import * as store from './store.ts';
import { factOf, orderOf, subjectOf } from './view.ts';

type Why = Pick<store.OrderRow, 'cancelled_by' | 'cancel_reason' | 'cancel_note'>;
const BY_BUYER: Why = { cancelled_by: 'buyer', cancel_reason: null, cancel_note: null };

const isCancelled = ({ state }: store.OrderRow) => state === 'cancelled' || state === 'refunded';

export async function cancel(deps: OrdersDeps, personId: string, orderId: string): Promise<Order> {
  const order = await deps.platform.database.transaction(async (tx) => {
    const found = await store.lockOrder(tx, orderId);
    if (found === null || found.buyer_id !== personId) throw new Refusal('orders.not_found');
    if (isCancelled(found)) return found;
    // Somebody has it in hands already: from now on only the shop can take it back.
    if (found.state !== 'held' && found.state !== 'paid') {
      throw new Refusal('orders.wrong_state', { details: { state: found.state } });
    }
    if (found.state === 'paid') return undo(deps, tx, found, personId, BY_BUYER);
    // The money is there and the news of it on its way: the order is as good as paid.
    const payment = await deps.payments.cancel(tx, subjectOf(orderId));
    if (payment === 'captured') throw new Refusal('orders.wrong_state', { details: { state: 'paid' } });
    const [ended] = await endHolds(deps, tx, [found], 'cancelled', personId, BY_BUYER);
    return ended!;
  });
  return viewOne(deps, order, 'buyer');
}

export async function cancelByShop(
  deps: OrdersDeps, personId: string, orderId: string, { reason, note }: OrderCancel,
): Promise<Order> {
  const order = await lockedOfShop(deps, personId, orderId, 'orders.cancel', async (tx, found) => {
    if (isCancelled(found)) return found;
    // An unpaid one ends by itself within minutes; until then it is the buyer's.
    if (found.state === 'held') throw new Refusal('orders.wrong_state', { details: { state: 'held' } });
    assertMayBecome(found.delivery, found.state, 'cancelled');
    if ((await readParcels(tx, [orderId])).length > 0) throw new Refusal('orders.on_its_way');
    const words = note.trim();
    return undo(deps, tx, found, personId, {
      cancelled_by: 'shop', cancel_reason: reason, cancel_note: words === '' ? null : words,
    });
  });
  return viewOne(deps, order, 'shop');
}

/** Of a paid order: the pieces are back on the shelf, its coupon is free, and the money is on its way back. */
async function undo(
  deps: OrdersDeps, tx: Tx, found: store.OrderRow, personId: string, why: Why,
): Promise<store.OrderRow> {
  const after = await move(deps, tx, found, 'cancelled', personId, { ...why, pickup_code: null });
  const refunding = await deps.payments.refund(tx, [subjectOf(found.id)]);
  if (refunding.size === 0) throw new Error(`order ${found.id} has no money to refund`);
  await deps.catalog.takeBack(tx, await goodsOf(tx, found), { orderId: found.id, personId });
  await deps.offers.coupons.giveBack(tx, usesOf([found]));
  const fact = factOf(after, await store.readLines(tx, [found.id]));
  await deps.platform.outbox.publish(tx, {
    topic: 'orders.cancelled', payload: { ...fact, by: why.cancelled_by ?? 'buyer', reason: why.cancel_reason },
  });
  return after;
}

/** The money is back. What was never paid for, or expired, stays what it is. */
export async function paymentRefunded(deps: OrdersDeps, tx: Tx, subject: string): Promise<void> {
  const orderId = orderOf(subject);
  const order = orderId === null ? null : await store.lockOrder(tx, orderId);
  if (order === null) return;
  if (order.state === 'cancelled' && order.paid_at !== null) await move(deps, tx, order, 'refunded', null);
  if (CAME_WHEN_OVER.has(order.state) && order.paid_at === null) await noteReturned(deps, tx, order);
}

/** Payments itself sends back what comes for these; of an expired order its own sweep decides. */
const CAME_WHEN_OVER: ReadonlySet<OrderState> = new Set(['cancelled', 'declined']);

/** The buyer, whose account shows two lines, reads why. */
async function noteReturned(deps: OrdersDeps, tx: Tx, order: store.OrderRow): Promise<void> {
  const after = { ...order, late_payment: 'returned' as const };
  await store.updateOrders(tx, [after]);
  tellBuyersAfterCommit(deps, tx, [after]);
}
