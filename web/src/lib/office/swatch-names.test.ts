import assert from 'node:assert/strict';
import { test } from 'node:test';
import { likelySwatch } from './swatch-names.ts';

test('words for colours in three languages', () => {
  assert.equal(likelySwatch('Coral'), '#df6c54');
  assert.equal(likelySwatch('navy blue'), '#24324f');
  assert.equal(likelySwatch('天蓝色'), '#8fb8de');
  assert.equal(likelySwatch('أسود'), '#1b1c1f');
});

test('every answer is a colour the contract takes', () => {
  for (const name of ['', 'XL', 'Sage', '酒红']) assert.match(likelySwatch(name), /^#[0-9a-f]{6}$/);
});
