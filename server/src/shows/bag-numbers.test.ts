import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBagReader } from './bag-numbers.ts';
import type { ItemRow, ShowRow } from './store.ts';

/** Bags in a database that answers when the test says so. */
function stage() {
  const asked: string[][] = [];
  const open: Array<() => void> = [];
  let number = 1;
  const readBag = createBagReader({
    async shows(showIds) {
      asked.push([...showIds]);
      await new Promise<void>((resolve) => open.push(resolve));
      return showIds.filter((id) => id !== 'none').map((id) => ({ id, shop_id: `shop of ${id}` }) as ShowRow);
    },
    items: async (showIds) => showIds.map((id) => ({ show_id: id, product_id: 'pearl', number }) as ItemRow),
  });
  return {
    asked, readBag, renumber: () => void (number += 1),
    answer: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      open.shift()?.();
    },
  };
}

test('[O124] who orders in a show at the same time shares one look at its bag', async () => {
  const { asked, readBag, answer } = stage();
  const bags = [readBag('a'), readBag('a'), readBag('b'), readBag('none')];
  await answer();
  const [first, second, other, none] = await Promise.all(bags);
  assert.deepEqual(asked, [['a', 'b', 'none']]);
  assert.deepEqual([first?.show.shop_id, first?.numbers.get('pearl'), none], ['shop of a', 1, null]);
  assert.equal(second, first);
  assert.notEqual(other, first);
});

test('[O124] nobody is told what was true before they asked', async () => {
  const { asked, readBag, answer, renumber } = stage();
  const before = readBag('a');
  await new Promise((resolve) => setImmediate(resolve));
  renumber();
  const after = readBag('a');
  await answer();
  assert.equal((await before)?.numbers.get('pearl'), 1);
  await answer();
  assert.equal((await after)?.numbers.get('pearl'), 2);
  assert.equal(asked.length, 2);
});
