/**
 * `npm run bench -- NAME [--json …]`: runs one measurement; without a name says which there are.
 *
 * Each prints ours, what it is held against and the ratio, and with `--json` one object
 * `{ goal, ours, limit, ratio, unit, details }` as its last line.
 */
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { nearest } from '../server/src/lib/nearest.ts';

const folder = import.meta.dirname;
const [name, ...args] = process.argv.slice(2);
const known = readdirSync(folder)
  .filter((file) => file.endsWith('.ts') && file !== 'run.ts')
  .filter((file) => readFileSync(join(folder, file), 'utf8').includes(`Usage: node bench/${file}`))
  .map((file) => file.slice(0, -'.ts'.length));

if (name === undefined || !known.includes(name)) {
  const meant = name === undefined ? null : nearest(name, known);
  if (name !== undefined) console.error(`There is no bench ${name}.${meant ? ` Did you mean ${meant}?` : ''}`);
  const list = known.map((each) => `  ${each.padEnd(20)} ${purpose(each)}`);
  console.log(['npm run bench -- NAME [--json]', '', ...list].join('\n'));
  process.exit(name === undefined ? 0 : 2);
}
const child = spawn(process.execPath, [join(folder, `${name}.ts`), ...args], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
child.once('exit', (code) => process.exit(code ?? 1));

/** The first sentence of the file. */
function purpose(each: string): string {
  const text = readFileSync(join(folder, `${each}.ts`), 'utf8');
  return /^\/\*\*\s*\*?\s*([\s\S]*?[.:])\s/.exec(text)?.[1]?.replace(/\s*\n \* /g, ' ') ?? '';
}
