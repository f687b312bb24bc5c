/** What the chosen lines of a shop cost, as the server will count. Pure. */
import type { Address } from '@nacre/contract/accounts';
import type { CartGroup, CartLine } from '@nacre/contract/carts';
import type { OpenParcel, ShippingOffer } from '@nacre/contract/orders';
import { takenCoupon, type CouponWish, type Taken } from '#lib/coupons/choice.ts';
import { parcelTo, shippingFee } from '@nacre/contract/shipping';

/** What sending costs, and why. */
export interface Sending {
  feeMinor: number;
  /** Goes with this order, which paid for both. */
  goesWith: OpenParcel | null;
  /** So much more, and sending is free; null where it is, or never will be. */
  moreForFreeMinor: number | null;
}

export const FREE: Sending = { feeMinor: 0, goesWith: null, moreForFreeMinor: null };

/** `address` null: not known yet, so nothing goes along. */
export function sendingOf({ terms, open }: ShippingOffer, goodsMinor: number, address: Address | null): Sending {
  if (terms.feeMinor === 0) return FREE;
  const goesWith = (address === null ? null : parcelTo(open, address)) ?? null;
  const feeMinor = shippingFee(terms, goodsMinor, goesWith !== null);
  const { freeFromMinor } = terms;
  const moreForFreeMinor = feeMinor > 0 && freeFromMinor !== null ? freeFromMinor - goodsMinor : null;
  return { feeMinor, goesWith, moreForFreeMinor };
}

/** Whether so many pieces can be bought now. */
export const canBuy = ({ isForSale, available, quantity }: CartLine): boolean => isForSale && available >= quantity;

export interface GroupSum {
  group: CartGroup;
  lines: CartLine[];
  pieces: number;
  goodsMinor: number;
  sending: Sending;
  /** Null: none fits, or none is wanted. */
  coupon: Taken | null;
  totalMinor: number;
}

/** Of one shop: the lines that are chosen and can be bought. */
export function sumOf(
  group: CartGroup, isChosen: (line: CartLine) => boolean, address: Address | null, wish?: CouponWish,
): GroupSum {
  const lines = group.lines.filter((line) => canBuy(line) && isChosen(line));
  const goodsMinor = lines.reduce((sum, line) => sum + line.priceMinor * line.quantity, 0);
  const sending = lines.length === 0 ? FREE : sendingOf(group.shipping, goodsMinor, address);
  const coupon = takenCoupon(group.coupons, couponLines(lines), wish);
  const pieces = lines.reduce((sum, line) => sum + line.quantity, 0);
  const totalMinor = goodsMinor - (coupon?.discountMinor ?? 0) + sending.feeMinor;
  return { group, lines, pieces, goodsMinor, sending, coupon, totalMinor };
}

/** As coupons count them. */
export const couponLines = (lines: readonly CartLine[]) => lines.map(({ productId, priceMinor, quantity }) => (
  { productId, amountMinor: priceMinor * quantity }
));

/** Totals by currency: those of two currencies are never one sum. */
export function totalsOf(sums: readonly GroupSum[]): { currency: string; amountMinor: number }[] {
  const totals = new Map<string, number>();
  for (const { group, lines, totalMinor } of sums) {
    if (lines.length > 0) totals.set(group.currency, (totals.get(group.currency) ?? 0) + totalMinor);
  }
  return [...totals].map(([currency, amountMinor]) => ({ currency, amountMinor }));
}
