/** Carts: what a person means to buy, from several shops. */
import { Type, type Static } from 'typebox';
import { ShopRef } from './accounts.ts';
import { AmountMinor, Currency, Id, Image, Nullable } from './common.ts';
import { OwnCoupon } from './coupons.ts';
import { IdempotencyKey, QUANTITY_MAX, ShippingOffer } from './orders.ts';

/** Lines of a cart. More is a list nobody reads, and a page that loads slowly. */
export const CART_LINES_MAX = 100;
/** Lines of one shop: an order holds no more. */
export const CART_SHOP_LINES_MAX = 20;

const Quantity = Type.Integer({ minimum: 1, maximum: QUANTITY_MAX });

/** Pieces of one variant as the person decided on them. */
const decided = {
  quantity: Quantity,
  /** The price that the person saw. */
  seenPriceMinor: AmountMinor,
  /** From which show they are bought; null outside one. */
  showId: Nullable(Id),
};

export const CartAsk = Type.Object({ variantId: Id, ...decided }, { additionalProperties: false });
export type CartAsk = Static<typeof CartAsk>;

const asks = Type.Array(CartAsk, { minItems: 1, maxItems: CART_LINES_MAX });

/** `putId` is made by the page for one putting; sending it again puts nothing in twice. */
export const CartPut = Type.Object({ putId: IdempotencyKey, lines: asks }, { additionalProperties: false });
export type CartPut = Static<typeof CartPut>;

/** Lines of a cart that a browser keeps for somebody who is not signed in. */
export const CartLook = Type.Object({ lines: asks }, { additionalProperties: false });

export const CartLineSet = Type.Object(decided, { additionalProperties: false });
export type CartLineSet = Static<typeof CartLineSet>;

export const CartCount = Type.Object({
  /** Goes up with every change. */
  version: Type.Integer(),
  pieces: Type.Integer(),
});
export type CartCount = Static<typeof CartCount>;

/** A line, and what is true of it now. */
export const CartLine = Type.Object({
  variantId: Id,
  productId: Id,
  title: Type.String(),
  optionValues: Type.Array(Type.String()),
  image: Nullable(Image),
  showId: Nullable(Id),
  quantity: Quantity,
  seenPriceMinor: AmountMinor,
  priceMinor: AmountMinor,
  /** Pieces that can be bought now; 0 for what is not for sale. */
  available: Type.Integer(),
  isForSale: Type.Boolean(),
});
export type CartLine = Static<typeof CartLine>;

/** What is bought from one shop, in one order. */
export const CartGroup = Type.Object({
  shop: ShopRef,
  currency: Currency,
  /** Names the purchase until it has become an order. */
  idempotencyKey: IdempotencyKey,
  /** To which show the order counts: that of the line put in last from one. */
  showId: Nullable(Id),
  shipping: ShippingOffer,
  /** The person's own of this shop that are not used and not over; what ends first comes first. */
  coupons: Type.Array(OwnCoupon),
  /** The last put in first. */
  lines: Type.Array(CartLine),
});
export type CartGroup = Static<typeof CartGroup>;

export const Cart = Type.Object({ ...CartCount.properties, groups: Type.Array(CartGroup) });
export type Cart = Static<typeof Cart>;

/** `left`: pieces for which the cart had no room. */
export const CartPutAnswer = Type.Object({
  cart: Cart,
  left: Type.Array(Type.Object({ variantId: Id, quantity: Quantity })),
});
export type CartPutAnswer = Static<typeof CartPutAnswer>;
