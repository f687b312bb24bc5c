import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNewId } from './ids.ts';

const SHAPE = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('[P120] an id is a UUID of version 7 that tells its millisecond', () => {
  const id = createNewId(() => 0x0123_4567_89ab)();
  assert.match(id, SHAPE);
  assert.ok(id.startsWith('01234567-89ab-7'), id);
});

test('[P120] ids come in sequence, also more than a millisecond has room for, and when the clock goes back', () => {
  let nowMs = 1_700_000_000_000;
  const newId = createNewId(() => nowMs);
  const ids: string[] = [];
  for (const step of [0, 1, -500, 0]) {
    nowMs += step;
    for (let index = 0; index < 9_000; index += 1) ids.push(newId());
  }
  assert.deepEqual(ids, ids.toSorted());
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(ids.every((id) => SHAPE.test(id)));
});

test('[P120] two processes do not make the same id in the same millisecond', () => {
  const made = Array.from({ length: 1_000 }, () => createNewId(() => 1)());
  assert.equal(new Set(made.map((id) => id.slice(19))).size, made.length);
});
