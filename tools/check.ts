/**
 * Everything that can be told without running the product: types, lint, the house's rules, generated files.
 *
 * Usage: npm run check [-- NAME…], names as printed. All parts run even when one fails, so that one run shows all.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

interface Part {
  name: string;
  program: string;
  args: string[];
  cwd?: string;
}

/** The longest first, so that none is left over alone. */
const parts: Part[] = [
  { name: 'web', program: 'svelte-check', args: ['--tsconfig', './tsconfig.json', '--fail-on-warnings'], cwd: 'web' },
  { name: 'types', program: 'tsc', args: ['-p', 'tsconfig.json'] },
  { name: 'lint', program: 'oxlint', args: ['--deny-warnings'] },
  { name: 'tidy', program: 'node', args: ['tools/tidy.ts'] },
  { name: 'languages', program: 'node', args: ['web/src/lib/i18n/check.ts'] },
  { name: 'generated', program: 'node', args: ['tools/generate.ts', '--check'] },
];

/** Two cores: one part more than that only makes each slower. */
const CONCURRENCY = 2;

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !parts.some((part) => part.name === name));
if (unknown.length > 0) {
  console.error(`There is no check ${unknown.join(', ')}; known are ${parts.map((part) => part.name).join(', ')}`);
  process.exit(2);
}
const queue = parts.filter((part) => wanted.length === 0 || wanted.includes(part.name));
let failed = 0;
await Promise.all(Array.from({ length: CONCURRENCY }, async () => {
  for (let part = queue.shift(); part; part = queue.shift()) await check(part);
}));
process.exit(failed > 0 ? 1 : 0);

async function check(part: Part): Promise<void> {
  const startedAt = performance.now();
  if (part.name === 'web') await prepareWeb();
  const { code, text } = await run(part);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  if (code === 0) {
    console.log(`✔ ${part.name} (${seconds} s)`);
    return;
  }
  failed += 1;
  console.log(`✖ ${part.name} (${seconds} s)\n${text.trimEnd()}\n`);
}

/** SvelteKit writes the types of the routes, which the check reads. */
async function prepareWeb(): Promise<void> {
  if (existsSync(join(root, 'web/.svelte-kit/types'))) return;
  await run({ name: 'sync', program: 'svelte-kit', args: ['sync'], cwd: 'web' });
}

function run(part: Part): Promise<{ code: number; text: string }> {
  return new Promise((done) => {
    const program = part.program === 'node' ? process.execPath : join(root, 'node_modules/.bin', part.program);
    const child = spawn(program, part.args, { cwd: join(root, part.cwd ?? '.'), stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => { text += chunk; });
    child.stderr.on('data', (chunk: Buffer) => { text += chunk; });
    child.once('error', (error) => done({ code: 1, text: `${part.program} does not run: ${error.message}` }));
    child.once('close', (code) => done({ code: code ?? 1, text }));
  });
}
