import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keptMost, readKept, withPlace, withoutShow } from './kept.ts';

const show = (index: number) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;

test('[W411] what a guest has watched is kept the latest first, bounded, each show once', () => {
  let kept = readKept(null);
  for (let at = 0; at < keptMost + 5; at += 1) kept = withPlace(kept, { showId: show(at), positionMs: at });
  assert.equal(kept.length, keptMost);
  assert.equal(kept[0]?.showId, show(keptMost + 4));
  kept = withPlace(kept, { showId: show(10), positionMs: 99 });
  assert.deepEqual([kept.length, kept[0]], [keptMost, { showId: show(10), positionMs: 99 }]);
  assert.equal(kept.filter(({ showId }) => showId === show(10)).length, 1);
  assert.deepEqual(readKept(JSON.stringify(kept)), kept);
  assert.equal(withoutShow(kept, show(10)).some(({ showId }) => showId === show(10)), false);
});

test('[W411] of what stands in the browser only what is right is read', () => {
  const right = { showId: show(1), positionMs: 5_000 };
  const nonsense = [
    null, 7, 'x', {}, { showId: 'no id', positionMs: 1 }, { showId: show(2), positionMs: -1 },
    { showId: show(3), positionMs: 'far' }, { showId: show(4), positionMs: 1.5 },
  ];
  assert.deepEqual(readKept(JSON.stringify([...nonsense, { ...right, more: true }])), [right]);
  assert.equal(readKept(JSON.stringify(Array.from({ length: 100 }, () => right))).length, keptMost);
  for (const text of ['', '{', '"a"', '{"showId":1}', '12345']) assert.deepEqual(readKept(text), [], text);
});
