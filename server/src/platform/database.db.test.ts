import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import pg from 'pg';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { Refusal } from '../lib/refusal.ts';
import { afterCommit, createDatabase, isUnavailable, together, violates, type Tx } from './database.ts';
import { createLog } from './log.ts';

const testDatabase = await createTestDatabase(import.meta.url);
const log = createLog('silent', false);
const database = createDatabase({ url: testDatabase.serverUrl, log });
const admin = new pg.Client({ connectionString: testDatabase.superuserUrl });
await admin.connect();
after(async () => {
  await admin.end();
  await database.stop();
  await testDatabase.drop();
});

const put = (tx: Tx, key: string, value: number) =>
  tx.insertInto('installation').values({ key, value: JSON.stringify(value) }).execute();
const valueOf = async (key: string) =>
  (await database.db.selectFrom('installation').select('value').where('key', '=', key).executeTakeFirst())?.value;

test('[P1] a throw rolls everything back and is thrown on as it was', async () => {
  const refusal = new Refusal('orders.sold_out', { details: { available: 0 } });
  await assert.rejects(
    database.transaction(async (tx) => {
      await put(tx, 'p1', 1);
      throw refusal;
    }),
    (error) => error === refusal,
  );
  assert.equal(await valueOf('p1'), undefined);
});

test('[P8] what is asked together is answered in place; the others end in the transaction when one fails', async () => {
  const answers = await database.transaction((tx) => together([
    put(tx, 'p8', 1).then(() => 'written'),
    sql<{ txid: string }>`select txid_current()::text as txid`.execute(tx).then(({ rows }) => rows[0]!.txid),
    sql<{ txid: string }>`select txid_current()::text as txid`.execute(tx).then(({ rows }) => rows[0]!.txid),
  ]));
  assert.equal(answers[0], 'written');
  assert.equal(answers[1], answers[2]);

  const failure = new Error('no');
  let wrote = '';
  await assert.rejects(database.transaction((tx) => together([
    Promise.reject(failure),
    sleep(50).then(() => put(tx, 'p8 too late', 1)).then(() => { wrote = 'inside'; }),
  ])), (error) => error === failure);
  assert.equal(wrote, 'inside');

  // Not that of the statement that only came too late, though it stands first.
  const cause = database.transaction((tx) => together([
    sleep(20).then(() => sql`select 1`.execute(tx)), sql`select 1 / 0`.execute(tx), sql`select 1`.execute(tx),
  ]));
  await assert.rejects(cause, { code: '22012' });
  assert.equal(await valueOf('p8 too late'), undefined);
});

test('[P2] what is to happen after the commit happens after it, in sequence, once; else not at all', async () => {
  const happened: string[] = [];
  await database.transaction(async (tx) => {
    afterCommit(tx, () => happened.push('first'));
    afterCommit(tx, () => happened.push('second'));
    await put(tx, 'p2', 1);
    assert.deepEqual(happened, []);
  });
  assert.deepEqual(happened, ['first', 'second']);
  await assert.rejects(database.transaction(async (tx) => {
    afterCommit(tx, () => happened.push('never'));
    throw new Error('no');
  }));
  assert.deepEqual(happened, ['first', 'second']);
});

test('[P2] what fails after a commit keeps neither the result nor the others', async () => {
  const happened: string[] = [];
  const result = await database.transaction(async (tx) => {
    afterCommit(tx, () => {
      throw new Error('a listener of ours is broken');
    });
    afterCommit(tx, () => happened.push('second'));
    return 7;
  });
  assert.equal(result, 7);
  assert.deepEqual(happened, ['second']);
});

test('[P2] outside of a transaction there is no after', () => {
  assert.throws(() => afterCommit(database.db as unknown as Tx, () => {}), /outside of a transaction/);
});

test('[P3] two transactions that lock in opposite sequences both come through, each once', async () => {
  await database.transaction(async (tx) => {
    await put(tx, 'p3-a', 0);
    await put(tx, 'p3-b', 0);
  });
  let runs = 0;
  const done: number[] = [];
  const bump = (tx: Tx, key: string) =>
    sql`update installation set value = to_jsonb((value #>> '{}')::int + 1) where key = ${key}`.execute(tx);
  const both = (first: string, second: string, name: number) => database.transaction(async (tx) => {
    runs += 1;
    afterCommit(tx, () => done.push(name));
    await bump(tx, first);
    await sleep(100);
    await bump(tx, second);
  });
  await Promise.all([both('p3-a', 'p3-b', 1), both('p3-b', 'p3-a', 2)]);
  assert.deepEqual([await valueOf('p3-a'), await valueOf('p3-b')], [2, 2]);
  // One at least was undone; on a slow machine its next try may meet the other again.
  assert.ok(runs >= 3, `${runs} runs`);
  assert.deepEqual(done.toSorted(), [1, 2]);
});

test('[P3] a conflict that does not end is given up after five tries', async () => {
  let runs = 0;
  await assert.rejects(
    database.transaction(async (tx) => {
      runs += 1;
      await sql`do $$ begin raise exception 'again' using errcode = 'serialization_failure'; end $$`.execute(tx);
    }),
    { code: '40001' },
  );
  assert.equal(runs, 5);
});

test('[P4] 64-bit integers arrive as bigint, moments as Date', async () => {
  const { rows } = await sql<{ big: bigint; at: Date }>`
    select 9007199254740993::int8 as big, '2026-11-11T00:00:00.123Z'::timestamptz as at`.execute(database.db);
  assert.deepEqual(rows, [{ big: 9007199254740993n, at: new Date('2026-11-11T00:00:00.123Z') }]);
});

test('[P5] a connection that dies, idle or in use, fails what used it and nothing else', async () => {
  const kill = (pid: number) => admin.query('select pg_terminate_backend($1)', [pid]);
  const pidOf = async (tx: Tx) =>
    (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx)).rows[0]?.pid ?? 0;
  await assert.rejects(
    database.transaction(async (tx) => {
      await kill(await pidOf(tx));
      // Nothing is being asked at the moment in which the connection dies.
      await sleep(100);
      await put(tx, 'p5', 1);
    }),
    isUnavailable,
  );
  const idle = await database.transaction(pidOf);
  await kill(idle);
  await sleep(100);
  await database.transaction((tx) => put(tx, 'p5', 2));
  assert.equal(await valueOf('p5'), 2);
});

test('[P5] a database that does not answer is told apart from a fault of ours', async () => {
  const nowhere = createDatabase({ url: 'postgres://nobody@127.0.0.1:1/nothing', log });
  await assert.rejects(sql`select 1`.execute(nowhere.db), isUnavailable);
  await nowhere.stop();
  await assert.rejects(sql`select 1 / 0`.execute(database.db), (error) => !isUnavailable(error));
  assert.equal(isUnavailable(new Error('a bug')), false);
});

test('[P6] a broken constraint is known by its name', async () => {
  await database.transaction((tx) => put(tx, 'p6', 1));
  const error: unknown = await database.transaction((tx) => put(tx, 'p6', 2)).catch((caught: unknown) => caught);
  assert.equal(violates(error, 'installation_pkey'), true);
  assert.equal(violates(error, 'other'), false);
  assert.equal(violates(new Error('installation_pkey'), 'installation_pkey'), false);
});

test('[P7] more work than connections waits for its turn and loses nothing', async () => {
  await Promise.all(Array.from({ length: 100 }, (_, i) => database.transaction((tx) => put(tx, `p7-${i}`, i))));
  const { count } = await database.db.selectFrom('installation').select((eb) => eb.fn.countAll<bigint>().as('count'))
    .where('key', 'like', 'p7-%').executeTakeFirstOrThrow();
  assert.equal(count, 100n);
});
