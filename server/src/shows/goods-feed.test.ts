import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Product } from '@nacre/contract/catalog';
import type { RoomEvent } from '@nacre/contract/realtime';
import { STOCK_TOPIC } from '../catalog/events.ts';
import { createMemoryBus } from '../platform/bus.ts';
import { createLog } from '../platform/log.ts';
import { createGoodsFeed } from './goods-feed.ts';

test('[S17] a level that changed while the database was away reaches the room when it is back', async () => {
  const log = createLog('silent', false);
  const bus = createMemoryBus({ log });
  const told: RoomEvent[] = [];
  const variant = { id: 'v', optionValues: [], sku: 'a', priceMinor: 1, available: 0, held: 0 };
  const product: Product = {
    id: 'p', shopId: 's', title: 'Dress', description: '', images: [], options: [], variants: [variant],
    currency: 'CNY', state: 'active', createdAt: '2026-01-01T00:00:00.000Z',
  };
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
