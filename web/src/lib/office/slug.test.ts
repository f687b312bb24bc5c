import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSlug, nextSlug, suggestSlug } from './slug.ts';

test('a name becomes an address', () => {
  assert.equal(suggestSlug('Liu’s Wardrobe', 'liu'), 'lius-wardrobe');
  assert.equal(suggestSlug('Café Ōkubo & Söhne', 'x'), 'cafe-okubo-sohne');
  assert.equal(suggestSlug('خزانة ليان', 'layan'), 'khzana-lyan');
  assert.equal(suggestSlug('小柳衣橱', 'liu.wardrobe'), 'liu-wardrobe');
  assert.equal(suggestSlug('小柳', '小'), '');
});

test('every suggestion is an address, however long the name', () => {
  for (const name of ['a'.repeat(200), 'A - - - b c', '--- x y z ---', 'x '.repeat(60)]) {
    assert.ok(isSlug(suggestSlug(name, 'shop')), name);
  }
  assert.equal(isSlug('Ab'), false);
  assert.equal(isSlug('a--b'), false);
});

test('a taken address gets a number', () => {
  assert.equal(nextSlug('liu'), 'liu-2');
  assert.equal(nextSlug('liu-2'), 'liu-3');
  assert.ok(isSlug(nextSlug('a'.repeat(40))));
});
