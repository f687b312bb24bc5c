import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addCounts, AFTER, BEFORE, bucketOf, MINUTE_MS, noCounts, rowsOf } from './minutes.ts';

const startMs = Date.parse('2026-03-28T23:59:30Z');

test('[AN1] a moment has one minute; before the show and after it are buckets of their own', () => {
  const span = { startMs, endMs: startMs + 90_000 };
  assert.equal(bucketOf(span, startMs - 1), BEFORE);
  assert.equal(bucketOf(span, startMs), 0);
  assert.equal(bucketOf(span, startMs + 59_999), 0);
  assert.equal(bucketOf(span, startMs + 60_000), 1);
  assert.equal(bucketOf(span, startMs + 90_000), AFTER);
  assert.equal(bucketOf({ startMs, endMs: null }, startMs + 2_000 * MINUTE_MS), AFTER);
  assert.equal(bucketOf({ startMs: null, endMs: null }, startMs), BEFORE);
});

test('[AN1] begun minutes are rows', () => {
  const rows = (lastedMs: number) => rowsOf({ startMs, endMs: startMs + lastedMs }, 0);
  assert.deepEqual([0, 1, 60_000, 60_001, 720 * MINUTE_MS, 9_999 * MINUTE_MS].map(rows), [1, 1, 1, 2, 720, 1_440]);
  assert.equal(rowsOf({ startMs, endMs: null }, startMs + 60_000), 2);
  assert.equal(rowsOf({ startMs, endMs: null }, startMs - 5_000), 1, 'a clock that went back');
  assert.equal(rowsOf({ startMs: null, endMs: null }, startMs), 0);
});

test('[AN12] the steps of the funnel add up field by field', () => {
  const sum = noCounts();
  addCounts(sum, { ...noCounts(), cardsOpened: 5, sheetsOpened: 3, placed: 2, paid: 1, salesMinor: 12_900 });
  addCounts(sum, { ...noCounts(), cardsOpened: 1, paid: 1, salesMinor: 100 });
  assert.deepEqual(sum, {
    ...noCounts(), cardsOpened: 6, sheetsOpened: 3, placed: 2, paid: 2, salesMinor: 13_000,
  });
});
