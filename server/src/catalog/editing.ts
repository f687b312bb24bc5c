/** Making and changing products. */
import type {
  Product, ProductCreate, ProductOption, ProductPatch, ProductState, VariantInput,
} from '@nacre/contract/catalog';
import { Refusal } from '../lib/refusal.ts';
import { afterCommit, type Tx } from '../platform/database.ts';
import type { CatalogDeps } from './catalog.ts';
import {
  CATALOG_CHANGED_TOPIC, PRICE_TOPIC, PRODUCT_TOPIC, type CatalogChanged, type PriceChanged, type ProductChanged,
} from './events.ts';
import { viewsOf } from './reading.ts';
import { insertStock } from './stock-store.ts';
import * as store from './store.ts';
import { mismatchOf } from './variants.ts';

export async function createProduct(
  deps: CatalogDeps, personId: string, shopId: string, input: ProductCreate,
): Promise<Product> {
  const { database, clock, newId } = deps.platform;
  await deps.shops.assertMay(personId, shopId, 'goods.edit');
  const { currency } = await deps.shops.byId(shopId);
  const id = newId();
  await database.transaction(async (tx) => {
    const now = clock.now();
    await deps.images.assertExist(tx, input.imageIds);
    await store.insertProduct(tx, {
      id, shop_id: shopId, currency, title: input.title.trim(), description: input.description.trim(),
      image_ids: input.imageIds, options: store.optionsColumn(input.options), state: input.state,
      created_at: now, updated_at: now,
    });
    await replaceVariants(deps, tx, id, input.options, input.variants, personId);
    refuseEmptyShelf(input.state, input.variants.length);
    await publishChange(deps, tx, id);
  });
  return read(deps, id);
}

export async function patchProduct(
  deps: CatalogDeps, personId: string, productId: string, change: ProductPatch,
): Promise<Product> {
  const { database, clock } = deps.platform;
  const { title, description, imageIds, options, variants, state } = change;
  if ((options === undefined) !== (variants === undefined)) {
    throw new Refusal('catalog.options_mismatch', { details: { reason: 'options_without_variants' } });
  }
  const shopId = await store.shopIdOfProduct(database.db, productId);
  if (shopId === undefined) throw new Refusal('catalog.not_found');
  await deps.shops.assertMay(personId, shopId, 'goods.edit');
  await database.transaction(async (tx) => {
    const row = await store.lockProduct(tx, productId);
    if (row === undefined) throw new Refusal('catalog.not_found');
    if (imageIds !== undefined) await deps.images.assertExist(tx, imageIds);
    await store.updateProduct(tx, productId, {
      ...(title === undefined ? {} : { title: title.trim() }),
      ...(description === undefined ? {} : { description: description.trim() }),
      ...(imageIds === undefined ? {} : { image_ids: imageIds }),
      ...(options === undefined ? {} : { options: store.optionsColumn(options) }),
      ...(state === undefined ? {} : { state }),
      updated_at: clock.now(),
    });
    if (options !== undefined && variants !== undefined) {
      await replaceVariants(deps, tx, productId, options, variants, personId);
    }
    const newState = state ?? (row.state as ProductState);
    refuseEmptyShelf(newState, variants?.length ?? (await store.variantsOf(tx, [productId])).length);
    await publishChange(deps, tx, productId);
    afterCommit(tx, () => deps.platform.bus.publish(PRODUCT_TOPIC, { productId, shopId } satisfies ProductChanged));
  });
  return read(deps, productId);
}

async function publishChange(deps: CatalogDeps, tx: Tx, productId: string): Promise<void> {
  const payload: CatalogChanged = { productId };
  await deps.platform.outbox.publish(tx, { topic: CATALOG_CHANGED_TOPIC, payload: { ...payload } });
}

/** Makes these the product's variants; tells of prices that changed. */
async function replaceVariants(
  deps: CatalogDeps, tx: Tx, productId: string, options: ProductOption[], variants: VariantInput[], personId: string,
): Promise<void> {
  const mismatch = mismatchOf(options, variants);
  if (mismatch !== null) throw new Refusal('catalog.options_mismatch', { details: { ...mismatch } });
  const before = new Map((await store.lockVariants(tx, productId)).map((row) => [row.id, row]));
  const known: store.VariantWrite[] = [];
  const fresh: store.VariantWrite[] = [];
  for (const [position, { id, ...variant }] of variants.entries()) {
    if (id === undefined) {
      fresh.push({ ...variant, id: deps.platform.newId(), position });
    } else if (before.has(id)) {
      known.push({ ...variant, id, position });
    } else {
      throw new Refusal('catalog.options_mismatch', { details: { reason: 'variant_unknown', variant: position } });
    }
  }
  await store.writeVariants(tx, productId, known, fresh);
  const levels = fresh.map(({ id, stock }) => ({ variantId: id, available: stock ?? 0 }));
  await insertStock(tx, levels, personId, deps.platform.clock.now());
  const prices = known
    .filter(({ id, priceMinor }) => before.get(id)?.price_minor !== BigInt(priceMinor))
    .map(({ id, priceMinor }) => ({ variantId: id, priceMinor }));
  const first = fresh.map(({ id, priceMinor }) => ({ variantId: id, priceMinor }));
  await store.insertPrices(tx, [...first, ...prices], deps.platform.clock.now());
  if (prices.length > 0) {
    afterCommit(tx, () => deps.platform.bus.publish(PRICE_TOPIC, { productId, prices } satisfies PriceChanged));
  }
}

/** What is for sale has something to sell. */
function refuseEmptyShelf(state: ProductState, variants: number): void {
  if (state === 'active' && variants === 0) throw new Refusal('catalog.nothing_to_sell');
}

async function read(deps: CatalogDeps, productId: string): Promise<Product> {
  const [product] = await viewsOf(deps, await store.productsByIds(deps.platform.database.db, [productId]));
  if (product === undefined) throw new Error(`product ${productId} is gone`);
  return product;
}
