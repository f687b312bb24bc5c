/** What orders tells the others, through the outbox. */
import type { Cancellation, CounterMethod, LatePayment } from '@nacre/contract/orders';

/** A line of an order, as those need it who were not there when it was placed. */
export interface OrderFactLine {
  variantId: string;
  productId: string;
  title: string;
  optionValues: string[];
  quantity: number;
  /** Minor units, of all pieces of the line, less its share of a coupon. Absent in facts of an earlier version. */
  amountMinor?: number;
  /** Number in the show's bag; null outside a show. */
  number: number | null;
}

/** What was sold, to whomever. */
export interface SoldFact {
  orderId: string;
  /** `N-1042` */
  orderNumber: string;
  shopId: string;
  lines: OrderFactLine[];
  /** Minor units, a safe integer. */
  totalMinor: number;
  /** Of that for goods; the rest is for sending. Absent in facts that an earlier version wrote. */
  goodsMinor?: number;
  /** ISO 4217 */
  currency: string;
  /** RFC 3339. Absent in facts that an earlier version wrote. */
  placedAt?: string;
  /** RFC 3339; null while unpaid. Absent as `placedAt` is. */
  paidAt?: string | null;
}

export interface OrderFact extends SoldFact {
  /** Null when it was not bought in a show. */
  showId: string | null;
  buyerId: string;
  buyerName: string;
}

/** One fact for a batch; one order, as it is, in what an earlier version wrote. */
export type OrdersPlaced = { orders: OrderFact[] } | OrderFact;

/** As `OrdersPlaced`. */
export type OrdersPaid = { orders: OrderFact[] } | OrderFact;

/** Money came when the hold was over; what became of it. */
export type LateFact = OrderFact & { late: LatePayment };

/** Nobody knows who bought. */
export interface CounterFact extends SoldFact {
  method: CounterMethod;
}

/**
 * `orders.placed`: pieces are held, not yet paid. `orders.paid`: sold. `orders.paid_late`: the money came after the
 * hold; `orders.paid` says besides when it was honoured. `orders.shipped`: all of it is on its way, with the last
 * parcel. `orders.ready`: it can be picked up. `orders.handed_over`: it was. `orders.cancelled`: paid, taken back: the
 * pieces are on the shelf and the money is on its way. Sales over the counter tell of themselves apart, because they
 * have no buyer: `orders.sold_at_counter`, and `orders.voided` when one was undone.
 */
export interface OrderFacts {
  'orders.placed': OrdersPlaced;
  'orders.paid': OrdersPaid;
  'orders.paid_late': { orders: LateFact[] };
  'orders.shipped': OrderFact & { carrier: string; trackingNumber: string };
  'orders.cancelled': OrderFact & Pick<Cancellation, 'by' | 'reason'>;
  'orders.ready': OrderFact;
  'orders.handed_over': OrderFact;
  'orders.sold_at_counter': CounterFact;
  'orders.voided': CounterFact;
}
