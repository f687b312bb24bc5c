import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLoadOnce } from './load-once.ts';

test('what is asked for at once is loaded once, and again after it has changed', async () => {
  let loads = 0;
  const values = createLoadOnce(10, async (key) => `${key} ${++loads}`);
  assert.deepEqual(await Promise.all([values.of('a'), values.of('a')]), ['a 1', 'a 1']);
  values.forget('a');
  assert.equal(await values.of('a'), 'a 2');
});

test('a load that failed is not kept', async () => {
  let fails = true;
  const values = createLoadOnce(10, async () => {
    if (fails) throw new Error('away');
    return 'there';
  });
  await assert.rejects(values.of('a'));
  fails = false;
  assert.equal(await values.of('a'), 'there');
});

test('the key asked for longest ago makes room', async () => {
  const loads: string[] = [];
  const values = createLoadOnce(2, async (key) => void loads.push(key));
  for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) await values.of(key);
  assert.deepEqual(loads, ['a', 'b', 'c', 'b']);
});
