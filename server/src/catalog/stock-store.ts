/**
 * SQL on `stock` and `stock_move`.
 *
 * Invariants: rows are locked in the order of variant ids, by everybody, so that two orders of the same goods never
 * wait for each other in a circle; every change of a level has its row in `stock_move`.
 */
import { sql, type RawBuilder } from 'kysely';
import type { Db, Tx } from '../platform/database.ts';
import { relationOf } from '../platform/relation.ts';

export interface StockRow {
  variantId: string;
  productId: string;
  available: number;
  held: number;
}

export interface Move {
  variantId: string;
  availableChange: number;
  heldChange: number;
  reason: 'set' | 'held' | 'released' | 'sold' | 'returned' | 'kept' | 'let_go';
  orderId: string | null;
  personId: string | null;
}

const MOVE_TYPES = {
  variantId: 'uuid', availableChange: 'int', heldChange: 'int', reason: 'text', orderId: 'uuid', personId: 'uuid',
} as const;

export async function lockStock(tx: Tx, variantIds: readonly string[]): Promise<StockRow[]> {
  const { rows } = await sql<StockRow>`
    select stock.variant_id as "variantId", variant.product_id as "productId", stock.available, stock.held
      from stock join variant on variant.id = stock.variant_id
     where stock.variant_id = any (${variantIds}::uuid[])
     order by stock.variant_id
       for no key update of stock`.execute(tx);
  return rows;
}

/** Applies moves to rows that `lockStock` or `lockOrderable` holds, and writes them down. */
export async function applyMoves(tx: Tx, moves: Move[], at: Date): Promise<StockRow[]> {
  const { rows } = await sql<StockRow>`
    with move as materialized (select * from ${relationOf(moves, MOVE_TYPES)}),
         written as (${insertionOf(sql`move`, at)})
    update stock
       set available = stock.available + moved.available_change, held = stock.held + moved.held_change
      from (
             select "variantId" as variant_id, sum("availableChange")::int as available_change,
                    sum("heldChange")::int as held_change
               from move
              group by "variantId"
           ) as moved,
           variant
     where stock.variant_id = moved.variant_id and variant.id = stock.variant_id
    returning stock.variant_id as "variantId", variant.product_id as "productId", stock.available, stock.held
  `.execute(tx);
  return rows;
}

/** First levels of new variants. */
export async function insertStock(
  tx: Tx, levels: { variantId: string; available: number }[], personId: string | null, at: Date,
): Promise<void> {
  if (levels.length === 0) return;
  await tx
    .insertInto('stock')
    .values(levels.map(({ variantId, available }) => ({ variant_id: variantId, available, held: 0 })))
    .execute();
  const moves = levels.filter(({ available }) => available > 0).map(({ variantId, available }): Move => ({
    variantId, availableChange: available, heldChange: 0, reason: 'set', orderId: null, personId,
  }));
  if (moves.length > 0) await insertionOf(relationOf(moves, MOVE_TYPES), at).execute(tx);
}

/** Writes moves down; `from` has the columns of `MOVE_TYPES`. */
const insertionOf = (from: RawBuilder<unknown>, at: Date) => sql`
    insert into stock_move
           (variant_id, available_change, held_change, reason, order_id, person_id, created_at)
    select "variantId", "availableChange", "heldChange", reason, "orderId", "personId", ${at}::timestamptz
      from ${from}`;

/** What an order must know of a variant. */
export interface OrderableVariant {
  variantId: string;
  productId: string;
  shopId: string;
  title: string;
  /** Cover of the product, or null. */
  imageId: string | null;
  optionValues: string[];
  sku: string;
  priceMinor: bigint;
  /** ISO 4217; that of the shop. */
  currency: string;
  /** False when the product is not active or the variant is withdrawn. */
  isForSale: boolean;
  available: number;
  held: number;
}

/**
 * The product is locked before its variants and those before their stock, as an edit of the product locks them: so an
 * order waits for an edit and never the two for each other.
 */
export async function lockOrderable(tx: Tx, variantIds: readonly string[]): Promise<OrderableVariant[]> {
  const { rows } = await sql<OrderableVariant>`
    ${orderables(variantIds)} order by variant.id
      for share of product for share of variant for no key update of stock`.execute(tx);
  return rows;
}

/** The same without a lock, in no order: for showing what is true now. */
export async function readOrderable(db: Db, variantIds: readonly string[]): Promise<OrderableVariant[]> {
  return variantIds.length === 0 ? [] : (await sql<OrderableVariant>`${orderables(variantIds)}`.execute(db)).rows;
}

const orderables = (variantIds: readonly string[]) => sql`
    select variant.id as "variantId", product.id as "productId", product.shop_id as "shopId", product.title,
           product.image_ids[1] as "imageId", variant.option_values as "optionValues", variant.sku,
           variant.price_minor as "priceMinor", product.currency,
           product.state = 'active' and not variant.withdrawn as "isForSale", stock.available, stock.held
      from variant
      join product on product.id = variant.product_id
      join stock on stock.variant_id = variant.id
     where variant.id = any (${variantIds}::uuid[])`;

export async function shopIdOfVariant(db: Db, variantId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('variant')
    .innerJoin('product', 'product.id', 'variant.product_id')
    .select('product.shop_id')
    .where('variant.id', '=', variantId)
    .executeTakeFirst();
  return row?.shop_id;
}
