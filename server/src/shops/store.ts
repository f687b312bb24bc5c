/** SQL on `shop` and `shop_member`. */
import { sql } from 'kysely';
import type { ShopRole } from '@nacre/contract/team';
import type { Cursor } from '../lib/cursor.ts';
import type { Db, Tx } from '../platform/database.ts';
import type { Shop as ShopTable } from '../platform/tables.ts';
import type { Insertable, Selectable, Updateable } from 'kysely';

export type ShopRow = Selectable<ShopTable>;

export async function insertShop(tx: Tx, row: Insertable<ShopTable>): Promise<void> {
  await tx.insertInto('shop').values(row).execute();
}

export async function insertMember(tx: Tx, shopId: string, personId: string, role: ShopRole, at: Date): Promise<void> {
  await tx.insertInto('shop_member').values({ shop_id: shopId, person_id: personId, role, created_at: at }).execute();
}

/** Shops in which the person works; counted one creation at a time, so that two at once do not pass the bound. */
export async function countMembershipsAlone(tx: Tx, personId: string): Promise<number> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`shop_member ${personId}`}, 0))`.execute(tx);
  const { count } = await tx
    .selectFrom('shop_member')
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .where('person_id', '=', personId)
    .executeTakeFirstOrThrow();
  return Number(count);
}

export async function updateShop(tx: Tx, shopId: string, changes: Updateable<ShopTable>): Promise<ShopRow | undefined> {
  return tx.updateTable('shop').set(changes).where('id', '=', shopId).returningAll().executeTakeFirst();
}

/** The shop, held until the transaction ends, so that two changes follow one another. */
export async function lockShop(tx: Tx, shopId: string): Promise<ShopRow> {
  return tx.selectFrom('shop').selectAll().where('id', '=', shopId).forNoKeyUpdate().executeTakeFirstOrThrow();
}

export async function shopById(db: Db | Tx, id: string): Promise<ShopRow | undefined> {
  return db.selectFrom('shop').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function shopBySlug(db: Db | Tx, slug: string): Promise<ShopRow | undefined> {
  return db.selectFrom('shop').selectAll().where('slug', '=', slug).executeTakeFirst();
}

export async function shopsByIds(db: Db | Tx, ids: readonly string[]): Promise<ShopRow[]> {
  return ids.length === 0 ? [] : db.selectFrom('shop').selectAll().where('id', 'in', ids).execute();
}

export async function shopIdsAfter(db: Db, last: string | null, limit: number): Promise<string[]> {
  let query = db.selectFrom('shop').select('id').orderBy('id').limit(limit);
  if (last !== null) query = query.where('id', '>', last);
  return (await query.execute()).map(({ id }) => id);
}

/** Newest first, after `cursor`, one more than `limit`. */
export async function newestShops(db: Db, cursor: Cursor | null, limit: number): Promise<ShopRow[]> {
  let query = db.selectFrom('shop').selectAll().orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit + 1);
  if (cursor !== null) query = query.where(sql<boolean>`(created_at, id) < (${cursor.at}, ${cursor.id}::uuid)`);
  return query.execute();
}

export async function roleOf(db: Db | Tx, shopId: string, personId: string): Promise<ShopRole | null> {
  const row = await db
    .selectFrom('shop_member')
    .select('role')
    .where('shop_id', '=', shopId)
    .where('person_id', '=', personId)
    .executeTakeFirst();
  return row === undefined ? null : row.role as ShopRole;
}

/** Those of the people who work in the shop. */
export async function membersAmong(db: Db, shopId: string, personIds: readonly string[]): Promise<Set<string>> {
  const rows = personIds.length === 0 ? [] : await db
    .selectFrom('shop_member')
    .select('person_id')
    .where('shop_id', '=', shopId)
    .where('person_id', 'in', personIds)
    .execute();
  return new Set(rows.map((row) => row.person_id));
}

/** In the order in which the person joined them. */
export async function shopsOfMember(db: Db, personId: string): Promise<Array<ShopRow & { role: string }>> {
  return db
    .selectFrom('shop')
    .innerJoin('shop_member', 'shop_member.shop_id', 'shop.id')
    .selectAll('shop')
    .select('shop_member.role')
    .where('shop_member.person_id', '=', personId)
    .orderBy('shop_member.created_at')
    .orderBy('shop.id')
    .execute();
}
