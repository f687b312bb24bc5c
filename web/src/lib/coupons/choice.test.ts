import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Coupon, OwnCoupon } from '@nacre/contract/coupons';
import { missingMinor, takenCoupon } from './choice.ts';

const own = (claimId: string, amountMinor: number, minimumMinor = 0, state: OwnCoupon['state'] = 'good') => {
  const value = { amountMinor, percent: null, mostMinor: null, minimumMinor, productIds: null };
  return { claimId, state, coupon: { ...value, validUntil: claimId } as Coupon } as OwnCoupon;
};
const lines = [{ productId: 'p', amountMinor: 5_000 }];

test('[W222] the best comes off by itself; another or none is the buyer’s choice', () => {
  const all = [own('a', 100), own('b', 900), own('c', 2_000, 6_000), own('d', 3_000, 0, 'early')];
  assert.equal(takenCoupon(all, lines, undefined)?.own.claimId, 'b');
  assert.equal(takenCoupon(all, lines, 'a')?.discountMinor, 100);
  assert.equal(takenCoupon(all, lines, null), null);
  assert.equal(takenCoupon(all, lines, 'c')?.own.claimId, 'b', 'it does not fit');
  assert.equal(takenCoupon(all, lines, 'gone')?.own.claimId, 'b');
  assert.equal(takenCoupon([], lines, undefined), null);
});

test('[W222] what is missing to the minimum is told', () => {
  assert.equal(missingMinor(own('c', 2_000, 6_000), lines), 1_000);
  assert.equal(missingMinor(own('a', 100), lines), 0);
  assert.equal(missingMinor(own('c', 2_000, 6_000), []), null);
});
