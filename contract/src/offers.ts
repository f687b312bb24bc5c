/** Live prices: what a variant costs while a show is live, for so many pieces. */
import { Type, type Static } from 'typebox';
import { AmountMinor, Id, Nullable } from './common.ts';
import { QUANTITY_MAX } from './orders.ts';

/** In force or planned in one show at a time. More is no offer but a price list, and each change tells them all. */
export const LIVE_PRICES_MAX = 50;
export const QUOTA_MAX = 1_000_000;

/** `planned`: begins when the show goes live. `over`: ended, or its show has. */
export const LivePriceState = Type.Union([Type.Literal('planned'), Type.Literal('live'), Type.Literal('over')]);

/**
 * A price of its own while the show is live. The pieces are set aside from the shelf for it when it begins: those that
 * are left are had at this price by whoever comes first, `perPerson` each at most.
 */
export const LivePrice = Type.Object({
  id: Id,
  showId: Id,
  variantId: Id,
  productId: Id,
  priceMinor: AmountMinor,
  /** The lowest that was asked in the 30 days before it began; null until then, or when that was not more. */
  formerMinor: Nullable(AmountMinor),
  /** Pieces in all. */
  quota: Type.Integer(),
  /** Of them, those nobody has ordered yet; 0 while it is planned. */
  left: Type.Integer(),
  perPerson: Type.Integer(),
  state: LivePriceState,
});
export type LivePrice = Static<typeof LivePrice>;

const terms = {
  quota: Type.Integer({ minimum: 1, maximum: QUOTA_MAX }),
  perPerson: Type.Integer({ minimum: 1, maximum: QUANTITY_MAX }),
};
/** One that the variant has in this show already ends. */
export const LivePriceSet = Type.Object(
  { variantId: Id, priceMinor: AmountMinor, ...terms },
  { additionalProperties: false },
);
export type LivePriceSet = Static<typeof LivePriceSet>;

/** What the host may do while it runs: fewer pieces in all, fewer for each person. */
export const LivePriceLower = Type.Partial(
  Type.Object({ ...terms, quota: Type.Integer({ minimum: 0, maximum: QUOTA_MAX }) }),
  { additionalProperties: false, minProperties: 1 },
);
export type LivePriceLower = Static<typeof LivePriceLower>;

export const LivePrices = Type.Object({ items: Type.Array(LivePrice) });
