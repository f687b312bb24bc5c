/** A list that came in part, as its page keeps it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from '@nacre/contract/common';
import '../../../tests/support/runes.ts';
import type { PageAsk } from './paging.ts';

const { createPartList } = await import('./part-list.svelte.ts');

interface Item {
  id: string;
  read: number;
}

/** A server with the items `1` … `length`, newest last asked; the cursor is the last id that was given. */
function server(length: number) {
  let head = 0;
  let reads = 0;
  const page = ({ cursor, limit }: PageAsk): Page<Item> => {
    const from = cursor === '' ? head : Number(cursor) + 1;
    const end = Math.min(length, from + limit);
    reads += 1;
    const items = Array.from({ length: end - from }, (_, index) => ({ id: String(from + index), read: reads }));
    return { items, next: end < length ? String(end - 1) : null };
  };
  return {
    first: () => page({ cursor: '', limit: 3 }),
    load: async (ask: PageAsk) => page(ask),
    /** One more item stands before all others. */
    grow: () => (head -= 1),
  };
}

const idsOf = (items: Item[]) => items.map(({ id }) => Number(id));

test('[W17] each tap brings what follows, to the end', async () => {
  const { first, load } = server(8);
  const list = createPartList(first(), { pageSize: 3, load });
  assert.deepEqual([idsOf(list.items), list.next], [[0, 1, 2], '2']);
  await Promise.all([list.showMore(), list.showMore()]);
  assert.deepEqual(idsOf(list.items), [0, 1, 2, 3, 4, 5], 'two taps at once are one');
  await list.showMore();
  assert.deepEqual([idsOf(list.items), list.next], [[0, 1, 2, 3, 4, 5, 6, 7], null]);
});

test('[W17] a renewed list keeps its length and loses nothing between its pages', async () => {
  const { first, load, grow } = server(9);
  const list = createPartList(first(), { pageSize: 3, load });
  await list.showMore();
  grow();
  await list.renew(first());
  assert.deepEqual(idsOf(list.items), [-1, 0, 1, 2, 3, 4]);
  assert.ok(list.items.every(({ read }) => read > 2), 'all of it is new');
  await list.showMore();
  assert.deepEqual(idsOf(list.items), [-1, 0, 1, 2, 3, 4, 5, 6, 7]);
});

test('[W17] where what follows cannot be had, what is there stays, and the next tap tries again', async () => {
  const { first, load } = server(9);
  let works = true;
  const list = createPartList(first(), {
    pageSize: 3,
    load: (ask) => (works ? load(ask) : Promise.reject(new Error('no network'))),
  });
  await list.showMore();
  works = false;
  await list.renew(first());
  await assert.rejects(list.showMore(), /no network/);
  assert.deepEqual([idsOf(list.items), list.busy], [[0, 1, 2, 3, 4, 5], false]);
  works = true;
  await list.showMore();
  assert.equal(list.items.length, 9);
});
