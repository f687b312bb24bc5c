import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLog } from '../platform/log.ts';
import { createCounts, LIKES_PER_VIEWER_MINUTE } from './counts.ts';

function create(write: (likes: number) => Promise<bigint | null>) {
  const now = { ms: 0 };
  const told: number[] = [];
  const counts = createCounts({
    clock: { now: () => new Date(now.ms) },
    log: createLog('silent', false),
    write: (_showId, likes) => write(likes),
    onLikes: (_showId, total) => told.push(total),
  });
  return { counts, told, now };
}

test('[S14] likes are summed and written together within a second', async () => {
  let total = 100n;
  const writes: number[] = [];
  const { counts, told } = create(async (likes) => {
    writes.push(likes);
    total += BigInt(likes);
    return total;
  });
  assert.equal(counts.like('s', 'a', 10, 100), 110);
  assert.equal(counts.like('s', 'b', 5, 100), 115);
  assert.deepEqual(counts.pending('s'), { likes: 15, peakViewers: 0, total: 115 });
  await sleep(800);
  assert.deepEqual(writes, [15]);
  assert.deepEqual(told, [115]);
  assert.equal(counts.like('s', 'a', 1, 115), 116);
  await counts.stop();
  assert.deepEqual(writes, [15, 1]);
});

test('[S14] one viewer gives 300 a minute at most; the total never goes back', async () => {
  const { counts, now } = create(async () => 0n);
  for (let index = 0; index < 10; index += 1) counts.like('s', 'a', 50, 0);
  assert.equal(counts.like('s', 'a', 50, 0), LIKES_PER_VIEWER_MINUTE);
  assert.equal(counts.like('s', 'b', 50, 0), LIKES_PER_VIEWER_MINUTE + 50);
  now.ms += 60_001;
  assert.equal(counts.like('s', 'a', 50, 0), LIKES_PER_VIEWER_MINUTE + 100);
  await counts.stop();
});

test('[S14] a write that fails is tried again and nothing is lost', async () => {
  let fails = 2;
  let total = 0n;
  const { counts, told } = create(async (likes) => {
    fails -= 1;
    if (fails >= 0) throw new Error('no database');
    total += BigInt(likes);
    return total;
  });
  counts.like('s', 'a', 3, 0);
  await counts.flush();
  counts.like('s', 'b', 4, 0);
  await counts.flush();
  assert.equal(total, 0n);
  assert.equal(counts.pending('s').likes, 7);
  await counts.stop();
  assert.equal(total, 7n);
  assert.deepEqual(told, [7]);
});

test('[S15] the highest count of viewers is kept until it is written', async () => {
  const peaks: number[] = [];
  const counts = createCounts({
    clock: { now: () => new Date(0) }, log: createLog('silent', false), onLikes: () => undefined,
    write: async (_showId, _likes, peak) => {
      peaks.push(peak);
      return 0n;
    },
  });
  for (const viewers of [3, 9, 4]) counts.sawViewers('s', viewers);
  assert.equal(counts.pending('s').peakViewers, 9);
  await counts.stop();
  assert.deepEqual(peaks, [9]);
});
