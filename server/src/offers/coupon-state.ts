/** Whether a coupon can be claimed and handed out at a time. Pure. */
import type { OfficeCoupon } from '@nacre/contract/coupons';
import { Refusal } from '../lib/refusal.ts';
import type { CouponRow } from './coupon-store.ts';

export function stateOf(coupon: CouponRow, now: Date): OfficeCoupon['state'] {
  if (coupon.ended_at !== null || coupon.valid_until <= now) return 'over';
  return coupon.valid_from > now ? 'early' : 'open';
}

/** Why it cannot, `coupons.early` or `coupons.over`; null: it is open. */
export function closedOf(coupon: CouponRow, now: Date): Refusal | null {
  const state = stateOf(coupon, now);
  if (state === 'over') return new Refusal('coupons.over');
  return state === 'open' ? null : new Refusal('coupons.early', {
    details: { validFrom: coupon.valid_from.toISOString() },
  });
}
