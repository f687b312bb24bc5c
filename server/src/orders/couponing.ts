/**
 * What a coupon takes off a new order. Pure: the claims that placings name are read and locked before; one that an
 * order of the batch takes is not there for the next.
 */
import { couponDiscount, shareDiscount } from '@nacre/contract/coupons';
import { Refusal } from '../lib/refusal.ts';
import type { ClaimTerms } from '../offers/offers.ts';
import type { Placing } from './place.ts';
import type { PricedOrder } from './placing.ts';
import type { KeptCoupon, OrderRow } from './store.ts';

export interface TakenCoupon {
  kept: KeptCoupon;
  discountMinor: number;
  /** Of it, by line. */
  shares: number[];
}

export function createCouponTaking(claims: readonly ClaimTerms[], now: Date) {
  const byId = new Map(claims.map((claim) => [claim.claimId, claim]));
  const taken = new Set<string>();

  return {
    /**
     * The coupon that the placing names, on the goods at the prices that count; null without one.
     * @throws Refusal `coupons.not_found`, also for another's; `coupons.used`, `coupons.early`, `coupons.over`,
     * `coupons.not_fitting`; `coupons.discount_changed` with what it takes off, when the buyer saw another amount
     */
    decide({ buyer, request: { coupon: ask } }: Placing, { shopId, currency, lines }: PricedOrder): TakenCoupon | null {
      if (ask === undefined) return null;
      const claim = byId.get(ask.claimId);
      if (claim === undefined || claim.personId !== buyer.personId || claim.shopId !== shopId) {
        throw new Refusal('coupons.not_found');
      }
      const { claimId, couponId, name, value, validFrom, validUntil, orderId } = claim;
      if (orderId !== null || taken.has(claimId)) throw new Refusal('coupons.used');
      if (validFrom > now) throw new Refusal('coupons.early', { details: { validFrom: validFrom.toISOString() } });
      if (validUntil <= now) throw new Refusal('coupons.over');
      const goods = lines.map(({ productId, priceMinor, quantity }) => (
        { productId, amountMinor: Number(priceMinor) * quantity }
      ));
      const discountMinor = couponDiscount(value, goods);
      if (discountMinor === 0) throw new Refusal('coupons.not_fitting');
      if (discountMinor !== ask.discountMinor) {
        throw new Refusal('coupons.discount_changed', { details: { discountMinor, currency } });
      }
      return {
        kept: { id: couponId, claimId, name }, discountMinor, shares: shareDiscount(value, goods, discountMinor),
      };
    },
    take({ kept }: TakenCoupon): void {
      taken.add(kept.claimId);
    },
  };
}

/** The claims that these orders have. */
export function usesOf(orders: readonly OrderRow[]): Array<{ claimId: string; orderId: string }> {
  return orders.flatMap(({ id, coupon }) => (coupon === null ? [] : [{ claimId: coupon.claimId, orderId: id }]));
}
