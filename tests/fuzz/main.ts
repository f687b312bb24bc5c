/**
 * Mutated messages against everything of live video that takes bytes from outside, for as long as wanted.
 *
 * Usage: npm run fuzz [-- --seconds N] [--seed S] [--target NAME]. Without a seed each run has another, which is said.
 */
import { parseArgs } from 'node:util';
import { fuzz, runCases } from './fuzz.ts';
import { fuzzTargets } from './targets.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' }, target: { type: 'string' } },
});
const seconds = Number(values.seconds);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
const targets = fuzzTargets.filter(({ name }) => values.target === undefined || name === values.target);
if (targets.length === 0 || !(seconds > 0) || !Number.isSafeInteger(seed)) {
  console.error(`npm run fuzz -- --seconds N --seed S --target ${fuzzTargets.map(({ name }) => name).join('|')}`);
  process.exit(2);
}
/** In turns, so that a run that is broken off has tried all of them. */
const turnMs = Math.min(60_000, (seconds * 1000) / targets.length);
const endMs = performance.now() + seconds * 1000;
console.log(`seed ${seed}`);
for (let turn = 0; performance.now() < endMs; turn += 1) {
  const target = targets[turn % targets.length]!;
  if (turn < targets.length) await runCases(target);
  const turnSeed = (seed + turn * 1_000_003) >>> 0;
  const { inputs, grownBytes, slowestMs } = await fuzz(target, { seed: turnSeed, ms: turnMs });
  const grown = (grownBytes / 2 ** 20).toFixed(1);
  const slowest = `slowest ${slowestMs.toFixed(0)} ms`;
  console.log(`${target.name}: ${inputs} inputs from seed ${turnSeed}, ${grown} MB more, ${slowest}`);
}
process.exit(0);
