/** SQL on `order_parcel` and `order_parcel_piece`, and on what the office does to many orders at once. */
import type { OfficeOrderFilter, OrderState } from '@nacre/contract/orders';
import { sql, type Selectable } from 'kysely';
import type { Db, Tx } from '../platform/database.ts';
import { anyOf } from '../platform/relation.ts';
import type { OrderParcel, OrderParcelPiece, OrderTransition } from '../platform/tables.ts';
import { listOrders, type OrderRow } from './store.ts';

export type ParcelRow = Selectable<OrderParcel>;
export type PieceRow = Selectable<OrderParcelPiece>;
export type StepRow = Pick<Selectable<OrderTransition>, 'order_id' | 'person_id' | 'at'> & { to_state: OrderState };

/** Parcels of the orders, in the sequence in which they were sent. */
export async function readParcels(db: Db | Tx, orderIds: readonly string[]): Promise<ParcelRow[]> {
  if (orderIds.length === 0) return [];
  return db.selectFrom('order_parcel').selectAll().where('order_id', '=', anyOf(orderIds))
    .orderBy('order_id').orderBy('number').execute();
}

/** What is in the parcels of the orders. */
export async function readPieces(db: Db | Tx, orderIds: readonly string[]): Promise<PieceRow[]> {
  if (orderIds.length === 0) return [];
  return db.selectFrom('order_parcel_piece').selectAll().where('order_id', '=', anyOf(orderIds))
    .orderBy('parcel_id').orderBy('position').execute();
}

export async function insertParcel(tx: Tx, parcel: ParcelRow, pieces: readonly PieceRow[]): Promise<void> {
  await tx.insertInto('order_parcel').values(parcel).execute();
  await tx.insertInto('order_parcel_piece').values([...pieces]).execute();
}

/** Every step of the orders, by order, as they were gone. Sorted by `id` alone it would read all there are. */
export async function readSteps(db: Db, orderIds: readonly string[]): Promise<StepRow[]> {
  if (orderIds.length === 0) return [];
  const rows = await db.selectFrom('order_transition').select(['order_id', 'to_state', 'person_id', 'at'])
    .where('order_id', '=', anyOf(orderIds)).orderBy('order_id').orderBy('id').execute();
  return rows as StepRow[];
}

/** Orders of the shop by number, in no sequence; numbers of others are missing. */
export async function ordersByNumber(db: Db, shopId: string, numbers: readonly bigint[]): Promise<OrderRow[]> {
  const { rows } = await sql<OrderRow>`
    select * from "order" where shop_id = ${shopId}::uuid and number = any (${numbers}::bigint[])`.execute(db);
  return rows;
}

/** Ids and numbers of the newest orders of the filter, one more than `limit`. */
export async function selectOrders(
  db: Db, shopId: string, filter: OfficeOrderFilter, limit: number,
): Promise<Array<Pick<OrderRow, 'id' | 'number'>>> {
  return listOrders(db, { shopId, ...filter }, null, limit);
}

/** What time alone brings about, and since when an order waits for it. */
const WAITING = { delivered: ['shipped', 'shipped_at'], completed: ['delivered', 'delivered_at'] } as const;

/** Locks orders that wait for `to` since `until` or longer, the longest first; those that others are at are left. */
export async function lockOverdue(
  tx: Tx, to: keyof typeof WAITING, until: Date, limit: number,
): Promise<OrderRow[]> {
  const [state, since] = WAITING[to];
  const { rows } = await sql<OrderRow>`
    select * from "order"
     where state = ${sql.lit(state)} and ${sql.ref(since)} <= ${until}
     order by ${sql.ref(since)}, id
     limit ${limit}
       for update skip locked`.execute(tx);
  return rows;
}

/** The orders as they are afterwards. */
export async function moveAll(
  tx: Tx, orderIds: readonly string[], to: keyof typeof WAITING, at: Date,
): Promise<OrderRow[]> {
  const delivered = to === 'delivered' ? sql`, delivered_at = ${at}` : sql``;
  const { rows } = await sql<OrderRow>`
    update "order" set state = ${to}${delivered} where id = any (${orderIds}::uuid[]) returning *`.execute(tx);
  return rows;
}
