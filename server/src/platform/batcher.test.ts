import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '../lib/refusal.ts';
import { createBatcher } from './batcher.ts';

interface Gate {
  items: readonly number[];
  open(): void;
}

/** A batcher of numbers whose batches wait until the test lets them go on; odd numbers above 100 break their batch. */
function gated(batchMax = 100, waitingMax = 100) {
  const gates: Gate[] = [];
  const batcher = createBatcher<number, string>({
    async run(items) {
      await new Promise<void>((open) => gates.push({ items, open }));
      if (items.some((item) => item > 100 && item % 2 === 1)) throw new Error('broken');
      return items.map((item) => (item < 0 ? new Refusal('request.invalid') : `done ${item}`));
    },
    batchMax,
    waitingMax,
    full: () => new Refusal('server.busy', { retryAfterSeconds: 1 }),
  });
  return { batcher, gates };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Opens the gates as they come until nothing is under way. */
async function openAll(gates: Gate[], from: number): Promise<void> {
  for (let at = from; at < 50; at += 1) {
    await turn();
    gates[at]?.open();
  }
}

test('[P110] what comes while a batch is under way goes together afterwards, each with its own answer', async () => {
  const { batcher, gates } = gated();
  const first = batcher.add(1);
  await turn();
  const rest = Promise.allSettled([batcher.add(2), batcher.add(-3), batcher.add(4)]);
  await turn();
  assert.deepEqual(gates.map(({ items }) => items), [[1]]);
  assert.equal(batcher.waiting(), 3);
  gates[0]!.open();
  assert.equal(await first, 'done 1');
  await openAll(gates, 1);
  assert.deepEqual(gates.map(({ items }) => items), [[1], [2, -3, 4]]);
  const [two, three, four] = await rest;
  assert.deepEqual([two, four], [
    { status: 'fulfilled', value: 'done 2' }, { status: 'fulfilled', value: 'done 4' },
  ]);
  assert.equal(three.status === 'rejected' && three.reason.code, 'request.invalid');
  await batcher.idle();
});

test('[P111] a batch has a bound, and beyond the bound of those who wait one is refused at once', async () => {
  const { batcher, gates } = gated(2, 3);
  const answers = [batcher.add(1)];
  await turn();
  answers.push(batcher.add(2), batcher.add(4), batcher.add(6));
  await assert.rejects(batcher.add(8), { code: 'server.busy', retryAfterSeconds: 1 });
  await openAll(gates, 0);
  assert.deepEqual(await Promise.all(answers), ['done 1', 'done 2', 'done 4', 'done 6']);
  assert.deepEqual(gates.map(({ items }) => items), [[1], [2, 4], [6]]);
});

test('[P112] a piece that breaks its batch fails alone', async () => {
  const { batcher, gates } = gated();
  const settled = Promise.allSettled([batcher.add(2), batcher.add(101), batcher.add(4)]);
  await openAll(gates, 0);
  assert.deepEqual((await settled).map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled']);
  assert.deepEqual(gates.map(({ items }) => items), [[2, 101, 4], [2], [101], [4]]);
});

test('[P113] when the database is away all of a batch hear it at once, and the next batch is tried', async () => {
  let isAway = true;
  let runs = 0;
  const batcher = createBatcher<number, number>({
    async run(items) {
      runs += 1;
      if (isAway) throw Object.assign(new Error('gone'), { code: 'ECONNREFUSED' });
      return items;
    },
    batchMax: 10, waitingMax: 10, full: () => new Refusal('server.busy'),
  });
  const settled = await Promise.allSettled([batcher.add(1), batcher.add(2)]);
  assert.deepEqual(settled.map(({ status }) => status), ['rejected', 'rejected']);
  assert.equal(runs, 1);
  isAway = false;
  assert.equal(await batcher.add(3), 3);
});
