import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blankProduct, productProblems, variantsOf } from './product-form.ts';
import { rowsFor } from './variants.ts';

test('a blank product lacks a name, and a price only when it is to be sold', () => {
  assert.deepEqual(productProblems(blankProduct(), 2, false), { title: 'need_product_title' });
  assert.equal(productProblems(blankProduct(), 2, true)['price-0'], 'need_price');
});

test('options need names, each its own, and values; codes stand once', () => {
  const text = {
    ...blankProduct(),
    title: 'Dress',
    options: [
      { name: 'Size', values: [] },
      { name: 'Size', values: [{ value: 'M' }] },
    ],
  };
  const found = productProblems(text, 2, false);
  assert.equal(found['values-0'], 'need_option_values');
  assert.equal(found['option-1'], 'need_option_once');
  const rows = [0, 1].map(() => ({ optionValues: [], price: '1', stock: '1', sku: 'A', skuOwn: true }));
  assert.equal(productProblems({ ...text, rows }, 2, true)['sku-1'], 'need_sku_once');
});

test('saved variants are named by id and never carry a stock', () => {
  const [fresh] = rowsFor([], [], 'Dress', { price: '68,50', stock: '٧' });
  assert.ok(fresh);
  assert.deepEqual(variantsOf([fresh], 2), [{ optionValues: [], sku: 'DRES', priceMinor: 6850, stock: 7 }]);
  assert.deepEqual(variantsOf([{ ...fresh, id: 'v1' }], 2), [
    { id: 'v1', optionValues: [], sku: 'DRES', priceMinor: 6850 },
  ]);
});
