/**
 * Products, variants, prices and stock. Rules: README.md.
 *
 * Invariants: what was once ordered keeps its row (variants are withdrawn, products archived, nothing is deleted);
 * stock is never negative; only members of the shop change its goods.
 */
import type {
  CounterGoods, Product, ProductCreate, ProductOption, ProductPatch, ProductQuery, StockChange, StockLevel,
} from '@nacre/contract/catalog';
import type { PromiseCard } from '@nacre/contract/promise';
import type { Page, PageQuery } from '@nacre/contract/common';
import type { PersonalEvent } from '@nacre/contract/realtime';
import type { LineLengths, Wait, WaitJoin } from '@nacre/contract/waiting';
import type { Images } from '../images/images.ts';
import { Refusal } from '../lib/refusal.ts';
import type { Db, Tx } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import type { Shops } from '../shops/shops.ts';
import { createProduct, patchProduct } from './editing.ts';
import { holdWithKept } from './holding.ts';
import { findForCounter, listProducts, viewsOf } from './reading.ts';
import { changeStock, moveForOrders, type OrderPieces, type StockLine, type StockRef } from './stock.ts';
import { lockOrderable, readOrderable, type OrderableVariant } from './stock-store.ts';
import * as store from './store.ts';
import { join, keptFor, leave, linesOf, serveLeftOver, sweepKept, type Kept } from './waiting.ts';
import type { KeptAsk, KeptUse } from './waiting-store.ts';
import { waitsOf } from './waiting-view.ts';

export type { Kept, KeptUse, OrderableVariant, OrderPieces, StockLine, StockRef };

export interface CatalogDeps {
  platform: Platform;
  images: Pick<Images, 'describe' | 'assertExist'>;
  shops: Pick<Shops, 'assertMay' | 'byId' | 'bySlug' | 'refs'>;
  /** Tells one person on all sockets. Called after the commit; must not throw. */
  tell(personId: string, event: PersonalEvent): void;
}

export interface Catalog {
  /**
   * @throws Refusal `shops.not_found`, `shops.not_a_member`, `shops.not_allowed`, `images.unknown`,
   * `catalog.options_mismatch`, `catalog.nothing_to_sell`
   */
  create(personId: string, shopId: string, input: ProductCreate): Promise<Product>;
  /**
   * Changes what is given. Variants that are missing from `variants` are withdrawn; pieces held of them stay held.
   * @throws Refusal `catalog.not_found` and as `create`
   */
  patch(personId: string, productId: string, change: ProductPatch): Promise<Product>;
  /**
   * For members of the shop, in any state.
   * @throws Refusal `catalog.not_found`, `shops.not_a_member`, `shops.not_allowed`
   */
  forOffice(personId: string, productId: string): Promise<Product>;
  /** For everybody: active products only. @throws Refusal `catalog.not_found` */
  forVisitor(productId: string): Promise<Product>;
  /** Newest first; for members. */
  listForOffice(personId: string, shopId: string, query: ProductQuery): Promise<Page<Product>>;
  /** Newest first; active products only. @throws Refusal `shops.not_found` */
  listForVisitor(slug: string, query: PageQuery): Promise<Page<Product>>;
  /** In any state, withdrawn variants left out; ids without a product are missing from the answer. */
  productsByIds(ids: readonly string[]): Promise<Map<string, Product>>;
  /** Ids of what is for sale, in their order, on from an id; empty at the end. */
  idsAfter(last: string | null, limit: number): Promise<string[]>;
  /** An arrival, a loss or a count, by a member. @throws Refusal `catalog.not_found`, `catalog.stock_too_low` */
  changeStock(personId: string, variantId: string, change: StockChange): Promise<StockLevel>;
  /**
   * Reads what an order needs of these variants and holds their rows (stock, price, state) until the transaction ends.
   * In the order of variant ids; unknown ids are missing from the answer. Call before `hold`.
   */
  lockForOrder(tx: Tx, variantIds: readonly string[]): Promise<OrderableVariant[]>;
  /** The products as everybody reads them, in the transaction's view; ids without a product are missing. */
  cardsOf(tx: Tx, productIds: readonly string[]): Promise<Map<string, PromiseCard>>;
  /** The same as it is now, without holding anything; unknown ids are missing from the answer. */
  readForOrder(variantIds: readonly string[]): Promise<OrderableVariant[]>;
  /** Sets pieces aside: all lines or none. @throws Refusal `orders.sold_out` with `{ variantId, available }` */
  hold(tx: Tx, lines: readonly StockLine[], ref: StockRef): Promise<StockLevel[]>;
  /**
   * `hold` for several orders at once: all of them or none. `set.kept` names what was kept for their buyers and goes
   * into them; that it is still kept was read by `keptFor` under the lock. `set.freed` are pieces that were held for
   * nobody in particular and are these orders' now. Both count as if they lay on the shelf. `set.locked` is what
   * `lockForOrder` told in this transaction, if nothing of it has changed since. @throws Refusal as `hold`
   */
  holdAll(tx: Tx, orders: readonly OrderPieces[], set?: {
    kept?: readonly KeptUse[]; freed?: readonly StockLine[]; locked?: readonly OrderableVariant[];
  }): Promise<StockLevel[]>;
  /** What is kept now for these people. Under the lock of `lockForOrder` it stays so. */
  keptFor(tx: Db | Tx, asks: readonly KeptAsk[]): Promise<Kept[]>;
  /** Held pieces can be bought again. More than are held is our bug and thrown as such. */
  release(tx: Tx, lines: readonly StockLine[], ref: StockRef): Promise<StockLevel[]>;
  /** `release` for several orders at once. */
  releaseAll(tx: Tx, orders: readonly OrderPieces[]): Promise<StockLevel[]>;
  /** Held pieces are gone. More than are held is our bug and thrown as such. */
  sell(tx: Tx, lines: readonly StockLine[], ref: StockRef): Promise<StockLevel[]>;
  /** `sell` for several orders at once. */
  sellAll(tx: Tx, orders: readonly OrderPieces[]): Promise<StockLevel[]>;
  /** Sold pieces are back and can be bought again; the caller knows that they were sold. */
  takeBack(tx: Tx, lines: readonly StockLine[], ref: StockRef): Promise<StockLevel[]>;
  /** The lowest price of each variant from then until now, in minor units. */
  lowestPrices(tx: Tx, variantIds: readonly string[], since: Date): Promise<Map<string, bigint>>;
  /**
   * What is for sale and has this text as its SKU, in any case of letters; else what has it in its title, some of it.
   * For who sells at the counter. @throws Refusal as `create`
   */
  findForCounter(personId: string, shopId: string, text: string): Promise<CounterGoods>;

  // ---- waiting in line

  /**
   * Puts a person in line for a variant that is sold out. Who waits there already keeps the place and takes the new
   * number of pieces; where pieces are kept already nothing changes.
   * @throws Refusal `catalog.not_found`, `waits.not_for_sale`, `waits.in_stock` with `{ available }`,
   * `waits.too_many`, `waits.line_full`
   */
  joinLine(personId: string, ask: WaitJoin): Promise<Wait>;
  /** Leaves the line, or lets go of what is kept; a repeat changes nothing. @throws Refusal `waits.not_found` */
  leaveLine(personId: string, waitId: string): Promise<void>;
  /** The person's own, those with kept pieces first. */
  waitsOf(personId: string): Promise<Wait[]>;
  /** For members: how many wait for which variant. @throws Refusal as `listForOffice` */
  linesOf(personId: string, shopId: string): Promise<LineLengths>;
  /** Ends what was kept too long; it goes to the next in line. Any number may run at a time. @returns how many */
  sweepKept(): Promise<number>;
  /** Serves lines of goods that were not for sale when pieces came back. */
  serveLeftOver(): Promise<void>;
}

export function createCatalog(deps: CatalogDeps): Catalog {
  return {
    create: (personId, shopId, input) => createProduct(deps, personId, shopId, input),
    patch: (personId, productId, change) => patchProduct(deps, personId, productId, change),
    forOffice: (personId, productId) => forOffice(deps, personId, productId),
    forVisitor: (productId) => forVisitor(deps, productId),
    listForOffice: async (personId, shopId, query) => {
      await deps.shops.assertMay(personId, shopId, 'goods.see');
      return listProducts(deps, shopId, query.state ?? null, query);
    },
    listForVisitor: async (slug, query) => listProducts(deps, (await deps.shops.bySlug(slug)).id, 'active', query),
    productsByIds: (ids) => productsByIds(deps, ids),
    idsAfter: (last, limit) => store.activeIdsAfter(deps.platform.database.db, last, limit),
    changeStock: (personId, variantId, change) => changeStock(deps, personId, variantId, change),
    lockForOrder: lockOrderable,
    cardsOf,
    readForOrder: (variantIds) => readOrderable(deps.platform.database.db, variantIds),
    hold: (tx, lines, ref) => moveForOrders(deps, tx, 'held', [{ lines, ref }]),
    holdAll: (tx, orders, set = {}) => (
      holdWithKept(deps, tx, orders, set.kept ?? [], set.freed ?? [], set.locked)
    ),
    keptFor: (tx, asks) => keptFor(deps, tx, asks),
    release: (tx, lines, ref) => moveForOrders(deps, tx, 'released', [{ lines, ref }]),
    releaseAll: (tx, orders) => moveForOrders(deps, tx, 'released', orders),
    sell: (tx, lines, ref) => moveForOrders(deps, tx, 'sold', [{ lines, ref }]),
    sellAll: (tx, orders) => moveForOrders(deps, tx, 'sold', orders),
    takeBack: (tx, lines, ref) => moveForOrders(deps, tx, 'returned', [{ lines, ref }]),
    lowestPrices: store.lowestPrices,
    findForCounter: async (personId, shopId, text) => {
      await deps.shops.assertMay(personId, shopId, 'counter.sell');
      return findForCounter(deps, shopId, text.trim());
    },
    joinLine: (personId, ask) => join(deps, personId, ask),
    leaveLine: (personId, waitId) => leave(deps, personId, waitId),
    waitsOf: (personId) => waitsOf(deps, personId),
    linesOf: (personId, shopId) => linesOf(deps, personId, shopId),
    sweepKept: () => sweepKept(deps),
    serveLeftOver: () => serveLeftOver(deps),
  };
}

async function cardsOf(tx: Tx, productIds: readonly string[]): Promise<Map<string, PromiseCard>> {
  const rows = await store.productsByIds(tx, productIds);
  return new Map(rows.map(({ id, title, description, image_ids: imageIds, options }) => [id, {
    productId: id, title, description, imageIds,
    options: (options as ProductOption[]).map(({ name, values }) => (
      { name, values: values.map(({ value }) => value) }
    )),
  }]));
}

async function productsByIds(deps: CatalogDeps, ids: readonly string[]): Promise<Map<string, Product>> {
  const { db } = deps.platform.database;
  const views = await viewsOf(deps, await store.productsByIds(db, [...new Set(ids)]));
  return new Map(views.map((product) => [product.id, product]));
}

async function forVisitor(deps: CatalogDeps, productId: string): Promise<Product> {
  const product = (await productsByIds(deps, [productId])).get(productId);
  if (product === undefined || product.state !== 'active') throw new Refusal('catalog.not_found');
  return product;
}

async function forOffice(deps: CatalogDeps, personId: string, productId: string): Promise<Product> {
  const product = (await productsByIds(deps, [productId])).get(productId);
  if (product === undefined) throw new Refusal('catalog.not_found');
  await deps.shops.assertMay(personId, product.shopId, 'goods.see');
  return product;
}
