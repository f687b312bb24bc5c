/** What rooms are told of live prices. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMemoryBus } from '../platform/bus.ts';
import { createLog } from '../platform/log.ts';
import { OFFERS_TOPIC } from './events.ts';
import { createOffersFeed } from './reactions.ts';

const WITHIN_MS = 5_000;
const log = createLog('silent', false);
const bus = createMemoryBus({ log });
after(() => bus.stop());

test('[OF11] a look that fails is made again; other rooms and the stop do not wait for it', async () => {
  const told: string[] = [];
  const asked: string[] = [];
  let away = true;
  const feed = createOffersFeed({
    bus, log,
    channel: { publish: (room) => void told.push(room) },
    async liveIn(showId) {
      asked.push(showId);
      if (away && showId === 'a') throw new Error('the database is away');
      return [];
    },
  });
  for (const showId of ['a', 'b', 'a']) bus.publish(OFFERS_TOPIC, { showId });
  await until(() => told.length > 0);
  assert.deepEqual([told, asked], [['show/b'], ['a', 'b']]);
  away = false;
  await until(() => told.length > 1);
  assert.deepEqual([told, asked], [['show/b', 'show/a'], ['a', 'b', 'a']]);
  away = true;
  bus.publish(OFFERS_TOPIC, { showId: 'a' });
  await until(() => asked.length > 3);
  await feed.stop();
  const count = asked.length;
  await sleep(1_500);
  assert.equal(asked.length, count, 'nothing is asked after the stop');
});

async function until(holds: () => boolean): Promise<void> {
  const endMs = performance.now() + WITHIN_MS;
  while (!holds()) {
    assert.ok(performance.now() < endMs, 'waited in vain');
    await sleep(10);
  }
}
