import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMatcher, readWordList } from './words.ts';

const matches = createMatcher(['spam', 'ass', 'buy followers', '假货', 'احتيال', 'São']);

test('[MO8] a listed word is found however it is written', () => {
  for (const text of [
    'SPAM', 'this is ｓｐａｍ!', 's p a m', 's.p.a.m now', 'spám', 'spa\u200Bm', 'Buy  FOLLOWERS here', '这是假货', '假 货',
    'احتيال', 'اِحتِيال', 'احتيـــال', 'sao',
  ]) assert.equal(matches(text), true, text);
});

test('[MO8] a part of another word, and words that only stand near each other, are not', () => {
  for (const text of ['class', 'spammer', 'followers buy', 'buy my followers', '真货', 'a nice dress', '', '👍']) {
    assert.equal(matches(text), false, text);
  }
  assert.equal(createMatcher([])('anything'), false);
});

test('[MO9] a list has 500 entries of 1 to 40 characters with a letter in each; doubled ones are one', () => {
  assert.deepEqual(readWordList([' spam ', 'spam', '', 'buy  now']), ['spam', 'buy now']);
  assert.equal(readWordList(['x'.repeat(41)]), null);
  assert.equal(readWordList(['好'.repeat(40)])?.length, 1);
  assert.equal(readWordList(['!!!']), null);
  assert.equal(readWordList(Array.from({ length: 501 }, (_, index) => `w${index}`)), null);
});
