import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CounterGood } from '@nacre/contract/catalog';
import { add, emptyTill, learn, readTill, saleOf, tillLinesMax, totalMinor, type TillLine } from './till.ts';

const good = (variantId: string, available = 3): CounterGood => ({
  variantId, productId: 'p', title: 'Dress', optionValues: [], sku: 'D', image: null, priceMinor: 4_900,
  currency: 'USD', available,
});
const added = (lines: TillLine[], one: CounterGood): TillLine[] => {
  const next = add(lines, one);
  assert.ok(typeof next !== 'string');
  return next;
};

test('[W112] scanning the same piece again makes the line one more, until there are none left', () => {
  const twice = added(added([], good('a', 2)), good('a', 2));
  assert.deepEqual(twice.map(({ quantity }) => quantity), [2]);
  assert.equal(add(twice, good('a', 2)), 'out');
  assert.equal(add([], good('b', 0)), 'out');
  assert.equal(totalMinor(added(twice, good('b'))), 14_700);
});

test('[W112] a list has twenty lines and no more', () => {
  let lines: TillLine[] = [];
  for (let at = 0; at < tillLinesMax; at += 1) lines = added(lines, good(`v${at}`));
  assert.equal(add(lines, good('one more')), 'full');
  assert.equal(added(lines, good('v3')).length, tillLinesMax);
});

test('[W113] what a refusal tells is written into its line; what is gone leaves the list', () => {
  const lines = added(added([], good('a')), good('b'));
  assert.equal(learn(lines, { variantId: 'a', priceMinor: 5_900 })[0]?.good.priceMinor, 5_900);
  assert.deepEqual(learn(lines, { variantId: 'a', available: 0 }).map((line) => line.good.variantId), ['b']);
  const two = added(lines, good('a'));
  assert.equal(learn(two, { variantId: 'a', available: 1 })[0]?.quantity, 1);
});

test('[W114] a sale that was not answered goes again as it was, also after the page was left', () => {
  const pending = { key: 'key-of-the-sale', method: 'card' as const };
  const till = { lines: added([], good('a')), pending };
  const kept = readTill(JSON.parse(JSON.stringify(till)));
  assert.deepEqual(kept, till);
  assert.deepEqual(saleOf(kept.lines, pending), {
    idempotencyKey: 'key-of-the-sale', method: 'card',
    lines: [{ variantId: 'a', quantity: 1, unitPriceMinor: 4_900 }],
  });
  for (const broken of [null, 7, {}, { lines: Array.from({ length: 21 }) }]) {
    assert.deepEqual(readTill(broken), emptyTill);
  }
});
