import assert from 'node:assert/strict';
import test from 'node:test';
import { filtersHref, readFilters, withChosen } from './filters.ts';
import { steady } from './steady.ts';

test('[W80] a choice is read from the address, and what is not understood is left out', () => {
  const read = (text: string) => readFilters(new URLSearchParams(text));
  assert.deepEqual(read('category=food&region=%E7%94%98%E8%82%83&language=yue'), {
    category: 'food', region: '甘肃', language: 'yue',
  });
  assert.deepEqual(read('category=cars&region=%20&language=xx&page=2'), {});
  assert.equal(read(`region=${'x'.repeat(100)}`).region?.length, 60);
});

test('[W80] each choice is an address: one thing changed, the rest kept', () => {
  const filters = { category: 'food', region: 'Gansu & Qinghai' } as const;
  assert.equal(filtersHref(filters, { language: 'zh' }), '/?category=food&region=Gansu+%26+Qinghai&language=zh');
  assert.equal(filtersHref(filters, { category: undefined }), '/?region=Gansu+%26+Qinghai');
  assert.equal(filtersHref({}, {}), '/');
  assert.deepEqual(withChosen(['Gansu'], 'gansu'), ['Gansu']);
  assert.deepEqual(withChosen(['Gansu'], 'Tibet'), ['Tibet', 'Gansu']);
});

test('[W81] a held list keeps every place: new figures in place, gone ones stay, new ones come last', () => {
  const shown = [{ id: 'a', n: 1 }, { id: 'b', n: 1 }, { id: 'c', n: 1 }];
  const fresh = [{ id: 'd', n: 2 }, { id: 'c', n: 2 }, { id: 'a', n: 2 }];
  assert.deepEqual(steady(shown, fresh, true), [
    { id: 'a', n: 2 }, { id: 'b', n: 1 }, { id: 'c', n: 2 }, { id: 'd', n: 2 },
  ]);
  assert.deepEqual(steady(shown, fresh, false), fresh);
});
