/** What a crash leaves behind, and that the next start, or the server itself, makes do with it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test, { after } from 'node:test';
import { createTestDatabase } from '../support/database.ts';
import { databasePid, isAlive, makeCheckout, until } from './checkout.ts';

const ANY_PORTS = ['--port', '0', '--udp-port', '0'];

const checkout = makeCheckout();
after(() => checkout.remove());

test('a second server on one database is refused, commands are not; kill -9 leaves no lock behind', async () => {
  const database = await createTestDatabase(import.meta.url, { empty: true });
  const env = { DATABASE_URL: database.ownerUrl };
  const start = (data: string) => checkout.start({ args: [...ANY_PORTS, '--data', data], env });
  const data = checkout.folder('first-on-database');
  const first = start(data);
  const url = await first.ready();
  const second = start(checkout.folder('second-on-database'));
  assert.equal(await second.exit(), 1, second.output());
  const sentence = `Another Nacre works in this database \\(process ${first.serverPid()} on .*Stop it`;
  assert.match(second.output(), new RegExp(sentence));
  assert.doesNotMatch(second.output(), /\bat .*\.ts:/, 'no stack');
  assert.equal((await fetch(`${url}/readyz`)).status, 200);

  const email = 'mei@example.test';
  const answer = await fetch(`${url}/api/auth/sign-up/email`, {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Mei', email, password: 'pearl and shell' }),
  });
  assert.equal(answer.status, 200);
  const command = (...words: string[]) => execFileSync(
    process.execPath, ['tools/run.mjs', 'nacre', ...words, '--data', data],
    { cwd: checkout.root, env: { PATH: process.env['PATH'], ...env }, encoding: 'utf8' },
  );
  assert.match(command('operator', email), /is an operator now/);
  assert.match(command('migrate'), /up to date/);

  process.kill(first.serverPid(), 'SIGKILL');
  await first.exit();
  const third = start(data);
  await third.ready();
  third.process.kill('SIGTERM');
  assert.equal(await third.exit(), 0, third.output());
  await database.drop();
});

test('after kill -9 of the server the next start takes over its database', async () => {
  const data = checkout.folder('killed');
  const first = checkout.start({ args: [...ANY_PORTS, '--data', data] });
  await first.ready();
  const database = databasePid(data);
  assert.ok(database);
  process.kill(first.serverPid(), 'SIGKILL');
  await first.exit();
  assert.equal(isAlive(database), true, 'the database outlives the server');

  const second = checkout.start({ args: [...ANY_PORTS, '--data', data] });
  const url = await second.ready();
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  assert.equal(databasePid(data), database);
  second.process.kill('SIGTERM');
  assert.equal(await second.exit(), 0, second.output());
  await until(() => !isAlive(database), 'an adopted database is stopped');
});

test('after kill -9 of server and database the next start recovers', async () => {
  const data = checkout.folder('killed');
  const first = checkout.start({ args: [...ANY_PORTS, '--data', data] });
  await first.ready();
  const database = databasePid(data);
  assert.ok(database);
  process.kill(first.serverPid(), 'SIGKILL');
  process.kill(database, 'SIGKILL');
  await first.exit();

  const second = checkout.start({ args: [...ANY_PORTS, '--data', data] });
  assert.equal((await fetch(`${await second.ready()}/healthz`)).status, 200);
  second.process.kill('SIGTERM');
  assert.equal(await second.exit(), 0, second.output());
});

test('when the process that started it is killed, the server stops by itself', async () => {
  const data = checkout.folder('orphaned');
  const nacre = checkout.start({ args: [...ANY_PORTS, '--data', data] });
  await nacre.ready();
  const server = nacre.serverPid();
  nacre.process.kill('SIGKILL');
  await until(() => !isAlive(server), 'the server ends');
  assert.equal(databasePid(data), null);
});

test('a database that dies under a running server is started again', async () => {
  const data = checkout.folder('database-dies');
  const nacre = checkout.start({ args: [...ANY_PORTS, '--data', data] });
  const url = await nacre.ready();
  const database = databasePid(data);
  assert.ok(database);
  process.kill(database, 'SIGKILL');
  await until(() => databasePid(data) !== database && databasePid(data) !== null, 'a new database process');
  await until(async () => (await fetch(`${url}/readyz`)).status === 200, 'the server is ready again');
  nacre.process.kill('SIGTERM');
  assert.equal(await nacre.exit(), 0, nacre.output());
});
