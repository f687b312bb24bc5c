/**
 * The states of an order and the ways between them, by how the goods reach the buyer. Pure; the database checks the
 * same table (`order_transition`, and which states each delivery has).
 *
 *     parcel:  held → paid → packed → shipped → delivered → completed, or at once paid → shipped
 *     pickup:  held → paid → ready → handed_over, or at once paid → handed_over
 *     both:    held → expired | declined | cancelled; expired → paid, when the money came late;
 *              paid | packed | ready → cancelled → refunded
 *     counter: handed_over → voided
 */
import { DELIVERIES, ORDER_STATES, type Delivery, type OrderState } from '@nacre/contract/orders';
import { Refusal } from '../lib/refusal.ts';

type Ways = Readonly<Partial<Record<OrderState | 'none', readonly OrderState[]>>>;

const BOTH = {
  none: ['held'], held: ['paid', 'expired', 'declined', 'cancelled'], expired: ['paid'], cancelled: ['refunded'],
} as const;

/** Which states may follow each; `none` is before the order exists. What is not there is the end. */
export const NEXT_STATES: Readonly<Record<Delivery, Ways>> = {
  parcel: {
    ...BOTH, paid: ['packed', 'shipped', 'cancelled'], packed: ['shipped', 'cancelled'], shipped: ['delivered'],
    delivered: ['completed'],
  },
  pickup: { ...BOTH, paid: ['ready', 'handed_over', 'cancelled'], ready: ['handed_over', 'cancelled'] },
  counter: { none: ['handed_over'], handed_over: ['voided'] },
};

export function mayBecome(delivery: Delivery, from: OrderState | null, to: OrderState): boolean {
  return NEXT_STATES[delivery][from ?? 'none']?.includes(to) ?? false;
}

/** @throws Refusal `orders.wrong_state` with the state that the order is in. */
export function assertMayBecome(delivery: Delivery, from: OrderState, to: OrderState): void {
  if (!mayBecome(delivery, from, to)) throw new Refusal('orders.wrong_state', { details: { state: from } });
}

/** Every step that some order may go, as `order_transition` knows them: `paid > shipped`, ` > held`. */
export function steps(): Set<string> {
  const froms = [null, ...ORDER_STATES];
  return new Set(DELIVERIES.flatMap((delivery) => froms.flatMap((from) => (
    ORDER_STATES.filter((to) => mayBecome(delivery, from, to)).map((to) => `${from ?? ''} > ${to}`)
  ))));
}
