import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RoomEvent } from '@nacre/contract/realtime';
import { createBatch } from './batch.ts';

const limits = { chatterPerTick: 3, chatterBacklog: 5, ordersPerTick: 2, ordersBacklog: 3 };

const NEW_YEAR = '2026-01-01T00:00:00Z';
function chat(text: string): RoomEvent {
  return {
    type: 'chat',
    message: { id: text, clientId: text, personId: 'p', name: 'Mei', isHost: false, text, sentAt: NEW_YEAR },
  };
}
const texts = (events: RoomEvent[]) => events.flatMap((event) => (event.type === 'chat' ? event.message.text : []));
const level = (variantId: string, available: number) => ({ productId: 'p', variantId, available, held: 0 });
const order = (orderId: string): RoomEvent => (
  { type: 'order', orderId, orderNumber: 'N-1', buyerName: 'Mei', lines: [], totalMinor: 1, currency: 'CNY' }
);

test('[R2] state stands before talk, whatever came first', () => {
  const batch = createBatch(limits);
  batch.add(chat('hello'));
  batch.add({ type: 'viewers', count: 3 });
  batch.add({ type: 'stock', levels: [level('v', 1)] });
  batch.add({ type: 'price', productId: 'p', variantId: 'v', priceMinor: 100 });
  batch.add({ type: 'on-screen', productId: 'p', number: 1 });
  assert.deepEqual(batch.take().map((event) => event.type), ['on-screen', 'price', 'stock', 'chat', 'viewers']);
  assert.ok(batch.isEmpty());
  assert.deepEqual(batch.take(), []);
});

test('[R3] of what changes several times in a tick only the latest is told', () => {
  const batch = createBatch(limits);
  batch.add({ type: 'stock', levels: [level('a', 5), level('b', 5)] });
  batch.add({ type: 'stock', levels: [level('a', 4)] });
  batch.add({ type: 'likes', total: 1 });
  batch.add({ type: 'likes', total: 2 });
  batch.add({ type: 'explain', productId: 'x', count: 1 });
  batch.add({ type: 'explain', productId: 'y', count: 1 });
  batch.add({ type: 'explain', productId: 'x', count: 2 });
  assert.deepEqual(batch.take(), [
    { type: 'stock', levels: [level('a', 4), level('b', 5)] },
    { type: 'likes', total: 2 },
    { type: 'explain', productId: 'x', count: 2 },
    { type: 'explain', productId: 'y', count: 1 },
  ]);
});

test('[R4] a burst of talk waits for the next ticks in its order; beyond the queue the oldest is left out', () => {
  const batch = createBatch(limits);
  for (const text of ['1', '2', '3', '4', '5', '6', '7']) batch.add(chat(text));
  batch.add({ type: 'on-screen', productId: null, number: null });
  const first = batch.take();
  assert.equal(first[0]?.type, 'on-screen');
  assert.deepEqual(texts(first), ['3', '4', '5']);
  assert.equal(batch.isEmpty(), false);
  assert.deepEqual(texts(batch.take()), ['6', '7']);
  assert.ok(batch.isEmpty());
  assert.equal(batch.thinned(), 2);
});

test('[R4] orders of a rush come to the studio a few at a time', () => {
  const batch = createBatch(limits);
  for (const id of ['1', '2', '3']) batch.add(order(id));
  assert.equal(batch.take().length, 2);
  assert.equal(batch.take().length, 1);
  assert.equal(batch.thinned(), 0);
});

test('[R4] of many who come within a tick one is announced', () => {
  const batch = createBatch(limits);
  batch.add({ type: 'came', name: 'A' });
  batch.add({ type: 'came', name: 'B' });
  assert.deepEqual(batch.take(), [{ type: 'came', name: 'B' }]);
});

test('[R5] a message removed while it waits is not sent, and its removal is told', () => {
  const batch = createBatch(limits);
  for (const text of ['1', '2', '3', '4']) batch.add(chat(text));
  batch.add({ type: 'chat-removed', messageId: '2' });
  const events = batch.take();
  assert.deepEqual(texts(events), ['1', '3', '4']);
  assert.ok(events.some((event) => event.type === 'chat-removed' && event.messageId === '2'));
});

test('[R3] interest of several products and new followers become one event', () => {
  const batch = createBatch(limits);
  const item = (productId: string, cardOpened: number) => (
    { productId, number: 1, cardOpened, sheetOpened: 0, bagged: 0, bought: 0, explainRequests: 0 }
  );
  batch.add({ type: 'interest', items: [item('a', 1)] });
  batch.add({ type: 'interest', items: [item('a', 2), item('b', 1)], newFollowers: 4 });
  assert.deepEqual(batch.take(), [{ type: 'interest', items: [item('a', 2), item('b', 1)], newFollowers: 4 }]);
});
