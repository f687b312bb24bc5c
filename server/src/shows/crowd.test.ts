import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Actor } from '../http/actor.ts';
import { createCrowd, GUESTS_PER_ADDRESS_MINUTE } from './crowd.ts';

const guest = (name: string | number): Actor => ({ kind: 'guest', guestId: String(name) });
const person: Actor = {
  kind: 'person', personId: 'p', name: 'Mei', isOperator: false, isDemo: false, sessionId: 's',
};

test('[S19] a guest that this request has made is not counted; one that came back and a person are', () => {
  const crowd = createCrowd({ nowMs: () => 0 });
  const made: Actor = { kind: 'guest', guestId: 'a', isNew: true };
  assert.throws(() => crowd.counted(made, '::1'), { code: 'shows.not_counted' });
  assert.deepEqual(crowd.counted(guest('a'), '::1'), guest('a'));
  assert.deepEqual(crowd.counted(person, '::1'), person);
});

test('[S19] of one address so many guests count in a minute; others are counted as before', () => {
  let nowMs = 0;
  const crowd = createCrowd({ nowMs: () => nowMs });
  for (let index = 0; index < GUESTS_PER_ADDRESS_MINUTE; index += 1) crowd.counted(guest(index), '192.0.2.1');
  assert.throws(() => crowd.counted(guest('more'), '192.0.2.1'), { code: 'request.too_many', retryAfterSeconds: 60 });
  crowd.counted(guest(0), '192.0.2.1');
  crowd.counted(person, '192.0.2.1');
  crowd.counted(guest('more'), '192.0.2.2');
  nowMs = 59_999;
  assert.throws(() => crowd.counted(guest('more'), '192.0.2.1'), { code: 'request.too_many', retryAfterSeconds: 1 });
  nowMs = 60_000;
  crowd.counted(guest('more'), '192.0.2.1');
});

test('[S19] [H18] the addresses of one IPv6 network are one address', () => {
  const crowd = createCrowd({ nowMs: () => 0 });
  for (let index = 0; index < GUESTS_PER_ADDRESS_MINUTE; index += 1) {
    crowd.counted(guest(index), `2001:db8::${index.toString(16)}`);
  }
  assert.throws(() => crowd.counted(guest('more'), '2001:db8::ffff'), { code: 'request.too_many' });
});
