import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OrderState } from '@nacre/contract/orders';
import { assertMayBecome, mayBecome } from './states.ts';

const STATES: OrderState[] = ['held', 'paid', 'shipped', 'expired', 'declined', 'cancelled'];
const WAYS = new Set([
  'null > held', 'held > paid', 'held > expired', 'held > declined', 'held > cancelled', 'paid > shipped',
]);

test('[O9] an order goes the six ways of the table and no other', () => {
  for (const from of [null, ...STATES]) {
    for (const to of STATES) assert.equal(mayBecome(from, to), WAYS.has(`${from} > ${to}`), `${from} > ${to}`);
  }
});

test('[O9] a way that is not in the table is refused with the state that the order is in', () => {
  assert.throws(() => assertMayBecome('expired', 'paid'), {
    code: 'orders.wrong_state', details: { state: 'expired' },
  });
});
