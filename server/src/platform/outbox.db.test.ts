import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { afterCommit, createDatabase } from './database.ts';
import { createLog } from './log.ts';
import { createOutbox, type Outbox } from './outbox.ts';

const testDatabase = await createTestDatabase(import.meta.url);
const log = createLog('silent', false);
const database = createDatabase({ url: testDatabase.serverUrl, log });
let millis = Date.UTC(2026, 10, 11);
const clock = { now: () => new Date(millis) };
const open: Outbox[] = [];
const outboxOf = () => {
  const outbox = createOutbox({ database, clock, log });
  open.push(outbox);
  return outbox;
};
const waiting = async () => (await database.db.selectFrom('outbox').selectAll().orderBy('id').execute());
const publish = (outbox: Outbox, topic: string, ...values: unknown[]) => database.transaction(async (tx) => {
  for (const value of values) await outbox.publish(tx, { topic, payload: { value } });
});

beforeEach(async () => {
  for (const outbox of open.splice(0)) await outbox.stop();
  await database.db.deleteFrom('outbox').execute();
});
after(async () => {
  for (const outbox of open) await outbox.stop();
  await database.stop();
  await testDatabase.drop();
});

test('[P10] a fact is delivered after its transaction is committed, and never when it is rolled back', async () => {
  const outbox = outboxOf();
  const heard: unknown[] = [];
  outbox.on('test.fact', async (_tx, fact: { value: unknown }) => void heard.push(fact.value));
  outbox.start();
  await database.transaction(async (tx) => {
    await outbox.publish(tx, { topic: 'test.fact', payload: { value: 1 } });
    await outbox.drain();
    assert.deepEqual(heard, []);
  });
  await assert.rejects(database.transaction(async (tx) => {
    await outbox.publish(tx, { topic: 'test.fact', payload: { value: 2 } });
    throw new Error('no');
  }));
  await outbox.drain();
  assert.deepEqual(heard, [1]);
  assert.deepEqual(await waiting(), []);
});

test('[P10] our own facts do not wait for the poll', async () => {
  const outbox = outboxOf();
  let heardAt = 0;
  outbox.on('test.quick', async () => void (heardAt = performance.now()));
  outbox.start();
  await outbox.drain();
  const published = performance.now();
  await publish(outbox, 'test.quick', 1);
  while (heardAt === 0 && performance.now() - published < 2_000) await sleep(5);
  assert.ok(heardAt > 0 && heardAt - published < 500, `${heardAt - published} ms`);
});

test('[P11] what reactions write and that the fact is done come true together, or not at all', async () => {
  const outbox = outboxOf();
  let fails = true;
  outbox.on('test.atomic', async (tx) => {
    await tx.insertInto('installation').values({ key: 'p11', value: '1' }).execute();
  });
  outbox.on('test.atomic', async () => {
    if (fails) throw new Error('the second reaction fails');
  });
  await publish(outbox, 'test.atomic', 1);
  await outbox.drain();
  const kept = () => database.db.selectFrom('installation').select('key').where('key', '=', 'p11').execute();
  assert.deepEqual(await kept(), []);
  fails = false;
  millis += 1_000;
  await outbox.drain();
  assert.deepEqual(await kept(), [{ key: 'p11' }]);
  assert.deepEqual(await waiting(), []);
});

test('[P12] a fact that fails waits 1, 2, 4 … seconds, 300 at most, and holds up no other', async () => {
  const outbox = outboxOf();
  const heard: unknown[] = [];
  outbox.on('test.poison', async (_tx, fact: { value: unknown }) => {
    if (fact.value === 'poison') throw new Error('always');
    heard.push(fact.value);
  });
  await publish(outbox, 'test.poison', 'poison', 'a', 'b');
  await outbox.drain();
  assert.deepEqual(heard, ['a', 'b']);
  const waits: number[] = [];
  for (let attempt = 1; attempt <= 11; attempt += 1) {
    const [fact] = await waiting();
    assert.ok(fact);
    assert.equal(fact.attempts, attempt);
    waits.push((fact.next_try_at.getTime() - millis) / 1_000);
    millis = fact.next_try_at.getTime() - 1;
    await outbox.drain();
    assert.equal((await waiting())[0]?.attempts, attempt, 'tried too early');
    millis += 1;
    await outbox.drain();
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
});

test('[P12] how many facts wait, how many failed and since when can be read', async () => {
  const outbox = outboxOf();
  assert.deepEqual(await outbox.backlog(), { facts: 0, failing: 0, oldestSeconds: 0 });
  let fails = true;
  outbox.on('test.backlog', async (_tx, fact: { value: unknown }) => {
    if (fails && fact.value === 'poison') throw new Error('not yet');
  });
  await publish(outbox, 'test.backlog', 'poison', 'a');
  assert.deepEqual(await outbox.backlog(), { facts: 2, failing: 0, oldestSeconds: 0 });
  millis += 2_500;
  await outbox.drain();
  assert.deepEqual(await outbox.backlog(), { facts: 1, failing: 1, oldestSeconds: 2.5 });
  fails = false;
  millis += 1_000;
  await outbox.drain();
  assert.deepEqual(await outbox.backlog(), { facts: 0, failing: 0, oldestSeconds: 0 });
});

test('[P13] several processes share the work: each fact is delivered once', async () => {
  const heard: unknown[] = [];
  const outboxes = [outboxOf(), outboxOf(), outboxOf()];
  for (const outbox of outboxes) {
    outbox.on('test.shared', async (_tx, fact: { value: unknown }) => {
      await sleep(1);
      heard.push(fact.value);
    });
  }
  const values = Array.from({ length: 150 }, (_, i) => i);
  await publish(outboxOf(), 'test.shared', ...values);
  await Promise.all(outboxes.map((outbox) => outbox.drain()));
  assert.deepEqual(heard.toSorted((a, b) => Number(a) - Number(b)), values);
});

test('[P14] a process that only writes delivers nothing: its facts wait for one that has reactions', async () => {
  const writer = outboxOf();
  await publish(writer, 'test.later', 1);
  await sleep(50);
  assert.equal((await waiting()).length, 1);
  const reader = outboxOf();
  const heard: unknown[] = [];
  reader.on('test.later', async (_tx, fact: { value: unknown }) => void heard.push(fact.value));
  reader.start();
  await publish(writer, 'test.later', 2);
  for (let i = 0; i < 150 && heard.length < 2; i += 1) await sleep(20);
  assert.deepEqual(heard, [1, 2]);
});

test('[P15] facts that arise while others are delivered are delivered as well, before drain resolves', async () => {
  const outbox = outboxOf();
  const heard: unknown[] = [];
  outbox.on('test.chain', async (tx, fact: { value: number }) => {
    heard.push(fact.value);
    if (fact.value < 5) await outbox.publish(tx, { topic: 'test.chain', payload: { value: fact.value + 1 } });
  });
  await publish(outbox, 'test.chain', 1);
  await outbox.drain();
  assert.deepEqual(heard, [1, 2, 3, 4, 5]);
});

test('[P15] no call gets lost between the last look and the end of a delivery', async () => {
  const outbox = outboxOf();
  const heard: unknown[] = [];
  outbox.on('test.race', async (_tx, fact: { value: unknown }) => void heard.push(fact.value));
  outbox.start();
  for (let value = 0; value < 200; value += 1) {
    await publish(outbox, 'test.race', value);
    await outbox.drain();
    assert.equal(heard.length, value + 1);
  }
});

test('[P16] a stop waits for the fact at hand and leaves the others for the next start', async () => {
  const outbox = outboxOf();
  const heard: unknown[] = [];
  outbox.on('test.stop', async (_tx, fact: { value: unknown }) => {
    await sleep(50);
    heard.push(fact.value);
  });
  await publish(outbox, 'test.stop', 1, 2, 3);
  const delivery = outbox.drain();
  await sleep(20);
  await outbox.stop();
  await delivery;
  assert.deepEqual(heard, [1]);
  assert.equal((await waiting()).length, 2);
});

test('[P17] a database that goes away and comes back is no end of delivery', async () => {
  const outbox = outboxOf();
  const heard: unknown[] = [];
  const admin = new pg.Client({ connectionString: testDatabase.superuserUrl });
  await admin.connect();
  outbox.on('test.gone', async (_tx, fact: { value: unknown }) => {
    heard.push(fact.value);
    if (heard.length > 1) return;
    await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`);
    await sleep(50);
  });
  outbox.start();
  await publish(outbox, 'test.gone', 1);
  for (let i = 0; i < 150 && heard.length < 2; i += 1) {
    await sleep(20);
    millis += 100;
  }
  await outbox.drain();
  await admin.end();
  assert.deepEqual(heard, [1, 1]);
  assert.deepEqual(await waiting(), []);
});

test('[P114] a fact of several that fails is told again piece by piece, and one that cannot be done holds up no other',
  async () => {
    const outbox = outboxOf();
    const heard: number[] = [];
    let fails = true;
    outbox.on('test.several', async (tx, fact: { things: number[] }) => {
      if (fails && fact.things.includes(3)) throw new Error('three cannot be done');
      afterCommit(tx, () => heard.push(...fact.things));
    });
    const fact = { topic: 'test.several', payload: { things: [1, 2, 3, 4] } };
    await database.transaction((tx) => outbox.publish(tx, fact));
    await outbox.drain();
    assert.deepEqual(heard.toSorted(), [1, 2, 4]);
    assert.deepEqual((await waiting()).map(({ payload, attempts }) => [payload, attempts]), [[{ things: [3] }, 1]]);
    fails = false;
    millis += 1_000;
    await outbox.drain();
    assert.deepEqual(heard.toSorted(), [1, 2, 3, 4]);
    assert.deepEqual(await waiting(), []);
  });
