/** What the studio hears of orders, over sockets, on a real database. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { createShowApi, heardOf, joinShow, untilHeard } from '../../../tests/support/show-api.ts';
import type { OrderFact } from '../orders/events.ts';

const database = await createTestDatabase(import.meta.url);
const api = await createShowApi(database.serverUrl);
after(async () => {
  await api.stop();
  await database.drop();
});
const { owner, shop, products } = await api.newMarket(1);
const stranger = await api.newPerson('Tao');

test('[W204] orders placed and paid are counted for the studio, each once, in one message a second', async () => {
  const show = await api.newLiveShow(owner, shop.id, products);
  const host = await api.enter(owner.cookie);
  const viewer = await api.enter();
  await host.join(`studio/${show.id}`);
  await joinShow(viewer, `show/${show.id}`);
  const fact = (showId: string | null): OrderFact => ({
    orderId: api.platform.newId(), orderNumber: 'N-1', shopId: shop.id, showId, buyerId: stranger.id, buyerName: 'Tao',
    lines: [], totalMinor: 115, goodsMinor: 100, currency: 'CNY',
  });
  const tell = (topic: string, payload: object) => api.platform.database.transaction((tx) => (
    api.platform.outbox.publish(tx, { topic, payload: { ...payload } })
  ));
  for (let batch = 0; batch < 30; batch += 1) {
    await tell('orders.placed', { orders: [fact(show.id), fact(null), fact(show.id)] });
  }
  // As an earlier version wrote it.
  await tell('orders.placed', fact(show.id));
  await tell('orders.paid', fact(show.id));
  await untilHeard(host, `studio/${show.id}`, 'interest', ({ sales }) => sales?.placed === 61 && sales.paid === 1);
  const heard = heardOf(host, `studio/${show.id}`, 'interest');
  assert.ok(heard.length <= 4, `${heard.length} messages`);
  assert.deepEqual(heard.at(-1)?.sales, { placed: 61, paid: 1, salesMinor: 100, refundedMinor: 0 });
  const { placed, orders, salesMinor } = await api.shows.figures(owner.id, show.id);
  assert.deepEqual([placed, orders, salesMinor], [61, 1, 100]);
  await tell('orders.cancelled', { ...fact(show.id), by: 'buyer', reason: null });
  await untilHeard(host, `studio/${show.id}`, 'interest', ({ sales }) => sales?.refundedMinor === 100);
  assert.deepEqual(heardOf(viewer, `show/${show.id}`, 'interest'), []);
  await Promise.all([host.close(), viewer.close()]);
});
