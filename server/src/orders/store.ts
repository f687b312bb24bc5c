/** SQL on `"order"`, `order_line` and `order_transition`. */
import type { Address } from '@nacre/contract/accounts';
import type { OrderState } from '@nacre/contract/orders';
import { sql, type Selectable } from 'kysely';
import type { Cursor } from '../lib/cursor.ts';
import type { Db, Tx } from '../platform/database.ts';
import type { Order as OrderTable, OrderLine as OrderLineTable } from '../platform/tables.ts';

export type OrderRow = Omit<Selectable<OrderTable>, 'state' | 'address'> & { state: OrderState; address: Address };
export type LineRow = Selectable<OrderLineTable>;

/**
 * Makes the placings of one buyer wait for each other until the end of the transaction, over all processes: what they
 * read of their own orders stays true.
 */
export async function lockBuyer(tx: Tx, buyerId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`orders buyer ${buyerId}`}, 0))`.execute(tx);
}

export async function findByKey(tx: Tx, buyerId: string, idempotencyKey: string): Promise<OrderRow | null> {
  const row = await tx
    .selectFrom('order')
    .selectAll()
    .where('buyer_id', '=', buyerId)
    .where('idempotency_key', '=', idempotencyKey)
    .executeTakeFirst();
  return asOrder(row);
}

export async function countHeld(tx: Tx, buyerId: string): Promise<number> {
  const { count } = await tx
    .selectFrom('order')
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .where('buyer_id', '=', buyerId)
    .where('state', '=', 'held')
    .executeTakeFirstOrThrow();
  return Number(count);
}

export async function insertOrder(tx: Tx, row: Omit<OrderRow, 'number'>, lines: LineRow[]): Promise<OrderRow> {
  const inserted = await tx
    .insertInto('order')
    .values({ ...row, address: JSON.stringify(row.address) })
    .returningAll()
    .executeTakeFirstOrThrow();
  await tx.insertInto('order_line').values(lines).execute();
  return inserted as unknown as OrderRow;
}

export async function insertTransition(
  tx: Tx,
  transition: { orderId: string; from: OrderState | null; to: OrderState; personId: string | null; at: Date },
): Promise<void> {
  await tx
    .insertInto('order_transition')
    .values({
      order_id: transition.orderId,
      from_state: transition.from,
      to_state: transition.to,
      person_id: transition.personId,
      at: transition.at,
    })
    .execute();
}

/** The order, locked until the end of the transaction. */
export async function lockOrder(tx: Tx, orderId: string): Promise<OrderRow | null> {
  const row = await tx.selectFrom('order').selectAll().where('id', '=', orderId).forUpdate().executeTakeFirst();
  return asOrder(row);
}

/** The order, locked, if it is held beyond its time and nobody else is at it; else null. */
export async function lockExpired(tx: Tx, orderId: string, now: Date): Promise<OrderRow | null> {
  const row = await tx
    .selectFrom('order')
    .selectAll()
    .where('id', '=', orderId)
    .where('state', '=', 'held')
    .where('hold_expires_at', '<=', now)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst();
  return asOrder(row);
}

export interface ExpiredHold {
  id: string;
  hold_expires_at: Date;
}

/** Orders held beyond their time, the longest first, after the one given. */
export async function expiredHolds(
  db: Db,
  now: Date,
  after: ExpiredHold | null,
  limit: number,
): Promise<ExpiredHold[]> {
  let query = db
    .selectFrom('order')
    .select(['id', 'hold_expires_at'])
    .where('state', '=', 'held')
    .where('hold_expires_at', '<=', now)
    .orderBy('hold_expires_at')
    .orderBy('id')
    .limit(limit);
  if (after !== null) {
    query = query.where(sql<boolean>`(hold_expires_at, id) > (${after.hold_expires_at}, ${after.id}::uuid)`);
  }
  return query.execute();
}

export async function updateOrder(
  tx: Tx,
  orderId: string,
  change: Partial<Pick<OrderRow, 'state' | 'paid_at' | 'shipped_at' | 'carrier' | 'tracking_number'>>,
): Promise<OrderRow> {
  const row = await tx.updateTable('order').set(change).where('id', '=', orderId).returningAll().executeTakeFirst();
  const order = asOrder(row);
  if (order === null) throw new Error(`order ${orderId} is gone`);
  return order;
}

export async function readOrder(db: Db, orderId: string): Promise<OrderRow | null> {
  return asOrder(await db.selectFrom('order').selectAll().where('id', '=', orderId).executeTakeFirst());
}

/** Lines of the orders, in their places. */
export async function readLines(db: Db | Tx, orderIds: string[]): Promise<LineRow[]> {
  if (orderIds.length === 0) return [];
  return db
    .selectFrom('order_line')
    .selectAll()
    .where('order_id', 'in', orderIds)
    .orderBy('order_id')
    .orderBy('position')
    .execute();
}

/** The newest first, one more than `limit`. */
export async function listOrders(
  db: Db,
  of: { buyerId: string } | { shopId: string; state: OrderState | undefined; showId: string | undefined },
  cursor: Cursor | null,
  limit: number,
): Promise<OrderRow[]> {
  let query = db.selectFrom('order').selectAll().orderBy('placed_at', 'desc').orderBy('id', 'desc').limit(limit + 1);
  if ('buyerId' in of) query = query.where('buyer_id', '=', of.buyerId);
  else {
    query = query.where('shop_id', '=', of.shopId);
    if (of.state !== undefined) query = query.where('state', '=', of.state);
    if (of.showId !== undefined) query = query.where('show_id', '=', of.showId);
  }
  if (cursor !== null) query = query.where(sql<boolean>`(placed_at, id) < (${cursor.at}, ${cursor.id}::uuid)`);
  return (await query.execute()) as unknown as OrderRow[];
}

export async function countByState(db: Db, shopId: string): Promise<Map<OrderState, number>> {
  const rows = await db
    .selectFrom('order')
    .select((eb) => ['state', eb.fn.countAll<bigint>().as('count')])
    .where('shop_id', '=', shopId)
    .groupBy('state')
    .execute();
  return new Map(rows.map((row) => [row.state as OrderState, Number(row.count)]));
}

function asOrder(row: Selectable<OrderTable> | undefined): OrderRow | null {
  return row === undefined ? null : (row as unknown as OrderRow);
}
