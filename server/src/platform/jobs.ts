/**
 * Work for later, kept in PostgreSQL by pg-boss: at least once, tried again with growing pauses. A job is added in the
 * transaction that makes it necessary. Its schema is migrated by the owner; the working role only uses it.
 */
import { CompiledQuery } from 'kysely';
import { PgBoss } from 'pg-boss';
import type { Tx } from './database.ts';
import type { Log } from './log.ts';

export interface Jobs {
  /** Adds a job in the caller's transaction. `startAfter` null: at once. */
  add(tx: Tx, name: string, data: Record<string, unknown>, startAfter?: Date | null): Promise<void>;
  /** Registers what does the jobs of this name; before `start`. It must be safe to run twice. */
  on(name: string, work: (data: never) => Promise<void>): void;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** pg-boss asks this often; shorter costs idle queries, longer makes "at once" slow. */
const POLL_SECONDS = 0.5;
/** Ten tries with doubling pauses span about half an hour: long enough for a provider's outage to be noticed. */
const RETRIES = 10;
const RETRY_FIRST_SECONDS = 2;
/** A running job gets this long to end when the server stops. */
const STOP_TIMEOUT_MS = 5_000;

export function createJobs(deps: { url: string; log: Log }): Jobs {
  const boss = new PgBoss({ connectionString: deps.url, migrate: false, createSchema: false, max: 2, schedule: false });
  const works = new Map<string, (data: never) => Promise<void>>();
  boss.on('error', (error: unknown) => deps.log.warn({ err: error }, 'jobs: database not reached'));

  return {
    async add(tx, name, data, startAfter = null) {
      const db = {
        async executeSql(text: string, values: unknown[] = []) {
          return { rows: (await tx.executeQuery(CompiledQuery.raw(text, values))).rows };
        },
      };
      const id = await boss.send(name, data, {
        db,
        retryLimit: RETRIES,
        retryDelay: RETRY_FIRST_SECONDS,
        retryBackoff: true,
        ...(startAfter === null ? {} : { startAfter }),
      });
      if (id === null) throw new Error(`job ${name} was not added`);
    },
    on(name, work) {
      works.set(name, work);
    },
    async start() {
      await boss.start();
      for (const [name, work] of works) {
        await boss.createQueue(name);
        await boss.work(name, { pollingIntervalSeconds: POLL_SECONDS }, async (jobs) => {
          for (const job of jobs) await work(job.data as never);
        });
      }
    },
    async stop() {
      await boss.stop({ graceful: true, timeout: STOP_TIMEOUT_MS });
    },
  };
}
