import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTracker, type MinuteChange, type Taken } from './tracker.ts';

const MINUTE = 60_000;
/** 23:59:30, so that a show crosses midnight at once. */
const START = Date.parse('2026-03-28T23:59:30Z');
const minuteIn = ({ minutes }: Taken, minute: number): MinuteChange => {
  const found = minutes.find((change) => change.minute === minute);
  assert.ok(found, `no minute ${minute}`);
  return found;
};

test('[AN1] minutes count from going live, across midnight', () => {
  const tracker = createTracker();
  tracker.run('s', START, START, []);
  tracker.count('s', 'chats', 1, START + MINUTE - 1);
  tracker.count('s', 'chats', 2, START + MINUTE);
  const taken = tracker.take(START + MINUTE, 100);
  assert.equal(minuteIn(taken, 0).chats, 1);
  assert.equal(minuteIn(taken, 1).chats, 2);
});

test('[AN2] time watched is the sum over viewers, cut at the minute’s end', () => {
  const tracker = createTracker();
  tracker.run('s', START, START, []);
  tracker.enter('s', 'guest/a', START + 50_000);
  tracker.enter('s', 'guest/b', START + 55_000);
  tracker.leave('s', 'guest/a', START + 70_000);
  const taken = tracker.take(START + 80_000, 100);
  assert.equal(minuteIn(taken, 0).watchedMs, 15_000);
  assert.equal(minuteIn(taken, 1).watchedMs, 30_000);
  const a = taken.moves.find(({ viewer }) => viewer === 'guest/a');
  assert.deepEqual(a, {
    showId: 's', viewer: 'guest/a', firstAtMs: START + 50_000, hereSinceMs: null, watchedMs: 20_000,
  });
  assert.equal(taken.moves.find(({ viewer }) => viewer === 'guest/b')?.hereSinceMs, START + 55_000);
});

test('[AN2] who waited before the show has watched since it went live', () => {
  const tracker = createTracker();
  tracker.enter('s', 'guest/a', START - 10 * MINUTE);
  tracker.run('s', START, START, ['guest/a']);
  tracker.end('s', START + 30_000);
  const { moves, minutes } = tracker.take(START + 31_000, 100);
  assert.deepEqual(moves, [
    { showId: 's', viewer: 'guest/a', firstAtMs: START, hereSinceMs: null, watchedMs: 30_000 },
  ]);
  assert.deepEqual(minutes.map(({ viewers, watchedMs }) => [viewers, watchedMs]), [[1, 30_000]]);
});

test('[AN3] different viewers of a minute count once each, however often they come', () => {
  const tracker = createTracker();
  tracker.run('s', START, START, []);
  for (const atMs of [1_000, 3_000, 5_000]) {
    tracker.enter('s', 'guest/a', START + atMs);
    tracker.enter('s', 'guest/a', START + atMs);
    tracker.leave('s', 'guest/a', START + atMs + 1_000);
  }
  tracker.enter('s', 'guest/b', START + 30_000);
  const first = tracker.take(START + MINUTE + 1, 100);
  assert.deepEqual(
    [minuteIn(first, 0).differentViewers, minuteIn(first, 0).peakViewers, minuteIn(first, 0).viewers], [2, 1, 1],
  );
  tracker.enter('s', 'guest/a', START + MINUTE + 2);
  const second = minuteIn(tracker.take(START + MINUTE + 3, 100), 1);
  assert.deepEqual([second.differentViewers, second.peakViewers, second.viewers], [2, 2, 2]);
});

test('[AN4] a clock that goes back takes no time away and adds none', () => {
  const tracker = createTracker();
  tracker.run('s', START, START, []);
  tracker.enter('s', 'guest/a', START + 10_000);
  tracker.count('s', 'chats', 1, START - 3_600_000);
  tracker.leave('s', 'guest/a', START + 5_000);
  const taken = tracker.take(START + 9_000, 100);
  assert.equal(minuteIn(taken, 0).watchedMs, 0);
  assert.equal(minuteIn(taken, 0).chats, 1);
  assert.equal(taken.moves[0]?.watchedMs, 0);
});

test('[AN5] what could not be written is written with what came since', () => {
  const tracker = createTracker();
  tracker.run('s', START, START, []);
  tracker.enter('s', 'guest/a', START);
  tracker.count('s', 'likes', 3, START);
  const failed = tracker.take(START + 2_000, 100);
  tracker.count('s', 'likes', 4, START + 3_000);
  tracker.leave('s', 'guest/a', START + 4_000);
  tracker.giveBack(failed);
  const taken = tracker.take(START + 5_000, 100);
  assert.equal(minuteIn(taken, 0).likes, 7);
  assert.equal(minuteIn(taken, 0).watchedMs, 4_000);
  assert.deepEqual(taken.moves, [
    { showId: 's', viewer: 'guest/a', firstAtMs: START, hereSinceMs: null, watchedMs: 4_000 },
  ]);
  assert.deepEqual(tracker.take(START + 6_000, 100), { minutes: [], moves: [] });
});

test('[AN6] over the bounds viewers are still counted, only not known by name', () => {
  const tracker = createTracker({ shows: 1, viewers: 2 });
  tracker.run('s', START, START, []);
  tracker.run('t', START, START, []);
  for (const viewer of ['a', 'b', 'c']) tracker.enter('s', viewer, START);
  tracker.enter('t', 'a', START);
  tracker.leave('s', 'c', START + 1_000);
  const taken = tracker.take(START + 2_000, 100);
  assert.deepEqual(taken.minutes.map(({ showId, peakViewers, viewers }) => [showId, peakViewers, viewers]), [
    ['s', 3, 2],
  ]);
  assert.ok(taken.moves.length <= 2);
});

test('[AN7] after the end nothing moves, but likes that were under way count for the last minute', () => {
  const tracker = createTracker();
  tracker.run('s', START, START, []);
  tracker.enter('s', 'guest/a', START);
  tracker.end('s', START + 90_000);
  tracker.count('s', 'likes', 5, START + 130_000);
  tracker.enter('s', 'guest/b', START + 130_000);
  tracker.leave('s', 'guest/a', START + 140_000);
  const taken = tracker.take(START + 150_000, 100);
  assert.deepEqual(taken.minutes.map(({ minute }) => minute), [0, 1]);
  assert.deepEqual([minuteIn(taken, 1).likes, minuteIn(taken, 1).viewers], [5, 1]);
  assert.deepEqual(taken.moves.map(({ viewer, watchedMs }) => [viewer, watchedMs]), [['guest/a', 90_000]]);
  tracker.count('s', 'likes', 1, START + 200_000);
  assert.deepEqual(tracker.take(START + 200_000, 100).minutes, [], 'and is forgotten');
});

test('[AN1] a day is the longest: what comes later is one row more', () => {
  const tracker = createTracker();
  tracker.run('s', START, START, ['guest/a']);
  const taken = tracker.take(START + 1_500 * MINUTE, 100);
  assert.equal(taken.minutes.length, 1_441);
  assert.equal(minuteIn(taken, 1_440).watchedMs, 60 * MINUTE);
});
