/** SQL on `product` and `variant`. Stock is in `stock-store.ts`. */
import type { ProductOption, ProductState, VariantInput } from '@nacre/contract/catalog';
import { sql, type Insertable, type Selectable, type Updateable } from 'kysely';
import type { Cursor } from '../lib/cursor.ts';
import type { Db, Tx } from '../platform/database.ts';
import type { Product as ProductTable } from '../platform/tables.ts';

export type ProductRow = Selectable<ProductTable>;

export interface VariantRow {
  id: string;
  product_id: string;
  option_values: string[];
  sku: string;
  price_minor: bigint;
  available: number;
  held: number;
}

/** A variant to write: new, or known under its id. */
export interface VariantWrite extends Omit<VariantInput, 'id'> {
  id: string;
  position: number;
}

export async function insertProduct(tx: Tx, row: Insertable<ProductTable>): Promise<void> {
  await tx.insertInto('product').values(row).execute();
}

export async function updateProduct(tx: Tx, id: string, changes: Updateable<ProductTable>): Promise<void> {
  await tx.updateTable('product').set(changes).where('id', '=', id).execute();
}

/** Holds the product until the transaction ends, so that two patches follow one another. */
export async function lockProduct(tx: Tx, id: string): Promise<ProductRow | undefined> {
  return tx.selectFrom('product').selectAll().where('id', '=', id).forNoKeyUpdate().executeTakeFirst();
}

export async function shopIdOfProduct(db: Db, id: string): Promise<string | undefined> {
  return (await db.selectFrom('product').select('shop_id').where('id', '=', id).executeTakeFirst())?.shop_id;
}

export async function productsByIds(db: Db | Tx, ids: readonly string[]): Promise<ProductRow[]> {
  return ids.length === 0 ? [] : db.selectFrom('product').selectAll().where('id', 'in', ids).execute();
}

export async function activeIdsAfter(db: Db, last: string | null, limit: number): Promise<string[]> {
  let query = db.selectFrom('product').select('id').where('state', '=', 'active').orderBy('id').limit(limit);
  if (last !== null) query = query.where('id', '>', last);
  return (await query.execute()).map(({ id }) => id);
}

/** Newest first, after `cursor`, one more than `limit`; `state` null: all. */
export async function productsOfShop(
  db: Db, shopId: string, state: ProductState | null, cursor: Cursor | null, limit: number,
): Promise<ProductRow[]> {
  let query = db
    .selectFrom('product')
    .selectAll()
    .where('shop_id', '=', shopId)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1);
  if (state !== null) query = query.where('state', '=', state);
  if (cursor !== null) query = query.where(sql<boolean>`(created_at, id) < (${cursor.at}, ${cursor.id}::uuid)`);
  return query.execute();
}

/** Variants that are not withdrawn, in the order of the shop. */
export async function variantsOf(db: Db | Tx, productIds: readonly string[]): Promise<VariantRow[]> {
  if (productIds.length === 0) return [];
  return db
    .selectFrom('variant')
    .innerJoin('stock', 'stock.variant_id', 'variant.id')
    .select([
      'variant.id', 'variant.product_id', 'variant.option_values', 'variant.sku', 'variant.price_minor',
      'stock.available', 'stock.held',
    ])
    .where('variant.product_id', 'in', productIds)
    .where('variant.withdrawn', '=', false)
    .orderBy('variant.product_id')
    .orderBy('variant.position')
    .execute();
}

/** All variants of a product, withdrawn ones too, locked in the order of their ids as orders lock them. */
export async function lockVariants(tx: Tx, productId: string) {
  return tx
    .selectFrom('variant')
    .select(['id', 'price_minor', 'withdrawn'])
    .where('product_id', '=', productId)
    .orderBy('id')
    .forNoKeyUpdate()
    .execute();
}

/** Makes these the variants of the product: `known` are updated, `fresh` added, all others withdrawn. */
export async function writeVariants(tx: Tx, productId: string, known: VariantWrite[], fresh: VariantWrite[]) {
  // All are withdrawn first: two variants may exchange their values, and the index on them holds row by row.
  await tx.updateTable('variant').set({ withdrawn: true }).where('product_id', '=', productId).execute();
  for (const variant of known) {
    await tx
      .updateTable('variant')
      .set({ ...columnsOf(variant), withdrawn: false })
      .where('id', '=', variant.id)
      .where('product_id', '=', productId)
      .execute();
  }
  if (fresh.length === 0) return;
  await tx
    .insertInto('variant')
    .values(fresh.map((variant) => ({ id: variant.id, product_id: productId, ...columnsOf(variant) })))
    .execute();
}

function columnsOf(variant: VariantWrite) {
  return {
    position: variant.position,
    option_values: variant.optionValues,
    sku: variant.sku.trim(),
    price_minor: BigInt(variant.priceMinor),
  };
}

/** As JSON text: the driver would send an array of JavaScript as an array of PostgreSQL. */
export function optionsColumn(options: ProductOption[]): string {
  return JSON.stringify(options);
}

export interface ForSaleRow {
  variantId: string;
  productId: string;
  title: string;
  optionValues: string[];
  sku: string;
  imageId: string | null;
  priceMinor: bigint;
  currency: string;
  available: number;
}

/** Variants for sale in the shop, by the SKU in any case of letters or a part of the title; by title and position. */
export async function findForSale(
  db: Db, shopId: string, by: { sku: string } | { titlePart: string }, limit: number,
): Promise<ForSaleRow[]> {
  const condition = 'sku' in by
    ? sql<boolean>`lower(variant.sku) = lower(${by.sku})`
    // `position` takes the text as it is: nothing in it is a pattern.
    : sql<boolean>`position(lower(${by.titlePart}) in lower(product.title)) > 0`;
  return db
    .selectFrom('variant')
    .innerJoin('product', 'product.id', 'variant.product_id')
    .innerJoin('stock', 'stock.variant_id', 'variant.id')
    .select([
      'variant.id as variantId', 'product.id as productId', 'product.title', 'variant.option_values as optionValues',
      'variant.sku', sql<string | null>`product.image_ids[1]`.as('imageId'), 'variant.price_minor as priceMinor',
      'product.currency', 'stock.available',
    ])
    .where('product.shop_id', '=', shopId)
    .where('product.state', '=', 'active')
    .where('variant.withdrawn', '=', false)
    .where(condition)
    .orderBy('product.title')
    .orderBy('product.id')
    .orderBy('variant.position')
    .limit(limit)
    .execute();
}

/** What variants cost from now on. */
export async function insertPrices(
  tx: Tx, prices: readonly { variantId: string; priceMinor: number }[], at: Date,
): Promise<void> {
  if (prices.length === 0) return;
  await tx.insertInto('price_history').values(prices.map(({ variantId, priceMinor }) => (
    { variant_id: variantId, price_minor: BigInt(priceMinor), from_at: at }
  ))).execute();
}

/** The lowest that each cost from then until now: what it cost at that moment counts too. */
export async function lowestPrices(
  tx: Tx, variantIds: readonly string[], since: Date,
): Promise<Map<string, bigint>> {
  const { rows } = await sql<{ variantId: string; priceMinor: bigint }>`
    select asked.id as "variantId", min(price.price_minor) as "priceMinor"
      from unnest(${variantIds}::uuid[]) as asked (id),
           lateral (
             (select price_minor from price_history
               where variant_id = asked.id and from_at <= ${since} order by from_at desc, id desc limit 1)
             union all
             select price_minor from price_history where variant_id = asked.id and from_at > ${since}
           ) as price
     group by asked.id`.execute(tx);
  return new Map(rows.map(({ variantId, priceMinor }) => [variantId, priceMinor]));
}
