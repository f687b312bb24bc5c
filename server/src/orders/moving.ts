/**
 * One order moves from a state to the next. Each verb locks the order first, then its payment, then its goods.
 */
import type { OrderState } from '@nacre/contract/orders';
import type { Tx } from '../platform/database.ts';
import type { OrdersDeps } from './orders.ts';
import { tellBuyersAfterCommit } from './reading.ts';
import { assertMayBecome } from './states.ts';
import * as store from './store.ts';

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

/** What the order has of each variant. */
export async function goodsOf(tx: Tx, order: OrderRow): Promise<{ variantId: string; quantity: number }[]> {
  const lines = await store.readLines(tx, [order.id]);
  return lines.map((line) => ({ variantId: line.variant_id, quantity: line.quantity }));
}
