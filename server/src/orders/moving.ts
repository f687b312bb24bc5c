/**
 * What becomes of an order after it was placed. Each verb locks the order first, then its payment, then its goods.
 */
import type { Order, OrderShip, OrderState } from '@nacre/contract/orders';
import { Refusal } from '../lib/refusal.ts';
import type { Tx } from '../platform/database.ts';
import type { OrdersDeps } from './orders.ts';
import { endHolds } from './paying.ts';
import { lockedOfShop, tellBuyersAfterCommit, viewOne } from './reading.ts';
import { assertMayBecome } from './states.ts';
import * as store from './store.ts';
import { factOf, subjectOf } from './view.ts';

type OrderRow = store.OrderRow;
type Change = Parameters<typeof store.updateOrder>[2];

/**
 * Writes the new state and who brought it about, and tells the buyer after the commit.
 * @throws Refusal `orders.wrong_state`
 */
export async function move(
  deps: OrdersDeps,
  tx: Tx,
  order: OrderRow,
  to: OrderState,
  personId: string | null,
  change: Change = {},
): Promise<OrderRow> {
  assertMayBecome(order.delivery, order.state, to);
  const after = await store.updateOrder(tx, order.id, { ...change, state: to });
  const at = deps.platform.clock.now();
  await store.insertTransitions(tx, [{
    order_id: order.id, from_state: order.state, to_state: to, person_id: personId, at, reason: null,
  }]);
  tellBuyersAfterCommit(deps, tx, [after]);
  return after;
}

export async function cancel(deps: OrdersDeps, personId: string, orderId: string): Promise<Order> {
  const order = await deps.platform.database.transaction(async (tx) => {
    const found = await store.lockOrder(tx, orderId);
    if (found === null || found.buyer_id !== personId) throw new Refusal('orders.not_found');
    if (found.state === 'cancelled') return found;
    assertMayBecome(found.delivery, found.state, 'cancelled');
    // The money is there and the news of it on its way: the order is as good as paid.
    const payment = await deps.payments.cancel(tx, subjectOf(orderId));
    if (payment === 'captured') throw new Refusal('orders.wrong_state', { details: { state: 'paid' } });
    const [ended] = await endHolds(deps, tx, [found], 'cancelled', personId);
    return ended!;
  });
  return viewOne(deps, order, 'buyer');
}

export async function ship(
  deps: OrdersDeps,
  personId: string,
  orderId: string,
  parcel: OrderShip,
): Promise<Order> {
  const carrier = parcel.carrier.trim();
  const trackingNumber = parcel.trackingNumber.trim();
  const order = await lockedOfShop(deps, personId, orderId, 'orders.ship', async (tx, found) => {
    const isSame = found.carrier === carrier && found.tracking_number === trackingNumber;
    if (found.state === 'shipped' && isSame) return found;
    const after = await move(deps, tx, found, 'shipped', personId, {
      shipped_at: deps.platform.clock.now(),
      carrier,
      tracking_number: trackingNumber,
    });
    const fact = factOf(after, await store.readLines(tx, [orderId]));
    await deps.platform.outbox.publish(tx, {
      topic: 'orders.shipped',
      payload: { ...fact, carrier, trackingNumber },
    });
    return after;
  });
  return viewOne(deps, order, 'shop');
}
