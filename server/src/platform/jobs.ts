/**
 * Work for later, kept in PostgreSQL by pg-boss: at least once, tried again with growing pauses. A job is added in the
 * transaction that makes it necessary. Its schema is migrated by the owner; the working role only uses it.
 */
import { CompiledQuery } from 'kysely';
import { PgBoss } from 'pg-boss';
import type { Tx } from './database.ts';
import type { Log } from './log.ts';

export interface Jobs {
  /** Adds a job in the caller's transaction; after `start`. `startAfter` null: at once. */
  add(tx: Tx, name: string, data: Record<string, unknown>, startAfter?: Date | null): Promise<void>;
  /** Adds jobs of one name by one statement, as `add` does; none is no error. */
  addAll(tx: Tx, name: string, jobs: readonly NewJob[]): Promise<void>;
  /** Registers what does the jobs of this name; before `start`. It must be safe to run twice. */
  on(name: string, work: (data: never) => Promise<void>): void;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface NewJob {
  data: Record<string, unknown>;
  /** Null or absent: at once. */
  startAfter?: Date | null;
}

export interface JobsDeps {
  url: string;
  log: Log;
  /** For tests. Default: `JOB_SECONDS_MAX`. */
  jobSecondsMax?: number;
}

/** pg-boss asks this often; shorter costs idle queries, longer makes "at once" slow. */
const POLL_SECONDS = 0.5;
/** Jobs of one name done side by side. Fewer make a rush's refunds wait, more ask a provider all at once. */
const BATCH_SIZE = 20;
const HOW_TO_WORK = {
  pollingIntervalSeconds: POLL_SECONDS,
  batchSize: BATCH_SIZE,
  burstWhenBatchFull: true,
  perJobResults: true,
} as const;
/** Ten tries with doubling pauses span about half an hour: long enough for a provider's outage to be noticed. */
const RETRIES = 10;
const RETRY_FIRST_SECONDS = 2;
/** Ours take seconds. After this a job counts as lost with its process (kill -9) and is given to another one. */
const JOB_SECONDS_MAX = 60;
/** How often lost jobs are looked for. */
const SUPERVISE_SECONDS = 30;
/** A running job gets this long to end when the server stops. */
const STOP_TIMEOUT_MS = 5_000;

export function createJobs(deps: JobsDeps): Jobs {
  const { log, jobSecondsMax = JOB_SECONDS_MAX } = deps;
  const superviseSeconds = Math.min(SUPERVISE_SECONDS, jobSecondsMax);
  const boss = new PgBoss({
    connectionString: deps.url,
    max: 2,
    schedule: false,
    superviseIntervalSeconds: superviseSeconds,
    monitorIntervalSeconds: superviseSeconds,
    // What only the owner may do.
    migrate: false,
    createSchema: false,
    reindex: false,
  });
  const works = new Map<string, (data: never) => Promise<void>>();
  boss.on('error', (error: unknown) => log.warn({ err: error }, 'jobs: database not reached'));
  boss.on('warning', (warning: unknown) => log.warn({ warning }, 'jobs: a warning'));

  async function run(name: string, work: (data: never) => Promise<void>, job: { id: string; data: unknown }) {
    try {
      await work(job.data as never);
      return { id: job.id, status: 'completed' as const };
    } catch (error) {
      log.error({ err: error, job: name, id: job.id }, 'a job failed');
      return { id: job.id, status: 'failed' as const, output: { message: String(error) } };
    }
  }

  async function addAll(tx: Tx, name: string, added: readonly NewJob[]): Promise<void> {
    if (added.length === 0) return;
    const db = {
      async executeSql(text: string, values: unknown[] = []) {
        return { rows: (await tx.executeQuery(CompiledQuery.raw(text, values))).rows };
      },
    };
    const ids = await boss.insert(name, added.map(({ data, startAfter = null }) => ({
      data,
      retryLimit: RETRIES,
      retryDelay: RETRY_FIRST_SECONDS,
      retryBackoff: true,
      expireInSeconds: jobSecondsMax,
      ...(startAfter === null ? {} : { startAfter }),
    })), { db, returnId: true });
    if (ids?.length !== added.length) throw new Error(`jobs ${name} were not added`);
  }

  return {
    add: (tx, name, data, startAfter = null) => addAll(tx, name, [{ data, startAfter }]),
    addAll,
    on(name, work) {
      if (works.has(name)) throw new Error(`the jobs ${name} have somebody who does them`);
      works.set(name, work);
    },
    async start() {
      await boss.start();
      for (const [name, work] of works) {
        await boss.createQueue(name);
        await boss.work(name, HOW_TO_WORK, (jobs) => Promise.all(jobs.map((job) => run(name, work, job))));
      }
    },
    async stop() {
      await boss.stop({ graceful: true, timeout: STOP_TIMEOUT_MS });
    },
  };
}
