/**
 * Brings what a script needs: packages, the pinned Node, the built pages. Plain JavaScript for any Node ≥ 20.19.
 *
 * Whether something is missing is read from files (npm's own list of what it installed, a hash of the web's sources),
 * so that asking costs milliseconds. One process at a time installs or builds in a checkout.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const MODULES = join(ROOT, 'node_modules');
const OLDEST_NODE = [20, 19];
/** An install on a slow line takes minutes; a lock older than this was left behind by something that hangs. */
const LOCK_WAIT_MS = 15 * 60_000;
const LOCK_POLL_MS = 300;
const TICK_MS = 1_000;
/** Of a failed program's output: enough to see why, not so much that the sentence scrolls away. */
const SHOWN_LINES = 15;

/** A reason that the person can do something about; printed alone, without a stack. */
export class Trouble extends Error {}

/** Throws when this Node is too old to install and start the pinned one. */
export function refuseOldNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  throw new Trouble(`Nacre needs Node ${OLDEST_NODE.join('.')} or newer to start; this is ${process.versions.node}. `
    + 'Install a newer one from https://nodejs.org');
}

/**
 * Installs what is missing.
 * @param mode 'run' for what a server needs, 'dev' for tests and checks as well
 * @returns the pinned Node's program
 */
export async function ensureInstalled(mode) {
  refuseOldNode();
  if (isInstalled(mode) && existsSync(pinnedNode())) return pinnedNode();
  return alone(async () => {
    if (!isInstalled(mode)) await install(mode);
    if (!existsSync(pinnedNode())) await bringNode();
    return pinnedNode();
  });
}

/** True when npm's list of installed packages holds every package of the lock file that the mode needs. */
export function isInstalled(mode) {
  try {
    const wanted = readJson(join(ROOT, 'package-lock.json')).packages;
    const present = readJson(join(MODULES, '.package-lock.json')).packages;
    return Object.entries(wanted).every(([path, entry]) => {
      if (!path.includes('node_modules/')) return true;
      if (mode === 'run' && (entry.dev || entry.devOptional)) return true;
      // Optional ones are for other systems, or npm could not install them; what needs them says so itself.
      if (entry.optional && !present[path]) return true;
      return present[path]?.version === entry.version && existsSync(join(ROOT, path));
    });
  } catch {
    // No list: nothing is installed, or an install was interrupted.
    return false;
  }
}

async function install(mode) {
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error', mode === 'run' ? '--omit=dev' : '--include=dev'];
  const label = mode === 'run' ? 'Installing what Nacre needs' : 'Installing what Nacre and its tests need';
  const result = await withProgress(label, () => npm(args));
  if (result.code === 0) return;
  throw new Trouble(`The packages could not be installed${reason(result.output)}\n\n${tellingLines(result.output)}`);
}

function reason(output) {
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ECONNRESET|ENOTCACHED/.test(output)) {
    return ': the package registry cannot be reached. Connect to the network (or check npm\'s proxy and registry '
      + 'settings) and run the same command again.';
  }
  if (/ENOSPC/.test(output)) return ': the disk is full. Nacre needs about 500 MB.';
  if (/EACCES|EPERM/.test(output)) {
    return `: this user may not write to ${ROOT}. Give the right, or start Nacre as the user who owns the folder.`;
  }
  return '. npm says:';
}

/**
 * The pinned Node, whose package downloads its program by an install script. When npm did not run it (blocked scripts,
 * `--ignore-scripts`), it is run here.
 */
async function bringNode() {
  const folder = join(MODULES, 'node');
  const script = join(folder, 'installArchSpecificPackage.js');
  if (!existsSync(script)) throw new Trouble(`${folder} is incomplete. Delete node_modules and start again.`);
  const result = await withProgress('Bringing Node 24', () => output(process.execPath, [script], { cwd: folder }));
  if (existsSync(pinnedNode())) return;
  throw new Trouble(`Node 24 could not be brought${reason(result.output)}\n\n${tellingLines(result.output)}`);
}

export function pinnedNode() {
  return join(MODULES, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
}

/** Builds the pages when their sources have changed since the last build. */
export async function ensureWebBuilt() {
  const stamp = join(ROOT, 'web/build/.built-from');
  const isFresh = (hash) => existsSync(stamp) && existsSync(join(ROOT, 'web/build/handler.js'))
    && readFileSync(stamp, 'utf8') === hash;
  if (isFresh(webHash())) return;
  await alone(async () => {
    const hash = webHash();
    if (isFresh(hash)) return;
    const vite = join(MODULES, 'vite/bin/vite.js');
    const options = { cwd: join(ROOT, 'web'), env: { ...process.env, NODE_ENV: 'production' } };
    const build = () => output(pinnedNode(), [vite, 'build', '--logLevel', 'warn'], options);
    const result = await withProgress('Building the pages', build);
    if (result.code !== 0) throw new Trouble(`The pages could not be built:\n\n${tellingLines(result.output)}`);
    writeFileSync(stamp, hash);
  });
}

/** A hash of everything the build reads. */
function webHash() {
  const hash = createHash('sha256');
  const skipped = new Set(['node_modules', 'build', '.svelte-kit']);
  const add = (path) => {
    if (statSync(path).isDirectory()) {
      for (const name of readdirSync(path).sort()) if (!skipped.has(name)) add(join(path, name));
    } else {
      hash.update(path.slice(ROOT.length)).update('\0').update(readFileSync(path));
    }
  };
  for (const path of ['web', 'contract/src', 'package-lock.json']) add(join(ROOT, path));
  return hash.digest('hex');
}

/** Runs `work` while no other process installs or builds in this checkout. */
async function alone(work) {
  const lock = join(ROOT, '.cache/install.lock');
  try {
    mkdirSync(dirname(lock), { recursive: true });
    for (let waitedMs = 0; !take(lock); waitedMs += LOCK_POLL_MS) {
      if (waitedMs > LOCK_WAIT_MS) throw new Trouble(`Another process is installing here. If none is, delete ${lock}`);
      await new Promise((done) => setTimeout(done, LOCK_POLL_MS));
    }
  } catch (error) {
    if (error instanceof Trouble) throw error;
    throw new Trouble(`This user may not write to ${ROOT} (${error.code ?? error.message}). `
      + 'Give the right, or start Nacre as the user who owns the folder.');
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function take(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  const holder = Number(existsSync(lock) ? readFileSync(lock, 'utf8') : '');
  if (holder > 0 && !isAlive(holder)) rmSync(lock, { force: true });
  return false;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function npm(args) {
  // The npm that runs this script, whichever version; else the one on the path.
  const own = process.env.npm_execpath;
  if (own && /\.c?js$/.test(own)) return output(process.execPath, [own, ...args], { cwd: ROOT });
  const isWindows = process.platform === 'win32';
  return output(isWindows ? 'npm.cmd' : 'npm', args, { cwd: ROOT, shell: isWindows });
}

function output(program, args, options) {
  return new Promise((done) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    const keep = (chunk) => { text = (text + chunk).slice(-100_000); };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    // Stopped by hand: do not leave npm or vite behind.
    const stop = (signal) => { child.kill(signal); process.exitCode = 130; };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, stop);
    const settle = (code) => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(signal, stop);
      if (process.exitCode === 130) process.exit(130);
      done({ code, output: text });
    };
    child.once('error', (error) => { text += error.message; settle(-1); });
    child.once('close', settle);
  });
}

/** Says on a terminal what is being done and for how long; quiet when the output goes to a file. */
async function withProgress(label, work) {
  const startedAt = performance.now();
  const seconds = () => Math.round((performance.now() - startedAt) / 1000);
  if (!process.stderr.isTTY) return work();
  const timer = setInterval(() => process.stderr.write(`\r${label} … ${seconds()} s`), TICK_MS);
  process.stderr.write(`${label} …`);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    process.stderr.write(`\r${label}: ${seconds()} s   \n`);
  }
}

/** npm says first what is wrong and then how it is used; others say at the end what is wrong. */
function tellingLines(text) {
  const lines = text.trimEnd().split('\n').filter((line) => line.trim() !== '' && !line.includes('EBADENGINE'));
  const first = lines.findIndex((line) => line.startsWith('npm error'));
  return (first < 0 ? lines.slice(-SHOWN_LINES) : lines.slice(first, first + SHOWN_LINES)).join('\n');
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** Runs a program on the pinned Node in the foreground; resolves to its exit code. */
export function runNode(args, options = {}) {
  const result = spawnSync(pinnedNode(), args, { cwd: ROOT, stdio: 'inherit', ...options, env: toolEnv(options.env) });
  return result.status ?? 1;
}

/** The environment in which `node` and the packages' programs are the pinned ones. */
export function toolEnv(env = process.env) {
  const separator = process.platform === 'win32' ? ';' : ':';
  return { ...env, PATH: `${join(MODULES, '.bin')}${separator}${dirname(pinnedNode())}${separator}${env.PATH ?? ''}` };
}
