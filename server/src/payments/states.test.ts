import assert from 'node:assert/strict';
import { test } from 'node:test';
import { effectOf, isOpen, type PaymentState } from './states.ts';

const STATES: PaymentState[] = ['pending', 'processing', 'captured', 'declined', 'cancelled', 'refunded'];

test('[Y4] the first notice decides: afterwards neither capture nor decline', () => {
  for (const state of STATES.filter((one) => !isOpen(one))) {
    assert.notEqual(effectOf(state, 'captured'), 'capture');
    assert.equal(effectOf(state, 'declined'), 'nothing');
  }
  for (const state of ['pending', 'processing'] as const) {
    assert.equal(effectOf(state, 'captured'), 'capture');
    assert.equal(effectOf(state, 'declined'), 'decline');
  }
});

test('[Y7] money goes back exactly when nobody waits for it any more', () => {
  const back = STATES.filter((state) => effectOf(state, 'captured') === 'give-back');
  assert.deepEqual(back, ['declined', 'cancelled']);
});
