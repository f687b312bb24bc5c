/**
 * The server's start: options → data folder → ports → database → its lock → migrations → composition → listening.
 *
 * Invariants: whatever can be refused without touching the database is refused before; what was started is stopped in
 * reverse order, the database last; SIGINT, SIGTERM, SIGHUP and the end of the process that started this one stop it
 * cleanly. A refusal is one sentence on stderr, an exit code, nothing damaged.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { compose } from './compose.ts';
import { readConfig } from './config.ts';
import type { Config } from './config.ts';
import { systemClock } from './platform/clock.ts';
import { openDataFolder } from './platform/data-folder.ts';
import { createEmbeddedPostgres } from './platform/embedded-postgres.ts';
import { ensureOwnedDatabase } from './platform/embedded-postgres-owner.ts';
import { createLog } from './platform/log.ts';
import type { Log } from './platform/log.ts';
import { refuseTakenPorts } from './platform/ports.ts';
import { prepareDatabase } from './platform/prepare-database.ts';
import { lockServer } from './platform/server-lock.ts';
import { EXIT_CANNOT_START, StartRefusal } from './platform/start-refusal.ts';
import { findReach, wordsFor } from './reach.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** Ctrl-C comes twice, from the terminal and from npm; a person presses again only after this. */
const SAME_SIGNAL_MS = 2_000;
/** What stopping one part may take beyond the configured wait for requests: a sweep, jobs, ending processes. */
const STOP_MARGIN_MS = 15_000;

/** What is running, in the order it was started. */
const running: { name: string; stop(): Promise<void> | void }[] = [];
let stopping: Promise<void> | null = null;
let stopAskedAtMs = 0;
/** Set once the configuration is read; before that there is nothing to stop. */
let log: Log | null = null;
let stopTimeoutMs = 0;
let onStop = () => {};

const started = start().catch((error: unknown) => fail(error));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => askedToStop(signal));
// Started by tools/start.mjs: a channel that closes when that process ends, however it ends.
process.once('disconnect', () => askedToStop('the process that started Nacre ended'));

async function start(): Promise<void> {
  const config = readConfig({ args: process.argv.slice(2), env: process.env });
  const version = nacreVersion();
  log = createLog(config.logLevel, process.stdout.isTTY);
  stopTimeoutMs = config.stopTimeoutMs;

  const folder = await openDataFolder({ path: resolve(ROOT, config.dataFolder), version });
  running.push({ name: 'data folder', stop: folder.release });
  onStop = folder.announceStop;
  const reach = await findReach(config, { dataFolder: folder.path, root: ROOT, now: systemClock.now() });
  await refuseTakenPorts({ ...config, host: reach.host });
  if (stopping) return;

  say('Opening the database …');
  const database = await openDatabase(config, folder, log);
  if (stopping) return;
  const lock = await lockServer({ url: database.ownerUrl, log, onLost: fail });
  running.push({ name: 'lock of the database', stop: lock.stop });
  if (stopping) return;
  const prepared = await prepareDatabase({
    ownerUrl: database.ownerUrl,
    serverUrl: config.databaseServerUrl ?? undefined,
    serverPassword: folder.secret('database server role'),
  });
  for (const file of prepared.ran) log.info({ file }, 'migrated');
  if (stopping) return;

  say('Starting the server …');
  const composed = await compose({
    config, reach, log, folder, databaseUrl: prepared.serverUrl, isEmbedded: database.isEmbedded, version,
  });
  running.push({ name: 'server', stop: composed.stop });
  folder.announce(composed.address);
  const columns = process.stdout.isTTY ? process.stdout.columns : 0;
  console.log([
    '', `Nacre is ready: ${composed.address}`, ...wordsFor(reach, composed, columns), ...composed.notes,
    'Ctrl-C stops it.', '',
  ].join('\n'));
}

/** The user's own PostgreSQL, or the one in the data folder. */
async function openDatabase(
  config: Config, folder: { path: string; secret(purpose: string): string }, serverLog: Log,
): Promise<{ ownerUrl: string; isEmbedded: boolean }> {
  if (config.databaseUrl !== null) return { ownerUrl: config.databaseUrl, isEmbedded: false };
  const postgres = await createEmbeddedPostgres({
    folder: folder.path,
    secret: folder.secret,
    log: serverLog,
    onLost: (error) => fail(error),
  });
  running.push({ name: 'database', stop: postgres.stop });
  return {
    ownerUrl: await ensureOwnedDatabase(postgres.superuserUrl, folder.secret('database owner')),
    isEmbedded: true,
  };
}

function askedToStop(why: string): void {
  const nowMs = performance.now();
  if (stopping) {
    if (nowMs - stopAskedAtMs < SAME_SIGNAL_MS) return;
    console.error('Stopping at once.');
    process.exit(EXIT_CANNOT_START);
  }
  stopAskedAtMs = nowMs;
  log?.info({ why }, 'stopping');
  say('Stopping …');
  onStop();
  void stopAll(0);
}

/** Ends everything in reverse order and then the process. */
function stopAll(exitCode: number): Promise<void> {
  stopping ??= (async () => {
    // A start under way sees `stopping` at its next step.
    if (exitCode === 0) await started;
    let code = exitCode;
    for (const part of running.reverse()) {
      try {
        await within(stopTimeoutMs + STOP_MARGIN_MS, part);
      } catch (error) {
        log?.error({ err: error, part: part.name }, 'could not be stopped');
        code = EXIT_CANNOT_START;
      }
    }
    log?.info('stopped');
    process.exit(code);
  })();
  return stopping;
}

async function within(timeoutMs: number, part: { name: string; stop(): Promise<void> | void }): Promise<void> {
  const timeout = Promise.withResolvers<never>();
  // The database bounds its own stop, and killing it early would only make the next start slower.
  const timer = part.name === 'database' ? undefined
    : setTimeout(() => timeout.reject(new Error(`${part.name} did not stop in ${timeoutMs} ms`)), timeoutMs);
  try {
    await Promise.race([part.stop(), timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function fail(error: unknown): void {
  if (stopping) return;
  if (error instanceof StartRefusal) {
    console.error(`\n${error.message}\n`);
    void stopAll(error.exitCode);
    return;
  }
  if (log) log.fatal({ err: error }, 'Nacre stops because of a fault');
  else console.error(error);
  void stopAll(EXIT_CANNOT_START);
}

/** For a person who watches; a log file gets the structured lines instead. */
function say(text: string): void {
  if (process.stdout.isTTY) console.log(text);
}

function nacreVersion(): string {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  return manifest.version;
}
