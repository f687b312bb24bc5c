import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { DELIVERIES, ORDER_STATES, type Delivery } from '@nacre/contract/orders';
import { assertMayBecome, mayBecome, steps } from './states.ts';

const PAYING = ['null > held', 'held > paid', 'held > expired', 'held > declined', 'held > cancelled',
  'expired > paid'];
const WAYS: Record<Delivery, Set<string>> = {
  parcel: new Set([...PAYING, 'paid > shipped']),
  pickup: new Set([...PAYING, 'paid > ready', 'paid > handed_over', 'ready > handed_over']),
  counter: new Set(['null > handed_over', 'handed_over > voided']),
};

test('[O9] [O30] an order goes the ways of its delivery and no other', () => {
  for (const delivery of DELIVERIES) {
    for (const from of [null, ...ORDER_STATES]) {
      for (const to of ORDER_STATES) {
        const way = `${from} > ${to}`;
        assert.equal(mayBecome(delivery, from, to), WAYS[delivery].has(way), `${delivery}: ${way}`);
      }
    }
  }
});

test('[O9] a way that is not in the table is refused with the state that the order is in', () => {
  assert.throws(() => assertMayBecome('parcel', 'cancelled', 'paid'), {
    code: 'orders.wrong_state', details: { state: 'cancelled' },
  });
});

test('[O9] the database knows the same steps', () => {
  const sql = readFileSync(new URL('../../migrations/0018_money_late_and_waiting.sql', import.meta.url), 'utf8');
  const list = /order_transition_check check \([\s\S]*? in \(([\s\S]*?)\)\)/.exec(sql)?.[1] ?? '';
  assert.deepEqual(new Set([...list.matchAll(/'([^']*)'/g)].map(([, step]) => step)), steps());
});
