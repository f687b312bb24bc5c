import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amountText, currencyDigits, latinDigits, parseAmount, parseCount } from './amounts.ts';

test('a currency has its own digits', () => {
  assert.deepEqual(['USD', 'JPY', 'KWD'].map(currencyDigits), [2, 0, 3]);
});

test('amounts are read exactly, whatever the digits and marks', () => {
  const cases: [string, number, number | null][] = [
    ['68', 2, 6800],
    ['68.5', 2, 6850],
    ['68,50', 2, 6850],
    [' 1 234.50 ', 2, 123450],
    ['1,234.50', 2, 123450],
    ['1.234,50', 2, 123450],
    ['1,234', 2, 123400],
    ['1,234', 0, 1234],
    ['1.500', 3, 1500],
    ['1,234,567', 3, 1234567000],
    ['٦٨٫٥٠', 2, 6850],
    ['６８', 0, 68],
    ['0.1', 2, 10],
    ['.5', 2, 50],
    ['68.00', 0, 68],
    ['68.5', 0, null],
    ['1.999', 2, 199900],
    ['1.99', 2, 199],
    ['', 2, null],
    ['.', 2, null],
    ['-5', 2, null],
    ['abc', 2, null],
    ['99999999999999999999', 2, null],
  ];
  for (const [text, digits, minor] of cases) assert.equal(parseAmount(text, digits), minor, `${text} with ${digits}`);
});

test('what stands in the field is read back as the same amount', () => {
  for (const [minor, digits] of [[0, 2], [5, 2], [6800, 2], [1200, 0], [1500, 3]] as const) {
    assert.equal(parseAmount(amountText(minor, digits), digits), minor);
  }
});

test('counts are whole and bounded', () => {
  assert.equal(parseCount('١٢', 1_000_000), 12);
  assert.equal(parseCount('1,200', 1_000_000), 1200);
  assert.equal(parseCount('1000001', 1_000_000), null);
  assert.equal(parseCount('-1', 10), null);
  assert.equal(latinDigits('۱۲٣４'), '1234');
});
