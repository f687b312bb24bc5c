import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import type { Actor } from '../http/actor.ts';
import { countedRooms, createPresence } from './presence.ts';

const guest = (guestId: string): Actor => ({ kind: 'guest', guestId });

function create(now: { ms: number }, viewersEveryMs = 20) {
  const counts: string[] = [];
  const came: string[] = [];
  const presence = createPresence({
    clock: { now: () => new Date(now.ms) },
    limits: { viewersEveryMs, cameAgainMs: 1_000, cameRemembered: 10 },
    onCount: (room, count) => counts.push(`${room} ${count}`),
    onPresence: () => {},
    onCame: (room, actor) => came.push(`${room} ${actor.kind === 'guest' ? actor.guestId : actor.personId}`),
  });
  return { presence, counts, came };
}

test('[R13] a viewer counts from the first tab to the last', () => {
  const { presence } = create({ ms: 0 });
  presence.enter('show/1', guest('a'));
  presence.enter('show/1', guest('a'));
  presence.enter('show/1', guest('b'));
  assert.equal(presence.count('show/1'), 2);
  presence.leave('show/1', guest('a'));
  assert.equal(presence.count('show/1'), 2);
  presence.leave('show/1', guest('a'));
  presence.leave('show/1', guest('a'));
  assert.equal(presence.count('show/1'), 1);
  presence.leave('show/1', guest('b'));
  assert.equal(presence.count('show/1'), 0);
  presence.stop();
});

test('[R13] many changes are told as one count', async () => {
  const { presence, counts } = create({ ms: 0 });
  for (let index = 0; index < 50; index += 1) presence.enter('show/1', guest(`g${index}`));
  await sleep(60);
  assert.deepEqual(counts, ['show/1 50']);
  presence.stop();
});

test('[R20] who comes back soon is not announced again', () => {
  const now = { ms: 0 };
  const { presence, came } = create(now);
  presence.enter('show/1', guest('a'));
  presence.enter('show/1', guest('a'));
  presence.leave('show/1', guest('a'));
  presence.leave('show/1', guest('a'));
  now.ms += 900;
  presence.enter('show/1', guest('a'));
  assert.deepEqual(came, ['show/1 a']);
  presence.leave('show/1', guest('a'));
  now.ms += 1_100;
  presence.enter('show/1', guest('a'));
  assert.deepEqual(came, ['show/1 a', 'show/1 a']);
  presence.stop();
});

test('[R13] who works in the studio does not watch that show', () => {
  assert.deepEqual([...countedRooms(new Set(['show/1', 'studio/1', 'show/2']))], ['show/2']);
  assert.deepEqual([...countedRooms(new Set(['studio/1']))], []);
});
