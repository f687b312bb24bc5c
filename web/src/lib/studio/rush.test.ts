import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRush } from './rush.ts';

test('[W204] orders a second are those of the last five seconds, and none once it is quiet', () => {
  const rush = createRush();
  assert.equal(rush.perSecond(0), 0);
  rush.note(1_000, 0);
  assert.equal(rush.perSecond(0), 0);
  for (let second = 1; second <= 20; second += 1) rush.note(1_000 + second * 40, second * 1_000);
  assert.equal(rush.perSecond(20_000), 40);
  // An answer that was asked for before is older than what was told.
  rush.note(900, 20_100);
  assert.equal(rush.perSecond(20_100), 40);
  assert.equal(rush.perSecond(23_000), 16);
  assert.equal(rush.perSecond(25_000), 0);
  rush.note(1_805, 60_000);
  assert.equal(rush.perSecond(60_000), 1);
});
