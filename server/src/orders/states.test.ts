import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { DELIVERIES, ORDER_STATES, type Delivery } from '@nacre/contract/orders';
import { assertMayBecome, mayBecome, steps } from './states.ts';

const BOTH = [
  'null > held', 'held > paid', 'held > expired', 'held > declined', 'held > cancelled', 'expired > paid',
  'paid > cancelled',
  'cancelled > refunded',
];
const WAYS: Record<Delivery, Set<string>> = {
  parcel: new Set([
    ...BOTH, 'paid > packed', 'paid > shipped', 'packed > shipped', 'packed > cancelled', 'shipped > delivered',
    'delivered > completed',
  ]),
  pickup: new Set([...BOTH, 'paid > ready', 'paid > handed_over', 'ready > handed_over', 'ready > cancelled']),
  counter: new Set(['null > handed_over', 'handed_over > voided']),
};

test('[O9] [O30] [O50] an order goes the ways of its delivery and no other', () => {
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

test('[O9] [O50] the database knows the same steps', () => {
  const sql = readFileSync(new URL('../../migrations/0023_money_late_and_waiting.sql', import.meta.url), 'utf8');
  const list = /order_transition_check check \([\s\S]*? in \(([\s\S]*?)\)\)/.exec(sql)?.[1] ?? '';
  assert.deepEqual(new Set([...list.matchAll(/'([^']*)'/g)].map(([, step]) => step)), steps());
});
