import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { createLog } from './log.ts';
import { lockServer, type ServerLock, type ServerLockOptions } from './server-lock.ts';
import { StartRefusal } from './start-refusal.ts';

const database = await createTestDatabase(import.meta.url);
const log = createLog('silent', false);
const open: Array<{ stop(): Promise<void> }> = [];
after(async () => {
  for (const part of open) await part.stop();
  await database.drop();
});

const lost: StartRefusal[] = [];
async function lock(options: Partial<ServerLockOptions> = {}): Promise<ServerLock> {
  const taken = await lockServer({ url: database.ownerUrl, log, onLost: (refusal) => lost.push(refusal), ...options });
  open.push(taken);
  return taken;
}

const superuser = new pg.Client({ connectionString: database.superuserUrl });
await superuser.connect();
open.push({ stop: () => superuser.end() });

/** The backends that hold the lock. */
async function holders(): Promise<number[]> {
  const { rows } = await superuser.query<{ pid: number }>(
    `select pid from pg_locks where locktype = 'advisory' and granted and objsubid = 2
       and database = (select oid from pg_database where datname = current_database())`,
  );
  return rows.map(({ pid }) => pid);
}

async function until<T>(what: string, look: () => Promise<T | undefined>, withinMs = 10_000): Promise<T> {
  const begun = performance.now();
  while (performance.now() - begun < withinMs) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(10);
  }
  return assert.fail(`waited in vain for ${what}`);
}

const newHolder = (old: number) => until('another holder', async () => (await holders()).find((pid) => pid !== old));

/** A way to the database that falls silent at the test's word, as a cable that was pulled. */
async function silentWay(): Promise<{ url: string; cut(): void; cutAfter(text: string): void; stop(): Promise<void> }> {
  const way = new URL(database.ownerUrl);
  const { port, hostname } = way;
  const pipes: Socket[] = [];
  let last: string | null = null;
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    near.pipe(far).pipe(near);
    near.on('data', (bytes) => {
      if (last === null || !bytes.includes(last)) return;
      last = null;
      // What was asked arrives, its answer does not.
      far.unpipe().pause();
      setImmediate(() => near.unpipe().pause());
    });
    for (const socket of [near, far]) socket.on('error', () => {});
    pipes.push(near, far);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  way.port = String(typeof address === 'object' ? address?.port : 0);
  return {
    url: way.href,
    cut() {
      for (const socket of pipes.splice(0)) socket.unpipe().pause();
    },
    cutAfter(text) {
      last = text;
    },
    async stop() {
      for (const socket of pipes) socket.destroy();
      server.close();
    },
  };
}

test('[P60] one server works in a database; a second is refused and told which; the first goes on', async () => {
  const first = await lock();
  const [holder] = await holders();
  await assert.rejects(lock(), (error) => {
    assert.ok(error instanceof StartRefusal);
    assert.match(error.message, new RegExp(`Another Nacre works in this database \\(process ${process.pid} on .+\\)`));
    assert.notEqual(error.exitCode, 0);
    return true;
  });
  assert.deepEqual(await holders(), [holder]);
  await first.stop();
  await (await lock()).stop();
  assert.deepEqual(await holders(), []);
});

test('[P60] one that is just ending is waited for', async () => {
  const first = await lock();
  const second = lock();
  await sleep(300);
  await first.stop();
  await (await second).stop();
});

test('[P61] after kill -9 the lock is free at once', async () => {
  const source = new URL('server-lock.ts', import.meta.url).href;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', `
    const { lockServer } = await import(${JSON.stringify(source)});
    const { createLog } = await import(${JSON.stringify(new URL('log.ts', import.meta.url).href)});
    await lockServer({ url: process.env.URL, log: createLog('silent', false), onLost() {} });
    console.log('held');
    setInterval(() => {}, 1000);
  `], { env: { ...process.env, URL: database.ownerUrl }, stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  assert.equal((await holders()).length, 1);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const begun = performance.now();
  await (await lock()).stop();
  assert.ok(performance.now() - begun < 2_000, `${performance.now() - begun} ms`);
});

test('[P62] a connection that dies is replaced and the lock taken again', async () => {
  const taken = await lock();
  const [holder = 0] = await holders();
  await superuser.query('select pg_terminate_backend($1)', [holder]);
  await newHolder(holder);
  await assert.rejects(lock({ waitMs: 0 }), /Another Nacre/);
  await taken.stop();
  assert.deepEqual([await holders(), lost], [[], []]);
});

test('[P62] a connection that falls silent is replaced too, though PostgreSQL still believes in it', async () => {
  const way = await silentWay();
  open.push(way);
  const taken = await lock({ url: way.url, beatEveryMs: 50, answerTimeoutMs: 300 });
  const [holder = 0] = await holders();
  way.cut();
  await newHolder(holder);
  assert.deepEqual(lost, []);
  await taken.stop();
});

test('[P62] a lock that was got, but the answer was lost, is no other server\'s', async () => {
  const way = await silentWay();
  open.push(way);
  const taken = await lock({ url: way.url, answerTimeoutMs: 1_000 });
  const [holder = 0] = await holders();
  way.cutAfter('pg_try_advisory_lock');
  await superuser.query('select pg_terminate_backend($1)', [holder]);
  const unheard = await newHolder(holder);
  await until('one that hears', async () => (await holders()).find((pid) => pid !== unheard && pid !== holder));
  assert.deepEqual(lost, []);
  await taken.stop();
  assert.deepEqual(await holders(), []);
});

test('[P62] a stop frees the lock, though its connection has fallen silent', async () => {
  const way = await silentWay();
  open.push(way);
  const taken = await lock({ url: way.url });
  way.cut();
  await taken.stop();
  await (await lock({ waitMs: 1_000 })).stop();
});

test('[P62] when another server was quicker, this one is told to end, in the same words', async () => {
  const taken = await lock();
  const [holder = 0] = await holders();
  const quicker = new pg.Client({
    connectionString: database.ownerUrl, application_name: 'Nacre, process 7 on shop-2',
  });
  await quicker.connect();
  const { rows } = await superuser.query<{ classid: number; objid: number }>(
    'select classid::int, objid::int from pg_locks where pid = $1 and locktype = \'advisory\'', [holder],
  );
  const waiting = quicker.query('select pg_advisory_lock($1, $2)', [rows[0]?.classid, rows[0]?.objid]);
  await superuser.query('select pg_terminate_backend($1)', [holder]);
  await waiting;
  const refusal = await until('the word to end', async () => lost[0]);
  assert.match(refusal.message, /Another Nacre works in this database \(process 7 on shop-2\)/);
  assert.notEqual(refusal.exitCode, 0);
  await sleep(700);
  assert.equal(lost.length, 1);
  await taken.stop();
  await quicker.end();
});

test('[P62] a stop while the database is away ends at once', async () => {
  const way = await silentWay();
  const taken = await lock({ url: way.url });
  await way.stop();
  await sleep(100);
  const begun = performance.now();
  await taken.stop();
  assert.ok(performance.now() - begun < 1_000);
});
