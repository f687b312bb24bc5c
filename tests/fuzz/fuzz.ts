/**
 * Runs targets on mutated inputs for a while. What fails is written to a file and told with the seed that makes it
 * again; kept files in `cases/` are run first, every time.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createChance } from '../simulation/world.ts';
import type { FuzzTarget } from './targets.ts';

export interface FuzzReport {
  inputs: number;
  /** Of live memory after the first tenth and at the end. */
  grownBytes: number;
  slowestMs: number;
}

/** An input takes below a millisecond; so long means that its work is not bounded by its size. */
const maxInputMs = 2000;
const warmUpShare = 0.1;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

async function liveBytes(): Promise<number> {
  for (let turn = 0; turn < 5; turn += 1) {
    // What an answer leaves for the next turns of the loop is no growth.
    await setTimeout(5);
    collect();
  }
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}

export function readFolder(...path: string[]): Map<string, Buffer> {
  const folder = join(import.meta.dirname, ...path);
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  return new Map(names.map((name) => [name, readFileSync(join(folder, name))]));
}

/** @returns how many there are */
export async function runCases(target: FuzzTarget): Promise<number> {
  const inputs = [...readFolder('corpus', target.corpus), ...readFolder('cases', target.name)];
  for (const [name, input] of inputs) {
    try {
      await target.run(input);
    } catch (error) {
      throw new Error(`${target.name} fails on ${name}`, { cause: error });
    }
  }
  return inputs.length;
}

export async function fuzz(target: FuzzTarget, options: { seed: number; ms: number }): Promise<FuzzReport> {
  const seeds = [...readFolder('corpus', target.corpus).values()];
  const startMs = performance.now();
  let startBytes: number | null = null;
  let slowestMs = 0;
  let inputs = 0;
  for (; performance.now() - startMs < options.ms; inputs += 1) {
    if (startBytes === null && performance.now() - startMs > options.ms * warmUpShare) startBytes = await liveBytes();
    // Each from a seed of its own, so that one that fails is made again without those before it.
    const seed = (options.seed + inputs) >>> 0;
    const input = target.mutate(seeds, createChance(seed));
    const fromMs = performance.now();
    try {
      await target.run(input);
    } catch (error) {
      throw new Error(`${target.name}, seed ${seed}: the input is kept in ${keep(target, input)}`, { cause: error });
    }
    const tookMs = performance.now() - fromMs;
    if (tookMs > maxInputMs) throw new Error(`${target.name}, seed ${seed}: ${tookMs} ms (${keep(target, input)})`);
    slowestMs = Math.max(slowestMs, tookMs);
  }
  return { inputs, slowestMs, grownBytes: (await liveBytes()) - (startBytes ?? 0) };
}

/** Moved to `cases/<target>/` with a name of what it is, it is run for ever after. */
function keep(target: FuzzTarget, input: Buffer): string {
  const folder = join(tmpdir(), 'nacre-fuzz', target.name);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${createHash('sha256').update(input).digest('hex').slice(0, 12)}.bin`);
  writeFileSync(path, input);
  return path;
}
