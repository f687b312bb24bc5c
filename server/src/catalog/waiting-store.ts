/**
 * SQL on `waiting`.
 *
 * Invariant: whoever changes the line of a variant, or what is kept of it, holds the variant's row of stock. So rows
 * here need no locks of their own, and what is read under that lock stays true.
 */
import { sql } from 'kysely';
import type { Db, Tx } from '../platform/database.ts';
import { relationOf } from '../platform/relation.ts';
import type { KeptFact } from './events.ts';

export interface WaitRow {
  id: string;
  variantId: string;
  personId: string;
  state: 'waiting' | 'kept' | 'bought' | 'let_go' | 'lapsed' | 'left';
  quantity: number;
  kept: number | null;
  keptUntil: Date | null;
  since: Date;
}

const COLUMNS = sql`waiting.id, waiting.variant_id as "variantId", waiting.person_id as "personId", waiting.state,
  waiting.quantity, waiting.kept, waiting.kept_until as "keptUntil", waiting.created_at as since`;
const IS_OPEN = sql`waiting.state in ('waiting', 'kept')`;

/** Makes what one person does to the own waits wait for each other until the end of the transaction. */
export async function lockPerson(tx: Tx, personId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`waiting ${personId}`}, 0))`.execute(tx);
}

export async function findWait(db: Db | Tx, id: string): Promise<WaitRow | undefined> {
  const { rows } = await sql<WaitRow>`select ${COLUMNS} from waiting where id = ${id}`.execute(db);
  return rows[0];
}

export async function findOpen(tx: Tx, variantId: string, personId: string): Promise<WaitRow | undefined> {
  const { rows } = await sql<WaitRow>`
    select ${COLUMNS} from waiting
     where variant_id = ${variantId} and person_id = ${personId} and ${IS_OPEN}`.execute(tx);
  return rows[0];
}

/** Open waits of a person, and people who wait for a variant. */
export async function countOpen(
  tx: Tx, personId: string, variantId: string,
): Promise<{ ofPerson: number; inLine: number }> {
  const { rows } = await sql<{ ofPerson: number; inLine: number }>`
    select (select count(*)::int from waiting where person_id = ${personId} and ${IS_OPEN}) as "ofPerson",
           (select count(*)::int from waiting where variant_id = ${variantId} and state = 'waiting') as "inLine"
  `.execute(tx);
  return rows[0]!;
}

export async function insertWait(tx: Tx, wait: WaitRow): Promise<void> {
  await sql`
    insert into waiting (id, variant_id, person_id, quantity, state, created_at, updated_at)
    values (${wait.id}, ${wait.variantId}, ${wait.personId}, ${wait.quantity}, 'waiting', ${wait.since}, ${wait.since})
  `.execute(tx);
}

export async function setQuantity(tx: Tx, id: string, quantity: number, at: Date): Promise<void> {
  await sql`update waiting set quantity = ${quantity}, updated_at = ${at} where id = ${id}`.execute(tx);
}

export async function end(
  tx: Tx, ids: readonly string[], state: 'let_go' | 'lapsed' | 'left', at: Date,
): Promise<void> {
  await sql`update waiting set state = ${state}, updated_at = ${at} where id = any (${ids}::uuid[])`.execute(tx);
}

/** Kept pieces that go into an order. */
export interface KeptUse {
  waitId: string;
  orderId: string;
}

/** @returns those whose pieces were kept until now */
export async function useKept(tx: Tx, uses: readonly KeptUse[], at: Date): Promise<WaitRow[]> {
  const { rows } = await sql<WaitRow>`
    update waiting set state = 'bought', order_id = "orderId", updated_at = ${at}
      from ${relationOf(uses, { waitId: 'uuid', orderId: 'uuid' })}
     where waiting.id = "waitId" and state = 'kept'
    returning ${COLUMNS}`.execute(tx);
  return rows;
}

/** Whose pieces are kept. */
export interface KeptAsk {
  personId: string;
  variantId: string;
}

/** What is kept for these people of these variants, and not over. */
export async function findKept(tx: Db | Tx, asks: readonly KeptAsk[], now: Date): Promise<WaitRow[]> {
  const { rows } = await sql<WaitRow>`
    select distinct ${COLUMNS}
      from ${relationOf(asks, { personId: 'uuid', variantId: 'uuid' })}
      join waiting on waiting.variant_id = "variantId" and waiting.person_id = "personId"
       and state = 'kept' and kept_until > ${now}`.execute(tx);
  return rows;
}

/** Whose time is over, the longest first. */
export async function dueKept(db: Db | Tx, now: Date, limit: number): Promise<WaitRow[]> {
  const { rows } = await sql<WaitRow>`
    select ${COLUMNS} from waiting where state = 'kept' and kept_until <= ${now}
     order by kept_until, id limit ${limit}`.execute(db);
  return rows;
}

/** Of these the ones that are still so; under the lock of their stock. */
export async function stillDue(tx: Tx, ids: readonly string[], now: Date): Promise<WaitRow[]> {
  const { rows } = await sql<WaitRow>`
    select ${COLUMNS} from waiting
     where id = any (${ids}::uuid[]) and state = 'kept' and kept_until <= ${now} order by id`.execute(tx);
  return rows;
}

/** What whoever is told needs to know of kept pieces. */
export type KeptRow = Omit<KeptFact, 'until'>;

/**
 * Keeps what is available of these variants for the first in their lines, each as many as are there; `most` people of
 * a variant at a time. Of goods that are not for sale nothing is kept. The caller moves the pieces.
 */
export async function keepForNext(
  tx: Tx, variantIds: readonly string[], keep: { until: Date; at: Date; most: number },
): Promise<KeptRow[]> {
  const { rows } = await sql<KeptRow>`
    update waiting
       set state = 'kept', kept = least(waiting.quantity, line.available - line.before), kept_until = ${keep.until},
           updated_at = ${keep.at}
      from (
             select first.id, stock.available, product.id as product_id, product.shop_id, product.title,
                    sum(first.quantity) over (partition by stock.variant_id order by first.place) - first.quantity
                      as before
               from stock
               join variant on variant.id = stock.variant_id and not variant.withdrawn
               join product on product.id = variant.product_id and product.state = 'active'
              cross join lateral (
                      select id, quantity, place from waiting
                       where variant_id = stock.variant_id and state = 'waiting'
                       order by place limit least(stock.available, ${keep.most}::int)
                    ) as first
              where stock.variant_id = any (${variantIds}::uuid[]) and stock.available > 0
           ) as line
     where waiting.id = line.id and line.before < line.available
    returning waiting.id as "waitId", waiting.person_id as "personId", waiting.variant_id as "variantId",
              line.product_id as "productId", line.shop_id as "shopId", line.title, waiting.kept`.execute(tx);
  return rows;
}

/** Variants of which there is something while somebody waits: they were not for sale, or the line was long. */
export async function servable(db: Db, limit: number): Promise<string[]> {
  const { rows } = await sql<{ variantId: string }>`
    select stock.variant_id as "variantId"
      from stock
      join variant on variant.id = stock.variant_id and not variant.withdrawn
      join product on product.id = variant.product_id and product.state = 'active'
     where stock.variant_id in (select variant_id from waiting where state = 'waiting') and stock.available > 0
     limit ${limit}`.execute(db);
  return rows.map(({ variantId }) => variantId);
}

/** An open wait with what it is for. */
export interface SeenRow extends WaitRow {
  productId: string;
  shopId: string;
  title: string;
  optionValues: string[];
  imageId: string | null;
  priceMinor: bigint;
  currency: string;
  /** People before this one. */
  before: number;
}

/** Open waits, those with kept pieces first, then in the sequence in which they came. */
export async function listOpen(
  db: Db, of: { personId: string } | { ids: readonly string[] }, limit: number,
): Promise<SeenRow[]> {
  const which = 'ids' in of ? sql`waiting.id = any (${of.ids}::uuid[])` : sql`waiting.person_id = ${of.personId}`;
  const { rows } = await sql<SeenRow>`
    select ${COLUMNS}, product.id as "productId", product.shop_id as "shopId", product.title,
           variant.option_values as "optionValues", product.image_ids[1] as "imageId",
           variant.price_minor as "priceMinor", product.currency,
           (select count(*)::int from waiting as other
             where other.variant_id = waiting.variant_id and other.state = 'waiting' and other.place < waiting.place
           ) as before
      from waiting
      join variant on variant.id = waiting.variant_id
      join product on product.id = variant.product_id
     where ${which} and ${IS_OPEN}
     order by waiting.kept_until nulls last, waiting.place
     limit ${limit}`.execute(db);
  return rows;
}

export async function lineLengths(db: Db, shopId: string, limit: number) {
  const { rows } = await sql<{
    variantId: string; productId: string; people: number; pieces: number; kept: number;
  }>`
    select waiting.variant_id as "variantId", variant.product_id as "productId",
           (count(*) filter (where waiting.state = 'waiting'))::int as people,
           (coalesce(sum(quantity) filter (where waiting.state = 'waiting'), 0))::int as pieces,
           (coalesce(sum(kept) filter (where waiting.state = 'kept'), 0))::int as kept
      from product
      join variant on variant.product_id = product.id
      join waiting on waiting.variant_id = variant.id and ${IS_OPEN}
     where product.shop_id = ${shopId}
     group by waiting.variant_id, variant.product_id
     order by people desc, waiting.variant_id
     limit ${limit}`.execute(db);
  return rows;
}
