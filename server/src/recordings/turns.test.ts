import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from '../lib/refusal.ts';
import { createTurns } from './turns.ts';

const isBusy = (error: unknown): boolean => error instanceof Refusal && error.code === 'server.busy';

test('[RE61] so many at once, the others in their order; one that fails gives its place away too', async () => {
  const turns = createTurns({ atOnce: 2, waitingMost: 10, waitMs: 1_000, retryAfterSeconds: 2 });
  const began: number[] = [];
  let [running, most] = [0, 0];
  const done = await Promise.allSettled([0, 1, 2, 3, 4, 5].map((nth) => turns.take(async () => {
    began.push(nth);
    running += 1;
    most = Math.max(most, running);
    await sleep(5);
    running -= 1;
    if (nth === 1) throw new Error('it broke');
    return nth;
  })));
  assert.deepEqual(began, [0, 1, 2, 3, 4, 5]);
  assert.equal(most, 2);
  assert.deepEqual(done.map(({ status }) => status === 'fulfilled'), [true, false, true, true, true, true]);
  assert.deepEqual(turns.stats(), { refused: 0, waiting: 0 });
});

test('[RE61] who comes when too many wait, or has waited too long, is refused and takes no place', async () => {
  const turns = createTurns({ atOnce: 1, waitingMost: 2, waitMs: 40, retryAfterSeconds: 2 });
  const ends = Promise.withResolvers<void>();
  const first = turns.take(() => ends.promise);
  const begun: string[] = [];
  const wait = (name: string) => turns.take(async () => void begun.push(name));
  const waits = [assert.rejects(wait('second'), isBusy), assert.rejects(wait('third'), isBusy)];
  await assert.rejects(wait('fourth'), isBusy);
  assert.equal(turns.stats().waiting, 2);
  await Promise.all(waits);
  assert.deepEqual(turns.stats(), { refused: 3, waiting: 0 });
  const later = wait('fifth');
  ends.resolve();
  await Promise.all([first, later]);
  await wait('sixth');
  assert.deepEqual(begun, ['fifth', 'sixth']);
});
