/** Lists of shows, each in its own order, a page at a time. */
import { sql, type ExpressionBuilder } from 'kysely';
import type { ShowQuery } from '@nacre/contract/shows';
import { PAGE_LIMIT_DEFAULT, readCursor, type Cursor } from '../lib/cursor.ts';
import type { Db } from '../platform/database.ts';
import type { DB } from '../platform/tables.ts';
import type { ShowRow } from './store.ts';

/**
 * A planned show that has not begun stays on the list of those to come for this long after its time. Shorter hides a
 * host who is late; longer shows what will not happen.
 */
export const LATE_MAX_MS = 6 * 3600 * 1000;

type SortColumn = 'starts_at' | 'went_live_at' | 'ended_at';

interface Order {
  column: SortColumn;
  direction: 'asc' | 'desc';
}

/** Running ones by when they began, the newest first; those to come by their time, the next first. */
export function orderOf(state: ShowQuery['state']): Order {
  if (state === 'live') return { column: 'went_live_at', direction: 'desc' };
  if (state === 'planned') return { column: 'starts_at', direction: 'asc' };
  if (state === 'ended') return { column: 'ended_at', direction: 'desc' };
  return { column: 'starts_at', direction: 'desc' };
}

/** A row's place in its list. */
export function placeOf(row: ShowRow, state: ShowQuery['state']): Cursor {
  return { at: row[orderOf(state).column] ?? row.starts_at, id: row.id };
}

/**
 * One row more than the page holds.
 * @param forOffice of one shop, everything; else only what everybody may see and is not cancelled
 */
export async function listShows(db: Db, query: ShowQuery, forOffice: boolean, now: Date): Promise<ShowRow[]> {
  const { column, direction } = orderOf(query.state);
  const cursor = readCursor(query.cursor);
  let rows = db.selectFrom('show').selectAll();
  if (query.shopId !== undefined) rows = rows.where('shop_id', '=', query.shopId);
  const { productId } = query;
  if (productId !== undefined) rows = rows.where((show) => show.exists(bagHas(show, productId)));
  if (!forOffice) rows = rows.where('visibility', '=', 'public').where('state', '<>', 'cancelled');
  if (query.state === 'live') rows = rows.where('state', 'in', ['live', 'interrupted']).where(column, 'is not', null);
  if (query.state === 'ended') rows = rows.where('state', '=', 'ended').where(column, 'is not', null);
  if (query.state === 'planned') {
    rows = rows.where('state', '=', 'planned');
    if (!forOffice) rows = rows.where('starts_at', '>', new Date(now.getTime() - LATE_MAX_MS));
  }
  if (cursor !== null) {
    const after = sql.raw(direction === 'asc' ? '>' : '<');
    rows = rows.where(sql<boolean>`(${sql.ref(column)}, id) ${after} (${cursor.at}, ${cursor.id})`);
  }
  const found = await rows
    .orderBy(column, direction)
    .orderBy('id', direction)
    .limit((query.limit ?? PAGE_LIMIT_DEFAULT) + 1)
    .execute();
  return found as ShowRow[];
}

function bagHas(show: ExpressionBuilder<DB, 'show'>, productId: string) {
  return show
    .selectFrom('show_item')
    .select('show_item.number')
    .whereRef('show_item.show_id', '=', 'show.id')
    .where('show_item.product_id', '=', productId)
    .where('show_item.removed', '=', false);
}

/** A calendar tells of shows for this long after their time: who opens it late learns that one was called off. */
export const CALENDAR_PAST_MS = 90 * 24 * 3600 * 1000;
/** Shows of one calendar. Fewer loses announced ones of a busy shop; more makes every program that asks wait. */
const CALENDAR_MOST = 200;

/** Public shows of a shop, called off ones too, the latest start first. */
export async function calendarShows(db: Db, shopId: string, now: Date): Promise<ShowRow[]> {
  const found = await db
    .selectFrom('show')
    .selectAll()
    .where('shop_id', '=', shopId)
    .where('visibility', '=', 'public')
    .where('starts_at', '>', new Date(now.getTime() - CALENDAR_PAST_MS))
    .orderBy('starts_at', 'desc')
    .orderBy('id', 'desc')
    .limit(CALENDAR_MOST)
    .execute();
  return found as ShowRow[];
}
