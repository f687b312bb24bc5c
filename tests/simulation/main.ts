/**
 * Lives of a shop (shop.ts) on a database of the tests.
 *
 * Usage: npm run simulate [-- --seed S] [--lives N] [--steps N]. Without a seed each life has another, which is said.
 */
import { parseArgs } from 'node:util';
import { createTestDatabase } from '../support/database.ts';
import { simulate } from './shop.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' }, lives: { type: 'string', default: '1' }, steps: { type: 'string', default: '500' },
  },
});
const [lives, steps] = [Number(values.lives), Number(values.steps)];
for (let life = 0; life < lives; life += 1) {
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
  const database = await createTestDatabase(import.meta.url);
  const startMs = performance.now();
  const { simulatedMs, crashes, orders } = await simulate(database.serverUrl, seed, steps);
  const speed = Math.round(simulatedMs / (performance.now() - startMs));
  console.log(`seed ${seed}: ${steps} steps, ${orders} orders, ${crashes} crashes, ${speed} times faster than time`);
  await database.drop();
}
process.exit(0);
