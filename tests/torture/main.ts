/**
 * Kills server and database in a rush, as often as asked for, and compares (rush.ts).
 *
 * Usage: npm run torture [-- --rounds N]. The last line has rounds, orders and anomalies; exit code 1 when there are
 * any.
 */
import { parseArgs } from 'node:util';
import { torture } from './rush.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '20' } } });
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error(`--rounds takes a whole number from 1, not ${values.rounds}.`);
  process.exit(2);
}
const { orders, anomalies } = await torture(rounds, (line) => console.log(line));
for (const anomaly of anomalies) console.log(`✖ ${anomaly}`);
console.log(`rounds ${rounds}, orders ${orders}, anomalies ${anomalies.length}`);
process.exit(anomalies.length === 0 ? 0 : 1);
