import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Replay } from '@nacre/contract/replays';
import { chapterAt, likesAt, momentOf, placeAsked, placeOf } from './places.ts';

const liveMs = Date.UTC(2026, 10, 27, 20);
const at = (ms: number) => new Date(liveMs + ms).toISOString();
const replay: Replay = {
  showId: 's', state: 'ready', isReplaced: false, durationMs: 300_000, keptUntil: null, removedWhy: null,
  // Two minutes, a break of one, three minutes.
  stretches: [
    { fromMs: 0, startedAt: at(0), durationMs: 120_000, isHealed: false, isReplacing: false },
    { fromMs: 120_000, startedAt: at(180_000), durationMs: 180_000, isHealed: false, isReplacing: false },
  ],
  chapters: [
    { productId: 'a', number: 1, fromMs: 10_000, toMs: 60_000 },
    { productId: 'b', number: 2, fromMs: 60_000, toMs: 90_000 },
  ],
  likesByMinute: [10, 0, 100, 20],
};

test('[W320] a moment of the day is a place and a place a moment, across a break', () => {
  const { stretches } = replay;
  const places = [-5, 0, 119_999, 150_000, 200_000, 9e9].map((moment) => placeOf(stretches, liveMs + moment));
  assert.deepEqual(places, [0, 0, 119_999, 120_000, 140_000, 300_000]);
  const moments = [0, 119_000, 120_000, 140_000, 999_999].map((place) => momentOf(stretches, place)! - liveMs);
  assert.deepEqual(moments, [0, 119_000, 180_000, 200_000, 360_000]);
  assert.equal(placeOf([], 5), 0);
  assert.equal(momentOf([], 5), null);
});

test('[W320] what was on screen, and how many liked it by then', () => {
  const at = (placeMs: number) => chapterAt(replay.chapters, placeMs)?.productId ?? null;
  assert.deepEqual([at(0), at(10_000), at(59_999), at(60_000), at(90_000)], [null, 'a', 'a', 'b', null]);
  const likes = (placeMs: number) => likesAt(replay, liveMs, placeMs);
  assert.deepEqual([likes(0), likes(30_000), likes(119_000), likes(120_000), likes(150_000), likes(300_000)], [
    0, 5, 10, 110, 120, 130,
  ]);
});

test('[W321] the page’s address names where to begin, by place or by moment; nonsense names nothing', () => {
  const asked = (query: string) => placeAsked(new URLSearchParams(query), replay);
  assert.deepEqual(['t=75', `at=${liveMs + 200_000}`, 't=99999', '', 't=-1', 't=1e3', 'at=soon'].map(asked), [
    75_000, 140_000, 300_000, null, null, null, null,
  ]);
});
