import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPace } from './pace.ts';

test('[T4] five at once, then one every two seconds', () => {
  const now = { ms: 0 };
  const pace = createPace({ clock: { now: () => new Date(now.ms) } });
  const who = { personId: 'p', showId: 's', isHost: false };
  for (let index = 0; index < 5; index += 1) assert.equal(pace.admit(who, `m${index}`), null);
  assert.equal(pace.admit(who, 'm5'), 2);
  assert.equal(pace.admit({ ...who, personId: 'other' }, 'm5'), null);
  now.ms += 2_000;
  assert.equal(pace.admit(who, 'm5'), null);
  assert.equal(pace.admit(who, 'm6'), 2);
});

test('[T4] the same words again are refused for twenty seconds, but not the host’s', () => {
  const now = { ms: 0 };
  const pace = createPace({ clock: { now: () => new Date(now.ms) } });
  const who = { personId: 'p', showId: 's', isHost: false };
  assert.equal(pace.admit(who, 'yes'), null);
  now.ms += 5_000;
  assert.equal(pace.admit(who, 'yes'), 15);
  now.ms += 15_000;
  assert.equal(pace.admit(who, 'yes'), null);
  const host = { ...who, isHost: true, personId: 'h' };
  for (let index = 0; index < 20; index += 1) assert.equal(pace.admit(host, 'yes'), null);
  assert.equal(pace.admit(host, 'yes'), 1);
});
