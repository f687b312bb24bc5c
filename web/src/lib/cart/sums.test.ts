import assert from 'node:assert/strict';
import test from 'node:test';
import type { CartGroup, CartLine } from '@nacre/contract/carts';
import type { OwnCoupon } from '@nacre/contract/coupons';
import { canBuy, sendingOf, sumOf, totalsOf } from './sums.ts';

const address = {
  name: 'Mei', phone: '1', line1: 'Road 1', line2: '', city: 'Town', region: '', postalCode: '1', country: 'CN',
};
const line = (variantId: string, quantity: number, more: Partial<CartLine> = {}): CartLine => ({
  variantId, productId: variantId, title: variantId, optionValues: [], image: null, showId: null, quantity,
  seenPriceMinor: 100, priceMinor: 100, available: 9, isForSale: true, ...more,
});
const group = (lines: CartLine[], more: Partial<CartGroup> = {}): CartGroup => ({
  shop: { id: 'shop', slug: 'shop', name: 'Shop', image: null }, currency: 'CNY', idempotencyKey: 'k'.repeat(8),
  showId: null, shipping: { terms: { feeMinor: 8, freeFromMinor: 500 }, open: [] }, coupons: [], lines, ...more,
});

test('[W184] sending is counted as the server counts it, with what is missing to a free one', () => {
  const offer = group([]).shipping;
  assert.deepEqual(sendingOf(offer, 300, address), { feeMinor: 8, goesWith: null, moreForFreeMinor: 200 });
  assert.deepEqual(sendingOf(offer, 500, address), { feeMinor: 0, goesWith: null, moreForFreeMinor: null });
  const parcel = { orderId: 'o', number: 'N-1', address };
  const along = { ...offer, open: [parcel] };
  assert.deepEqual(sendingOf(along, 1, address), { feeMinor: 0, goesWith: parcel, moreForFreeMinor: null });
  assert.equal(sendingOf(along, 1, { ...address, line1: 'Road 2' }).feeMinor, 8);
  assert.equal(sendingOf(along, 1, null).feeMinor, 8);
  const never = { terms: { feeMinor: 8, freeFromMinor: null }, open: [] };
  assert.equal(sendingOf(never, 1, null).moreForFreeMinor, null);
});

test('[W223] a coupon comes off the goods of its shop that are chosen; delivery goes by the goods without it', () => {
  const coupon = { amountMinor: 150, percent: null, mostMinor: null, minimumMinor: 300, productIds: null };
  const own = { claimId: 'c', state: 'good', coupon: { ...coupon, validUntil: '' } } as unknown as OwnCoupon;
  const all = group([line('a', 2), line('b', 3)], { coupons: [own] });
  const sum = sumOf(all, () => true, address);
  assert.deepEqual([sum.coupon?.discountMinor, sum.sending.feeMinor, sum.totalMinor], [150, 0, 350]);
  const less = sumOf(all, ({ variantId }) => variantId === 'a', address);
  assert.deepEqual([less.coupon, less.totalMinor], [null, 208]);
  assert.equal(sumOf(all, () => true, address, null).totalMinor, 500);
});

test('[W183] a sum is of what is chosen and can be bought; two currencies are two sums', () => {
  const lines = [
    line('a', 2), line('b', 1), line('few', 3, { available: 2 }), line('gone', 1, { isForSale: false, available: 0 }),
  ];
  assert.deepEqual(lines.map(canBuy), [true, true, false, false]);
  const sum = sumOf(group(lines), ({ variantId }) => variantId !== 'b', address);
  assert.deepEqual([sum.pieces, sum.goodsMinor, sum.totalMinor], [2, 200, 208]);
  const empty = sumOf(group(lines), () => false, address);
  assert.deepEqual([empty.pieces, empty.totalMinor], [0, 0]);
  const dollars = sumOf(group([line('c', 1)], { currency: 'USD' }), () => true, address);
  assert.deepEqual(totalsOf([sum, sum, empty, dollars]), [
    { currency: 'CNY', amountMinor: 416 }, { currency: 'USD', amountMinor: 108 },
  ]);
});
