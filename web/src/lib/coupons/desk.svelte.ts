/** The coupon of one purchase: one's own of the shop, and which of them comes off. */
import type { CouponLine } from '@nacre/contract/coupons';
import { takenCoupon, type CouponWish } from './choice.ts';
import { createOwnCoupons } from './own.svelte.ts';

/** `lines` empty: nothing is chosen yet. */
export function createCouponDesk(slug: string, lines: () => CouponLine[]) {
  const coupons = createOwnCoupons(slug);
  let wish = $state<CouponWish>(undefined);
  const taken = $derived(takenCoupon(coupons.own, lines(), wish));

  return {
    get own() {
      return coupons.own;
    },
    get taken() {
      return taken;
    },
    get lines() {
      return lines();
    },
    onwish: (next: CouponWish) => void (wish = next),
    load: coupons.load,
    /** One was refused or used: it is used or over by now. */
    async renew(): Promise<void> {
      wish = undefined;
      await coupons.load();
    },
  };
}
