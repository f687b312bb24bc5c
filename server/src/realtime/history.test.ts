import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHistory } from './history.ts';

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => String(from + index));

test('[R6] gives exactly what came after an offset', () => {
  const history = createHistory('e', { historyEvents: 100, historyBytes: 10_000 });
  assert.deepEqual(history.since(0), []);
  history.append(numbers(1, 10));
  assert.deepEqual(history.since(7), ['8', '9', '10']);
  assert.deepEqual(history.since(10), []);
  assert.deepEqual(history.since(0), numbers(1, 10));
});

test('[R7] says so when it does not reach back, by count or by bytes, or when the offset was never given', () => {
  const byCount = createHistory('e', { historyEvents: 5, historyBytes: 10_000 });
  byCount.append(numbers(1, 5_003));
  assert.equal(byCount.since(4_997), null);
  assert.deepEqual(byCount.since(4_998), numbers(4_999, 5_003));
  assert.equal(byCount.since(5_004), null);
  assert.equal(byCount.offset(), 5_003);

  const byBytes = createHistory('e', { historyEvents: 100, historyBytes: 10 });
  byBytes.append(['aaaaaa', 'bbbbbb', 'cc']);
  assert.equal(byBytes.since(0), null);
  assert.deepEqual(byBytes.since(1), ['bbbbbb', 'cc']);
  byBytes.append(['an event larger than all that may be kept']);
  assert.equal(byBytes.since(3), null);
  assert.deepEqual(byBytes.since(4), []);
});

test('[R6] holds over many appends of every size', () => {
  const history = createHistory('e', { historyEvents: 7, historyBytes: 10_000 });
  let last = 0;
  for (let round = 0; round < 200; round += 1) {
    const size = round % 5;
    history.append(numbers(last + 1, last + size));
    last += size;
    for (let back = 0; back <= Math.min(7, last); back += 1) {
      assert.deepEqual(history.since(last - back), numbers(last - back + 1, last));
    }
    if (last > 7) assert.equal(history.since(last - 8), null);
  }
});
