import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLog } from './log.ts';
import { createPeriodic } from './periodic.ts';

const log = createLog('silent', false);

test('[P50] one run at a time, the next one after a pause', async () => {
  let running = 0;
  let runs = 0;
  const periodic = createPeriodic({
    name: 'test', everyMs: 5, log,
    work: async () => {
      running += 1;
      assert.equal(running, 1);
      await sleep(20);
      running -= 1;
      runs += 1;
    },
  });
  await sleep(200);
  await periodic.stop();
  assert.ok(runs >= 3 && runs <= 8, `${runs} runs`);
});

test('[P51] a run that fails, at once or later, does not end the work', async () => {
  let runs = 0;
  const periodic = createPeriodic({
    name: 'test', everyMs: 2, log,
    work: () => {
      runs += 1;
      if (runs % 2 === 0) throw new Error('at once');
      return Promise.reject(new Error('later'));
    },
  });
  await sleep(100);
  await periodic.stop();
  assert.ok(runs > 3, `${runs} runs`);
});

test('[P52] a stop waits for the run at hand; none follows', async () => {
  let runs = 0;
  const periodic = createPeriodic({
    name: 'test', everyMs: 1, log,
    work: async () => {
      await sleep(50);
      runs += 1;
    },
  });
  await sleep(20);
  await periodic.stop();
  assert.equal(runs, 1);
  await sleep(100);
  assert.equal(runs, 1);
});
