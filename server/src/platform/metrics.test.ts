import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from './log.ts';
import { createMetrics } from './metrics.ts';

const log = createLog('silent', false);
const lineOf = (text: string, name: string) => text.split('\n').find((line) => line.startsWith(`nacre_${name} `));

test('[P70] what ends in _total is a counter, the rest gauges, each as it is when asked', async () => {
  const metrics = createMetrics({ log });
  let taps = 3;
  metrics.add({ taps_total: 'Taps', rooms: 'Rooms' }, async () => ({ taps_total: taps, rooms: 10 - taps }));
  const first = await metrics.text();
  assert.match(first, /# HELP nacre_taps_total Taps\n# TYPE nacre_taps_total counter\nnacre_taps_total 3\n/);
  assert.match(first, /# TYPE nacre_rooms gauge\nnacre_rooms 7\n/);
  taps = 5;
  const second = await metrics.text();
  assert.deepEqual([lineOf(second, 'taps_total'), lineOf(second, 'rooms')], ['nacre_taps_total 5', 'nacre_rooms 5']);
});

test('[P70] figures that cannot be read keep back no others', async () => {
  const metrics = createMetrics({ log });
  let fails = false;
  metrics.add({ sent_total: 'Sent', waiting: 'Waiting' }, async () => {
    if (fails) throw new Error('the database does not answer');
    return { sent_total: 4, waiting: 1 };
  });
  metrics.add({ rooms: 'Rooms' }, async () => ({ rooms: 2 }));
  await metrics.text();
  fails = true;
  const text = await metrics.text();
  assert.equal(lineOf(text, 'sent_total'), 'nacre_sent_total 4');
  assert.match(lineOf(text, 'waiting') ?? '', /^nacre_waiting nan$/i);
  assert.equal(lineOf(text, 'rooms'), 'nacre_rooms 2');
});
