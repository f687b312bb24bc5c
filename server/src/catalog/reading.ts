/** Products as the contract has them, from rows. */
import type { CounterGoods, Product, ProductOption, ProductState } from '@nacre/contract/catalog';
import type { Page, PageQuery } from '@nacre/contract/common';
import { PAGE_LIMIT_DEFAULT, pageOf, readCursor } from '../lib/cursor.ts';
import type { CatalogDeps } from './catalog.ts';
import * as store from './store.ts';

/** In the order of `rows`. */
export async function viewsOf(deps: CatalogDeps, rows: store.ProductRow[]): Promise<Product[]> {
  if (rows.length === 0) return [];
  const { db } = deps.platform.database;
  const [variants, images] = await Promise.all([
    store.variantsOf(db, rows.map(({ id }) => id)),
    deps.images.describe(rows.flatMap((row) => row.image_ids)),
  ]);
  const variantsOf = Map.groupBy(variants, (variant) => variant.product_id);
  return rows.map((row) => ({
    id: row.id,
    shopId: row.shop_id,
    title: row.title,
    description: row.description,
    images: row.image_ids.flatMap((id) => images.get(id) ?? []),
    options: row.options as ProductOption[],
    variants: (variantsOf.get(row.id) ?? []).map((variant) => ({
      id: variant.id,
      optionValues: variant.option_values,
      sku: variant.sku,
      priceMinor: Number(variant.price_minor),
      available: variant.available,
      held: variant.held,
    })),
    currency: row.currency,
    state: row.state as ProductState,
    createdAt: row.created_at.toISOString(),
  }));
}

/** Newest first; `state` null: all. */
export async function listProducts(
  deps: CatalogDeps, shopId: string, state: ProductState | null, query: PageQuery,
): Promise<Page<Product>> {
  const limit = query.limit ?? PAGE_LIMIT_DEFAULT;
  const rows = await store.productsOfShop(deps.platform.database.db, shopId, state, readCursor(query.cursor), limit);
  const page = pageOf(rows, limit, (row) => ({ at: row.created_at, id: row.id }), (row) => row);
  return { items: await viewsOf(deps, page.items), next: page.next };
}

/** Variants that the counter is offered at most. Fewer hides a dress with many sizes, more is a list nobody reads. */
const COUNTER_GOODS_MAX = 30;

export async function findForCounter(deps: CatalogDeps, shopId: string, text: string): Promise<CounterGoods> {
  const { db } = deps.platform.database;
  const exact = await store.findForSale(db, shopId, { sku: text }, COUNTER_GOODS_MAX);
  const isSku = exact.length > 0;
  const rows = isSku ? exact : await store.findForSale(db, shopId, { titlePart: text }, COUNTER_GOODS_MAX);
  const images = await deps.images.describe(rows.flatMap(({ imageId }) => imageId ?? []));
  return {
    isSku,
    items: rows.map(({ imageId, priceMinor, ...row }) => ({
      ...row, priceMinor: Number(priceMinor), image: imageId === null ? null : images.get(imageId) ?? null,
    })),
  };
}
