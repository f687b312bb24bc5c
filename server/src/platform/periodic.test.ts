import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLog } from './log.ts';
import { createPeriodic } from './periodic.ts';

const log = createLog('silent', false);

/** Machines that do other things run late; how often something ran is waited for, not expected by then. */
async function reach(runs: () => number, atLeast: number): Promise<void> {
  for (let waitedMs = 0; runs() < atLeast; waitedMs += 5) {
    assert.ok(waitedMs < 10_000, `${runs()} runs`);
    await sleep(5);
  }
}

test('[P50] one run at a time, the next one after a pause', async () => {
  let running = 0;
  let runs = 0;
  const startedMs = performance.now();
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
  await reach(() => runs, 4);
  await periodic.stop();
  // A timer may be a millisecond early.
  assert.ok(performance.now() - startedMs >= runs * (19 + 4), `${runs} runs`);
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
  await reach(() => runs, 4);
  await periodic.stop();
});

test('[P52] a stop waits for the run at hand; none follows', async () => {
  let runs = 0;
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const periodic = createPeriodic({
    name: 'test', everyMs: 1, log,
    work: async () => {
      begin();
      await sleep(50);
      runs += 1;
    },
  });
  await begun;
  await periodic.stop();
  assert.equal(runs, 1);
  await sleep(100);
  assert.equal(runs, 1);
});
