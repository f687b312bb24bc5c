import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPageClock } from './page-clock.ts';
import { sizeFor } from './picture-encoder.ts';
import { createWays } from './ways.ts';

const minute = 60_000;

test('[W300] the direct way is first; where it does not connect the socket is, for half an hour', () => {
  const ways = createWays(true);
  assert.equal(ways.next(0), 'direct');
  ways.directBlocked(0);
  assert.equal(ways.next(0), 'socket');
  assert.equal(ways.next(30 * minute - 1), 'socket');
  assert.equal(ways.next(30 * minute), 'direct');
});

test('[W302] while the network is away the socket is tried on, and the direct way has a turn', () => {
  const ways = createWays(true);
  ways.directBlocked(0);
  const tried = Array.from({ length: 42 }, () => {
    const way = ways.next(1);
    if (way === 'socket') ways.socketFailed();
    else ways.directBlocked(1);
    return way;
  });
  assert.deepEqual(tried.flatMap((way, at) => (way === 'direct' ? [at] : [])), [20, 41]);
  ways.networkChanged(2);
  for (let failures = 0; failures < 2; failures++) {
    assert.equal(ways.next(2), 'socket');
    ways.socketFailed();
  }
  assert.equal(ways.next(2), 'direct', 'another network may let through the other way');
  ways.directBlocked(3);
  ways.next(3);
  ways.socketWorks();
  ways.socketFailed();
  assert.equal(ways.next(3), 'socket');
});

test('[W300] what was met the last time is remembered, but no longer than its time from now', () => {
  assert.equal(createWays(true, 10 * minute, 0).next(9 * minute), 'socket');
  const clockWasWrong = createWays(true, 1e12, 0);
  assert.equal(clockWasWrong.next(31 * minute), 'direct');
  assert.equal(createWays(true, 10 * minute, 11 * minute).next(11 * minute), 'direct');
});

test('[W300] without a second way there is the direct one, whatever it met', () => {
  const ways = createWays(false, 10 * minute, 0);
  ways.directBlocked(0);
  assert.equal(ways.next(1), 'direct');
  assert.equal(ways.blockedUntilMs(), 0);
});

test('[W301] the direct way is tried after 30 s, doubling to ten minutes, and at once on another network', () => {
  const ways = createWays(true);
  ways.directBlocked(0);
  const tried: number[] = [];
  for (let nowMs = 0; nowMs < 60 * minute; nowMs += 1_000) {
    if (!ways.isDirectDue(nowMs)) continue;
    tried.push(nowMs / 1_000);
    ways.directBlocked(nowMs);
  }
  assert.deepEqual(tried.slice(0, 6), [30, 90, 210, 450, 930, 1530]);
  assert.equal(tried.length, 9);
  ways.networkChanged(60 * minute);
  assert.ok(ways.isDirectDue(60 * minute));
  assert.equal(ways.next(60 * minute), 'socket', 'which works nearly everywhere, while the direct one is tried');
  ways.directWorks();
  assert.equal(ways.next(60 * minute), 'direct');
});

test('[W300] a picture keeps its shape, fits 720 × 1280 either way up, and has even sides', () => {
  const size = (width: number, height: number, scale = 1) => Object.values(sizeFor(width, height, scale));
  assert.deepEqual(size(720, 1280), [720, 1280]);
  assert.deepEqual(size(1920, 1080), [1280, 720]);
  assert.deepEqual(size(1080, 1920, 0.75), [540, 960]);
  assert.deepEqual(size(480, 640), [480, 640]);
  assert.deepEqual(size(719, 1279), [720, 1280]);
  assert.deepEqual(size(3, 1), [4, 2]);
});

test('[W300] pictures and sound stand on one clock, by the quickest way that they took', () => {
  const clock = createPageClock();
  assert.equal(clock(1_000, 50), 50);
  assert.ok(Math.abs(clock(1_033, 100) - 83) < 0.1, 'one that came late was not captured late');
  assert.ok(Math.abs(clock(1_066, 111) - 111) < 0.1, 'one that came sooner than any before sets the clock');
  assert.ok(Math.abs(clock(1_100, 160) - 145) < 0.1);
});
