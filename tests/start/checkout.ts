/**
 * A fresh copy of the repository, and Nacre started from it, for the tests of the start.
 *
 * Packages are linked from this checkout, so that a copy takes seconds; bench/first-run.ts measures a full install.
 */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = resolve(import.meta.dirname, '../..');
/** Two seconds on an idle machine; when the pages have just been changed, the copy builds them first. */
const READY_TIMEOUT_MS = 150_000;
const POLL_MS = 50;

export interface Checkout {
  root: string;
  /** An empty folder beside the copy, readable by everybody. */
  folder(name: string): string;
  /** Ends what is still running and deletes everything. */
  remove(): Promise<void>;
  start(options?: StartOptions): Nacre;
}

export interface StartOptions {
  args?: string[];
  env?: Record<string, string>;
  /** Run as that user (needs root). */
  uid?: number;
}

export interface Nacre {
  process: ChildProcess;
  /** What it has printed so far, both streams. */
  output(): string;
  /** Resolves to its address; rejects with its output when it ends or says nothing. */
  ready(): Promise<string>;
  /** Resolves to the exit code; a signal counts as 128. */
  exit(): Promise<number>;
  /** The process of the server itself. */
  serverPid(): number;
}

/** @param mode of the folder around the copy: 0o755, or 0o700 for one that only its owner may enter. */
export function makeCheckout(mode = 0o755): Checkout {
  const base = mkdtempSync(join(tmpdir(), 'nacre-start-'));
  execFileSync('chmod', [mode.toString(8), base]);
  const root = join(base, 'clone');
  mkdirSync(root);
  const list = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' });
  for (const path of list.split('\0')) {
    if (path === '' || !existsSync(join(ROOT, path))) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    cpSync(join(ROOT, path), join(root, path));
  }
  linkTree(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  for (const workspace of ['contract', 'media', 'server', 'web']) {
    const own = join(ROOT, workspace, 'node_modules');
    if (existsSync(own)) linkTree(own, join(root, workspace, 'node_modules'));
  }
  linkTree(join(ROOT, 'web/build'), join(root, 'web/build'));
  const started: Nacre[] = [];
  return {
    root,
    folder(name) {
      const path = join(base, name);
      mkdirSync(path, { recursive: true });
      return path;
    },
    start(options = {}) {
      // A folder of the copy's own, as the paths of its sources are.
      const cache = { NODE_COMPILE_CACHE: join(base, 'compile-cache') };
      const nacre = start(root, { ...options, env: { ...cache, ...options.env } });
      started.push(nacre);
      return nacre;
    },
    async remove() {
      for (const nacre of started) nacre.process.kill('SIGTERM');
      await Promise.all(started.map((nacre) => nacre.exit()));
      await endDatabases(base);
      rmSync(base, { recursive: true, force: true });
    },
  };
}

/** Hard links where the file system has them, else a copy. */
function linkTree(from: string, to: string): void {
  try {
    execFileSync('cp', ['-al', from, to], { stdio: 'ignore' });
  } catch {
    rmSync(to, { recursive: true, force: true });
    cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  }
}

function start(root: string, options: StartOptions): Nacre {
  const env: NodeJS.ProcessEnv = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...options.env };
  const child = spawn(process.execPath, [join(root, 'tools/start.mjs'), '--empty', ...(options.args ?? [])], {
    cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.uid !== undefined && { uid: options.uid, gid: options.uid }),
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => { text += chunk; });
  child.stderr.on('data', (chunk: Buffer) => { text += chunk; });
  const exit = new Promise<number>((done) => {
    child.once('close', (code) => done(code ?? 128));
    child.once('error', (error) => {
      text += error.message;
      done(127);
    });
  });
  return {
    process: child,
    output: () => text,
    exit: () => exit,
    serverPid: () => childOf(child.pid ?? 0),
    async ready() {
      for (let waitedMs = 0; waitedMs < READY_TIMEOUT_MS; waitedMs += POLL_MS) {
        const address = /Nacre is ready: (http\S+)/.exec(text)?.[1];
        if (address) return address;
        if (child.exitCode !== null || child.signalCode !== null) break;
        await sleep(POLL_MS);
      }
      throw new Error(`Nacre did not start:\n${text}`);
    },
  };
}

/** The first process that `pid` has started. */
export function childOf(pid: number): number {
  const found = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .find(([, parent]) => parent === pid)?.[0];
  if (!found) throw new Error(`process ${pid} has no child`);
  return found;
}

/** The data folder's database process, or null when none runs. */
export function databasePid(data: string): number | null {
  const memory = join(data, 'database.json');
  if (!existsSync(memory)) return null;
  const { cluster } = JSON.parse(readFileSync(memory, 'utf8')) as { cluster: string };
  const file = join(resolve(data, cluster), 'postmaster.pid');
  const pid = existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : 0;
  return pid > 0 && isAlive(pid) ? pid : null;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export async function until(
  condition: () => boolean | Promise<boolean>, what: string, timeoutMs = 20_000,
): Promise<void> {
  for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += POLL_MS) {
    if (await condition()) return;
    await sleep(POLL_MS);
  }
  throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
}

/** Ends databases that a test has orphaned, and deletes clusters that lie outside. */
async function endDatabases(base: string): Promise<void> {
  const folders = [join(base, 'clone/data'), ...readdirSync(base).map((name) => join(base, name))];
  for (const data of folders) {
    const pid = databasePid(data);
    if (pid !== null) {
      process.kill(pid, 'SIGQUIT');
      await until(() => !isAlive(pid), 'the database ends');
    }
    const memory = join(data, 'database.json');
    if (!existsSync(memory)) continue;
    const { cluster } = JSON.parse(readFileSync(memory, 'utf8')) as { cluster: string };
    if (cluster.startsWith('/')) rmSync(dirname(cluster), { recursive: true, force: true });
  }
}

/** A TCP port that is taken until `release`. */
export async function takePort(): Promise<{ port: number; release(): Promise<void> }> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, 'localhost', done));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return { port: address.port, release: () => new Promise((done) => server.close(() => done())) };
}
