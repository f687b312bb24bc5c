/**
 * How long the first `npm start` takes in a fresh clone, until `/healthz` answers.
 *
 * The clone is of the last commit, without `node_modules`, with a warm package cache: packages are installed, the pages
 * built, the database made and migrated. The limit is a bare `npm ci --omit=dev` of the same clone in the same run,
 * because no start can be faster than its install. Also measured: a second start, and the space on disk.
 *
 * Usage: node bench/first-run.ts [--json]
 */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = resolve(import.meta.dirname, '..');
const json = process.argv.includes('--json');
const aimS = 90;
const allowedMb = 500;
/** More than this is no start but a fault. */
const timeoutMs = 10 * 60_000;
const pollMs = 50;

const base = mkdtempSync(join(tmpdir(), 'nacre-first-run-'));
chmodSync(base, 0o755);
let running: ChildProcess | null = null;
try {
  await measure();
} finally {
  if (running) await stop(running);
  rmSync(base, { recursive: true, force: true });
}

async function measure(): Promise<void> {
  const bare = clone('bare');
  say('warming the package cache');
  await install(bare);
  const limitsS = [await install(bare)];
  say(`npm ci --omit=dev: ${limitsS[0]?.toFixed(1)} s`);

  const fresh = clone('fresh');
  const first = await startAndStop(fresh);
  say(`first npm start: ${first.healthyS.toFixed(1)} s to /healthz, ${first.readyS.toFixed(1)} s to the last line`);
  const second = await startAndStop(fresh);
  say(`second npm start: ${second.healthyS.toFixed(1)} s`);
  limitsS.push(await install(bare));
  say(`npm ci --omit=dev again: ${limitsS[1]?.toFixed(1)} s`);

  const limit = limitsS.reduce((sum, each) => sum + each, 0) / limitsS.length;
  const installedMb = bytesOf(join(fresh, 'node_modules'), new Set()) / 1e6;
  const ours = first.healthyS;
  const details = {
    aimS, limitsS: limitsS.map(round), readyS: round(first.readyS), secondStartS: round(second.healthyS),
    installedMb: Math.round(installedMb), allowedMb,
    npm: execFileSync('npm', ['--version'], { encoding: 'utf8' }).trim(),
  };
  say(`ours ${round(ours)} s (aim ${aimS} s), bare install ${round(limit)} s, ratio ${round(ours / limit)}; `
    + `${details.installedMb} MB installed (at most ${allowedMb})`);
  if (json) {
    console.log(JSON.stringify({
      goal: 'first-run', ours: round(ours), limit: round(limit), ratio: round(ours / limit), unit: 's', details,
    }));
  }
}

function clone(name: string): string {
  const path = join(base, name);
  execFileSync('git', ['clone', '-q', '--no-hardlinks', root, path], { stdio: ['ignore', 'ignore', 'inherit'] });
  return path;
}

/** Seconds of a bare install. */
async function install(path: string): Promise<number> {
  rmSync(join(path, 'node_modules'), { recursive: true, force: true });
  const startedAt = performance.now();
  const child = spawn('npm', ['ci', '--omit=dev', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: path, env: cleanEnv(), stdio: ['ignore', 'ignore', 'inherit'],
  });
  running = child;
  const code = await new Promise((done) => child.once('exit', done));
  running = null;
  if (code !== 0) throw new Error(`npm ci ended with ${String(code)}`);
  return (performance.now() - startedAt) / 1000;
}

async function startAndStop(path: string): Promise<{ healthyS: number; readyS: number }> {
  const port = await freePort();
  const startedAt = performance.now();
  const sinceS = () => (performance.now() - startedAt) / 1000;
  const child = spawn('npm', ['start', '--', '--port', String(port), '--udp-port', '0', '--rtmp-port', '0'], {
    cwd: path, env: cleanEnv(), stdio: ['ignore', 'pipe', 'pipe'],
  });
  running = child;
  let text = '';
  let readyS = 0;
  const read = (chunk: Buffer) => {
    text += chunk;
    if (readyS === 0 && text.includes('Nacre is ready')) readyS = sinceS();
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  let healthyS = 0;
  while (healthyS === 0 || readyS === 0) {
    if (child.exitCode !== null || sinceS() * 1000 > timeoutMs) throw new Error(`npm start failed:\n${text}`);
    if (healthyS === 0 && await isHealthy(port)) healthyS = sinceS();
    await sleep(pollMs);
  }
  await stop(child);
  running = null;
  return { healthyS, readyS };
}

async function isHealthy(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/healthz`)).status === 200;
  } catch {
    // Not listening yet.
    return false;
  }
}

/** npm does not always pass a signal on; the server ends when npm has, and lets go of its lock then. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM');
    await new Promise((done) => child.once('close', done));
  }
}

/** As in a terminal: nothing of the npm that runs this bench. */
function cleanEnv(): NodeJS.ProcessEnv {
  const foreign = /^(npm_(?!config_)|NACRE_|INIT_CWD|NODE_ENV)/i;
  const own = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  const path = (process.env['PATH'] ?? '').split(':').filter((folder) => !folder.includes('node_modules'));
  return { ...Object.fromEntries(own), PATH: path.join(':') };
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => done(port));
    });
  });
}

/** Bytes on disk; a file with two names counts once. */
function bytesOf(path: string, seen: Set<number>): number {
  const stat = lstatSync(path);
  if (stat.isDirectory()) {
    return readdirSync(path).reduce((sum, name) => sum + bytesOf(join(path, name), seen), 0);
  }
  if (stat.nlink > 1 && seen.has(stat.ino)) return 0;
  seen.add(stat.ino);
  return stat.blocks * 512;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function say(text: string): void {
  console.log(text);
}
