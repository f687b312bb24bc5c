import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { VariantInput } from '@nacre/contract/catalog';
import { mismatchOf } from './variants.ts';

const sizes = { name: 'Size', values: [{ value: 'S' }, { value: 'M' }] };
const colours = { name: 'Colour', values: [{ value: 'Red' }, { value: 'Blue' }] };
const variant = (...optionValues: string[]): VariantInput => ({
  optionValues, sku: `sku ${optionValues.join()}`, priceMinor: 100,
});

it('[C2] each variant has one value of each option', () => {
  const options = [sizes, colours];
  assert.equal(mismatchOf(options, [variant('S', 'Red'), variant('M', 'Blue')]), null);
  assert.equal(mismatchOf(options, []), null);
  assert.equal(mismatchOf([], [variant()]), null);
  assert.deepEqual(mismatchOf(options, [variant('S')]), { reason: 'values_missing', variant: 0 });
  assert.deepEqual(mismatchOf([], [variant('S')]), { reason: 'values_missing', variant: 0 });
  assert.deepEqual(
    mismatchOf(options, [variant('S', 'Red'), variant('Red', 'S')]),
    { reason: 'value_unknown', variant: 1, value: 'Red' },
  );
});

it('[C2] no combination, option, value, SKU or id occurs twice', () => {
  const twice = [variant('S'), { ...variant('S'), sku: 'other' }];
  assert.deepEqual(mismatchOf([sizes], twice), { reason: 'variant_twice', variant: 1 });
  assert.deepEqual(mismatchOf([sizes, { ...sizes, name: ' size ' }], []), { reason: 'option_twice', value: ' size ' });
  const values = [{ value: 'Red' }, { value: 'RED' }];
  assert.deepEqual(mismatchOf([{ name: 'Colour', values }], []), { reason: 'value_twice', value: 'RED' });
  const sameSku = [variant('S'), { ...variant('M'), sku: 'SKU s ' }];
  assert.deepEqual(mismatchOf([sizes], sameSku), { reason: 'sku_twice', value: 'SKU s ' });
  const sameId = [{ ...variant('S'), id: 'x' }, { ...variant('M'), id: 'x' }];
  assert.deepEqual(mismatchOf([sizes], sameId), { reason: 'variant_id_twice', value: 'x' });
});
