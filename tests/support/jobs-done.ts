/** Waits for jobs, which are taken up within half a second. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Platform } from '../../server/src/platform/platform.ts';

/** Two cores may be busy. */
const PATIENCE_MS = 15_000;

/** Until no job of this name is left to be done. */
export async function allJobsDone({ database }: Pick<Platform, 'database'>, name: string): Promise<void> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const { rows } = await database.pool.query(
      `select count(*)::int as n from pgboss.job where name = $1 and state in ('created', 'active', 'retry')`, [name]);
    if ((rows[0] as { n: number }).n === 0) return;
    if (Date.now() > until) throw new Error(`the jobs ${name} are not done`);
    await sleep(50);
  }
}
