import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import pg from 'pg';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { prepareDatabase } from './prepare-database.ts';
import { scramVerifier, serverRoleName } from './roles.ts';
import { StartRefusal } from './start-refusal.ts';

const PASSWORD = 'a password';
const INSUFFICIENT_PRIVILEGE = '42501';
const open: pg.Client[] = [];
after(() => Promise.all(open.map((client) => client.end())));

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  open.push(client);
  return client;
}

function as(url: string, role: string): string {
  const other = new URL(url);
  other.username = role;
  other.password = encodeURIComponent(PASSWORD);
  return other.href;
}

test('the owner makes the working role, and a repeat keeps it', async () => {
  const { ownerUrl, name } = await createTestDatabase(import.meta.url, { empty: true });
  const first = await prepareDatabase({ ownerUrl, serverPassword: PASSWORD });
  assert.ok(first.ran.length > 0);
  assert.equal(new URL(first.serverUrl).username, serverRoleName(name));
  const again = await prepareDatabase({ ownerUrl, serverPassword: PASSWORD });
  assert.deepEqual(again, { serverUrl: first.serverUrl, ran: [] });
  const changed = await prepareDatabase({ ownerUrl, serverPassword: 'another one' });
  await connect(changed.serverUrl);
});

test('a command with another data folder does not lock out the server that works in the database', async () => {
  const { ownerUrl } = await createTestDatabase(import.meta.url, { empty: true });
  const first = await prepareDatabase({ ownerUrl, serverPassword: PASSWORD });
  const working = await connect(first.serverUrl);
  await assert.rejects(
    prepareDatabase({ ownerUrl, serverPassword: 'another one' }),
    (error) => error instanceof StartRefusal && /--data DIR.*NACRE_DATABASE_SERVER_URL/.test(error.message),
  );
  await connect(first.serverUrl);
  assert.equal((await working.query('select 1')).rowCount, 1);
});

test('the working role writes rows but neither makes tables nor changes a log', async () => {
  const { serverUrl } = await createTestDatabase(import.meta.url);
  const server = await connect(serverUrl);
  await server.query('insert into installation (key, value) values (\'a\', \'1\')');
  await server.query('update installation set value = \'2\' where key = \'a\'');
  await server.query('delete from installation where key = \'a\'');
  const refused = [
    'create table mine (id integer)',
    'alter table installation add column mine integer',
    'update stock_move set created_at = created_at',
    'delete from payment_notice',
    'truncate order_transition',
    'delete from person',
    'truncate variant cascade',
    'update schema_migration set checksum = \'\'',
    'insert into schema_migration (number, name, checksum, applied_at) values (9999, \'x\', \'x\', \'2026-01-01\')',
  ];
  for (const statement of refused) {
    await assert.rejects(server.query(statement), { code: INSUFFICIENT_PRIVILEGE }, statement);
  }
});

test('the working role may use the job queue', async () => {
  const { serverUrl } = await createTestDatabase(import.meta.url);
  const server = await connect(serverUrl);
  const { rows } = await server.query<{ fine: boolean }>(
    'select has_table_privilege(\'pgboss.job\', \'select, insert, update, delete\') as fine',
  );
  assert.equal(rows[0]?.fine, true);
});

test('a working role that can do too much is refused', async () => {
  const { ownerUrl, superuserUrl } = await createTestDatabase(import.meta.url, { empty: true });
  const prepare = (serverUrl: string) => prepareDatabase({ ownerUrl, serverUrl, serverPassword: PASSWORD });
  const superuser = await connect(superuserUrl);
  const owner = new URL(ownerUrl).username;
  await assert.rejects(prepare(superuserUrl), /is a superuser/);
  await assert.rejects(prepare(ownerUrl), /can act as the owner of/);

  const role = `powerful_${process.pid}`;
  await superuser.query(`create role ${role} login password '${PASSWORD}' in role ${owner}`);
  await assert.rejects(prepare(as(ownerUrl, role)), /can act as the owner of/);
  await superuser.query(`revoke ${owner} from ${role}`);
  await prepare(as(ownerUrl, role));

  // A right that came another way is seen as well: here by a single column, granted to everybody.
  await superuser.query('grant update (created_at) on stock_move to public');
  await assert.rejects(prepare(as(ownerUrl, role)), /may change rows of public\.stock_move, which only grows/);
  await superuser.query('revoke update (created_at) on stock_move from public; grant delete on person to public');
  await assert.rejects(prepare(as(ownerUrl, role)), /may delete rows of public\.person, which all stay/);
});

test('an owner who may not make roles is told both ways out', async () => {
  const { ownerUrl, superuserUrl, name } = await createTestDatabase(import.meta.url, { empty: true });
  const superuser = await connect(superuserUrl);
  const role = `plain_owner_${process.pid}`;
  await superuser.query(`create role ${role} login password '${PASSWORD}'`);
  await superuser.query(`alter database ${name} owner to ${role}`);
  const poor = { ownerUrl: as(ownerUrl, role), serverPassword: PASSWORD };
  await assert.rejects(prepareDatabase(poor), (error) => {
    assert.ok(error instanceof StartRefusal);
    assert.match(error.message, /may not make the role .*_server.*CREATEROLE.*NACRE_DATABASE_SERVER_URL/);
    return true;
  });
  const given = `given_${process.pid}`;
  await superuser.query(`create role ${given} login password '${PASSWORD}'`);
  const { serverUrl } = await prepareDatabase({ ...poor, serverUrl: as(ownerUrl, given) });
  const server = await connect(serverUrl);
  await server.query('select count(*) from installation');
});

test('an owner who may not make tables is refused before anything is made', async () => {
  const { ownerUrl, superuserUrl } = await createTestDatabase(import.meta.url, { empty: true });
  const superuser = await connect(superuserUrl);
  const role = `guest_${process.pid}`;
  await superuser.query(`create role ${role} login createrole password '${PASSWORD}'`);
  await assert.rejects(
    prepareDatabase({ ownerUrl: as(ownerUrl, role), serverPassword: PASSWORD }),
    /may not make tables in the database .*ALTER DATABASE .* OWNER TO/,
  );
});

test('a wrong password, a missing database and an address that is none are told apart', async () => {
  const { ownerUrl } = await createTestDatabase(import.meta.url, { empty: true });
  const prepare = (url: string) => prepareDatabase({ ownerUrl: url, serverPassword: PASSWORD });
  await assert.rejects(prepare(as(ownerUrl, 'nacre_test_owner')), /does not let nacre_test_owner in/);
  const missing = new URL(ownerUrl);
  missing.pathname = '/no_such_database';
  await assert.rejects(prepare(missing.href), /The database no_such_database does not exist/);
});

test('what is kept instead of the password is what PostgreSQL itself would keep', async () => {
  const { superuserUrl } = await createTestDatabase(import.meta.url, { empty: true });
  const superuser = await connect(superuserUrl);
  const role = `verified_${process.pid}`;
  await superuser.query(`create role ${role} login password '${PASSWORD}'`);
  const { rows } = await superuser.query<{ kept: string }>(
    'select rolpassword as kept from pg_authid where rolname = $1', [role],
  );
  const kept = rows[0]?.kept ?? '';
  const salt = Buffer.from(/^SCRAM-SHA-256\$\d+:([^$]+)\$/.exec(kept)?.[1] ?? '', 'base64');
  assert.equal(scramVerifier(PASSWORD, salt), kept);
});

test('a database with a long name has a role of its own', () => {
  const long = 'a'.repeat(60);
  assert.notEqual(serverRoleName(`${long}b`), serverRoleName(`${long}c`));
  assert.ok(Buffer.byteLength(serverRoleName(long)) <= 63);
  assert.equal(serverRoleName('market'), 'market_server');
});
