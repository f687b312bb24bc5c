/** SQL on `"order"`, `order_line` and `order_transition`. */
import type { Address } from '@nacre/contract/accounts';
import type {
  Channel, CounterMethod, Delivery, OrderGroup, OrderPickup, OrderState,
} from '@nacre/contract/orders';
import { sql, type Selectable } from 'kysely';
import type { Cursor } from '../lib/cursor.ts';
import type { Db, Tx } from '../platform/database.ts';
import type { Order as OrderTable, OrderLine as OrderLineTable } from '../platform/tables.ts';

/** What the database keeps as text or JSON, and checks. */
interface OrderWords {
  state: OrderState;
  channel: Channel;
  delivery: Delivery;
  counter_method: CounterMethod | null;
  address: Address | null;
  pickup: Omit<OrderPickup, 'code'> | null;
}
export type OrderRow = Omit<Selectable<OrderTable>, keyof OrderWords> & OrderWords;
/** What becomes of an order later. */
type OrderChange = Partial<Pick<
  OrderRow,
  | 'state' | 'paid_at' | 'shipped_at' | 'carrier' | 'tracking_number' | 'ready_at' | 'handed_over_at' | 'voided_at'
  | 'pickup_code'
>>;
/** An order to which none of it has happened yet. */
export const NOTHING_HAPPENED = {
  paid_at: null, shipped_at: null, carrier: null, tracking_number: null, ready_at: null, handed_over_at: null,
  voided_at: null, pickup_code: null,
} as const;
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

/** Makes the sales of one key wait for each other until the end of the transaction. */
export async function lockCounterKey(tx: Tx, shopId: string, key: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`orders counter ${shopId} ${key}`}, 0))`.execute(tx);
}

export async function findByCounterKey(tx: Tx, shopId: string, idempotencyKey: string): Promise<OrderRow | null> {
  const row = await tx
    .selectFrom('order')
    .selectAll()
    .where('shop_id', '=', shopId)
    .where('idempotency_key', '=', idempotencyKey)
    .where('channel', '=', 'counter')
    .executeTakeFirst();
  return asOrder(row);
}

/** The shop's order that waits under this code. */
export async function findOpenPickup(db: Db | Tx, shopId: string, code: string): Promise<OrderRow | null> {
  const row = await db
    .selectFrom('order')
    .selectAll()
    .where('shop_id', '=', shopId)
    .where('pickup_code', '=', code)
    .where('state', 'in', ['paid', 'ready'])
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
    .values({ ...row, address: jsonOf(row.address), pickup: jsonOf(row.pickup) })
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
  change: OrderChange,
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

/** Whose orders: a buyer's, or a shop's, narrowed by what is not undefined. */
export type OrdersOf = { buyerId: string } | {
  shopId: string;
  state: OrderState | undefined;
  showId: string | undefined;
  group: OrderGroup | undefined;
};

/** The group of an order for those who have to do something about it; null: none. */
const GROUP = sql<OrderGroup | null>`case
  when channel = 'counter' then 'counter'
  when delivery = 'parcel' and state = 'paid' then 'to_ship'
  when delivery = 'pickup' and state in ('paid', 'ready') then 'to_pick_up'
end`;

/** The newest first, one more than `limit`. */
export async function listOrders(db: Db, of: OrdersOf, cursor: Cursor | null, limit: number): Promise<OrderRow[]> {
  let query = db.selectFrom('order').selectAll().orderBy('placed_at', 'desc').orderBy('id', 'desc').limit(limit + 1);
  if ('buyerId' in of) query = query.where('buyer_id', '=', of.buyerId);
  else {
    query = query.where('shop_id', '=', of.shopId);
    if (of.state !== undefined) query = query.where('state', '=', of.state);
    if (of.showId !== undefined) query = query.where('show_id', '=', of.showId);
    if (of.group !== undefined) query = query.where(GROUP, '=', of.group);
  }
  if (cursor !== null) query = query.where(sql<boolean>`(placed_at, id) < (${cursor.at}, ${cursor.id}::uuid)`);
  return (await query.execute()) as unknown as OrderRow[];
}

/** How many are in each state, and in each group. */
export async function countOrders(db: Db, shopId: string): Promise<Map<OrderState | OrderGroup, number>> {
  const rows = await db
    .selectFrom('order')
    .select((eb) => ['state', GROUP.as('group'), eb.fn.countAll<bigint>().as('count')])
    .where('shop_id', '=', shopId)
    .groupBy(['state', 'group'])
    .execute();
  const counts = new Map<OrderState | OrderGroup, number>();
  for (const { state, group, count } of rows) {
    for (const name of [state as OrderState, ...(group === null ? [] : [group])]) {
      counts.set(name, (counts.get(name) ?? 0) + Number(count));
    }
  }
  return counts;
}

/** As JSON text: the driver would send an object of JavaScript so anyway, and null as the word. */
function jsonOf(value: object | null): string | null {
  return value === null ? null : JSON.stringify(value);
}

function asOrder(row: Selectable<OrderTable> | undefined): OrderRow | null {
  return row === undefined ? null : (row as unknown as OrderRow);
}
