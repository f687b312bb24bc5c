/** Reading orders: who may see which, lists, and telling the buyer. */
import type { ShopRef } from '@nacre/contract/accounts';
import type { Page, PageQuery } from '@nacre/contract/common';
import {
  ORDER_GROUPS, ORDER_STATES, type OfficeOrderQuery, type OpenParcel, type Order, type OrderCounts,
} from '@nacre/contract/orders';
import type { ShopRight } from '@nacre/contract/team';
import { PAGE_LIMIT_DEFAULT, pageOf, readCursor } from '../lib/cursor.ts';
import { Refusal } from '../lib/refusal.ts';
import { afterCommit, type Tx } from '../platform/database.ts';
import type { OrdersDeps } from './orders.ts';
import { readParcels, readPieces, readSteps } from './parcel-store.ts';
import { documentOf, sha256 } from './promise.ts';
import * as store from './store.ts';
import { numberOf, subjectOf, viewOf, type Reader, type ViewParts } from './view.ts';

type OrderRow = store.OrderRow;
type LineRow = store.LineRow;

export async function get(deps: OrdersDeps, personId: string, orderId: string): Promise<Order> {
  return viewOne(deps, await readOwn(deps, personId, orderId), 'buyer');
}

/** What an order was promised, and under which hash. */
export interface KeptPromise {
  /** `N-1042` */
  number: string;
  /** Canonical JSON (RFC 8785). */
  document: string;
  /** Of the document's bytes in UTF-8. */
  sha256: Buffer;
}

export async function promiseOf(deps: OrdersDeps, personId: string, orderId: string): Promise<KeptPromise> {
  return readPromise(deps, await readOwn(deps, personId, orderId));
}

export async function promiseOfShop(deps: OrdersDeps, personId: string, orderId: string): Promise<KeptPromise> {
  return readPromise(deps, await readOfShop(deps, personId, orderId, 'orders.see'));
}

async function readPromise(deps: OrdersDeps, order: OrderRow): Promise<KeptPromise> {
  const kept = await store.readPromise(deps.platform.database.db, order.id);
  if (kept === null) throw new Refusal('orders.no_promise');
  const document = documentOf(kept.offer, kept.body);
  if (!sha256(document).equals(kept.sha256)) throw new Error(`the promise of order ${order.id} is not what was hashed`);
  return { number: numberOf(order), document, sha256: kept.sha256 };
}

async function readOwn(deps: OrdersDeps, personId: string, orderId: string): Promise<OrderRow> {
  const order = await store.readOrder(deps.platform.database.db, orderId);
  if (order === null || order.buyer_id !== personId) throw new Refusal('orders.not_found');
  return order;
}

export async function listMine(deps: OrdersDeps, personId: string, query: PageQuery): Promise<Page<Order>> {
  return list(deps, { buyerId: personId }, query, 'buyer');
}

export async function openParcels(
  deps: OrdersDeps, personId: string, places: ReadonlyArray<{ shopId: string; showId: string }>,
): Promise<OpenParcel[][]> {
  const named = places.map((place) => ({ ...place, buyerId: personId }));
  const rows = await store.openParcels(deps.platform.database.db, named);
  return places.map(({ shopId, showId }) => rows
    .filter((row) => row.shop_id === shopId && row.show_id === showId)
    .map((row) => ({ orderId: row.id, number: numberOf(row), address: row.address })));
}

export async function getOfShop(deps: OrdersDeps, personId: string, orderId: string): Promise<Order> {
  return viewOne(deps, await readOfShop(deps, personId, orderId, 'orders.see'), 'shop');
}

export async function listOfShop(
  deps: OrdersDeps,
  personId: string,
  shopId: string,
  query: OfficeOrderQuery,
): Promise<Page<Order>> {
  await deps.shops.assertMay(personId, shopId, 'orders.see');
  return list(deps, { shopId, ...query }, query, 'shop');
}

export async function counts(deps: OrdersDeps, personId: string, shopId: string): Promise<OrderCounts> {
  await deps.shops.assertMay(personId, shopId, 'orders.see');
  const counted = await store.countOrders(deps.platform.database.db, shopId);
  const names = [...ORDER_STATES, ...ORDER_GROUPS];
  return Object.fromEntries(names.map((name) => [name, counted.get(name) ?? 0])) as OrderCounts;
}

/** Runs `work` on the locked order of a shop in which the person has the right. The shop of an order never changes. */
export async function lockedOfShop<T>(
  deps: OrdersDeps,
  personId: string,
  orderId: string,
  right: ShopRight,
  work: (tx: Tx, order: OrderRow) => Promise<T>,
): Promise<T> {
  await readOfShop(deps, personId, orderId, right);
  return deps.platform.database.transaction(async (tx) => {
    const order = await store.lockOrder(tx, orderId);
    if (order === null) throw new Error(`order ${orderId} is gone`);
    return work(tx, order);
  });
}

async function readOfShop(
  deps: OrdersDeps, personId: string, orderId: string, right: ShopRight,
): Promise<OrderRow> {
  const order = await store.readOrder(deps.platform.database.db, orderId);
  if (order === null) throw new Refusal('orders.not_found');
  await deps.shops.assertMay(personId, order.shop_id, right, 'orders.not_found');
  return order;
}

async function list(
  deps: OrdersDeps,
  of: Parameters<typeof store.listOrders>[1],
  query: PageQuery,
  reader: Reader,
): Promise<Page<Order>> {
  const limit = query.limit ?? PAGE_LIMIT_DEFAULT;
  const rows = await store.listOrders(deps.platform.database.db, of, readCursor(query.cursor), limit);
  const parts = await partsOf(deps, rows, reader);
  return pageOf(rows, limit, (row) => ({ at: row.placed_at, id: row.id }), (row) => viewOf(row, parts));
}

export async function viewOne(deps: OrdersDeps, order: OrderRow, reader: Reader): Promise<Order> {
  return viewOf(order, await partsOf(deps, [order], reader));
}

/** An order that has just been written: what is known of it need not be read. */
export interface Written {
  row: OrderRow;
  lines: LineRow[];
  pageUrl: string;
  shop: Pick<ShopRef, 'id' | 'slug' | 'name'>;
}

/** What the views of these orders need, of those just written too. `known` are the lines of `orders`. */
export async function partsOf(
  deps: OrdersDeps, orders: readonly OrderRow[], reader: Reader, written: readonly Written[] = [],
  known?: ReadonlyMap<string, LineRow[]>,
): Promise<ViewParts> {
  const held = reader === 'buyer' ? orders.filter((order) => order.state === 'held') : [];
  const { db } = deps.platform.database;
  const ids = orders.map((order) => order.id);
  const [read, parcels, pieces, steps] = await Promise.all([
    known ? ids.flatMap((id) => known.get(id) ?? []) : store.readLines(db, ids),
    readParcels(db, ids), readPieces(db, ids), readSteps(db, ids),
  ]);
  const lines = [...read, ...written.flatMap((one) => one.lines)];
  const members = reader === 'shop' ? steps.flatMap((step) => step.person_id ?? []) : [];
  const all = [...orders, ...written.map(({ row }) => row)];
  const [shops, images, pages, numbers, names] = await Promise.all([
    deps.shops.refs([...new Set(orders.map((order) => order.shop_id))]),
    deps.images.describe([...new Set(lines.flatMap((line) => line.image_id ?? []))]),
    deps.payments.pagesOf(held.map((order) => subjectOf(order.id))),
    store.numbersOf(deps.platform.database.db, all.flatMap((order) => order.ships_with ?? [])),
    members.length === 0 ? new Map<string, string>() : deps.people.namesOf([...new Set(members)]),
  ]);
  for (const { row, pageUrl } of written) pages.set(subjectOf(row.id), pageUrl);
  const sellers = [...shops.values(), ...written.map(({ shop }) => shop)];
  return {
    lines: Map.groupBy(lines, (line) => line.order_id),
    parcels: Map.groupBy(parcels, (parcel) => parcel.order_id),
    pieces: Map.groupBy(pieces, (piece) => piece.parcel_id),
    steps: Map.groupBy(steps, (step) => step.order_id),
    shops: new Map(sellers.map((shop) => [shop.id, shop])),
    images, pages, numbers, names, reader,
  };
}

/**
 * Sends the buyers' pages their orders as they are now; `lines` if they are known. Lost news is no harm: the page reads
 * the order again.
 */
export function tellBuyersAfterCommit(
  deps: OrdersDeps, tx: Tx, orders: readonly OrderRow[], lines?: ReadonlyMap<string, LineRow[]>,
): void {
  const bought = orders.filter((order) => order.buyer_id !== null);
  if (bought.length === 0) return;
  afterCommit(tx, () => {
    partsOf(deps, bought, 'buyer', [], lines).then(
      (parts) => {
        for (const order of bought) deps.tell(order.buyer_id!, { type: 'own-order', order: viewOf(order, parts) });
      },
      (error: unknown) => deps.platform.log.warn({ err: error, orders: bought.length }, 'buyers were not told'),
    );
  });
}
