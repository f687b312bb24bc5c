/** The room client's arithmetic: which events are new, and how long to wait before coming back. Pure. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs, newEvents } from './realtime.svelte.ts';

test('[W9] events reach the page once each and in order, or the page asks for what is missing', () => {
  assert.deepEqual(newEvents(['a', 'b'], 2, 0), ['a', 'b'], 'the next ones');
  assert.deepEqual(newEvents(['b', 'c'], 3, 2), ['c'], 'of an overlap only the new one');
  assert.deepEqual(newEvents(['a'], 1, 4), [], 'old news is no news');
  assert.equal(newEvents(['e'], 5, 3), null, 'one is missing between');
});

test('[W10] pauses grow, stay under a ceiling, and differ from page to page', () => {
  assert.ok(backoffMs(0, () => 0) >= 250 && backoffMs(0, () => 1) <= 500);
  assert.ok(backoffMs(3, () => 0.5) > backoffMs(0, () => 0.5));
  assert.ok(backoffMs(1000, () => 1) <= 15_000);
  assert.notEqual(backoffMs(2, () => 0.1), backoffMs(2, () => 0.9));
});
