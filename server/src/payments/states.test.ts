import assert from 'node:assert/strict';
import { test } from 'node:test';
import { effectOf, isOpen, type PaymentState } from './states.ts';

const STATES: PaymentState[] = ['pending', 'processing', 'captured', 'declined', 'cancelled', 'expired', 'refunded'];

test('[Y4] the first notice decides: afterwards neither capture nor decline', () => {
  for (const state of STATES.filter((one) => !isOpen(one) && one !== 'expired')) {
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

test('[Y15] money for what is expired is captured, and whoever asked for it decides', () => {
  assert.deepEqual([effectOf('expired', 'captured'), effectOf('expired', 'declined')], ['capture', 'nothing']);
});
