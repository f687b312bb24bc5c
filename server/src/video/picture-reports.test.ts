import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPictureReports } from './picture-reports.ts';

function stage() {
  const heard: string[] = [];
  const fault = { error: null as Error | null };
  const reports = createPictureReports({
    async onUp(showId) {
      await sleep(1);
      if (fault.error) throw fault.error;
      heard.push(`up ${showId}`);
    },
    async onDown(showId, reason) {
      await sleep(1);
      if (fault.error) throw fault.error;
      heard.push(`down ${showId} ${reason}`);
    },
    isFinal: (error) => error instanceof RangeError,
    log: { info() {}, warn() {}, error() {} },
    retryFirstMs: 5,
  });
  return { heard, fault, reports };
}

test('[V16] what could not be noted is noted when the database is back', async () => {
  const { heard, fault, reports } = stage();
  fault.error = new Error('the database is away');
  reports.up('a');
  reports.down('b', 'lost');
  await sleep(40);
  assert.deepEqual(heard, []);
  fault.error = null;
  await sleep(120);
  assert.deepEqual(heard.toSorted(), ['down b lost', 'up a']);
  reports.stop();
});

test('[V16] the last thing told is what is so, however often it changed meanwhile', async () => {
  const { heard, fault, reports } = stage();
  fault.error = new Error('the database is away');
  reports.up('a');
  await sleep(10);
  reports.down('a', 'lost');
  reports.up('a');
  reports.down('a', 'closed');
  fault.error = null;
  await sleep(120);
  assert.equal(heard.at(-1), 'down a closed');
  assert.ok(!heard.includes('down a lost'));
  reports.stop();
});

test('[V16] a refusal is not repeated, and nothing is told after the stop', async () => {
  const { heard, fault, reports } = stage();
  fault.error = new RangeError('there is no such show');
  reports.up('a');
  await sleep(10);
  fault.error = new Error('the database is away');
  reports.up('b');
  await sleep(10);
  reports.stop();
  fault.error = null;
  reports.up('c');
  await sleep(40);
  assert.deepEqual(heard, []);
});
