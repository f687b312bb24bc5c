import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readAhead } from './read-ahead.ts';

test('each is read once, in order, and no more side by side than allowed', async () => {
  const keys = Array.from({ length: 20 }, (_, index) => index);
  const asked: number[] = [];
  let [now, most] = [0, 0];
  const read = readAhead(keys, 4, async (key) => {
    asked.push(key);
    now += 1;
    most = Math.max(most, now);
    await sleep(5);
    now -= 1;
    if (key === 7) throw new Error('seven');
    return key * 2;
  });
  for (const key of keys) {
    if (key === 7) await assert.rejects(read(key), /seven/);
    else assert.equal(await read(key), key * 2);
  }
  assert.deepEqual(asked, keys);
  assert.equal(most, 4);
  await assert.doesNotReject(read(3), 'out of order it is read anew');
});
