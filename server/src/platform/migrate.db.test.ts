import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, beforeEach } from 'node:test';
import pg from 'pg';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { migrate, readMigrations } from './migrate.ts';

const folder = mkdtempSync(join(tmpdir(), 'nacre-migrations-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const clients: pg.Client[] = [];
after(() => Promise.all(clients.map((client) => client.end())));

let ownerUrl = '';
beforeEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  ({ ownerUrl } = await createTestDatabase(import.meta.url, { empty: true }));
  mkdirSync(folder);
  write('0001_first.sql', 'create table first (id integer primary key);');
  write('0002_second.sql', 'create table second (id integer primary key);');
});

function write(name: string, sql: string): void {
  writeFileSync(join(folder, name), sql);
}

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  clients.push(client);
  return client;
}

async function tables(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ tablename: string }>(
    'select tablename from pg_tables where schemaname = \'public\' and tablename <> \'schema_migration\' order by 1',
  );
  return rows.map((row) => row.tablename);
}

test('runs what is missing, in order, once', async () => {
  const client = await connect();
  assert.deepEqual(await migrate(client, readMigrations(folder)), ['0001_first.sql', '0002_second.sql']);
  assert.deepEqual(await migrate(client, readMigrations(folder)), []);
  write('0003_third.sql', 'create table third (id integer primary key);');
  assert.deepEqual(await migrate(client, readMigrations(folder)), ['0003_third.sql']);
  assert.deepEqual(await tables(client), ['first', 'second', 'third']);
});

test('a migration that fails leaves nothing of itself and keeps those before it', async () => {
  const client = await connect();
  write('0003_half.sql', 'create table half (id integer primary key); select 1 / 0;');
  await assert.rejects(migrate(client, readMigrations(folder)),
    /0003_half\.sql failed and was rolled back: division by zero/);
  assert.deepEqual(await tables(client), ['first', 'second']);
  write('0003_half.sql', 'create table half (id integer primary key);');
  assert.deepEqual(await migrate(client, readMigrations(folder)), ['0003_half.sql']);
});

test('a database that knows more than this version is refused', async () => {
  const client = await connect();
  await migrate(client, readMigrations(folder));
  await assert.rejects(migrate(client, readMigrations(folder).slice(0, 1)),
    /made by a newer Nacre: it has 2 migrations/);
});

test('a migration that was changed after it ran is refused', async () => {
  const client = await connect();
  await migrate(client, readMigrations(folder));
  write('0001_first.sql', 'create table first (id bigint primary key);');
  write('0003_third.sql', 'create table third (id integer primary key);');
  await assert.rejects(migrate(client, readMigrations(folder)), /0001_first\.sql differs from what ran/);
  assert.deepEqual(await tables(client), ['first', 'second']);
});

test('line ends of another system are no change', async () => {
  const client = await connect();
  write('0001_first.sql', 'create table first (\n  id integer primary key\n);\n');
  await migrate(client, readMigrations(folder));
  write('0001_first.sql', 'create table first (\r\n  id integer primary key\r\n);\r\n');
  assert.deepEqual(await migrate(client, readMigrations(folder)), []);
});

test('two at once run each migration once', async () => {
  const [one, two] = [await connect(), await connect()];
  const ran = await Promise.all([migrate(one, readMigrations(folder)), migrate(two, readMigrations(folder))]);
  assert.deepEqual(ran.flat().sort(), ['0001_first.sql', '0002_second.sql']);
});

test('a gap in the numbers and a strange name are bugs', () => {
  write('0004_gap.sql', '');
  assert.throws(() => readMigrations(folder), /0004_gap\.sql: migrations are numbered without gaps, here 0003 is due/);
  rmSync(join(folder, '0004_gap.sql'));
  write('third.sql', '');
  assert.throws(() => readMigrations(folder), /third\.sql: a migration is named/);
});
