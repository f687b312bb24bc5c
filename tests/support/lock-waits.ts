/** Waits for work that waits for somebody else's lock: what happens at once happens in a known order then. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Platform } from '../../server/src/platform/platform.ts';

/** Two cores may be busy. */
const PATIENCE_MS = 15_000;

/** Until so many statements of this database wait for a lock, or the work is done without. */
export async function untilWaiting(
  { database }: Pick<Platform, 'database'>, count: number, work: Promise<unknown>,
): Promise<void> {
  let isDone = false;
  const settled = () => void (isDone = true);
  work.then(settled, settled);
  for (const until = Date.now() + PATIENCE_MS; !isDone;) {
    const { rows } = await database.pool.query(
      `select count(*)::int as n from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock'`);
    if ((rows[0] as { n: number }).n >= count) return;
    if (Date.now() > until) throw new Error(`${count} statements do not come to wait for a lock`);
    await sleep(20);
  }
}
