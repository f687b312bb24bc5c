/**
 * The PostgreSQL that Nacre brings along: made on the first start, started, watched and stopped with the server.
 *
 * Invariants: it listens on 127.0.0.1 only, with passwords (SCRAM) derived from the data folder's secret, and writes
 * durably (fsync). It runs in a session of its own, so that Ctrl-C reaches Nacre first and the database last. A
 * postmaster that outlived a killed Nacre is taken over; one that dies under a running Nacre is started again on the
 * same port, and where the disk is full as soon as there is room. The caller holds the data folder's lock.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import {
  chmodSync, closeSync, existsSync, openSync, renameSync, rmSync, statSync, statfsSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { binariesIn, embeddedBinaries, postgresEnv } from './embedded-postgres-binaries.ts';
import type { PostgresBinaries } from './embedded-postgres-binaries.ts';
import { SUPERUSER, clusterPlace, makeCluster, rememberPlace } from './embedded-postgres-cluster.ts';
import type { ClusterPlace } from './embedded-postgres-cluster.ts';
import {
  isPostmaster, logTail, readPidFile, signalIfAlive, stopPostmaster, waitFor, waitUntilUnused,
} from './embedded-postgres-process.ts';
import { StartRefusal, errorCode, errorText } from './start-refusal.ts';

/** Crash recovery replays at most one checkpoint's worth of log; more than this means it does not come up. */
const READY_TIMEOUT_MS = 120_000;
const READY_POLL_MS = 40;
/** After a kill of the postmaster its backends need up to a second to notice; until then a start fails. */
const START_ATTEMPTS = 12;
const START_RETRY_MS = 300;
const UNUSED_TIMEOUT_MS = 10_000;
/**
 * PostgreSQL comes up with a new piece of log (16 MiB) and writes what it had in memory. A disk with less than this is
 * why it does not; more would blame the disk for other faults.
 */
const ROOM_BYTES = 32 * 1024 * 1024;
/** Somebody makes room by hand: shorter is only noise, longer keeps people waiting. */
const ROOM_RETRY_MS = 1_000;
/**
 * A database that dies this often in the window has a reason that starting again does not cure. Fewer: a passing fault
 * (memory short for a moment) ends the server. More: it flaps for hours and nobody looks.
 */
const RESTARTS_IN_WINDOW = 5;
const RESTART_WINDOW_MS = 10 * 60_000;
const ADOPTED_POLL_MS = 500;
/**
 * An ended postmaster is collected within milliseconds. Shorter leaves it to process 1, which may never collect it;
 * longer holds up a stop on a machine that has stopped working anyway.
 */
const COLLECT_TIMEOUT_MS = 5_000;
/** One old file is kept, so this twice is the most that the log takes. */
const LOG_LIMIT_BYTES = 5 * 1024 * 1024;
/** The server's pool, the jobs, a few for people who look; each costs about 2 MB when used. */
const MAX_CONNECTIONS = 100;

export interface EmbeddedPostgresLog {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

export interface EmbeddedPostgresOptions {
  /** The data folder: absolute, exists, locked by the caller. */
  folder: string;
  /** A secret of its own per purpose, always the same for this folder. */
  secret(purpose: string): string;
  log: EmbeddedPostgresLog;
  /** The folder of other PostgreSQL programs than the package's; for tests on older versions. */
  binariesFolder?: string;
  /** Server settings that differ from the defaults, such as `{ fsync: 'off' }` in tests. */
  settings?: Record<string, string>;
  /** Called once when the database is gone and starting it again has failed too often. */
  onLost?(error: Error): void;
}

export interface EmbeddedPostgres {
  /** Connection string of the superuser, for a database of that name. */
  superuserUrl(database: string): string;
  port: number;
  pid(): number;
  /** True when a running postmaster was taken over. */
  adopted: boolean;
  /** True when the cluster was made by this start. */
  isNew: boolean;
  /** Ends the database after it has written everything. */
  stop(): Promise<void>;
}

interface Running {
  pid: number;
  port: number;
  /** Null for a postmaster that was taken over. */
  child: ChildProcess | null;
}

/** Brings the database up, whatever state the last process left it in. */
export async function createEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const place = clusterPlace(options.folder);
  const binaries = options.binariesFolder
    ? binariesIn(options.binariesFolder, place.user)
    : embeddedBinaries(place.user, options.folder);
  const isNew = makeCluster(place, binaries, options.secret('postgres superuser'));
  rememberPlace(options.folder, place.cluster, place.port);
  const logFile = join(options.folder, 'postgres.log');
  const launcher = { ...options, place, binaries, logFile };

  let running = await adopt(launcher);
  const adopted = running !== null;
  running ??= await launch(launcher);
  const { port } = running;
  rememberPlace(options.folder, place.cluster, port);
  options.log.info({ pid: running.pid, port, adopted }, adopted
    ? 'took over the database that was still running' : 'database is running');

  const watch = watchOver({ ...launcher, place: { ...place, port } }, running);
  return {
    superuserUrl: (database) => superuserUrl(launcher, port, database),
    port,
    pid: watch.pid,
    adopted,
    isNew,
    stop: watch.stop,
  };
}

interface Launcher extends EmbeddedPostgresOptions {
  place: ClusterPlace;
  binaries: PostgresBinaries;
  logFile: string;
}

function superuserUrl(launcher: Launcher, port: number, database: string): string {
  const password = encodeURIComponent(launcher.secret('postgres superuser'));
  return `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
}

/** A postmaster that still runs on the cluster: taken over when it answers, ended when it does not. */
async function adopt(launcher: Launcher): Promise<Running | null> {
  const { cluster } = launcher.place;
  const found = readPidFile(cluster);
  if (!found) return null;
  if (isPostmaster(found.pid, cluster)) {
    if (found.port > 0 && await becomesReady(launcher, found.port, () => isPostmaster(found.pid, cluster))) {
      return { ...found, child: null };
    }
    launcher.log.warn({ pid: found.pid }, 'a database from before runs but does not answer; ending it');
    await stopPostmaster(found.pid, cluster);
    return null;
  }
  // The postmaster died without cleaning up. PostgreSQL sees that itself, unless another process has its number now.
  await waitUntilUnused(cluster, UNUSED_TIMEOUT_MS);
  rmSync(join(cluster, 'postmaster.pid'), { force: true });
  return null;
}

/** `again`: on the same port; while the disk is full it is tried for as long as that says. */
async function launch(launcher: Launcher, again?: { port: number; isWanted(): boolean }): Promise<Running> {
  let toldOfDisk = false;
  for (let attempt = 1; ;) {
    const port = again?.port ?? await choosePort(launcher.place.port);
    const child = startPostmaster(launcher, port);
    let ended = child.pid === undefined;
    child.once('exit', () => { ended = true; });
    child.once('error', () => { ended = true; });
    if (await becomesReady(launcher, port, () => !ended)) return { pid: child.pid ?? 0, port, child };
    if (!ended && child.pid) await stopPostmaster(child.pid, launcher.place.cluster);
    const hasRoom = !isFull(launcher.place.cluster);
    if (again?.isWanted() && !hasRoom) {
      if (!toldOfDisk) launcher.log.error({}, 'the disk is full: the database starts as soon as there is room');
      toldOfDisk = true;
      await sleep(ROOM_RETRY_MS);
      continue;
    }
    attempt += 1;
    if (attempt > START_ATTEMPTS || !(again?.isWanted() ?? true)) throw doesNotStart(launcher, hasRoom);
    await sleep(START_RETRY_MS);
  }
}

function doesNotStart({ place, logFile }: Launcher, hasRoom: boolean): StartRefusal {
  return new StartRefusal([
    `The database in ${place.cluster} does not start${hasRoom ? '' : ', and the disk is full: make room'}. `
    + `The end of ${logFile}:`, logTail(logFile, 8),
  ].join('\n'));
}

/** Whether what the cluster, or its log on a disk of its own, is written to has no room for a start. */
function isFull(cluster: string): boolean {
  return [cluster, join(cluster, 'pg_wal')].some((folder) => {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize < ROOM_BYTES;
  });
}

function startPostmaster(launcher: Launcher, port: number): ChildProcess {
  const { place, binaries, logFile } = launcher;
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: String(MAX_CONNECTIONS),
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_line_prefix: '%m [%p] ',
    // Statements that fail are the server's to log, with their context; here only the life of the database.
    log_min_messages: 'log',
    log_checkpoints: 'off',
    // Plans compile for longer than such short statements run.
    jit: 'off',
    ...launcher.settings,
  };
  const args = ['-D', place.cluster, '-p', String(port)];
  for (const [name, value] of Object.entries(settings)) args.push('-c', `${name}=${value}`);
  rotateLog(logFile);
  const log = openSync(logFile, 'a', 0o600);
  chmodSync(logFile, 0o600);
  try {
    const child = spawn(binaries.postgres, args, {
      ...place.user, cwd: '/', env: postgresEnv(), detached: true, stdio: ['ignore', log, log],
    });
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

function rotateLog(logFile: string): void {
  if (existsSync(logFile) && statSync(logFile).size > LOG_LIMIT_BYTES) renameSync(logFile, `${logFile}.old`);
}

/** Waits until the superuser can sign in; false when the process ends or time runs out. */
async function becomesReady(launcher: Launcher, port: number, isAlive: () => boolean): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < READY_TIMEOUT_MS && isAlive(); waitedMs += READY_POLL_MS) {
    const client = new pg.Client({
      connectionString: superuserUrl(launcher, port, 'postgres'), connectionTimeoutMillis: 5_000,
    });
    client.on('error', () => {
      // Reported by connect() or query() below; without a listener it would end the process.
    });
    try {
      await client.connect();
      const { rows } = await client.query<{ folder: string }>('select current_setting(\'data_directory\') as folder');
      return rows[0]?.folder === launcher.place.cluster;
    } catch (error) {
      if (errorCode(error) === '28P01') throw wrongSecret(launcher, error);
      // 57P03: it is starting or recovering. ECONNREFUSED: not listening yet.
    } finally {
      await client.end().catch(() => {
        // The connection may never have been made.
      });
    }
    await sleep(READY_POLL_MS);
  }
  return false;
}

function wrongSecret(launcher: Launcher, cause: unknown): StartRefusal {
  return new StartRefusal(
    `The database in ${launcher.place.cluster} does not accept the password derived from `
    + `${join(launcher.folder, 'secrets.json')}. The two do not belong together: restore both from the same backup.`,
    { cause },
  );
}

/** The port of last time when it is free, so that what was written down stays true; else any. */
async function choosePort(remembered: number): Promise<number> {
  if (remembered > 0 && await freePort(remembered) === remembered) return remembered;
  const port = await freePort(0);
  if (port === 0) throw new StartRefusal('No free TCP port on 127.0.0.1 for the database.');
  return port;
}

/** Resolves to the port when it can be listened on, to 0 when it cannot. */
function freePort(port: number): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(0));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = probe.address();
      const got = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(got));
    });
  });
}

/** Starts the database again when it ends by itself; bounded. */
function watchOver(launcher: Launcher, first: Running): { pid(): number; stop(): Promise<void> } {
  const { cluster } = launcher.place;
  let running = first;
  let stopping = false;
  let poll: NodeJS.Timeout | undefined;
  let restart: Promise<void> = Promise.resolve();
  const restarts: number[] = [];
  // When this process ends by an error of its own, the database need not outlive it.
  const onExit = () => signalIfAlive(running.pid, 'SIGINT');

  const follow = () => {
    clearInterval(poll);
    if (running.child) {
      running.child.once('exit', (code, signal) => ended({ code, signal }));
      if (running.child.exitCode !== null || running.child.signalCode !== null) ended({});
    } else {
      poll = setInterval(() => {
        if (!isPostmaster(running.pid, cluster)) ended({});
      }, ADOPTED_POLL_MS).unref();
    }
  };
  const ended = (how: object) => {
    clearInterval(poll);
    if (stopping) return;
    launcher.log.error({ ...how, pid: running.pid, tail: logTail(launcher.logFile, 5) }, 'the database has ended');
    restart = startAgain().catch((error: unknown) => {
      launcher.log.error({ err: error }, 'the database could not be started again');
      if (!stopping) launcher.onLost?.(error instanceof Error ? error : new Error(errorText(error)));
    });
  };
  const startAgain = async () => {
    const nowMs = performance.now();
    // What a full disk does ends with it, however often that is.
    if (!isFull(cluster)) restarts.push(nowMs);
    if (restarts.filter((at) => nowMs - at < RESTART_WINDOW_MS).length > RESTARTS_IN_WINDOW) {
      throw new Error(`the database ended more than ${RESTARTS_IN_WINDOW} times within ten minutes`);
    }
    await adopt(launcher);
    running = await launch(launcher, { port: launcher.place.port, isWanted: () => !stopping });
    launcher.log.info({ pid: running.pid, port: running.port }, 'the database is running again');
    if (stopping) await stopPostmaster(running.pid, cluster);
    else follow();
  };
  process.once('exit', onExit);
  follow();
  return {
    pid: () => running.pid,
    async stop() {
      stopping = true;
      clearInterval(poll);
      await restart;
      await stopPostmaster(running.pid, cluster);
      // It looks gone as soon as it gives up its memory, a little before it has ended and this process has collected
      // it. Exiting in between leaves a dead process behind that still has a number.
      const { child } = running;
      if (child) await waitFor(() => child.exitCode !== null || child.signalCode !== null, COLLECT_TIMEOUT_MS);
      process.off('exit', onExit);
    },
  };
}
