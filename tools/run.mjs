/**
 * The scripts of package.json besides `start`: installs what the script misses, then runs it on the pinned Node.
 * Plain JavaScript for any Node ≥ 20.19.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, Trouble, ensureInstalled, ensureWebBuilt, runNode } from './install.mjs';
import { nearest } from './options.mjs';

const commands = {
  async test(args) {
    await ensureInstalled('dev');
    await ensureWebBuilt();
    return runNode(['tools/test.ts', ...args]);
  },
  async check(args) {
    await ensureInstalled('dev');
    await ensureWebBuilt();
    return runNode(['tools/check.ts', ...args]);
  },
  async bench(args) {
    await ensureInstalled('dev');
    await ensureWebBuilt();
    return runNode(['bench/run.ts', ...args]);
  },
  async torture(args) {
    await ensureInstalled('dev');
    await ensureWebBuilt();
    return runNode(['tests/torture/main.ts', ...args]);
  },
  async simulate(args) {
    await ensureInstalled('dev');
    return runNode(['tests/simulation/main.ts', ...args]);
  },
  async fuzz(args) {
    await ensureInstalled('dev');
    return runNode(['tests/fuzz/main.ts', ...args]);
  },
  async soak(args) {
    const [name, minutes = '60'] = args.length === 0 ? ['--minutes'] : args;
    if (name !== '--minutes' || !(Number(minutes) > 0)) throw new Trouble('npm run soak -- --minutes N');
    await ensureInstalled('dev');
    process.env.NACRE_TEST_SOAK_MINUTES = minutes;
    return runNode(['--test', '--test-force-exit', 'tests/long/soak.long.ts']);
  },
  async generate(args) {
    await ensureInstalled('dev');
    await ensureWebBuilt();
    return runNode(['tools/generate.ts', ...args]);
  },
  async screens(args) {
    await ensureInstalled('dev');
    await ensureWebBuilt();
    return runNode(['tools/screens.ts', ...args]);
  },
  async nacre(args) {
    await ensureInstalled('run');
    return runNode(['server/src/cli/main.ts', ...args]);
  },
  async dev(args) {
    await ensureInstalled('dev');
    await ensureWebBuilt();
    return watch(args);
  },
};

const [name = '', ...args] = process.argv.slice(2);
const command = commands[name];
if (!command) {
  const meant = nearest(name, Object.keys(commands));
  const hint = meant ? ` Did you mean ${meant}?` : '';
  console.error(`There is no script ${name}.${hint} Known: ${Object.keys(commands).join(', ')}`);
  process.exit(2);
}
try {
  process.exitCode = await command(args);
} catch (error) {
  if (!(error instanceof Trouble)) throw error;
  console.error(`\n${error.message}\n`);
  process.exitCode = 1;
}

/** The server and the pages, both started again when their files change. */
async function watch(args) {
  const node = await ensureInstalled('dev');
  const options = { stdio: 'inherit', cwd: ROOT };
  const parts = [
    spawn(node, ['--watch', '--watch-preserve-output', join(ROOT, 'server/src/main.ts'), ...args], options),
    spawn(node, [join(ROOT, 'node_modules/vite/bin/vite.js'), 'build', '--watch', '--logLevel', 'warn'],
      { ...options, cwd: join(ROOT, 'web') }),
  ].filter(() => existsSync(node));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      for (const part of parts) part.kill(signal);
    });
  }
  const codes = await Promise.all(parts.map((part) => new Promise((done) => part.once('exit', (code) => {
    // One without the other is no development server.
    for (const other of parts) other.kill('SIGTERM');
    done(code ?? 0);
  }))));
  return Math.max(...codes);
}
