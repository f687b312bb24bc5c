/**
 * All tests, in the order in which a failure is cheapest to learn of: pure, media process, database, database on
 * PostgreSQL 15, start and kills in a rush, real browser.
 *
 * Usage: npm test [-- STEP…] [-- FILE…]; steps: pure media db db15 start pages e2e.
 * `--long` runs what these leave out, the *.long.ts, and only that.
 * Prints node:test's own lines, and at the end their sums.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { findChromium } from '../tests/support/chromium.ts';
import { reachKeeper } from '../tests/support/database.ts';
import { findProgram } from '../tests/support/programs.ts';

const root = resolve(import.meta.dirname, '..');
const FOLDERS = '{contract,media,server,web,tools,tests,bench}';
const IGNORED = ['**/node_modules/**', 'web/build/**', 'web/.svelte-kit/**'];

/**
 * Browser tests that have a server of their own and time nothing in less than seconds, whether a picture is up or not:
 * two files run side by side. The longest comes first, so that none is left over alone.
 */
const CALM = [
  'story', 'moderation', 'buyer', 'keyboard', 'identity', 'cart', 'fulfil', 'waiting', 'offers', 'coupon', 'rush',
  'clip', 'counter', 'no-sockets', 'demo', 'examine', 'team', 'found', 'account', 'fallback', 'notify', 'lan',
  'language', 'replay',
];

/**
 * Not once more on PostgreSQL 15. The second run proves that migrations, roles and every statement do there what they
 * do on the built-in one. What these ask it was asked by the others too (their statements were compared), but for plain
 * selects, inserts and updates by key; the rest of what they prove is ours and the same on any version.
 */
const ON_ONE_VERSION = [
  'accounts/accounts', 'accounts/addresses', 'accounts/devices', 'accounts/email-proof', 'accounts/passwords',
  'catalog/catalog', 'chat/chat', 'follows/follows', 'http/authorisation', 'http/schemas', 'images/images',
  'orders/delivery', 'orders/placing', 'orders/processes', 'orders/shipping', 'shops/invitation-mail', 'shops/shops',
  'shows/aside', 'shows/found', 'shows/sales',
];

/** Longer than any step takes on a machine that is busy with other things; after it, something hangs. */
const STEP_LIMIT_MS = 15 * 60_000;
const LONG_STEP_LIMIT_MS = 3 * 60 * 60_000;

interface Step {
  name: string;
  files: string[];
  /** Files side by side; the database and the browser bring work of their own to the two cores. */
  concurrency: number;
  /** Longest time of one test; longer means it hangs. */
  timeoutMs: number;
  env?: Record<string, string>;
  /** Installs what single tests of the step skip themselves without. */
  prepare?(): void;
  /** A sentence when the step cannot run here; it is said aloud and, where `required`, fails the run. */
  missing?(): string | null;
  required?: boolean;
}

// Each file, and each server that one starts, is a process that would compile the same sources again: a quarter of the
// processor's time. The entries are told apart by Node's version and the sources' contents.
process.env['NODE_COMPILE_CACHE'] ??= join(root, '.cache/compile');

const args = process.argv.slice(2);
const long = args.includes('--long');
const names = args.filter((arg) => !arg.startsWith('--'));
const steps = allSteps();
const chosen = names.filter((name) => steps.some((step) => step.name === name));
const files = names.filter((name) => !chosen.includes(name)).map((name) => resolve(root, name));
for (const file of files) {
  if (existsSync(file)) continue;
  console.error(`There is no step or file ${file}; steps are ${steps.map((step) => step.name).join(', ')}`);
  process.exit(2);
}

const sums = new Map<string, number>();
let failed = false;
for (const step of steps) {
  if (chosen.length > 0 && !chosen.includes(step.name)) continue;
  if (files.length > 0) step.files = step.files.filter((file) => files.includes(file));
  if (step.files.length > 0) failed = !(await runStep(step)) || failed;
}
console.log('\nAll steps together:');
for (const [name, value] of sums) console.log(`ℹ ${name} ${name === 'duration_ms' ? value.toFixed(0) : value}`);
process.exit(failed ? 1 : 0);

function allSteps(): Step[] {
  const tests = find(`${FOLDERS}/**/*.test.ts`);
  const db = tests.filter((file) => file.endsWith('.db.test.ts'));
  const again = db.filter((file) => !ON_ONE_VERSION.some((name) => file.endsWith(`/src/${name}.db.test.ts`)));
  // The longest first, so that it is not left over alone.
  const start = ['torture', 'start'].flatMap((folder) => (
    tests.filter((file) => file.startsWith(join(root, 'tests', folder)))
  ));
  // A real publisher, a real media process and repairs within milliseconds want the two cores for themselves.
  const alone = ['media/src/supervisor.test.ts', 'tests/network/', 'tests/interop/'].map((path) => join(root, path));
  const media = tests.filter((file) => alone.some((path) => file.startsWith(path)));
  const e2e = find('tests/{e2e,interop}/**/*.e2e.ts');
  const calm = CALM.flatMap((name) => e2e.filter((file) => basename(file, '.e2e.ts') === name));
  const pure = tests.filter((file) => ![...db, ...start, ...media].includes(file));
  if (long) return [{ name: 'long', files: find('tests/**/*.long.ts'), concurrency: 1, timeoutMs: 3_600_000 }];
  return [
    { name: 'pure', files: pure, concurrency: 2, timeoutMs: 60_000 },
    { name: 'media', files: media, concurrency: 1, timeoutMs: 60_000 },
    { name: 'db', files: db, concurrency: 3, timeoutMs: 60_000 },
    {
      name: 'db15', files: again, concurrency: 3, timeoutMs: 60_000,
      env: { NACRE_TEST_POSTGRES: '15' }, missing: missingPostgres15,
    },
    // Each file mostly waits for processes that begin and end.
    { name: 'start', files: start, concurrency: 3, timeoutMs: 600_000, prepare: installProxies },
    {
      name: 'pages', files: calm, concurrency: 2, timeoutMs: 240_000, missing: missingChromium, required: true,
    },
    {
      name: 'e2e', files: e2e.filter((file) => !calm.includes(file)), concurrency: 1, timeoutMs: 240_000,
      missing: missingChromium, required: true,
    },
  ];
}

function find(pattern: string): string[] {
  return globSync(pattern, { cwd: root, exclude: IGNORED }).sort().map((file) => join(root, file));
}

async function runStep(step: Step): Promise<boolean> {
  console.log(`\n── ${step.name}: ${step.files.length} files ──`);
  step.prepare?.();
  const missing = step.missing?.() ?? null;
  if (missing !== null) {
    console.log(`${step.required ? '✖' : 'NOT RUN:'} ${missing}`);
    return !step.required;
  }
  Object.assign(process.env, { NACRE_TEST_POSTGRES: '', ...step.env });
  // One connection for the whole step keeps PostgreSQL running between two files.
  const keeper = step.name.startsWith('db') ? await reachKeeper() : null;
  const code = await nodeTest(step);
  keeper?.destroy();
  return code === 0;
}

function nodeTest(step: Step): Promise<number> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [
      '--test', `--test-concurrency=${step.concurrency}`, `--test-timeout=${step.timeoutMs}`,
      // A failed test may leave a socket open; its file must not hold up the rest.
      '--test-force-exit', '--test-reporter=spec', ...step.files,
    ], { cwd: root, env: process.env, stdio: ['ignore', 'pipe', 'inherit'] });
    let rest = '';
    child.stdout.on('data', (chunk: Buffer) => {
      process.stdout.write(chunk);
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) addUp(line);
    });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => child.kill(signal));
    const limitMs = long ? LONG_STEP_LIMIT_MS : STEP_LIMIT_MS;
    const watchdog = setTimeout(() => {
      console.log(`✖ ${step.name} has not ended after ${limitMs / 60_000} minutes and is ended`);
      child.kill('SIGTERM');
    }, limitMs);
    child.once('close', (code) => {
      clearTimeout(watchdog);
      done(code ?? 1);
    });
  });
}

/** node:test's closing lines: `ℹ pass 12`. */
function addUp(line: string): void {
  const [, name, value] = /^ℹ (tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ([\d.]+)/.exec(line) ?? [];
  if (name && value) sums.set(name, (sums.get(name) ?? 0) + Number(value));
}

function installProxies(): void {
  if (findProgram('nginx') === null) installDebian('nginx-light');
  if (findProgram('caddy') === null) installDebian('caddy');
}

function missingPostgres15(): string | null {
  const program = '/usr/lib/postgresql/15/bin/postgres';
  if (!existsSync(program)) installDebian('postgresql-15');
  return existsSync(program) ? null
    : 'PostgreSQL 15 is not here (apt-get install postgresql-15): the database tests ran on the built-in one only.';
}

function missingChromium(): string | null {
  if (!findChromium()) installDebian('chromium');
  return findChromium() ? null
    : 'The browser tests need Chromium. Install it (Debian: apt-get install chromium), or name its program in '
      + 'NACRE_TEST_CHROMIUM.';
}

/** As root on Debian and its like; elsewhere nothing happens and the caller says what is missing. */
function installDebian(name: string): void {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
  console.log(`Installing ${name} …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...words: string[]) => spawnSync('apt-get', ['-qq', '-y', ...words],
    { env, stdio: ['ignore', 'ignore', 'inherit'] });
  if (apt('install', '--no-install-recommends', name).status === 0) return;
  apt('update');
  apt('install', '--no-install-recommends', name);
}
