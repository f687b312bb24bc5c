import assert from 'node:assert/strict';
import test from 'node:test';
import { fuzz, runCases } from './fuzz.ts';
import { fuzzTargets } from './targets.ts';

const seed = Number(process.env['NACRE_TEST_SEED'] ?? 20_261);
const msEach = 1_000;
/** Code that is compiled meanwhile takes a few MB; a buffer kept per input would be hundreds. */
const growthMaxBytes = 16 * 2 ** 20;

for (const target of fuzzTargets) {
  const rules = target.corpus === 'rtmp' ? '[M97] [M115]' : '[M97]';
  test(`${rules} ${target.name}: neither kept cases nor changed messages break it, nor make it grow`, async (t) => {
    const cases = await runCases(target);
    const { inputs, grownBytes, slowestMs } = await fuzz(target, { seed, ms: msEach });
    t.diagnostic(`${cases} cases, ${inputs} inputs from seed ${seed}, ${grownBytes} bytes more, ${slowestMs} ms`);
    assert.ok(inputs > 20, `${inputs} inputs`);
    assert.ok(grownBytes < growthMaxBytes, `${grownBytes} bytes more`);
  });
}
