import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NUMBER_MAX, numberBag, type Numbered } from './bag.ts';

const item = (productId: string, number: number, removed = false): Numbered => ({ productId, number, removed });

test('[S5] a new bag is numbered from one, in its order', () => {
  assert.deepEqual(numberBag([], ['a', 'b']), [item('a', 1), item('b', 2)]);
  assert.deepEqual(numberBag([], []), []);
});

test('[S5] numbers stay through reordering, and through leaving and coming back', () => {
  const known = [item('a', 1), item('b', 2, true), item('c', 3)];
  assert.deepEqual(numberBag(known, ['c', 'd', 'a']), [item('c', 3), item('d', 4), item('a', 1)]);
  assert.deepEqual(numberBag(known, ['b']), [item('b', 2)]);
  assert.deepEqual(numberBag(known, ['e', 'b']), [item('e', 4), item('b', 2)]);
});

test('[S5] a number that was given is never given to another; when all are used up the bag is full', () => {
  const known = [item('a', NUMBER_MAX - 1, true)];
  assert.deepEqual(numberBag(known, ['b']), [item('b', NUMBER_MAX)]);
  assert.equal(numberBag(known, ['b', 'c']), null);
});
