/** SQL on `live_price` and `live_price_use`. */
import { sql, type Insertable, type Selectable, type Updateable } from 'kysely';
import type { Db, Tx } from '../platform/database.ts';
import { anyOf, insertRows, relationOf } from '../platform/relation.ts';
import type { LivePrice as LivePriceTable, LivePriceUse } from '../platform/tables.ts';

export type LivePriceRow = Selectable<LivePriceTable>;
export type UseRow = Selectable<LivePriceUse>;

export async function insert(tx: Tx, row: Insertable<LivePriceTable>): Promise<void> {
  await tx.insertInto('live_price').values(row).execute();
}

export async function update(tx: Tx, id: string, change: Updateable<LivePriceTable>): Promise<LivePriceRow> {
  return tx.updateTable('live_price').set(change).where('id', '=', id).returningAll().executeTakeFirstOrThrow();
}

export async function find(db: Db | Tx, id: string): Promise<LivePriceRow | undefined> {
  return db.selectFrom('live_price').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Of one show, not over, in the sequence in which they were set. */
export async function openOf(db: Db | Tx, showId: string): Promise<LivePriceRow[]> {
  return db.selectFrom('live_price').selectAll().where('show_id', '=', showId).where('ended_at', 'is', null)
    .orderBy('set_at').orderBy('id').execute();
}

/** The same, held until the transaction ends. Their goods are locked already. */
export async function lockOpenOf(tx: Tx, showId: string): Promise<LivePriceRow[]> {
  return tx.selectFrom('live_price').selectAll().where('show_id', '=', showId).where('ended_at', 'is', null)
    .orderBy('id').forNoKeyUpdate().execute();
}

export async function lock(tx: Tx, ids: readonly string[]): Promise<LivePriceRow[]> {
  return tx.selectFrom('live_price').selectAll().where('id', 'in', ids).orderBy('id').forNoKeyUpdate().execute();
}

/** Those that are live in these shows for these goods, held. */
export async function lockLive(
  tx: Tx, showIds: readonly string[], variantIds: readonly string[],
): Promise<LivePriceRow[]> {
  const { rows } = await sql<LivePriceRow>`
    select * from live_price
     where show_id = any (${showIds}::uuid[]) and variant_id = any (${variantIds}::uuid[])
       and began_at is not null and ended_at is null
     order by id
       for no key update`.execute(tx);
  return rows;
}

/** How many pieces these people have at these live prices. */
export async function usedBy(
  tx: Db | Tx, ids: readonly string[], personIds: readonly string[],
): Promise<Array<{ livePriceId: string; personId: string; quantity: number }>> {
  const { rows } = await sql<{ livePriceId: string; personId: string; quantity: number }>`
    select live_price_id as "livePriceId", person_id as "personId", sum(quantity)::int as quantity
      from live_price_use
     where live_price_id = any (${ids}::uuid[]) and person_id = any (${personIds}::uuid[])
     group by live_price_id, person_id`.execute(tx);
  return rows;
}

const USE_TYPES = { order_id: 'uuid', live_price_id: 'uuid', person_id: 'uuid', quantity: 'int' } as const;

export async function insertUses(tx: Tx, uses: readonly UseRow[]): Promise<void> {
  await insertRows(tx, 'live_price_use', uses, USE_TYPES);
}

/** Takes them out and says what they were. */
export async function takeUsesOf(tx: Tx, orderIds: readonly string[]): Promise<UseRow[]> {
  if (orderIds.length === 0) return [];
  return tx.deleteFrom('live_price_use').where('order_id', '=', anyOf(orderIds)).returningAll().execute();
}

/** `pieces` fewer are left of each, or more when negative. @returns the shows that they are in */
export async function lessLeft(tx: Tx, changes: ReadonlyArray<{ id: string; pieces: number }>): Promise<Set<string>> {
  const { rows } = await sql<{ showId: string }>`
    update live_price set pieces_left = pieces_left - relation.pieces
      from ${relationOf(changes, { id: 'uuid', pieces: 'int' })}
     where live_price.id = relation.id
    returning show_id as "showId"`.execute(tx);
  return new Set(rows.map(({ showId }) => showId));
}

/** The lowest at which the variant was to be had live since then, by variant. */
export async function lowestSince(tx: Tx, variantIds: readonly string[], since: Date): Promise<Map<string, bigint>> {
  const rows = await tx.selectFrom('live_price')
    .select(({ fn }) => ['variant_id', fn.min('price_minor').as('price_minor')])
    .where('variant_id', 'in', variantIds)
    .where('began_at', 'is not', null)
    .where((eb) => eb.or([eb('ended_at', 'is', null), eb('ended_at', '>', since)]))
    .groupBy('variant_id').execute();
  return new Map(rows.map((row) => [row.variant_id, row.price_minor]));
}
