/** What a coupon takes off, as page and server reckon it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bestCoupon, couponDiscount, shareDiscount, type Coupon, type CouponValue } from '@nacre/contract/coupons';
import type { LineRow, OrderRow } from './store.ts';
import { factOf } from './view.ts';

const value = (more: Partial<CouponValue>): CouponValue => ({
  amountMinor: null, percent: null, mostMinor: null, minimumMinor: 0, productIds: null, ...more,
});
const lines = (...amounts: number[]) => amounts.map((amountMinor, at) => ({ productId: `p${at}`, amountMinor }));

test('[CO6] an amount, or a percentage rounded up, off what it is for', () => {
  assert.equal(couponDiscount(value({ amountMinor: 500 }), lines(3_000, 1_000)), 500);
  assert.equal(couponDiscount(value({ percent: 15 }), lines(99)), 15, '14.85 is 15');
  assert.equal(couponDiscount(value({ percent: 1 }), lines(2)), 1);
  assert.equal(couponDiscount(value({ percent: 20 }), lines(1_000)), 200);
  assert.equal(couponDiscount(value({ percent: 20, mostMinor: 150 }), lines(1_000)), 150);
  assert.equal(couponDiscount(value({ percent: 50, productIds: ['p1'] }), lines(1_000, 300)), 150);
  assert.equal(couponDiscount(value({ amountMinor: 500, productIds: ['p1'] }), lines(1_000, 300)), 300);
  const most = Number.MAX_SAFE_INTEGER;
  assert.equal(couponDiscount(value({ percent: 99 }), lines(most)), Number((BigInt(most) * 99n + 99n) / 100n));
});

test('[CO6] the goods still cost one minor unit; what costs nothing has nothing off', () => {
  assert.equal(couponDiscount(value({ amountMinor: 5_000 }), lines(3_000, 1_000)), 3_999);
  assert.equal(couponDiscount(value({ percent: 99 }), lines(1)), 0);
  assert.equal(couponDiscount(value({ amountMinor: 1 }), lines(0)), 0);
  assert.equal(couponDiscount(value({ amountMinor: 1 }), []), 0);
});

test('[CO7] below the minimum of the goods that it is for it takes nothing off', () => {
  const own = value({ amountMinor: 100, minimumMinor: 1_000, productIds: ['p0'] });
  assert.equal(couponDiscount(own, lines(999, 5_000)), 0);
  assert.equal(couponDiscount(own, lines(1_000)), 100);
});

test('[CO12] each line that it is for bears its share, to the unit', () => {
  assert.deepEqual(shareDiscount(value({ amountMinor: 100 }), lines(1, 1, 1), 2), [0, 1, 1]);
  assert.deepEqual(shareDiscount(value({ productIds: ['p0', 'p2'] }), lines(100, 900, 300), 200), [50, 0, 150]);
  for (let round = 1; round < 300; round += 1) {
    const goods = lines(round, round * 7 % 13, round * 31 % 101);
    const discount = couponDiscount(value({ percent: round % 99 + 1 }), goods);
    const shares = shareDiscount(value({}), goods, discount);
    assert.equal(shares.reduce((sum, one) => sum + one, 0), discount);
    assert.ok(shares.every((share, at) => share >= 0 && share <= goods[at]!.amountMinor));
  }
});

test('[CO12] what others count as sold of a line is less its share', () => {
  const order = {
    id: 'o', buyer_id: 'b', total_minor: 900n, shipping_minor: 50n, placed_at: new Date(0), paid_at: null,
  } as OrderRow;
  const line = (unit: bigint, discount: bigint) => (
    { unit_price_minor: unit, quantity: 2, discount_minor: discount, option_values: [] } as unknown as LineRow
  );
  const { lines: sold, goodsMinor } = factOf(order, [line(300n, 150n), line(200n, 0n)]);
  assert.deepEqual(sold.map(({ amountMinor }) => amountMinor), [450, 400]);
  assert.equal(goodsMinor, 850);
});

test('[CO6] [W222] the one that takes off most, of equal ones that which ends first, none that does not fit', () => {
  const own = (name: string, validUntil: string, more: Partial<CouponValue>) => (
    { name, coupon: { ...value(more), validUntil } as Coupon }
  );
  const five = own('five', '2027-03-01', { amountMinor: 500 });
  const tenth = own('tenth', '2027-02-01', { percent: 10 });
  const big = own('big', '2027-01-01', { amountMinor: 9_000, minimumMinor: 20_000 });
  assert.equal(bestCoupon([five, tenth, big], lines(4_000))?.own.name, 'five');
  assert.equal(bestCoupon([five, tenth, big], lines(5_000))?.own.name, 'tenth');
  assert.deepEqual(bestCoupon([five, tenth, big], lines(20_000)), { own: big, discountMinor: 9_000 });
  assert.equal(bestCoupon([big], lines(4_000)), null);
});
