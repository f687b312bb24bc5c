/** SQL on `"order"`, `order_line`, `order_transition`, and on what orders were promised. */
import type { Address } from '@nacre/contract/accounts';
import type {
  Cancellation, CancelReason, Channel, CounterMethod, Delivery, LatePayment, OfficeOrderFilter, OrderGroup, OrderPickup,
  OrderState,
} from '@nacre/contract/orders';
import { sql, type RawBuilder, type Selectable } from 'kysely';
import type { Cursor } from '../lib/cursor.ts';
import type { Db, Tx } from '../platform/database.ts';
import { anyOf, columnsOf, insertionOf, relationOf } from '../platform/relation.ts';
import type { OfferRow, PromiseRow } from './promise.ts';
import type { Order as OrderTable, OrderLine as OrderLineTable } from '../platform/tables.ts';
import type { ParcelPlace } from './shipping.ts';

/** The coupon of an order as it was. */
export interface KeptCoupon {
  id: string;
  claimId: string;
  name: string;
}

/** What the database keeps as text or JSON, and checks. */
interface OrderWords {
  state: OrderState;
  channel: Channel;
  delivery: Delivery;
  counter_method: CounterMethod | null;
  address: Address | null;
  pickup: Omit<OrderPickup, 'code'> | null;
  coupon: KeptCoupon | null;
  cancelled_by: Cancellation['by'] | null;
  cancel_reason: CancelReason | null;
  late_payment: LatePayment | null;
}
export type OrderRow = Omit<Selectable<OrderTable>, keyof OrderWords> & OrderWords;
/** What becomes of an order later. */
type OrderChange = Partial<Pick<
  OrderRow,
  | 'state' | 'paid_at' | 'shipped_at' | 'delivered_at' | 'ready_at' | 'handed_over_at' | 'voided_at' | 'pickup_code'
  | 'cancelled_by' | 'cancel_reason' | 'cancel_note'
>>;
/** An order to which none of it has happened yet. */
export const NOTHING_HAPPENED = {
  paid_at: null, shipped_at: null, delivered_at: null, ready_at: null, handed_over_at: null, voided_at: null,
  pickup_code: null, cancelled_by: null, cancel_reason: null, cancel_note: null, late_payment: null,
} as const;
/** Nothing is sent. */
export const NOT_SENT = { shipping_minor: 0n, ships_with: null } as const;
export const NO_COUPON = { discount_minor: 0n, coupon: null } as const;
export type LineRow = Selectable<OrderLineTable>;

/**
 * Makes batches of placings wait for each other until the end of the transaction, over all processes: what they read of
 * a buyer's own orders stays true.
 */
export async function lockPlacing(tx: Tx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended('orders placing', 0))`.execute(tx);
}

/** One purchase of one buyer. */
export interface PurchaseKey {
  buyerId: string;
  idempotencyKey: string;
}

/** The orders that exist under these keys. */
export async function findByKeys(tx: Db | Tx, keys: readonly PurchaseKey[]): Promise<OrderRow[]> {
  const { rows } = await sql<OrderRow>`
    select "order".*
      from ${relationOf(keys, { buyerId: 'uuid', idempotencyKey: 'text' })}
      join "order" on "order".buyer_id = "buyerId" and "order".idempotency_key = "idempotencyKey"`.execute(tx);
  return rows;
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

/** How many orders each buyer has not paid; who has none is missing. */
export async function countHeld(tx: Tx, buyerIds: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await sql<{ buyerId: string; held: number }>`
    select buyer_id as "buyerId", count(*)::int as held
      from "order"
     where buyer_id = any (${buyerIds}::uuid[]) and state = 'held'
     group by buyer_id`.execute(tx);
  return new Map(rows.map(({ buyerId, held }) => [buyerId, held]));
}

/** Parcels that are not on their way, by who bought them where, the oldest first. */
export async function openParcels(db: Db | Tx, places: readonly ParcelPlace[]): Promise<OpenParcelRow[]> {
  if (places.length === 0) return [];
  const { rows } = await sql<OpenParcelRow>`
    select id, number, buyer_id, shop_id, show_id, address
      from ${relationOf(places, { buyerId: 'uuid', shopId: 'uuid', showId: 'uuid' })}
      join "order" on buyer_id = "buyerId" and shop_id = "shopId" and show_id = "showId"
     where delivery = 'parcel' and state in ('held', 'paid')
     order by number`.execute(db);
  return rows;
}

interface OpenParcelRow extends Pick<OrderRow, 'id' | 'number'> {
  buyer_id: string;
  shop_id: string;
  show_id: string;
  address: Address;
}

/** What people call these orders, by id. */
export async function numbersOf(db: Db | Tx, orderIds: readonly string[]): Promise<Map<string, bigint>> {
  if (orderIds.length === 0) return new Map();
  const rows = await db.selectFrom('order').select(['id', 'number']).where('id', '=', anyOf(orderIds)).execute();
  return new Map(rows.map(({ id, number }) => [id, number]));
}

const ORDER_TYPES = {
  id: 'uuid', shop_id: 'uuid', buyer_id: 'uuid', buyer_name: 'text', show_id: 'uuid', idempotency_key: 'text',
  request_hash: 'bytea', state: 'text', currency: 'text', total_minor: 'bigint',
  shipping_minor: 'bigint', ships_with: 'uuid', discount_minor: 'bigint', coupon: 'jsonb', address: 'jsonb',
  hold_expires_at: 'timestamptz', placed_at: 'timestamptz', paid_at: 'timestamptz', shipped_at: 'timestamptz',
  delivered_at: 'timestamptz', channel: 'text', delivery: 'text', pickup: 'jsonb', pickup_code: 'text',
  counter_method: 'text', ready_at: 'timestamptz', handed_over_at: 'timestamptz', voided_at: 'timestamptz',
  cancelled_by: 'text', cancel_reason: 'text', cancel_note: 'text',
  late_payment: 'text',
} as const;

/** New orders with their lines and first steps; each as it is now, numbered in the given sequence. */
export async function insertOrders(
  tx: Tx, rows: ReadonlyArray<Omit<OrderRow, 'number'>>, lines: readonly LineRow[], steps: readonly TransitionRow[],
): Promise<OrderRow[]> {
  const relation = relationOf(
    rows.map((row) => (
      { ...row, address: jsonOf(row.address), pickup: jsonOf(row.pickup), coupon: jsonOf(row.coupon) }
    )), ORDER_TYPES,
  );
  const { rows: numbered } = await sql<{ id: string; number: bigint }>`
    with line as (${lineInsertion(lines)}), step as (${stepInsertion(steps)})
    insert into "order" (${columnsOf(ORDER_TYPES)})
    select * from ${relation}
    returning id, number`.execute(tx);
  const numbers = new Map(numbered.map(({ id, number }) => [id, number]));
  return rows.map((row) => {
    const number = numbers.get(row.id);
    if (number === undefined) throw new Error(`order ${row.id} was not written`);
    return { ...row, number };
  });
}

const LINE_TYPES = {
  order_id: 'uuid', position: 'int', variant_id: 'uuid', product_id: 'uuid', title: 'text', option_values: 'jsonb',
  sku: 'text', image_id: 'uuid', bag_number: 'int', unit_price_minor: 'bigint', quantity: 'int',
  discount_minor: 'bigint',
} as const;

function lineInsertion(lines: readonly LineRow[]): RawBuilder<unknown> {
  const rows = lines.map((line) => ({ ...line, option_values: JSON.stringify(line.option_values) }));
  return sql`
    insert into order_line (${columnsOf(LINE_TYPES)})
    select order_id, position, variant_id, product_id, title,
           array(select jsonb_array_elements_text(option_values)), sku, image_id, bag_number, unit_price_minor,
           quantity, discount_minor
      from ${relationOf(rows, LINE_TYPES)}`;
}

const OFFER_TYPES = { sha256: 'bytea', body: 'text' } as const;
const PROMISE_TYPES = { order_id: 'uuid', offer_sha256: 'bytea', body: 'text', sha256: 'bytea' } as const;

/** What orders were promised; an offer that is known stays as it is. */
export async function insertPromises(
  tx: Tx, offers: readonly OfferRow[], promises: readonly PromiseRow[],
): Promise<void> {
  await sql`
    with offer as (
      insert into promise_offer (${columnsOf(OFFER_TYPES)}) select * from ${relationOf(offers, OFFER_TYPES)}
      on conflict (sha256) do nothing
    )
    ${insertionOf('order_promise', promises, PROMISE_TYPES)}`.execute(tx);
}

export async function readPromise(
  db: Db, orderId: string,
): Promise<{ offer: string; body: string; sha256: Buffer } | null> {
  const row = await db
    .selectFrom('order_promise')
    .innerJoin('promise_offer', 'promise_offer.sha256', 'order_promise.offer_sha256')
    .select(['promise_offer.body as offer', 'order_promise.body', 'order_promise.sha256'])
    .where('order_id', '=', orderId)
    .executeTakeFirst();
  return row ?? null;
}

export interface TransitionRow {
  order_id: string;
  from_state: OrderState | null;
  to_state: OrderState;
  person_id: string | null;
  at: Date;
  /** Why, where the states do not say it. */
  reason: 'late_payment' | null;
}

const TRANSITION_TYPES = {
  order_id: 'uuid', from_state: 'text', to_state: 'text', person_id: 'uuid', at: 'timestamptz', reason: 'text',
} as const;

const stepInsertion = (steps: readonly TransitionRow[]) => insertionOf('order_transition', steps, TRANSITION_TYPES);

export async function insertTransitions(tx: Tx, transitions: readonly TransitionRow[]): Promise<void> {
  await stepInsertion(transitions).execute(tx);
}

/** The order, locked until the end of the transaction. */
export async function lockOrder(tx: Tx, orderId: string): Promise<OrderRow | null> {
  const row = await tx.selectFrom('order').selectAll().where('id', '=', orderId).forUpdate().executeTakeFirst();
  return asOrder(row);
}

/** The orders, locked until the end of the transaction, by id; unknown ones are missing. */
export async function lockOrders(tx: Tx, orderIds: readonly string[]): Promise<OrderRow[]> {
  const { rows } = await sql<OrderRow>`
    select * from "order" where id = any (${orderIds}::uuid[]) order by id for update`.execute(tx);
  return rows;
}

/** Of these the ones that are held beyond their time and that nobody else is at, locked. It waits for nobody. */
export async function lockExpired(tx: Tx, orderIds: readonly string[], now: Date): Promise<OrderRow[]> {
  const { rows } = await sql<OrderRow>`
    select * from "order"
     where id = any (${orderIds}::uuid[]) and state = 'held' and hold_expires_at <= ${now}
     order by id for update skip locked`.execute(tx);
  return rows;
}

const STEP_TYPES = {
  id: 'uuid', state: 'text', paid_at: 'timestamptz', pickup_code: 'text', late_payment: 'text',
  cancelled_by: 'text', cancel_reason: 'text', cancel_note: 'text',
} as const;

/** Writes what paying and ending change, of orders that are locked. */
export async function updateOrders(tx: Tx, orders: readonly OrderRow[]): Promise<void> {
  if (orders.length === 0) return;
  await sql`
    update "order"
       set state = relation.state, paid_at = relation.paid_at, pickup_code = relation.pickup_code,
           late_payment = relation.late_payment, cancelled_by = relation.cancelled_by,
           cancel_reason = relation.cancel_reason, cancel_note = relation.cancel_note
      from ${relationOf<Pick<OrderRow, keyof typeof STEP_TYPES>>(orders, STEP_TYPES)}
     where "order".id = relation.id`.execute(tx);
}

/** A code that is to open an order in a shop. */
export interface ShopCode {
  shopId: string;
  code: string;
}

/** Which of these open an order already. */
export async function findTakenCodes(tx: Tx, codes: readonly ShopCode[]): Promise<ShopCode[]> {
  const { rows } = await sql<ShopCode>`
    select relation."shopId", relation.code
      from ${relationOf(codes, { shopId: 'uuid', code: 'text' })}
      join "order" on "order".shop_id = "shopId" and "order".pickup_code = code and state in ('paid', 'ready')
  `.execute(tx);
  return rows;
}

/** Orders held beyond their time, the longest first. */
export async function expiredHolds(db: Db, now: Date, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('order')
    .select('id')
    .where('state', '=', 'held')
    .where('hold_expires_at', '<=', now)
    .orderBy('hold_expires_at')
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
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
export async function readLines(db: Db | Tx, orderIds: readonly string[]): Promise<LineRow[]> {
  if (orderIds.length === 0) return [];
  const { rows } = await sql<LineRow>`
    select * from order_line where order_id = any (${orderIds}::uuid[]) order by order_id, position`.execute(db);
  return rows;
}

/** Whose orders: a buyer's, or a shop's, narrowed by what is not undefined. */
export type OrdersOf = { buyerId: string } | ({ shopId: string } & OfficeOrderFilter);

/** The group of an order for those who have to do something about it; null: none. */
const GROUP = sql<OrderGroup | null>`case
  when channel = 'counter' then 'counter'
  when delivery = 'parcel' and state in ('paid', 'packed') then 'to_ship'
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
