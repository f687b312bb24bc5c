/** SQL on `follow`. */
import type { Db, Tx } from '../platform/database.ts';

/** False when the person followed the shop already; then nothing changes. */
export async function insertFollow(
  tx: Tx, follow: { shopId: string; personId: string; showId: string | null; at: Date },
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('follow')
    .values({ shop_id: follow.shopId, person_id: follow.personId, show_id: follow.showId, created_at: follow.at })
    .onConflict((conflict) => conflict.columns(['shop_id', 'person_id']).doNothing())
    .executeTakeFirst();
  return (numInsertedOrUpdatedRows ?? 0n) > 0n;
}

export async function deleteFollow(db: Db, shopId: string, personId: string): Promise<void> {
  await db.deleteFrom('follow').where('shop_id', '=', shopId).where('person_id', '=', personId).execute();
}

export async function shopsOf(db: Db, personId: string, most: number): Promise<string[]> {
  const rows = await db
    .selectFrom('follow')
    .select('shop_id')
    .where('person_id', '=', personId)
    .orderBy('created_at', 'desc')
    .limit(most)
    .execute();
  return rows.map((row) => row.shop_id);
}

export async function countFollowers(db: Db, shopId: string): Promise<number> {
  const { count } = await db
    .selectFrom('follow')
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .where('shop_id', '=', shopId)
    .executeTakeFirstOrThrow();
  return Number(count);
}

export async function isFollowing(db: Db, shopId: string, personId: string): Promise<boolean> {
  const row = await db
    .selectFrom('follow')
    .select('shop_id')
    .where('shop_id', '=', shopId)
    .where('person_id', '=', personId)
    .executeTakeFirst();
  return row !== undefined;
}

export async function countOfShow(db: Db, showId: string): Promise<number> {
  const { count } = await db
    .selectFrom('follow')
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .where('show_id', '=', showId)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Followers by their ids, those after `after`; a page of keys. */
export async function followersAfter(
  tx: Db | Tx, shopId: string, after: string | null, limit: number,
): Promise<string[]> {
  let query = tx.selectFrom('follow').select('person_id').where('shop_id', '=', shopId);
  if (after !== null) query = query.where('person_id', '>', after);
  const rows = await query.orderBy('person_id').limit(limit).execute();
  return rows.map((row) => row.person_id);
}

/** The latest first. */
export async function followsOf(
  db: Db, personId: string, limit: number,
): Promise<Array<{ shopId: string; since: Date }>> {
  return db
    .selectFrom('follow')
    .select(['shop_id as shopId', 'created_at as since'])
    .where('person_id', '=', personId)
    .orderBy('created_at', 'desc')
    .limit(limit)
    .execute();
}
