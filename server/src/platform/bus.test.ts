/** The suite that every bus passes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMemoryBus, type Bus } from './bus.ts';
import { createLog } from './log.ts';

/** Longer than any bus takes to hand a message round on one machine. */
const SETTLE_MS = 20;

const buses: Record<string, () => Bus> = {
  memory: () => createMemoryBus({ log: createLog('silent', false) }),
};

for (const [name, create] of Object.entries(buses)) {
  test(`[P20] ${name}: everybody who subscribed to a topic hears its messages in sequence, nobody else`, async () => {
    const bus = create();
    const heard: Record<string, unknown[]> = { a: [], b: [], other: [] };
    bus.subscribe('topic', (message) => void heard['a']?.push(message));
    bus.subscribe('topic', (message) => void heard['b']?.push(message));
    bus.subscribe('topic.other', (message) => void heard['other']?.push(message));
    for (let n = 0; n < 100; n += 1) bus.publish('topic', { n });
    await sleep(SETTLE_MS);
    const all = Array.from({ length: 100 }, (_, n) => ({ n }));
    assert.deepEqual(heard, { a: all, b: all, other: [] });
    await bus.stop();
  });

  test(`[P21] ${name}: a listener that throws or rejects harms neither the sender nor the others`, async () => {
    const bus = create();
    const heard: unknown[] = [];
    bus.subscribe('topic', () => {
      throw new Error('broken');
    });
    bus.subscribe('topic', async () => {
      throw new Error('broken later');
    });
    bus.subscribe('topic', (message) => void heard.push(message));
    bus.publish('topic', 1);
    await sleep(SETTLE_MS);
    assert.deepEqual(heard, [1]);
    await bus.stop();
  });

  test(`[P22] ${name}: who leaves hears nothing more, also when the same function is subscribed twice`, async () => {
    const bus = create();
    let count = 0;
    const listener = () => {
      count += 1;
    };
    const leave = bus.subscribe('topic', listener);
    bus.subscribe('topic', listener);
    bus.publish('topic', 1);
    await sleep(SETTLE_MS);
    assert.equal(count, 2);
    leave();
    leave();
    bus.publish('topic', 2);
    await sleep(SETTLE_MS);
    assert.equal(count, 3);
    await bus.stop();
  });

  test(`[P22] ${name}: who subscribes while a message is handed round hears the next one`, async () => {
    const bus = create();
    const heard: unknown[] = [];
    let subscribed = false;
    bus.subscribe('topic', () => {
      if (subscribed) return;
      subscribed = true;
      bus.subscribe('topic', (message) => void heard.push(message));
    });
    bus.publish('topic', 1);
    await sleep(SETTLE_MS);
    bus.publish('topic', 2);
    await sleep(SETTLE_MS);
    assert.deepEqual(heard, [2]);
    await bus.stop();
  });

  test(`[P23] ${name}: after the stop nobody hears anything, and publishing is no error`, async () => {
    const bus = create();
    const heard: unknown[] = [];
    bus.subscribe('topic', (message) => void heard.push(message));
    await bus.stop();
    bus.publish('topic', 1);
    await sleep(SETTLE_MS);
    assert.deepEqual(heard, []);
  });
}
