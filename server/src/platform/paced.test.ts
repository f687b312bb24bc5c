/** Work that gathers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPaced } from './paced.ts';

function stage() {
  let waiting = 0;
  let atOnce = 0;
  const done: number[] = [];
  const paced = createPaced({
    pauseMs: () => 5,
    isDue: () => waiting > 0,
    async work() {
      const taken = waiting;
      waiting = 0;
      atOnce += 1;
      assert.equal(atOnce, 1);
      await sleep(20);
      atOnce -= 1;
      done.push(taken);
    },
  });
  const add = (): void => {
    waiting += 1;
    paced.wake();
  };
  return { paced, add, done };
}

test('[P116] what comes together is done together, one at a time, and what comes meanwhile is done next', async () => {
  const { paced, add, done } = stage();
  for (let time = 0; time < 3; time += 1) add();
  await sleep(15);
  add();
  add();
  await sleep(80);
  assert.deepEqual(done, [3, 2]);
  await paced.stop();
});

test('[P116] a stop waits for what is under way and begins nothing', async () => {
  const { paced, add, done } = stage();
  add();
  await sleep(15);
  add();
  await paced.stop();
  add();
  await sleep(40);
  assert.deepEqual(done, [1]);
});
