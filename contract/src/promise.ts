/**
 * What an order was promised when it was placed: the file that buyer and shop can download. Canonical JSON (RFC 8785);
 * its SHA-256 is kept with it.
 */
import { Type, type Static } from 'typebox';
import { Address } from './accounts.ts';
import { AmountMinor, Currency, Id, Instant, Nullable } from './common.ts';
import { OrderCoupon } from './coupons.ts';
import { Delivery, OrderPickup } from './orders.ts';
import { ShopTerms } from './shops.ts';

/** The first and only version of the file. */
export const PROMISE_FORMAT = 'nacre-promise/1';

/** A product as everybody read it then. */
export const PromiseCard = Type.Object({
  productId: Id,
  title: Type.String(),
  description: Type.String(),
  imageIds: Type.Array(Id),
  /** Names of the choices with their values, as they stood on the card. */
  options: Type.Array(Type.Object({ name: Type.String(), values: Type.Array(Type.String()) })),
});
export type PromiseCard = Static<typeof PromiseCard>;

/** The same for all who ordered the same goods at the time. */
export const PromiseOffer = Type.Object({
  /** Of the goods ordered and of what was on screen, by product id. */
  cards: Type.Array(PromiseCard),
  shop: Type.Object({ id: Id, name: Type.String(), terms: ShopTerms }),
  /** Null outside a show. `onScreenProductId` is null while nothing was on screen, and after the show. */
  show: Nullable(Type.Object({ id: Id, title: Type.String(), onScreenProductId: Nullable(Id) })),
});
export type PromiseOffer = Static<typeof PromiseOffer>;

export const PromiseLine = Type.Object({
  productId: Id,
  variantId: Id,
  title: Type.String(),
  optionValues: Type.Array(Type.String()),
  sku: Type.String(),
  /** Number in the show's bag; null outside a show. */
  number: Nullable(Type.Integer()),
  quantity: Type.Integer(),
  unitPriceMinor: AmountMinor,
  /** The former price that stands beside a live price, as `LivePrice` has it; null: none. */
  formerPriceMinor: Nullable(AmountMinor),
  totalMinor: AmountMinor,
});
export type PromiseLine = Static<typeof PromiseLine>;

export const PromisedOrder = Type.Object({
  format: Type.Literal(PROMISE_FORMAT),
  id: Id,
  number: Type.String(),
  placedAt: Instant,
  lines: Type.Array(PromiseLine),
  /** Part of the total; 0: free, or sent with another order. */
  shippingMinor: AmountMinor,
  /** What it takes off the goods; absent without one. */
  coupon: Type.Optional(OrderCoupon),
  totalMinor: AmountMinor,
  currency: Currency,
  delivery: Delivery,
  address: Nullable(Address),
  pickup: Nullable(Type.Omit(OrderPickup, ['code'])),
  /** Milliseconds since the show went live; null outside a running show. */
  showOffsetMs: Nullable(Type.Integer({ minimum: 0 })),
});
export type PromisedOrder = Static<typeof PromisedOrder>;

export const OrderPromise = Type.Object({ offer: PromiseOffer, order: PromisedOrder });
export type OrderPromise = Static<typeof OrderPromise>;
