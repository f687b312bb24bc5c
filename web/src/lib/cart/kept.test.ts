import assert from 'node:assert/strict';
import test from 'node:test';
import { keepLine, keepMore, readKept } from './kept.ts';

const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const line = (n: number, quantity = 1) => ({ variantId: id(n), quantity, seenPriceMinor: 100, showId: null });

test('[W181] what a browser kept is read when it is right in every part, and bounded', () => {
  const kept = { lines: [line(1), line(2)], going: { putId: id(9), lines: [line(3)] } };
  assert.deepEqual(readKept(JSON.stringify(kept)), kept);
  const wrong = [
    null, 7, [], { ...line(4), variantId: 'x' }, { ...line(4), quantity: 0 }, { ...line(4), quantity: 1.5 },
    { ...line(4), quantity: '2' }, { ...line(4), seenPriceMinor: -1 }, { ...line(4), seenPriceMinor: 1e300 },
  ];
  assert.deepEqual(readKept(JSON.stringify({ lines: [...wrong, line(5)], going: { putId: 'x', lines: [line(1)] } })), {
    lines: [line(5)], going: null,
  });
  for (const text of [null, '', '{', '[]', '7', '{"lines":{}}', 'null']) {
    assert.deepEqual(readKept(text), { lines: [], going: null }, String(text));
  }
  const many = Array.from({ length: 150 }, (_, n) => line(n));
  assert.equal(readKept(JSON.stringify({ lines: many })).lines.length, 100);
});

test('[W181] pieces are kept one line a variant, at most 99 of it and 100 lines', () => {
  const first = keepMore([line(1, 97), line(2)], line(1, 5));
  assert.deepEqual(first, { lines: [line(2), line(1, 99)], left: 3 });
  const full = Array.from({ length: 100 }, (_, n) => line(n));
  assert.equal(keepMore(full, line(200, 2)).left, 2);
  assert.equal(keepMore(full, line(3, 2)).left, 0);
  assert.deepEqual(keepLine([line(1), line(2)], line(1, 4)), [line(2), line(1, 4)]);
});
