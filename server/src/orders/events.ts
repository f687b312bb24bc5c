/** What orders tells the others, through the outbox. */

/** A line of an order, as those need it who were not there when it was placed. */
export interface OrderFactLine {
  variantId: string;
  productId: string;
  title: string;
  optionValues: string[];
  quantity: number;
  /** Minor units, of all pieces of the line. Absent in facts that an earlier version wrote. */
  amountMinor?: number;
  /** Number in the show's bag; null outside a show. */
  number: number | null;
}

export interface OrderFact {
  orderId: string;
  /** `N-1042` */
  orderNumber: string;
  shopId: string;
  /** Null when it was not bought in a show. */
  showId: string | null;
  buyerId: string;
  buyerName: string;
  lines: OrderFactLine[];
  /** Minor units, a safe integer. */
  totalMinor: number;
  /** ISO 4217 */
  currency: string;
  /** RFC 3339. Absent in facts that an earlier version wrote. */
  placedAt?: string;
  /** RFC 3339; null while unpaid. Absent as `placedAt` is. */
  paidAt?: string | null;
}

/** `orders.placed`: pieces are held, not yet paid. `orders.paid`: sold. `orders.shipped`: on its way. */
export interface OrderFacts {
  'orders.placed': OrderFact;
  'orders.paid': OrderFact;
  'orders.shipped': OrderFact & { carrier: string; trackingNumber: string };
}
