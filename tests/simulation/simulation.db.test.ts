/** A few lives of a shop; `npm run simulate -- --seed S` has as many as one likes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestDatabase } from '../support/database.ts';
import { simulate } from './shop.ts';

const STEPS = 250;
/** Simulated time by time. */
const SPEED_MIN = 1_000;
/** Seeds that have found something. */
const FOUND: readonly number[] = [];

async function live(seed: number): Promise<{ speed: number; crashes: number; orders: number }> {
  const database = await createTestDatabase(import.meta.url);
  const startMs = performance.now();
  const { simulatedMs, crashes, orders } = await simulate(database.serverUrl, seed, STEPS);
  const speed = simulatedMs / (performance.now() - startMs);
  await database.drop();
  return { speed, crashes, orders };
}

const RULES = '[O2] [O3] [O10] [O12] [O13] [O21] [OF4] [OF5] [OF7] [OF12] [CO3] [CO8] [CO9]';
test(`${RULES} days of a shop keep what must`, async (context) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const { speed, crashes, orders } = await live(seed);
  context.diagnostic(`seed ${seed}: ${orders} orders, ${crashes} crashes, ${Math.round(speed)} times faster than time`);
  assert.ok(orders > STEPS / 10 && crashes > 0);
  assert.ok(speed > SPEED_MIN, `${speed} times faster than time, not ${SPEED_MIN}`);
});

for (const seed of FOUND) test(`seed ${seed}, which once found something`, async () => void (await live(seed)));
