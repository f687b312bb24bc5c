/**
 * The states of an order and the ways between them. Pure; the database checks the same table (`order_transition`).
 *
 *     held → paid → shipped
 *     held → expired | declined | cancelled
 */
import type { OrderState } from '@nacre/contract/orders';
import { Refusal } from '../lib/refusal.ts';

/** Which states may follow each; null is before the order exists. */
export const NEXT_STATES = {
  none: ['held'],
  held: ['paid', 'expired', 'declined', 'cancelled'],
  paid: ['shipped'],
  shipped: [],
  expired: [],
  declined: [],
  cancelled: [],
} as const satisfies Record<OrderState | 'none', readonly OrderState[]>;

export function mayBecome(from: OrderState | null, to: OrderState): boolean {
  const next: readonly OrderState[] = NEXT_STATES[from ?? 'none'];
  return next.includes(to);
}

/** @throws Refusal `orders.wrong_state` with the state that the order is in. */
export function assertMayBecome(from: OrderState, to: OrderState): void {
  if (!mayBecome(from, to)) throw new Refusal('orders.wrong_state', { details: { state: from } });
}
