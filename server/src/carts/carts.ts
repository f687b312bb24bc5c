/**
 * Carts: what people mean to buy, from several shops. Rules: README.md.
 *
 * Invariants: one cart changes one change after the other; each change makes a newer version and is told to all of the
 * person's pages; what became an order leaves in the order's own transaction.
 */
import {
  CART_LINES_MAX, CART_SHOP_LINES_MAX, type Cart, type CartAsk, type CartCount, type CartLineSet, type CartPut,
  type CartPutAnswer,
} from '@nacre/contract/carts';
import type { ShippingOffer } from '@nacre/contract/orders';
import type { PersonalEvent } from '@nacre/contract/realtime';
import type { Catalog } from '../catalog/catalog.ts';
import type { Images } from '../images/images.ts';
import { Refusal } from '../lib/refusal.ts';
import type { Offers } from '../offers/offers.ts';
import type { BoughtFromCart, Orders } from '../orders/orders.ts';
import { afterCommit, type Tx } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import type { Shops } from '../shops/shops.ts';
import { putIn, type Asked } from './room.ts';
import * as store from './store.ts';
import { shippingOffer, viewOf } from './view.ts';

export interface CartsDeps {
  platform: Platform;
  catalog: Pick<Catalog, 'readForOrder'>;
  offers: Pick<Offers, 'stillFor' | 'coupons'>;
  images: Pick<Images, 'describe'>;
  shops: Pick<Shops, 'byIds' | 'bySlug'>;
  orders: Pick<Orders, 'openParcels'>;
  /** The shop that a show is of; null for a show that this person may not know of. */
  shopOfShow(showId: string, personId: string): Promise<string | null>;
  /** Tells one person on all sockets. Called after the commit; must not throw. */
  tell(personId: string, event: PersonalEvent): void;
}

export interface Carts {
  /** The cart with what is true of each line now. */
  get(personId: string): Promise<Cart>;
  /** The pieces alone. */
  count(personId: string): Promise<CartCount>;
  /** The same of lines that a browser keeps for a guest; nothing is kept here. Unknown goods are left out. */
  look(lines: readonly CartAsk[]): Promise<Cart>;
  /**
   * Puts pieces to those that are there, once for each `putId`; what has no room is told in `left`, also to a repeat.
   * Unknown goods are left out; a show that the person may not know of, or of another shop, counts as none.
   */
  put(personId: string, input: CartPut): Promise<CartPutAnswer>;
  /**
   * From now on so many pieces, put back where the line was taken out.
   * @throws Refusal `catalog.not_found`; `carts.full` with `{ most, mostOfShop }`
   */
  set(personId: string, variantId: string, line: CartLineSet): Promise<Cart>;
  /** A line that is not there is no error. */
  takeAway(personId: string, variantId: string): Promise<Cart>;
  /** What became orders leaves the carts, as many pieces as were bought; part of the orders' transaction. */
  takeOut(tx: Tx, bought: readonly BoughtFromCart[]): Promise<void>;
  /** What sending costs who buys from the shop now. Null: a guest. @throws Refusal `shops.not_found` */
  shippingOffer(personId: string | null, slug: string, showId: string | null): Promise<ShippingOffer>;
}

export function createCarts(deps: CartsDeps): Carts {
  return {
    get: (personId) => get(deps, personId),
    count: async (personId) => {
      const { db } = deps.platform.database;
      const version = await store.versionOf(db, personId);
      return { version, pieces: piecesOf(await store.linesOf(db, [personId])) };
    },
    look: (lines) => look(deps, lines),
    put: (personId, input) => put(deps, personId, input),
    set: (personId, variantId, line) => set(deps, personId, variantId, line),
    takeAway: (personId, variantId) => takeAway(deps, personId, variantId),
    takeOut: (tx, bought) => takeOut(deps, tx, bought),
    shippingOffer: (personId, slug, showId) => shippingOffer(deps, personId, slug, showId),
  };
}

async function get(deps: CartsDeps, personId: string): Promise<Cart> {
  const { db } = deps.platform.database;
  // First, so that the lines are at least as new: a page that hears of a newer version asks again.
  const version = await store.versionOf(db, personId);
  const [lines, keys] = await Promise.all([store.linesOf(db, [personId]), store.keysOf(db, personId)]);
  return { version, ...(await viewOf(deps, personId, lines, new Map(keys.map((row) => [
    row.shop_id, row.idempotency_key,
  ])))) };
}

async function look(deps: CartsDeps, lines: readonly CartAsk[]): Promise<Cart> {
  const rows = [...lines].reverse().map(({ variantId, quantity, seenPriceMinor }) => ({
    variant_id: variantId, show_id: null, quantity, seen_price_minor: BigInt(seenPriceMinor),
  }));
  return { version: 0, ...(await viewOf(deps, null, rows, new Map())) };
}

async function put(deps: CartsDeps, personId: string, { putId, lines }: CartPut): Promise<CartPutAnswer> {
  const asked = await known(deps, personId, lines);
  const left = await changed(deps, personId, async (tx) => {
    const before = await store.findPut(tx, personId, putId);
    if (before !== null) return before;
    const rows = await store.linesOf(tx, [personId]);
    const filled = rows.map((row) => ({ variantId: row.variant_id, shopId: row.shop_id, quantity: row.quantity }));
    const put = putIn(filled, asked);
    const now = deps.platform.clock.now();
    await write(deps, tx, personId, put.lines, now);
    await store.notePut(tx, personId, putId, put.left, now);
    return put.left;
  });
  return { cart: await get(deps, personId), left };
}

async function set(deps: CartsDeps, personId: string, variantId: string, line: CartLineSet): Promise<Cart> {
  const asked = await known(deps, personId, [{ variantId, ...line }]);
  const [ask] = asked;
  if (ask === undefined) throw new Refusal('catalog.not_found');
  await changed(deps, personId, async (tx) => {
    const rows = await store.linesOf(tx, [personId]);
    const found = rows.find((row) => row.variant_id === variantId);
    const ofShop = rows.filter((row) => row.shop_id === ask.shopId);
    const isFull = rows.length >= CART_LINES_MAX || ofShop.length >= CART_SHOP_LINES_MAX;
    if (found === undefined && isFull) {
      throw new Refusal('carts.full', { details: { most: CART_LINES_MAX, mostOfShop: CART_SHOP_LINES_MAX } });
    }
    await write(deps, tx, personId, asked, found?.put_at ?? deps.platform.clock.now());
  });
  return get(deps, personId);
}

async function takeAway(deps: CartsDeps, personId: string, variantId: string): Promise<Cart> {
  await changed(deps, personId, async (tx) => {
    await store.deleteLine(tx, personId, variantId);
    await store.dropIdleKeys(tx, [personId]);
  });
  return get(deps, personId);
}

async function takeOut(deps: CartsDeps, tx: Tx, bought: readonly BoughtFromCart[]): Promise<void> {
  const personIds = [...new Set(bought.map(({ personId }) => personId))];
  const versions = await store.lockCarts(tx, personIds);
  await store.takePieces(tx, bought.flatMap(({ personId, lines }) => (
    lines.map(({ variantId, quantity }) => ({ personId, variantId, quantity }))
  )));
  await store.renewKeys(tx, bought.map(({ personId, shopId, idempotencyKey }) => (
    { personId, shopId, oldKey: idempotencyKey, newKey: deps.platform.newId() }
  )));
  await store.dropIdleKeys(tx, personIds);
  const lines = Map.groupBy(await store.linesOf(tx, personIds), (row) => row.person_id);
  for (const [personId, version] of versions) tellCount(deps, tx, personId, version, lines.get(personId) ?? []);
}

/** Runs `work` on the held cart and tells the person's pages. */
async function changed<T>(deps: CartsDeps, personId: string, work: (tx: Tx) => Promise<T>): Promise<T> {
  return deps.platform.database.transaction(async (tx) => {
    const version = await store.lockCart(tx, personId);
    const result = await work(tx);
    tellCount(deps, tx, personId, version, await store.linesOf(tx, [personId]));
    return result;
  });
}

function tellCount(
  deps: CartsDeps, tx: Tx, personId: string, version: number, lines: readonly store.LineRow[],
): void {
  const cart: CartCount = { version, pieces: piecesOf(lines) };
  afterCommit(tx, () => deps.tell(personId, { type: 'own-cart', cart }));
}

const piecesOf = (lines: ReadonlyArray<{ quantity: number }>): number => (
  lines.reduce((sum, { quantity }) => sum + quantity, 0)
);

/** The lines of known goods, each with its shop; a show that does not fit is forgotten. */
async function known(deps: CartsDeps, personId: string, lines: readonly CartAsk[]): Promise<Asked[]> {
  const goods = await deps.catalog.readForOrder(lines.map(({ variantId }) => variantId));
  const shopOf = new Map(goods.map(({ variantId, shopId }) => [variantId, shopId]));
  const showIds = new Set(lines.flatMap(({ showId }) => showId ?? []));
  const shopOfShow = new Map<string, string | null>();
  for (const showId of showIds) shopOfShow.set(showId, await deps.shopOfShow(showId, personId));
  return lines.flatMap((line) => {
    const shopId = shopOf.get(line.variantId);
    if (shopId === undefined) return [];
    const isItsShow = line.showId !== null && shopOfShow.get(line.showId) === shopId;
    return [{ ...line, shopId, showId: isItsShow ? line.showId : null }];
  });
}

/** The last line counts as put in last. */
async function write(
  deps: CartsDeps, tx: Tx, personId: string, lines: readonly Asked[], from: Date,
): Promise<void> {
  if (lines.length === 0) return;
  await store.writeLines(tx, lines.map(({ variantId, shopId, showId, quantity, seenPriceMinor }, index) => ({
    person_id: personId, variant_id: variantId, shop_id: shopId, show_id: showId, quantity,
    seen_price_minor: BigInt(seenPriceMinor), put_at: new Date(from.getTime() + index),
  })));
  const shopIds = new Set(lines.map(({ shopId }) => shopId));
  await store.addKeys(tx, [...shopIds].map((shopId) => (
    { person_id: personId, shop_id: shopId, idempotency_key: deps.platform.newId() }
  )));
}
