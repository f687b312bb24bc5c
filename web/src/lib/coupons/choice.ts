/** Which coupon a purchase takes: the best by itself, or what the buyer chose. Pure. */
import { bestCoupon, couponDiscount, couponGoods, type CouponLine, type OwnCoupon } from '@nacre/contract/coupons';

/** Undefined: the best; null: none; else the claim. */
export type CouponWish = string | null | undefined;

export interface Taken {
  own: OwnCoupon;
  discountMinor: number;
}

/** What is chosen and does not fit any more makes way for the best. */
export function takenCoupon(own: readonly OwnCoupon[], lines: readonly CouponLine[], wish: CouponWish): Taken | null {
  if (wish === null) return null;
  const good = own.filter(({ state }) => state === 'good');
  const chosen = good.find(({ claimId }) => claimId === wish);
  const discountMinor = chosen ? couponDiscount(chosen.coupon, lines) : 0;
  return chosen && discountMinor > 0 ? { own: chosen, discountMinor } : bestCoupon(good, lines);
}

/** What goods that it is for are missing to its minimum; 0: it fits, null: more would not help. */
export function missingMinor({ coupon }: OwnCoupon, lines: readonly CouponLine[]): number | null {
  if (couponDiscount(coupon, lines) > 0) return 0;
  const missing = coupon.minimumMinor - couponGoods(coupon, lines);
  return missing > 0 && couponGoods(coupon, lines) > 0 ? missing : null;
}
