/** The start from a fresh copy: what works, what is refused and how. */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test, { after } from 'node:test';
import pg from 'pg';
import { createTestDatabase } from '../support/database.ts';
import { databasePid, isAlive, makeCheckout, takePort } from './checkout.ts';

const ANY_PORTS = ['--port', '0', '--udp-port', '0'];
const isRoot = process.getuid?.() === 0;
/** `nobody`: an ordinary user that every system has. */
const NOBODY = 65_534;

const checkout = makeCheckout();
after(() => checkout.remove());

test('starts, answers, and stops cleanly on SIGTERM, the database too', async () => {
  const data = checkout.folder('plain');
  const nacre = checkout.start({ args: [...ANY_PORTS, '--data', data] });
  const url = await nacre.ready();
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  const database = databasePid(data);
  assert.ok(database);

  nacre.process.kill('SIGTERM');
  assert.equal(await nacre.exit(), 0, nacre.output());
  assert.equal(isAlive(database), false);
  assert.equal(existsSync(join(data, 'postgres/postmaster.pid')), false);
});

test('a second start finds what the first has left', async () => {
  const data = checkout.folder('plain');
  const secrets = readFileSync(join(data, 'secrets.json'), 'utf8');
  const nacre = checkout.start({ args: [...ANY_PORTS, '--data', data] });
  await nacre.ready();
  assert.equal(readFileSync(join(data, 'secrets.json'), 'utf8'), secrets);
  assert.doesNotMatch(nacre.output(), /"msg":"migrated"/);
  nacre.process.kill('SIGINT');
  assert.equal(await nacre.exit(), 0, nacre.output());
});

test('a taken port is refused in words before the database is touched', async () => {
  const taken = await takePort();
  const data = checkout.folder('taken-port');
  const nacre = checkout.start({ args: ['--port', String(taken.port), '--data', data] });
  assert.equal(await nacre.exit(), 1);
  assert.match(nacre.output(), new RegExp(`TCP port ${taken.port} is taken by another program.*--port`));
  assert.doesNotMatch(nacre.output(), /\bat .*\.ts:/, 'no stack');
  assert.equal(existsSync(join(data, 'postgres')), false);
  await taken.release();
});

test('[V95] the usual RTMP port may be another program’s: told, and everything else is there', async (t) => {
  const door = createServer();
  // Where it is taken already it is another program's all the more.
  await new Promise<void>((done) => door.once('error', () => done()).listen(1935, '127.0.0.1', () => done()));
  t.after(() => door.close());
  const free = await takePort();
  await free.release();
  const nacre = checkout.start({
    args: ['--port', String(free.port), '--udp-port', '0', '--empty', '--data', checkout.folder('rtmp-port')],
  });
  const url = await nacre.ready();
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  assert.match(nacre.output(), /TCP port 1935 is taken by another program, so encoders come by WHIP only.*--rtmp-port/);
  nacre.process.kill('SIGTERM');
  assert.equal(await nacre.exit(), 0, nacre.output());
});

test('a data folder in use is refused, and its user goes on', async () => {
  const data = checkout.folder('in-use');
  const first = checkout.start({ args: [...ANY_PORTS, '--data', data] });
  const url = await first.ready();
  const second = checkout.start({ args: [...ANY_PORTS, '--data', data] });
  assert.equal(await second.exit(), 1);
  assert.match(second.output(), /Another Nacre is using the data folder/);
  assert.ok(second.output().includes(url), 'names where the other is reached');
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  first.process.kill('SIGTERM');
  assert.equal(await first.exit(), 0);
});

test('an unknown option is refused with the nearest one and exit code 2', async () => {
  const nacre = checkout.start({ args: ['--prot', '3000'] });
  assert.equal(await nacre.exit(), 2);
  assert.match(nacre.output(), /There is no option --prot\. Did you mean --port\?/);
});

test('a value that is none and an unknown setting are refused with exit code 2', async () => {
  const value = checkout.start({ args: ['--port', 'many'] });
  assert.equal(await value.exit(), 2);
  assert.match(value.output(), /--port "many" is not usable: it takes a whole number/);
  const setting = checkout.start({ env: { NACRE_LOG_LEVLE: 'debug' } });
  assert.equal(await setting.exit(), 2);
  assert.match(setting.output(), /There is no setting NACRE_LOG_LEVLE\. Did you mean NACRE_LOG_LEVEL\?/);
});

test('a folder that may not be written is refused', async () => {
  const locked = checkout.folder('locked');
  chmodSync(locked, 0o555);
  const args = [...ANY_PORTS, '--data', join(locked, 'data')];
  const nacre = checkout.start({ args, ...(isRoot && { uid: NOBODY }) });
  assert.equal(await nacre.exit(), 1);
  assert.match(nacre.output(), /Nacre cannot write to its data folder .*permission denied\. .*--data DIR/);
  assert.deepEqual(readdirSync(locked), []);
});

test('a data folder made by a newer Nacre is left alone', async () => {
  const data = checkout.folder('newer');
  writeFileSync(join(data, 'folder.json'), JSON.stringify({ format: 99, madeBy: '9.0.0' }));
  const nacre = checkout.start({ args: [...ANY_PORTS, '--data', data] });
  assert.equal(await nacre.exit(), 1);
  assert.match(nacre.output(), /was made by a newer Nacre \(9\.0\.0\)/);
  assert.equal(existsSync(join(data, 'secrets.json')), false);
});

test('a database that refuses connections is named', async () => {
  const nacre = checkout.start({
    args: [...ANY_PORTS, '--data', checkout.folder('refusing')],
    env: { DATABASE_URL: 'postgres://shop:secret@127.0.0.1:1/shop' },
  });
  assert.equal(await nacre.exit(), 1);
  assert.match(nacre.output(), /No database listens on 127\.0\.0\.1:1\. Check DATABASE_URL/);
  assert.doesNotMatch(nacre.output(), /secret/);
});

test('a database that accepts and never answers is given up', async () => {
  const silent = createServer(() => {});
  await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
  const address = silent.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const nacre = checkout.start({
    args: [...ANY_PORTS, '--data', checkout.folder('silent')],
    env: { DATABASE_URL: `postgres://shop:secret@127.0.0.1:${port}/shop` },
  });
  assert.equal(await nacre.exit(), 1);
  assert.match(nacre.output(), /The database on 127\.0\.0\.1:\d+ does not answer .*Check DATABASE_URL/);
  silent.close();
});

test('a database of one\'s own is migrated and served, without a demo', async () => {
  const database = await createTestDatabase(import.meta.url, { empty: true });
  const data = checkout.folder('own-database');
  const nacre = checkout.start({ args: [...ANY_PORTS, '--data', data], env: { DATABASE_URL: database.ownerUrl } });
  const url = await nacre.ready();
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  assert.equal(existsSync(join(data, 'postgres')), false);
  const client = new pg.Client({ connectionString: database.ownerUrl });
  await client.connect();
  const { rows } = await client.query(
    'select (select count(*) from person) as people, (select count(*) from shop) as shops',
  );
  assert.deepEqual(rows, [{ people: '0', shops: '0' }]);
  await client.end();
  nacre.process.kill('SIGTERM');
  assert.equal(await nacre.exit(), 0, nacre.output());
  await database.drop();
});

test('a lost secrets file is refused, not replaced', async () => {
  const data = checkout.folder('no-secrets');
  writeFileSync(join(data, 'folder.json'), JSON.stringify({ format: 1, madeBy: '0.1.0' }));
  const nacre = checkout.start({ args: [...ANY_PORTS, '--data', data] });
  assert.equal(await nacre.exit(), 1);
  assert.match(nacre.output(), /secrets\.json is missing.*Restore it from your backup/);
});

test('works as an ordinary user', { skip: isRoot ? false : 'the other tests ran as one' }, async () => {
  const data = checkout.folder('ordinary');
  chownSync(data, NOBODY, NOBODY);
  const nacre = checkout.start({ args: [...ANY_PORTS, '--data', data], uid: NOBODY, env: { HOME: data } });
  const url = await nacre.ready();
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  nacre.process.kill('SIGTERM');
  assert.equal(await nacre.exit(), 0, nacre.output());
});

test('works as root from a folder that only root may enter', { skip: isRoot ? false : 'needs root' }, async () => {
  const hidden = makeCheckout(0o700);
  try {
    const first = hidden.start({ args: ANY_PORTS });
    assert.equal((await fetch(`${await first.ready()}/healthz`)).status, 200);
    first.process.kill('SIGTERM');
    assert.equal(await first.exit(), 0, first.output());
    // The cluster lies outside and is found again.
    const second = hidden.start({ args: ANY_PORTS });
    await second.ready();
    assert.doesNotMatch(second.output(), /"msg":"migrated"/);
    second.process.kill('SIGTERM');
    assert.equal(await second.exit(), 0, second.output());
  } finally {
    await hidden.remove();
  }
});

test('npm start says what it can do', () => {
  mkdirSync(checkout.folder('help'), { recursive: true });
  const nacre = checkout.start({ args: ['--help'] });
  return nacre.exit().then((code) => {
    assert.equal(code, 0);
    for (const option of ['--port', '--udp-port', '--data', '--empty']) assert.ok(nacre.output().includes(option));
  });
});
