/**
 * A real PostgreSQL database for one test file, migrated, with the server's own role.
 *
 *     const database = await createTestDatabase(import.meta.url);
 *     after(() => database.drop());
 *
 * The database goes when the file has passed. When it failed it stays, and its address is printed.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { keeperPlace } from './database-place.ts';
import type { KeeperReply, KeeperRequest } from './database-place.ts';

/** The first start makes a cluster; a busy machine needs tens of seconds for it. */
const KEEPER_TIMEOUT_MS = 60_000;
const RETRY_MS = 50;
const RESPAWN_MS = 3_000;
const HOW_TO_LOOK = 'node tests/support/keep-database.ts keeps PostgreSQL running to look into it.';

export interface TestDatabase {
  name: string;
  /** Connection string of the role that owns the tables. */
  ownerUrl: string;
  /** Connection string of the role the server works as. */
  serverUrl: string;
  superuserUrl: string;
  /** Says that the file is done with it. It is dropped when the process ends and every test has passed. */
  drop(): Promise<void>;
}

/** A copy of the migrated template (or an empty database); about 0.1 s once PostgreSQL runs. */
export async function createTestDatabase(file: string, options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const socket = await reachKeeper();
  const path = file.startsWith('file:') ? fileURLToPath(file) : file;
  const reply = await ask(socket, { file: path, empty: options.empty ?? false });
  if ('error' in reply) throw new Error(`The test database could not be made: ${reply.error}`);
  // The open socket says that this process lives; it must not keep it alive.
  socket.unref();
  if (made.length === 0) process.once('exit', settle);
  made.push(reply);
  return {
    ...reply,
    drop: () => Promise.resolve(),
  };
}

const made: { name: string; superuserUrl: string }[] = [];

/** Tells the keeper which databases may go: it looks for the marks when this process is gone. */
function settle(code: number): void {
  if (code === 0) {
    for (const { name } of made) writeFileSync(join(keeperPlace().passedFolder, name), '');
  } else {
    const urls = made.map(({ superuserUrl }) => `  ${superuserUrl}`);
    console.error(['The tests failed; their databases are kept:', ...urls, HOW_TO_LOOK].join('\n'));
  }
}

/** A connection to the process that holds PostgreSQL, which is started when it is not there. */
export async function reachKeeper(): Promise<Socket> {
  const place = keeperPlace();
  const logFile = join(place.folder, 'keeper.log');
  const deadline = performance.now() + KEEPER_TIMEOUT_MS;
  let spawnedAt = -Infinity;
  while (performance.now() < deadline) {
    const socket = await tryConnect(place.socket);
    if (socket) return socket;
    if (performance.now() - spawnedAt > RESPAWN_MS) {
      spawnedAt = performance.now();
      mkdirSync(place.folder, { recursive: true });
      const log = openSync(logFile, 'w');
      const keeper = join(import.meta.dirname, 'database-keeper.ts');
      spawn(process.execPath, [keeper], { detached: true, stdio: ['ignore', log, log] }).unref();
      closeSync(log);
    }
    await sleep(RETRY_MS);
  }
  throw new Error(
    `The PostgreSQL of the tests does not start; ${logFile} says:\n${readFileSync(logFile, 'utf8')}\n`
    + `If its data is damaged, delete ${place.folder} and run the tests again.`,
  );
}

function tryConnect(path: string): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(null));
  });
}

function ask(socket: Socket, request: KeeperRequest): Promise<KeeperReply> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(new Error('the process that holds PostgreSQL has ended'));
    socket.once('close', gone);
    createInterface({ input: socket }).once('line', (line) => {
      socket.off('close', gone);
      resolve(JSON.parse(line) as KeeperReply);
    });
    socket.write(`${JSON.stringify(request)}\n`);
  });
}
