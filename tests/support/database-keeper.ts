/**
 * The process that holds the PostgreSQL of a test run.
 *
 * Test files run as processes of their own, side by side; whoever comes first starts this one, and it ends by itself
 * when nobody has been connected for a while. It keeps a migrated template and copies it for each test file; a copy
 * goes when its file has passed and is kept, up to a number, when it has failed.
 *
 * Usage: node tests/support/database-keeper.ts (started by database.ts). Lines of JSON over a local socket.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { lockDataFolder } from '../../server/src/platform/data-folder-lock.ts';
import { SUPERUSER } from '../../server/src/platform/embedded-postgres-cluster.ts';
import { createEmbeddedPostgres } from '../../server/src/platform/embedded-postgres.ts';
import { readMigrations } from '../../server/src/platform/migrate.ts';
import { prepareDatabase } from '../../server/src/platform/prepare-database.ts';
import { keeperPlace } from './database-place.ts';
import type { KeeperReply, KeeperRequest } from './database-place.ts';

/** Longer than the pause between two test files; short enough to be gone when the person looks. */
const IDLE_MS = 5_000;
/** Each is about 10 MB on disk. */
const KEPT_DATABASES = 10;
const OWNER = 'nacre_test_owner';
const SERVER = 'nacre_test_server';
/** Guards nothing but throw-away data on 127.0.0.1. */
const PASSWORD = 'only-for-tests';

const place = keeperPlace();
mkdirSync(place.passedFolder, { recursive: true });
// Two files may have started a keeper at once; the second leaves, its file finds the first.
const lock = await lockDataFolder(place.folder, 0).catch(() => process.exit(0));
const postgres = await createEmbeddedPostgres({
  folder: place.folder,
  secret: (purpose) => createHash('sha256').update(`test ${purpose}`).digest('base64url'),
  log: {
    info: () => {},
    warn: (fields, text) => console.error(text, fields),
    error: (fields, text) => console.error(text, fields),
  },
  ...(place.binariesFolder && { binariesFolder: place.binariesFolder }),
  settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' },
});
const admin = new pg.Client({ connectionString: postgres.superuserUrl('postgres') });
await admin.connect();
await makeRoles();

let queue: Promise<unknown> = Promise.resolve();
/** One statement after the other: PostgreSQL copies a template only while nobody is connected to it. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const result = queue.then(work, work);
  queue = result.catch(() => {
    // Answered to the one who asked.
  });
  return result;
}

let clients = 0;
let idle = setTimeout(stop, IDLE_MS);
rmSync(place.socket, { force: true });
const server = createServer((socket) => {
  clients += 1;
  clearTimeout(idle);
  serve(socket);
});
server.listen(place.socket);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, stop);

function serve(socket: Socket): void {
  const mine: string[] = [];
  socket.on('error', () => {
    // A test process that was killed; 'close' follows.
  });
  createInterface({ input: socket }).on('line', (line) => {
    const request = JSON.parse(line) as KeeperRequest;
    inTurn(() => create(request, mine))
      .catch((error: unknown): KeeperReply => ({ error: error instanceof Error ? error.message : String(error) }))
      .then((reply) => socket.write(`${JSON.stringify(reply)}\n`))
      .catch((error: unknown) => console.error(error));
  });
  socket.on('close', () => {
    inTurn(() => tidyUp(mine)).catch((error: unknown) => console.error(error)).finally(() => {
      clients -= 1;
      if (clients === 0) idle = setTimeout(stop, IDLE_MS);
    });
  });
}

async function create(request: KeeperRequest, mine: string[]): Promise<KeeperReply> {
  const template = request.empty ? 'template0' : await ensureTemplate();
  const name = databaseName(request.file);
  await admin.query(`create database ${pg.escapeIdentifier(name)} template ${template} owner ${OWNER}`);
  mine.push(name);
  return {
    name,
    ownerUrl: urlFor(OWNER, name),
    serverUrl: urlFor(SERVER, name),
    superuserUrl: postgres.superuserUrl(name),
  };
}

let counter = 0;
function databaseName(file: string): string {
  counter += 1;
  const stem = basename(file).replace(/(\.db)?\.test\.ts$/, '').replace(/[^a-z0-9]+/g, '_').slice(0, 30);
  return `test_${stem}_${process.pid}_${counter}`;
}

function urlFor(role: string, database: string): string {
  return `postgres://${role}:${PASSWORD}@127.0.0.1:${postgres.port}/${database}`;
}

async function makeRoles(): Promise<void> {
  const { rows } = await admin.query<{ rolname: string }>('select rolname from pg_roles');
  const known = new Set(rows.map((row) => row.rolname));
  if (!known.has(OWNER)) await admin.query(`create role ${OWNER} login createrole password '${PASSWORD}'`);
  for (const role of known) {
    if (role.startsWith('pg_') || [SUPERUSER, OWNER, SERVER].includes(role)) continue;
    // Made by a test; it stays as long as a database that is kept refers to it.
    await admin.query(`drop role ${pg.escapeIdentifier(role)}`).catch(() => {});
  }
  if (!known.has(SERVER)) await admin.query(`create role ${SERVER} login password '${PASSWORD}'`);
}

/** The migrated template of the files as they are now. */
async function ensureTemplate(): Promise<string> {
  const hash = createHash('sha256');
  for (const migration of readMigrations()) hash.update(migration.name).update(migration.checksum);
  for (const file of ['roles.ts', 'prepare-database.ts', 'migrate.ts']) {
    hash.update(readFileSync(join(import.meta.dirname, '../../server/src/platform', file)));
  }
  hash.update(readFileSync(join(import.meta.dirname, '../../package-lock.json')));
  const name = `template_${hash.digest('hex').slice(0, 16)}`;
  const { rows } = await admin.query<{ datname: string }>(
    'select datname from pg_database where datname like \'template\\_%\' or datname = \'unfinished\'',
  );
  if (rows.some((row) => row.datname === name)) return name;
  for (const { datname } of rows) await dropDatabase(datname);
  await admin.query(`create database unfinished owner ${OWNER} template template0`);
  await prepareDatabase({
    ownerUrl: urlFor(OWNER, 'unfinished'), serverUrl: urlFor(SERVER, 'unfinished'), serverPassword: PASSWORD,
  });
  await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = \'unfinished\'');
  await admin.query(`alter database unfinished rename to ${name}`);
  return name;
}

async function tidyUp(mine: string[]): Promise<void> {
  for (const name of mine) {
    const passed = join(place.passedFolder, name);
    if (!existsSync(passed)) continue;
    await dropDatabase(name);
    rmSync(passed);
  }
  const { rows } = await admin.query<{ datname: string }>(
    'select datname from pg_database where datname like \'test\\_%\' order by oid',
  );
  const idleOnes = rows.map((row) => row.datname).filter((name) => clients <= 1 || mine.includes(name));
  for (const name of idleOnes.slice(0, Math.max(0, idleOnes.length - KEPT_DATABASES))) await dropDatabase(name);
}

async function dropDatabase(name: string): Promise<void> {
  await admin.query(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`);
}

function stop(): void {
  server.close();
  inTurn(async () => {
    await admin.end();
    await postgres.stop();
    lock.release();
  }).then(() => process.exit(0), (error: unknown) => {
    console.error(error);
    process.exit(1);
  });
}
