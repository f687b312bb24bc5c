/** Pages of a list, put together. Pure. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pagesAfter, type PageAsk } from './paging.ts';

/** A list of the numbers up to `length`; the cursor is where to go on. */
function listOf(length: number) {
  const asks: PageAsk[] = [];
  const load = async (ask: PageAsk) => {
    asks.push(ask);
    const from = Number(ask.cursor);
    const end = Math.min(length, from + ask.limit);
    const items = Array.from({ length: end - from }, (_, index) => from + index);
    return { items, next: end < length ? String(end) : null };
  };
  return { asks, load };
}

test('[W17] what follows a page comes in as many pages as it takes, to the end and no further', async () => {
  const { asks, load } = listOf(260);
  const most = await pagesAfter('24', 220, load);
  assert.deepEqual([most.items.length, most.items[0], most.next], [220, 24, '244']);
  assert.deepEqual(asks.map(({ limit }) => limit), [100, 100, 20]);
  const rest = await pagesAfter(most.next, 220, load);
  assert.deepEqual(rest, { items: Array.from({ length: 16 }, (_, index) => 244 + index), next: null });
  assert.deepEqual(await pagesAfter(null, 24, load), { items: [], next: null });
});
