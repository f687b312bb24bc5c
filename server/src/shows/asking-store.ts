/** SQL on explain_request and interest, and on their counts in show_item: each viewer once. And on put_aside. */
import { sql } from 'kysely';
import type { Db, Tx } from '../platform/database.ts';
import { relationOf } from '../platform/relation.ts';

export type InterestKind = 'card_opened' | 'sheet_opened' | 'bagged' | 'bought';

/**
 * Notes that a viewer wants a product explained; on screen already, the wish is answered by that. A wish that was
 * answered can be made again.
 * @returns how many wait now, and whether that changed; null when the product is not in the bag
 */
export async function askToExplain(
  tx: Tx, ask: { showId: string; productId: string; viewer: string; at: Date },
): Promise<{ open: number; changed: boolean } | null> {
  const { showId, productId, viewer, at } = ask;
  const items = await sql<{ explain_open: number }>`
    select explain_open from show_item where show_id = ${showId} and product_id = ${productId} and not removed
    for update`.execute(tx);
  const item = items.rows[0];
  if (item === undefined) return null;
  // A statement of its own after the lock: it sees what put the product on screen while this one waited.
  const screen = await sql`
    select 1 from on_screen_interval
    where show_id = ${showId} and product_id = ${productId} and ended_at is null`.execute(tx);
  const answeredAt = screen.rows.length > 0 ? at : null;
  const inserted = await sql`
    insert into explain_request (show_id, product_id, viewer, asked_at, answered_at)
    values (${showId}, ${productId}, ${viewer}, ${at}, ${answeredAt})
    on conflict do nothing returning 1`.execute(tx);
  const isNew = inserted.rows.length > 0;
  const reopened = isNew || answeredAt !== null ? null : await sql`
    update explain_request set asked_at = ${at}, answered_at = null
    where show_id = ${showId} and product_id = ${productId} and viewer = ${viewer} and answered_at is not null
    returning 1`.execute(tx);
  const opens = answeredAt === null && (isNew || (reopened?.rows.length ?? 0) > 0);
  if (isNew || opens) {
    await sql`
      update show_item
      set explain_open = explain_open + ${opens ? 1 : 0}, explain_asked = explain_asked + ${isNew ? 1 : 0}
      where show_id = ${showId} and product_id = ${productId}`.execute(tx);
  }
  return { open: item.explain_open + (opens ? 1 : 0), changed: isNew || opens };
}

/** Everybody who waits for this product is answered. Locks its row first, so that no wish slips in between. */
export async function answerExplains(tx: Tx, showId: string, productId: string, at: Date): Promise<void> {
  await sql`update show_item set explain_open = 0 where show_id = ${showId} and product_id = ${productId}`.execute(tx);
  await sql`
    update explain_request set answered_at = greatest(asked_at, ${at})
    where show_id = ${showId} and product_id = ${productId} and answered_at is null`.execute(tx);
}

/**
 * Counts a viewer's interest once. A bought product may have left the bag since.
 * @returns whether it was new; null when the product is not in the bag
 */
export async function noteInterest(
  db: Db | Tx,
  note: { showId: string; productId: string; viewer: string; kind: InterestKind; at: Date },
): Promise<boolean | null> {
  const { showId, productId, viewer, kind, at } = note;
  const count = sql.ref(kind);
  const { rows } = await sql<{ known: boolean; noted: boolean }>`
    with item as (
      select 1 from show_item
      where show_id = ${showId} and product_id = ${productId} and (not removed or ${kind === 'bought'})
    ), noted as (
      insert into interest (show_id, product_id, viewer, kind, at)
      select ${showId}::uuid, ${productId}::uuid, ${viewer}::text, ${kind}::text, ${at}::timestamptz from item
      on conflict do nothing returning 1
    ), counted as (
      update show_item set ${count} = ${count} + 1
      where show_id = ${showId} and product_id = ${productId} and exists (select from noted)
    )
    select exists (select from item) as known, exists (select from noted) as noted`.execute(db);
  const row = rows[0];
  return row?.known ? row.noted : null;
}

/** Counts what viewers bought, each product once a viewer, by one statement. As `noteInterest`, of many. */
export async function noteAllBought(
  tx: Tx, notes: ReadonlyArray<{ showId: string; productId: string; viewer: string }>, at: Date,
): Promise<void> {
  if (notes.length === 0) return;
  await sql`
    with noted as (
      insert into interest (show_id, product_id, viewer, kind, at)
      select distinct "showId", "productId", viewer, 'bought', ${at}::timestamptz
        from ${relationOf(notes, { showId: 'uuid', productId: 'uuid', viewer: 'text' })}
        join show_item on show_id = "showId" and product_id = "productId"
       order by "showId", "productId", viewer
      on conflict do nothing returning show_id, product_id
    )
    update show_item set bought = show_item.bought + counted.viewers
      from (select show_id, product_id, count(*)::int as viewers from noted group by show_id, product_id) as counted
     where show_item.show_id = counted.show_id and show_item.product_id = counted.product_id`.execute(tx);
}

/** Marks a product for a viewer. A repeat changes nothing. */
export async function putAside(
  db: Db, mark: { showId: string; productId: string; viewer: string; at: Date },
): Promise<void> {
  const { showId, productId, viewer, at } = mark;
  await db
    .insertInto('put_aside')
    .values({ show_id: showId, product_id: productId, viewer, at })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** `viewers` are the names of one viewer. */
export async function takeBack(
  db: Db, mark: { showId: string; productId: string; viewers: readonly string[] },
): Promise<void> {
  await db
    .deleteFrom('put_aside')
    .where('show_id', '=', mark.showId)
    .where('viewer', 'in', [...mark.viewers])
    .where('product_id', '=', mark.productId)
    .execute();
}

/** Ids of the products, in the order in which they were put aside. */
export async function asideOf(db: Db, showId: string, viewers: readonly string[]): Promise<string[]> {
  const rows = await db
    .selectFrom('put_aside')
    .select('product_id')
    .where('show_id', '=', showId)
    .where('viewer', 'in', [...viewers])
    .groupBy('product_id')
    .orderBy((eb) => eb.fn.min('at'))
    .orderBy('product_id')
    .execute();
  return rows.map((row) => row.product_id);
}
