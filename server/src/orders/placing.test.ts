import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OrderPlace } from '@nacre/contract/orders';
import type { OrderableVariant } from '../catalog/catalog.ts';
import { byVariant, hashRequest, LINES_MAX, priceOrder, readLines } from './placing.ts';

const ADDRESS = {
  name: 'Mei', phone: '12345', line1: 'Road 1', line2: '', city: 'Lanzhou', region: '', postalCode: '', country: 'CN',
};

function goods(variantId: string, change: Partial<OrderableVariant> = {}): OrderableVariant {
  return {
    variantId, productId: `p-${variantId}`, shopId: 'shop-1', title: 'Dress', imageId: null, optionValues: ['M'],
    sku: 'D-M', priceMinor: 100n, currency: 'CNY', isForSale: true, available: 5, held: 0, ...change,
  };
}

function line(variantId: string, quantity = 1, unitPriceMinor = 100) {
  return { variantId, quantity, unitPriceMinor };
}

const asks = (...lines: OrderPlace['lines']) => readLines(lines);

const price = (asked: ReturnType<typeof readLines>, found: ReturnType<typeof goods>[]) => (
  priceOrder(asked, byVariant(found))
);

test('[O7] the total is price times pieces over all lines, in the sequence asked for', () => {
  const priced = price(asks(line('b', 2), line('a', 3, 250)), [goods('a', { priceMinor: 250n }), goods('b')]);
  assert.equal(priced.totalMinor, 950n);
  assert.deepEqual(priced.lines.map((one) => [one.variantId, one.quantity]), [['b', 2], ['a', 3]]);
});

test('[O5] another price than the buyer saw is refused with the price of now', () => {
  assert.throws(() => price(asks(line('a', 1, 90)), [goods('a')]), {
    code: 'orders.price_changed', details: { variantId: 'a', priceMinor: 100, currency: 'CNY' },
  });
});

test('[O6] what is withdrawn, archived or unknown is not for sale', () => {
  for (const found of [[goods('a', { isForSale: false })], []]) {
    assert.throws(() => price(asks(line('a')), found), { code: 'orders.not_for_sale' });
  }
});

test('[O6] goods of two shops do not make one order', () => {
  const found = [goods('a'), goods('b', { shopId: 'shop-2' })];
  assert.throws(() => price(asks(line('a'), line('b')), found), { code: 'request.invalid' });
});

test('[O7] a total beyond what JavaScript counts exactly is refused', () => {
  const priceMinor = BigInt(Number.MAX_SAFE_INTEGER);
  const found = [goods('a', { priceMinor })];
  assert.equal(price(asks(line('a', 1, Number(priceMinor))), found).totalMinor, priceMinor);
  assert.throws(() => price(asks(line('a', 2, Number(priceMinor))), found), { code: 'orders.too_many_pieces' });
});

test('[O6] no line, too many lines, one variant twice, no pieces and a hundred pieces are refused', () => {
  assert.throws(() => asks(), { code: 'request.invalid' });
  assert.throws(() => asks(line('a'), line('a')), { code: 'request.invalid' });
  const tooMany = Array.from({ length: LINES_MAX + 1 }, (_, i) => line(`v${i}`));
  assert.throws(() => asks(...tooMany), { code: 'request.invalid' });
  for (const quantity of [0, -1, 1.5, 100]) {
    assert.throws(() => asks(line('a', quantity)), { code: 'orders.too_many_pieces' });
  }
});

test('[O3] the same order has the same hash, whatever the sequence; every other has another', () => {
  const request = { showId: null, lines: [line('a'), line('b')], address: ADDRESS };
  const same = [
    { ...request, lines: [line('b'), line('a')] },
    { ...request, address: Object.fromEntries(Object.entries(ADDRESS).reverse()) as typeof ADDRESS },
  ];
  for (const other of same) assert.deepEqual(hashRequest(other), hashRequest(request));
  const others = [
    { ...request, showId: 'show-1' },
    { ...request, lines: [line('a')] },
    { ...request, lines: [line('a'), line('b', 2)] },
    { ...request, lines: [line('a'), line('b', 1, 101)] },
    { ...request, address: { ...ADDRESS, line1: 'Road 2' } },
  ];
  for (const other of others) assert.notDeepEqual(hashRequest(other), hashRequest(request));
});
