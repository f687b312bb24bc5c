import assert from 'node:assert/strict';
import { test } from 'node:test';
import { combinations, renameValue, rowsFor, skuStem, type VariantRow, withSkus } from './variants.ts';

const size = { name: 'Size', values: [{ value: 'S' }, { value: 'M' }] };
const colour = { name: 'Colour', values: [{ value: 'Coral', swatch: '#df6c54' }, { value: 'Sage' }] };
const defaults = { price: '68', stock: '0' };

test('every combination once, in the order shown; one without options', () => {
  assert.deepEqual(combinations([]), [[]]);
  assert.deepEqual(combinations([colour, size]), [['Coral', 'S'], ['Coral', 'M'], ['Sage', 'S'], ['Sage', 'M']]);
});

test('rows keep what was typed when a value is added, and new ones take after the nearest', () => {
  const first = rowsFor([size], [], 'Coral wrap dress', defaults);
  assert.deepEqual(first.map((row) => row.sku), ['CWD-S', 'CWD-M']);
  const typed = first.map((row, index) => ({ ...row, price: index === 0 ? '60' : '65', stock: '4' }));
  const large = { ...size, values: [...size.values, { value: 'L' }] };
  const grown = rowsFor([large], typed, 'Coral wrap dress', defaults);
  assert.deepEqual(grown.map((row) => row.price), ['60', '65', '60']);
  assert.deepEqual(rowsFor([], grown, 'Coral wrap dress', defaults).length, 1);
});

test('a second option spreads the rows by what they have in common', () => {
  const typed = rowsFor([size], [], 'Dress', defaults).map((row, index) => ({ ...row, price: String(index + 1) }));
  const rows = rowsFor([colour, size], typed, 'Dress', defaults);
  assert.deepEqual(rows.map((row) => row.price), ['1', '2', '1', '2']);
});

test('a new row never takes over the stock of a saved one', () => {
  const saved: VariantRow[] = [{ id: 'x', optionValues: ['S'], price: '9', stock: '7', sku: 'A', skuOwn: true }];
  const rows = rowsFor([size], saved, 'Dress', defaults);
  assert.equal(rows[1]?.stock, '0');
  assert.equal(rows[0]?.id, 'x');
});

test('renaming a value keeps its rows', () => {
  const rows = rowsFor([size], [], 'Dress', defaults).map((row) => ({ ...row, stock: '3' }));
  const renamed = renameValue(rows, 0, 'S', 'XS');
  assert.deepEqual(renamed.map((row) => row.optionValues[0]), ['XS', 'M']);
  assert.equal(renamed[0]?.stock, '3');
});

test('codes are unique, own ones are left alone, other scripts get numbers', () => {
  const rows = rowsFor([{ name: '颜色', values: [{ value: '红' }, { value: '绿' }] }], [], '连衣裙', defaults);
  assert.deepEqual(rows.map((row) => row.sku), ['ART-1', 'ART-2']);
  const same = withSkus(
    [
      { optionValues: ['Coral'], price: '', stock: '', sku: 'D-COR', skuOwn: true },
      { optionValues: ['Cork'], price: '', stock: '', sku: '', skuOwn: false },
    ],
    'D',
  );
  assert.deepEqual(same.map((row) => row.sku), ['D-COR', 'D-COR-2']);
  assert.equal(skuStem('Éclair tin'), 'ET');
});
