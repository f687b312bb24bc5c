/** Whether this installation has the demo market; kept in `installation`, so that it is decided once. */
import type { Db } from '../platform/database.ts';

const KEY = 'demo';

/** `seeding` is left behind by a start that was killed: the next one goes on where it stopped. */
export type DemoState = 'none' | 'seeding' | 'ready';

/** Null when nothing was decided yet. */
export async function readState(db: Db): Promise<DemoState | null> {
  const row = await db.selectFrom('installation').select('value').where('key', '=', KEY).executeTakeFirst();
  return row === undefined ? null : (row.value as DemoState);
}

export async function writeState(db: Db, state: DemoState): Promise<void> {
  const value = JSON.stringify(state);
  await db.insertInto('installation').values({ key: KEY, value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
    .execute();
}

export async function hasPeople(db: Db): Promise<boolean> {
  return (await db.selectFrom('person').select('id').limit(1).executeTakeFirst()) !== undefined;
}

export async function personIdByEmail(db: Db, email: string): Promise<string | null> {
  const row = await db.selectFrom('person').select('id').where('email', '=', email).executeTakeFirst();
  return row?.id ?? null;
}
