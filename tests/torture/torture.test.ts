/** Twenty rounds of torture.ts; `npm run torture -- --rounds N` has as many as one likes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { torture } from './rush.ts';

const ROUNDS = 20;

test('[O2] [O3] [O20] [O21] kill -9 of server or database in a rush loses and doubles nothing', async (context) => {
  const result = await torture(ROUNDS, (line) => context.diagnostic(line));
  assert.deepEqual(result.anomalies, []);
  assert.ok(result.orders > ROUNDS, `${result.orders} orders are no rush`);
});
