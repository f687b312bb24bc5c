import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryBus } from '../platform/bus.ts';
import { createLog } from '../platform/log.ts';
import { createInForce, forceOf, isInForce, muteKey } from './in-force.ts';
import type { MeasureRow } from './store.ts';

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute));
const measure = (changes: Partial<MeasureRow>): MeasureRow => ({
  id: 'm', kind: 'mute', decided_as: 'shop', decided_by: 'host', person_id: 'mei', name: 'Mei', guest_ids: [],
  shop_id: 'shop', show_id: 'show', message_id: null, text: null, reason: 'spam', words: '', created_at: at(0),
  until: null, lifted_at: null, ...changes,
});

test('[MO3] a measure holds until its time, until it is lifted, or for good', () => {
  assert.equal(isInForce(measure({}), at(1_000)), true);
  assert.equal(isInForce(measure({ until: at(10) }), at(9)), true);
  assert.equal(isInForce(measure({ until: at(10) }), at(10)), false);
  assert.equal(isInForce(measure({ until: at(10), lifted_at: at(5) }), at(6)), false);
});

test('[MO3] of two measures the one that holds longer counts; a ban holds for the browser as well', () => {
  const rows = [
    measure({ id: 'short', until: at(5) }), measure({ id: 'long', until: at(9) }),
    measure({ id: 'ban', kind: 'ban', show_id: null, guest_ids: ['g1'] }),
    measure({ id: 'day', kind: 'ban', show_id: null, until: at(99) }),
  ];
  const force = forceOf(rows, []);
  assert.equal(force.mutes.get(muteKey('show', 'mei'))?.id, 'long');
  assert.equal(force.bans.get('person/mei')?.id, 'ban');
  assert.equal(force.bans.get('guest/g1')?.id, 'ban');
});

test('[MO4] what holds is read once and again after a change, also one that came while it was read', async () => {
  const bus = createMemoryBus({ log: createLog('silent', false) });
  let reads = 0;
  const waiting: Array<() => void> = [];
  const inForce = createInForce({
    bus,
    async loadShop() {
      reads += 1;
      const mine = reads;
      await new Promise<void>((resolve) => waiting.push(resolve));
      return forceOf([measure({ id: String(mine) })], []);
    },
    loadTalk: async () => new Map(),
  });
  const first = inForce.ofShop('shop');
  assert.equal(inForce.ofShop('shop'), first);
  inForce.changed('shop');
  const second = inForce.ofShop('shop');
  for (const go of waiting) go();
  assert.equal((await second).mutes.get(muteKey('show', 'mei'))?.id, '2');
  await first;
  assert.equal(inForce.ofShop('shop'), second);
  assert.equal(reads, 2);
  await bus.stop();
});
