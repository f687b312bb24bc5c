/** How often PostgreSQL had to break a circle of transactions that waited for each other. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Db } from '../../server/src/platform/database.ts';

/** A session reports what it counted within a second. */
const REPORTED_AFTER_MS = 1_200;

/** Deadlocks in this database while `work` ran. */
export async function deadlocksDuring(db: Db, work: () => Promise<unknown>): Promise<number> {
  const before = await deadlocks(db);
  await work();
  await sleep(REPORTED_AFTER_MS);
  return (await deadlocks(db)) - before;
}

async function deadlocks(db: Db): Promise<number> {
  const { rows } = await sql<{ deadlocks: bigint }>`
    select deadlocks from pg_stat_database where datname = current_database()`.execute(db);
  return Number(rows[0]?.deadlocks);
}
