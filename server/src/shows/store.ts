/** SQL on show, show_item and on_screen_interval: the show itself, its bag, what is on screen. */
import { sql, type Insertable, type Selectable, type Updateable } from 'kysely';
import type { ShowSales, ShowState, ShowVisibility } from '@nacre/contract/shows';
import type { Db, Tx } from '../platform/database.ts';
import { anyOf, relationOf } from '../platform/relation.ts';
import type { OnScreenInterval, Show as ShowTable, ShowItem } from '../platform/tables.ts';
import type { Numbered } from './bag.ts';

export type ShowRow = Omit<Selectable<ShowTable>, 'state' | 'visibility'> & {
  state: ShowState;
  visibility: ShowVisibility;
};
export type ItemRow = Selectable<ShowItem>;

export async function insertShow(tx: Tx, row: Insertable<ShowTable>): Promise<void> {
  await tx.insertInto('show').values(row).execute();
}

/** Ids of nothing are missing. */
export async function titlesOf(db: Db, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await db.selectFrom('show').select(['id', 'title']).where('id', 'in', [...ids]).execute();
  return new Map(rows.map((row) => [row.id, row.title]));
}

export async function findShow(db: Db | Tx, showId: string): Promise<ShowRow | null> {
  const row = await db.selectFrom('show').selectAll().where('id', '=', showId).executeTakeFirst();
  return (row as ShowRow | undefined) ?? null;
}

/** Ids of no show are missing. */
export async function showsByIds(db: Db, showIds: readonly string[]): Promise<ShowRow[]> {
  const rows = await db.selectFrom('show').selectAll().where('id', '=', anyOf(showIds)).execute();
  return rows as ShowRow[];
}

export async function publicShows(db: Db, showIds: readonly string[]): Promise<ShowRow[]> {
  if (showIds.length === 0) return [];
  const rows = await db
    .selectFrom('show')
    .selectAll()
    .where('id', 'in', [...showIds])
    .where('visibility', '=', 'public')
    .execute();
  return rows as ShowRow[];
}

/**
 * Nobody else changes the show, its bag or its screen until the transaction ends. Rows that refer to the show can still
 * be added (a key lock would wait for this one, and this one for what the other has locked).
 */
export async function lockShow(tx: Tx, showId: string): Promise<ShowRow | null> {
  const row = await tx.selectFrom('show').selectAll().where('id', '=', showId).forNoKeyUpdate().executeTakeFirst();
  return (row as ShowRow | undefined) ?? null;
}

export async function updateShow(tx: Tx, showId: string, change: Updateable<ShowTable>): Promise<void> {
  await tx.updateTable('show').set(change).where('id', '=', showId).execute();
}

/** The show that this key opens, if it may be published to. */
export async function showOfKey(db: Db, keyHash: Buffer): Promise<string | null> {
  const row = await db
    .selectFrom('show')
    .select('id')
    .where('stream_key_hash', '=', keyHash)
    .where('state', 'in', ['planned', 'live', 'interrupted'])
    .executeTakeFirst();
  return row?.id ?? null;
}

/** Ends the keys that the person holds of shows of the shop. @returns those shows */
export async function dropStreamKeys(tx: Tx, shopId: string, personId: string, at: Date): Promise<string[]> {
  const rows = await tx
    .updateTable('show')
    .set({ stream_key_hash: null, stream_key_issued_at: null, stream_key_issued_to: null, updated_at: at })
    .where('shop_id', '=', shopId)
    .where('stream_key_issued_to', '=', personId)
    .returning('id')
    .execute();
  return rows.map(({ id }) => id);
}

/** Shows that run, the latest first; `most` at most. */
export async function runningShows(db: Db, most: number): Promise<Array<{ showId: string; wentLiveAt: Date }>> {
  const rows = await db
    .selectFrom('show')
    .select(['id as showId', 'went_live_at as wentLiveAt'])
    .where('state', 'in', ['live', 'interrupted'])
    .orderBy('went_live_at', 'desc')
    .limit(most)
    .execute();
  return rows.flatMap(({ showId, wentLiveAt }) => (wentLiveAt === null ? [] : [{ showId, wentLiveAt }]));
}

export async function openShowsOf(db: Db, shopId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('show')
    .select('id')
    .where('shop_id', '=', shopId)
    .where('state', 'in', ['planned', 'live', 'interrupted'])
    .execute();
  return rows.map(({ id }) => id);
}

export async function interruptAllLive(tx: Tx, at: Date): Promise<number> {
  const result = await tx
    .updateTable('show')
    .set({ state: 'interrupted', interrupted_at: at, updated_at: at })
    .where('state', '=', 'live')
    .executeTakeFirst();
  return Number(result.numUpdatedRows);
}

/** Shows whose host went away before `before`; bounded, the next sweep takes the rest. */
export async function awaySince(db: Db, before: Date, most: number): Promise<string[]> {
  const rows = await db
    .selectFrom('show')
    .select('id')
    .where('state', '=', 'interrupted')
    .where('interrupted_at', '<', before)
    .orderBy('interrupted_at')
    .limit(most)
    .execute();
  return rows.map((row) => row.id);
}

/** Adds likes and raises the peak. @returns likes in total; null when there is no such show */
export async function addCounts(db: Db, showId: string, likes: number, peakViewers: number): Promise<bigint | null> {
  const { rows } = await sql<{ likes: bigint }>`
    update show set likes = likes + ${likes}, peak_viewers = greatest(peak_viewers, ${peakViewers})
    where id = ${showId} returning likes`.execute(db);
  return rows[0]?.likes ?? null;
}

/** Counts paid orders, in rows locked by id. @returns the shows that exist */
export async function addSales(
  tx: Tx, sales: ReadonlyArray<{ showId: string; orders: number; goodsMinor: bigint }>,
): Promise<Set<string>> {
  const ids = sales.map(({ showId }) => showId);
  await sql`select id from show where id = any (${ids}::uuid[]) order by id for no key update`.execute(tx);
  const { rows } = await sql<{ id: string }>`
    update show set paid_orders = paid_orders + orders, sales_minor = sales_minor + "goodsMinor"
      from ${relationOf(sales, { showId: 'uuid', orders: 'int', goodsMinor: 'bigint' })}
     where show.id = "showId" returning show.id`.execute(tx);
  return new Set(rows.map(({ id }) => id));
}

export async function addRefunded(tx: Tx, showId: string, goodsMinor: bigint): Promise<void> {
  await sql`update show set refunded_minor = refunded_minor + ${goodsMinor} where id = ${showId}`.execute(tx);
}

/** Orders were placed: some in each of the shows. */
export async function addPlaced(tx: Tx, placed: ReadonlyMap<string, number>): Promise<void> {
  // In the order of ids: two batches with the same shows must not wait for each other crosswise.
  const rows = [...placed].map(([id, orders]) => ({ id, orders })).sort((a, b) => (a.id < b.id ? -1 : 1));
  for (const { id, orders } of rows) {
    await sql`update show set placed_orders = placed_orders + ${orders} where id = ${id}`.execute(tx);
  }
}

export async function salesOf(db: Db, showId: string): Promise<ShowSales> {
  const row = await db.selectFrom('show').select(['placed_orders', 'paid_orders', 'sales_minor', 'refunded_minor'])
    .where('id', '=', showId).executeTakeFirstOrThrow();
  return {
    placed: row.placed_orders, paid: row.paid_orders, salesMinor: Number(row.sales_minor),
    refundedMinor: Number(row.refunded_minor),
  };
}

// ---- the bag ----------------------------------------------------------------------------------------------------

/** Everything that ever was in the bag, in the host's order. */
export async function itemsOf(db: Db | Tx, showId: string): Promise<ItemRow[]> {
  return db.selectFrom('show_item').selectAll().where('show_id', '=', showId).orderBy('position').execute();
}

/** The same of several, in no order. */
export async function itemsOfShows(db: Db, showIds: readonly string[]): Promise<ItemRow[]> {
  return db.selectFrom('show_item').selectAll().where('show_id', '=', anyOf(showIds)).execute();
}

/** Makes the bag exactly these, in this order; what is not among them is kept as removed. */
export async function writeBag(tx: Tx, showId: string, bag: readonly Numbered[]): Promise<void> {
  await tx
    .updateTable('show_item')
    .set({ removed: true })
    .where('show_id', '=', showId)
    .where('removed', '=', false)
    .execute();
  if (bag.length === 0) return;
  await tx
    .insertInto('show_item')
    .values(bag.map(({ productId, number }, position) => (
      { show_id: showId, product_id: productId, number, position }
    )))
    .onConflict((conflict) => conflict.columns(['show_id', 'product_id']).doUpdateSet((eb) => ({
      position: eb.ref('excluded.position'), removed: false,
    })))
    .execute();
}

/** Rooms that a change of these goods concerns: shows to come or running that have them in the bag. */
export async function openShowsWith(
  db: Db, productIds: readonly string[],
): Promise<Array<{ showId: string; productId: string }>> {
  return db
    .selectFrom('show_item')
    .innerJoin('show', 'show.id', 'show_item.show_id')
    .select(['show_item.show_id as showId', 'show_item.product_id as productId'])
    .where('show_item.product_id', 'in', [...productIds])
    .where('show_item.removed', '=', false)
    .where('show.state', 'in', ['planned', 'live', 'interrupted'])
    .execute();
}

// ---- on screen --------------------------------------------------------------------------------------------------

export async function onScreenNow(db: Db | Tx, showId: string): Promise<string | null> {
  const row = await db
    .selectFrom('on_screen_interval')
    .select('product_id')
    .where('show_id', '=', showId)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  return row?.product_id ?? null;
}

/** A show at one moment. */
export interface ShowScreen {
  title: string;
  /** Null unless it runs. */
  wentLiveAt: Date | null;
  onScreenProductId: string | null;
}

/** What is on screen in each of the shows, for who needs it of many at once. */
export async function screensNow(tx: Tx, showIds: readonly string[]): Promise<Map<string, ShowScreen>> {
  if (showIds.length === 0) return new Map();
  const { rows } = await sql<ShowScreen & { id: string }>`
    select show.id, show.title, on_screen.product_id as "onScreenProductId",
           case when show.state in ('live', 'interrupted') then show.went_live_at end as "wentLiveAt"
      from show
      left join on_screen_interval on_screen on on_screen.show_id = show.id and on_screen.ended_at is null
     where show.id = any (${showIds}::uuid[])`.execute(tx);
  return new Map(rows.map(({ id, ...screen }) => [id, screen]));
}

/** Ends the open interval, never before it began. @returns whether there was one */
export async function closeInterval(tx: Tx, showId: string, at: Date): Promise<boolean> {
  const { rows } = await sql`
    update on_screen_interval set ended_at = greatest(started_at, ${at})
    where show_id = ${showId} and ended_at is null returning id`.execute(tx);
  return rows.length > 0;
}

export async function openInterval(tx: Tx, row: Insertable<OnScreenInterval>): Promise<void> {
  await tx.insertInto('on_screen_interval').values(row).execute();
}

/** The latest `most`, in order of time. */
export async function intervals(
  db: Db, showId: string, most: number,
): Promise<Array<{ productId: string; startedAt: Date; endedAt: Date | null }>> {
  const rows = await db
    .selectFrom('on_screen_interval')
    .select(['product_id as productId', 'started_at as startedAt', 'ended_at as endedAt'])
    .where('show_id', '=', showId)
    .orderBy('started_at', 'desc')
    .orderBy('id', 'desc')
    .limit(most)
    .execute();
  return rows.reverse();
}

/** When each product was last put on screen. */
export async function lastShown(db: Db, showId: string): Promise<Map<string, Date>> {
  const rows = await db
    .selectFrom('on_screen_interval')
    .select(['product_id', (eb) => eb.fn.max('started_at').as('at')])
    .where('show_id', '=', showId)
    .groupBy('product_id')
    .execute();
  return new Map(rows.map((row) => [row.product_id, row.at]));
}

/** What is on screen in each of these shows, with its number in the bag. */
export async function screensOf(
  db: Db, showIds: readonly string[],
): Promise<Array<{ showId: string; productId: string; number: number }>> {
  if (showIds.length === 0) return [];
  return db
    .selectFrom('on_screen_interval as interval')
    .innerJoin('show_item as item', (join) => join
      .onRef('item.show_id', '=', 'interval.show_id')
      .onRef('item.product_id', '=', 'interval.product_id'))
    .select(['interval.show_id as showId', 'interval.product_id as productId', 'item.number'])
    .where('interval.show_id', 'in', [...showIds])
    .where('interval.ended_at', 'is', null)
    .execute();
}
