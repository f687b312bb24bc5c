/** What can be chosen of a product, and what is said about its stock. Pure. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Product } from '@nacre/contract/catalog';
import { canChoose, findVariant, formerPrice, priceRange, totalAvailable } from './catalog.ts';

const variants: [string[], number, number][] = [
  [['Coral', 'S'], 4900, 0],
  [['Coral', 'M'], 4900, 2],
  [['Sage', 'S'], 4500, 1],
  [['Sage', 'M'], 5500, 0],
];
const dress = {
  options: [
    { name: 'Colour', values: [{ value: 'Coral' }, { value: 'Sage' }] },
    { name: 'Size', values: [{ value: 'S' }, { value: 'M' }] },
  ],
  variants: variants.map(([optionValues, priceMinor, available], index) => ({
    id: String(index),
    optionValues,
    priceMinor,
    available,
    held: 0,
    sku: String(index),
  })),
} as unknown as Product;

test('[W11] a value is struck out when nothing with it can be bought together with what is chosen', () => {
  assert.equal(canChoose(dress, [null, null], 1, 'S'), true);
  assert.equal(canChoose(dress, ['Coral', null], 1, 'S'), false);
  assert.equal(canChoose(dress, ['Sage', null], 1, 'S'), true);
  assert.equal(canChoose(dress, [null, 'M'], 0, 'Sage'), false);
});

test('[W12] a variant is found by all its values, and prices are of what can be bought', () => {
  assert.equal(findVariant(dress, ['Sage', 'S'])?.priceMinor, 4500);
  assert.equal(findVariant(dress, ['Sage', null]), undefined);
  assert.deepEqual(priceRange(dress), { fromMinor: 4500, toMinor: 4900 });
  assert.equal(totalAvailable(dress), 3);
});

test('[W14] a former price stands only beside a price that all of it has, and only when all of it was dearer', () => {
  const [coral, coralM, sage] = dress.variants;
  assert.ok(coral && coralM && sage);
  const open = (...priceMinors: number[]) => ({
    ...dress,
    variants: priceMinors.map((priceMinor, index) => ({ ...coralM, id: String(index), priceMinor })),
  });
  const was = (...minors: (number | null)[]) => (variant: { id: string }) => minors[Number(variant.id)] ?? null;
  assert.equal(formerPrice(open(4900, 4900), was(5900, 6900)), 5900, 'the lowest of them');
  assert.equal(formerPrice(open(4900, 4900), was(5900, null)), null, 'one always cost this');
  assert.equal(formerPrice(open(4500, 4900), was(5900, 5900)), null, 'which of two prices was it?');
  assert.equal(formerPrice(dress, was(null, 5900, 5900)), null, 'what is sold out has no say, what can be bought has');
  const soldOut = { ...dress, variants: [coral] };
  assert.equal(formerPrice(soldOut, was(5900)), null, 'nothing can be bought at that');
});
