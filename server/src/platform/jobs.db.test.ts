import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { createDatabase } from './database.ts';
import { createJobs, type Jobs } from './jobs.ts';
import { createLog } from './log.ts';

const testDatabase = await createTestDatabase(import.meta.url);
const log = createLog('silent', false);
const database = createDatabase({ url: testDatabase.serverUrl, log });
after(async () => {
  await database.stop();
  await testDatabase.drop();
});

async function withJobs(
  works: Record<string, (data: never) => Promise<void>>,
  use: (jobs: Jobs) => Promise<void>,
): Promise<void> {
  const jobs = createJobs({ url: testDatabase.serverUrl, log, jobSecondsMax: 2 });
  for (const [name, work] of Object.entries(works)) jobs.on(name, work);
  await jobs.start();
  try {
    await use(jobs);
  } finally {
    await jobs.stop();
  }
}

async function eventually(what: string, check: () => boolean, withinMs = 10_000): Promise<number> {
  const begun = performance.now();
  while (performance.now() - begun < withinMs) {
    if (check()) return performance.now() - begun;
    await sleep(20);
  }
  assert.fail(`after ${withinMs} ms still not: ${what}`);
}

test('[P30] the working role runs jobs and may not change their schema', async () => {
  const done: number[] = [];
  await withJobs({ 'test.plain': async ({ n }: { n: number }) => void done.push(n) }, async (jobs) => {
    await database.transaction((tx) => jobs.add(tx, 'test.plain', { n: 1 }));
    await eventually('done', () => done.length === 1);
  });
  await assert.rejects(database.pool.query('create table pgboss.mine (a int)'), /permission denied/);
  await assert.rejects(database.pool.query('drop table pgboss.job'), /must be owner/);
});

test('[P31] a job exists when its transaction is committed, and not when it is rolled back', async () => {
  const done: string[] = [];
  await withJobs({ 'test.atomic': async ({ name }: { name: string }) => void done.push(name) }, async (jobs) => {
    await assert.rejects(database.transaction(async (tx) => {
      await jobs.add(tx, 'test.atomic', { name: 'rolled back' });
      throw new Error('no');
    }), /no/);
    await database.transaction((tx) => jobs.add(tx, 'test.atomic', { name: 'committed' }));
    await eventually('done', () => done.length > 0);
    await sleep(700);
    assert.deepEqual(done, ['committed']);
  });
});

test('[P32] a job for later is done then and not before', async () => {
  let doneAt = 0;
  await withJobs({ 'test.later': async () => void (doneAt = Date.now()) }, async (jobs) => {
    const due = Date.now() + 1_500;
    await database.transaction((tx) => jobs.add(tx, 'test.later', {}, new Date(due)));
    await eventually('done', () => doneAt > 0);
    assert.ok(doneAt >= due, `${due - doneAt} ms too early`);
    assert.ok(doneAt < due + 2_000, `${doneAt - due} ms late`);
  });
});

test('[P115] many jobs are added at once, each with its own time; of what is rolled back nothing stays', async () => {
  const done: number[] = [];
  await withJobs({ 'test.many': async ({ n }: { n: number }) => void done.push(n) }, async (jobs) => {
    const later = new Date(Date.now() + 86_400_000);
    const many = Array.from({ length: 40 }, (_, n) => ({ data: { n }, startAfter: n % 2 === 0 ? null : later }));
    await database.transaction((tx) => jobs.addAll(tx, 'test.many', many));
    await assert.rejects(database.transaction(async (tx) => {
      await jobs.addAll(tx, 'test.many', [{ data: { n: 100 } }]);
      throw new Error('no');
    }));
    await eventually('the due ones are done', () => done.length === 20);
    assert.deepEqual(done.toSorted((a, b) => a - b), Array.from({ length: 20 }, (_, n) => 2 * n));
  });
});

test('[P33] a job that fails is tried again, and holds up no other', async () => {
  const tries: number[] = [];
  const done: number[] = [];
  await withJobs({
    'test.fails': async ({ n }: { n: number }) => {
      if (n === 0 && tries.push(Date.now()) < 2) throw new Error('not yet');
      done.push(n);
    },
  }, async (jobs) => {
    await database.transaction(async (tx) => {
      for (let n = 0; n < 5; n += 1) await jobs.add(tx, 'test.fails', { n });
    });
    await eventually('the others are done', () => done.length === 4, 2_000);
    await eventually('tried again', () => done.length === 5, 15_000);
    assert.deepEqual(done.toSorted(), [0, 1, 2, 3, 4]);
    assert.equal(tries.length, 2);
  });
});

test('[P34] a job whose process is killed is done by another', async () => {
  const moduleUrl = new URL('./jobs.ts', import.meta.url).href;
  const logUrl = new URL('./log.ts', import.meta.url).href;
  const program = `
    const { createJobs } = await import(${JSON.stringify(moduleUrl)});
    const { createLog } = await import(${JSON.stringify(logUrl)});
    const jobs = createJobs({ url: process.env.TEST_URL, log: createLog('silent', false), jobSecondsMax: 2 });
    jobs.on('test.killed', () => process.kill(process.pid, 'SIGKILL'));
    await jobs.start();`;
  const done: string[] = [];
  // The queue is made and the job added; then only the child works.
  await withJobs({ 'test.killed': async () => void done.push('too early') }, async () => {});
  await withJobs({ 'test.other': async () => {} }, (jobs) =>
    database.transaction((tx) => jobs.add(tx, 'test.killed', {})));
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    env: { ...process.env, TEST_URL: testDatabase.serverUrl }, stdio: ['ignore', 'ignore', 'inherit'],
  });
  assert.equal(await new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal))), 'SIGKILL');
  await withJobs({ 'test.killed': async () => void done.push('again') }, async () => {
    await eventually('done by another', () => done.length > 0, 20_000);
  });
  assert.deepEqual(done, ['again']);
});

test('[P35] many jobs do not take as many polls', async () => {
  let done = 0;
  await withJobs({ 'test.many': async () => void (done += 1) }, async (jobs) => {
    await database.transaction(async (tx) => {
      for (let n = 0; n < 200; n += 1) await jobs.add(tx, 'test.many', { n });
    });
    const tookMs = await eventually('200 jobs', () => done === 200);
    assert.ok(tookMs < 5_000, `${tookMs} ms for 200 jobs`);
  });
});

test('[P36] jobs survive that the database ends their connections', async () => {
  const done: number[] = [];
  await withJobs({ 'test.cut': async ({ n }: { n: number }) => void done.push(n) }, async (jobs) => {
    const admin = new pg.Client({ connectionString: testDatabase.superuserUrl });
    await admin.connect();
    await admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`);
    await admin.end();
    await sleep(200);
    await database.transaction((tx) => jobs.add(tx, 'test.cut', { n: 1 }));
    await eventually('done', () => done.length === 1);
  });
});

test('[P37] a running job may end before the stop', async () => {
  let state = 'not begun';
  await withJobs({
    'test.slow': async () => {
      state = 'running';
      await sleep(500);
      state = 'done';
    },
  }, async (jobs) => {
    await database.transaction((tx) => jobs.add(tx, 'test.slow', {}));
    await eventually('running', () => state === 'running');
  });
  assert.equal(state, 'done');
});
