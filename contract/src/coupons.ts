/** Coupons: so much off an order, claimed by a person beforehand; and what one takes off, the same sum everywhere. */
import { Type, type Static } from 'typebox';
import { ShopRef } from './accounts.ts';
import { AmountMinor, Currency, Id, Instant, Nullable } from './common.ts';

/** Not over, in one shop at a time. More is a list nobody reads, and each change tells whole rooms. */
export const COUPONS_MAX = 50;
/** Products one is for. A shop with more takes it for all. */
export const COUPON_PRODUCTS_MAX = 100;
export const COUPON_QUOTA_MAX = 1_000_000;
export const COUPON_NAME_MAX = 60;
/** From now until it ends. Longer is a price, not a coupon, and has to be honoured for as long. */
export const COUPON_DAYS_MAX = 366;

/** What it takes off: an amount, or a percentage with or without a most. Exactly one of the first two is not null. */
const value = {
  amountMinor: Nullable(Type.Integer({ minimum: 1, maximum: 100_000_000_000 })),
  percent: Nullable(Type.Integer({ minimum: 1, maximum: 99 })),
  /** The most that a percentage takes off; null: no limit. */
  mostMinor: Nullable(Type.Integer({ minimum: 1, maximum: 100_000_000_000 })),
  /** What the goods that it is for have to cost together; 0: anything. */
  minimumMinor: Type.Integer({ minimum: 0, maximum: 100_000_000_000 }),
  /** Null: for everything in the shop. */
  productIds: Nullable(Type.Array(Id, { minItems: 1, maxItems: COUPON_PRODUCTS_MAX, uniqueItems: true })),
};

/** As anybody may read it. */
export const Coupon = Type.Object({
  id: Id,
  shopId: Id,
  /** Claimed in this show only, while it is live; null: on the shop's pages and in all its shows. */
  showId: Nullable(Id),
  name: Type.String(),
  ...value,
  currency: Currency,
  /** How many can still be claimed. */
  left: Type.Integer(),
  validFrom: Instant,
  validUntil: Instant,
});
export type Coupon = Static<typeof Coupon>;

/** One that can be claimed in a show. `handedOutAt`: the host hands it out just now, and since when; else null. */
export const RoomCoupon = Type.Object({ ...Coupon.properties, handedOutAt: Nullable(Instant) });
export type RoomCoupon = Static<typeof RoomCoupon>;

/** `early`: claimed from `validFrom` on. `over`: its time is, or the shop ended it; what is claimed stays good. */
export const COUPON_STATES = ['early', 'open', 'over'] as const;

export const OfficeCoupon = Type.Object({
  ...Coupon.properties,
  state: Type.Enum(COUPON_STATES),
  quota: Type.Integer(),
  claimed: Type.Integer(),
  /** With orders that are paid, or still may be. */
  used: Type.Integer(),
});
export type OfficeCoupon = Static<typeof OfficeCoupon>;
export const OfficeCoupons = Type.Object({ items: Type.Array(OfficeCoupon) });

/** What nobody changes afterwards, but for a lower quota. */
export const CouponMake = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: COUPON_NAME_MAX, pattern: '\\S' }),
    showId: Nullable(Id),
    ...value,
    quota: Type.Integer({ minimum: 1, maximum: COUPON_QUOTA_MAX }),
    validFrom: Instant,
    validUntil: Instant,
  },
  { additionalProperties: false },
);
export type CouponMake = Static<typeof CouponMake>;

export const CouponLower = Type.Object(
  { quota: Type.Integer({ minimum: 0, maximum: COUPON_QUOTA_MAX }) },
  { additionalProperties: false },
);
export type CouponLower = Static<typeof CouponLower>;

/** Null: nothing is handed out any more. */
export const CouponHandOut = Type.Object({ couponId: Nullable(Id) }, { additionalProperties: false });

/** `used`: an order has it. `over`: its time is. `early`: its time has not begun. */
export const OWN_COUPON_STATES = ['good', 'early', 'used', 'over'] as const;

/** One that a person has claimed. */
export const OwnCoupon = Type.Object({
  claimId: Id,
  claimedAt: Instant,
  coupon: Coupon,
  shop: ShopRef,
  state: Type.Enum(OWN_COUPON_STATES),
  /** The order that has it; null while none has. */
  orderId: Nullable(Id),
});
export type OwnCoupon = Static<typeof OwnCoupon>;

/** Of one shop: what can be claimed outside shows, and what the one who asks has claimed and is not over. */
export const ShopCoupons = Type.Object({ open: Type.Array(Coupon), own: Type.Array(OwnCoupon) });
export type ShopCoupons = Static<typeof ShopCoupons>;

/** The coupon that an order is placed with, and what it takes off as the buyer saw it. */
export const CouponAsk = Type.Object(
  { claimId: Id, discountMinor: AmountMinor },
  { additionalProperties: false },
);

/** What an order keeps of it. */
export const OrderCoupon = Type.Object({ id: Id, name: Type.String(), discountMinor: AmountMinor });
export type OrderCoupon = Static<typeof OrderCoupon>;

// ---- what it takes off -------------------------------------------------------------------------------------------

export type CouponValue = Pick<Coupon, 'amountMinor' | 'percent' | 'mostMinor' | 'minimumMinor' | 'productIds'>;

export interface CouponLine {
  productId: string;
  /** Of all its pieces, at the price that counts. */
  amountMinor: number;
}

/** What the goods that it is for cost together. */
export function couponGoods({ productIds }: CouponValue, lines: readonly CouponLine[]): number {
  return lines.reduce((sum, { productId, amountMinor }) => (
    productIds === null || productIds.includes(productId) ? sum + amountMinor : sum
  ), 0);
}

/**
 * What it takes off these goods; 0: it does not fit. A percentage is rounded up, in the buyer's favour. The goods of an
 * order cost one minor unit at least.
 */
export function couponDiscount(coupon: CouponValue, lines: readonly CouponLine[]): number {
  const { amountMinor, percent, mostMinor, minimumMinor } = coupon;
  const counted = couponGoods(coupon, lines);
  if (counted < minimumMinor) return 0;
  const asked = amountMinor ?? percentOf(counted, percent ?? 0);
  const all = lines.reduce((sum, line) => sum + line.amountMinor, 0);
  return Math.max(0, Math.min(asked, mostMinor ?? asked, counted, all - 1));
}

/** Exact where the product is no safe integer. */
function percentOf(amount: number, percent: number): number {
  return Number((BigInt(amount) * BigInt(percent) + 99n) / 100n);
}

/** The one that takes off most; of equal ones that which ends first. Null: none fits. */
export function bestCoupon<C extends { coupon: Coupon }>(
  own: readonly C[], lines: readonly CouponLine[],
): { own: C; discountMinor: number } | null {
  let best: { own: C; discountMinor: number } | null = null;
  for (const one of own) {
    const discountMinor = couponDiscount(one.coupon, lines);
    if (discountMinor === 0 || (best !== null && discountMinor < best.discountMinor)) continue;
    const isBetter = best === null || discountMinor > best.discountMinor
      || one.coupon.validUntil < best.own.coupon.validUntil;
    if (isBetter) best = { own: one, discountMinor };
  }
  return best;
}

/** The discount on the lines that it is for, by their amounts, to the unit. */
export function shareDiscount(coupon: CouponValue, lines: readonly CouponLine[], discountMinor: number): number[] {
  const counted = couponGoods(coupon, lines);
  let before = 0;
  let given = 0;
  return lines.map(({ productId, amountMinor }) => {
    if (coupon.productIds !== null && !coupon.productIds.includes(productId)) return 0;
    before += amountMinor;
    const upToHere = counted === 0 ? 0 : Number((BigInt(discountMinor) * BigInt(before)) / BigInt(counted));
    const share = upToHere - given;
    given = upToHere;
    return share;
  });
}
