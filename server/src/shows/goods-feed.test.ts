import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Product } from '@nacre/contract/catalog';
import type { RoomEvent } from '@nacre/contract/realtime';
import { STOCK_TOPIC } from '../catalog/events.ts';
import { createMemoryBus } from '../platform/bus.ts';
import { createLog } from '../platform/log.ts';
import { createGoodsFeed } from './goods-feed.ts';

const log = createLog('silent', false);
const variant = { id: 'v', optionValues: [], sku: 'a', priceMinor: 1, available: 0, held: 0 };
const product: Product = {
  id: 'p', shopId: 's', title: 'Dress', description: '', images: [], options: [], variants: [variant],
  currency: 'CNY', state: 'active', createdAt: '2026-01-01T00:00:00.000Z',
};

test('[W203] however many orders take pieces, a room hears five times a second at most, the end at once', async () => {
  const bus = createMemoryBus({ log });
  const told: Array<{ available: number | undefined; atMs: number }> = [];
  const stock = { ...variant, available: 1_000 };
  const feed = createGoodsFeed({
    bus, log,
    channel: {
      publish(_room, event) {
        if (event.type === 'stock') told.push({ available: event.levels[0]?.available, atMs: performance.now() });
      },
    },
    openShowsWith: async () => [{ showId: 'show', productId: 'p' }],
    productsByIds: async () => new Map([['p', { ...product, variants: [{ ...stock }] }]]),
    bagOfShow: async () => [],
  });
  const take = (pieces: number) => {
    stock.available -= pieces;
    bus.publish(STOCK_TOPIC, { levels: [{ productId: 'p', variantId: 'v', available: stock.available, held: 0 }] });
  };
  const beganMs = performance.now();
  while (performance.now() - beganMs < 1_000) {
    take(1);
    await sleep(1);
  }
  const during = told.length;
  assert.ok(during >= 2 && during <= 6, `${during} messages in a second`);
  take(stock.available);
  const goneMs = performance.now();
  while (told.at(-1)?.available !== 0 && performance.now() - goneMs < 5_000) await sleep(5);
  assert.equal(told.at(-1)?.available, 0);
  assert.ok(performance.now() - goneMs < 1_000, 'sold out is told within a second');
  await sleep(400);
  assert.equal(told.filter(({ available }) => available === 0).length, 1);
  await feed.stop();
});

test('[S17] a level that changed while the database was away reaches the room when it is back', async () => {
  const bus = createMemoryBus({ log });
  const told: RoomEvent[] = [];
  let isAway = true;
  const feed = createGoodsFeed({
    bus, log, lookAgainMs: 10,
    channel: { publish: (_room, event) => told.push(event) },
    async openShowsWith() {
      if (isAway) throw new Error('the database is away');
      return [{ showId: 'show', productId: 'p' }];
    },
    productsByIds: async () => new Map([['p', product]]),
    bagOfShow: async () => [],
  });
  const levels = [{ productId: 'p', variantId: 'v', available: 0, held: 0 }];
  bus.publish(STOCK_TOPIC, { levels });
  feed.markBag('show');
  await sleep(120);
  assert.deepEqual(told, []);
  isAway = false;
  await sleep(120);
  assert.deepEqual(told, [{ type: 'stock', levels }, { type: 'bag', items: [] }]);
  await feed.stop();
});
