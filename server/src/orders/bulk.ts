/**
 * What the office does to many orders: selecting, packing, sending, printing.
 *
 * Each order is a transaction of its own, so that one that cannot be is no other's fault; what is told of each is what
 * one request for it alone would have been answered.
 */
import {
  SELECT_MAX, type BulkResult, type BulkShip, type FoundOrders, type OfficeOrderFilter, type SelectedNumbers,
} from '@nacre/contract/orders';
import type { Problem } from '@nacre/contract/common';
import { problemOf } from '../http/error-reply.ts';
import { Refusal } from '../lib/refusal.ts';
import type { Tx } from '../platform/database.ts';
import type { OrdersDeps } from './orders.ts';
import { packIn, shipIn } from './packing.ts';
import { ordersByNumber, selectOrders } from './parcel-store.ts';
import { partsOf } from './reading.ts';
import * as store from './store.ts';
import { numberOf, viewOf } from './view.ts';

export async function select(
  deps: OrdersDeps, personId: string, shopId: string, filter: OfficeOrderFilter,
): Promise<SelectedNumbers> {
  await deps.shops.assertMay(personId, shopId, 'orders.see');
  const rows = await selectOrders(deps.platform.database.db, shopId, filter, SELECT_MAX);
  return { numbers: rows.slice(0, SELECT_MAX).map(numberOf), isAll: rows.length <= SELECT_MAX };
}

export async function findByNumbers(
  deps: OrdersDeps, personId: string, shopId: string, numbers: readonly string[],
): Promise<FoundOrders> {
  await deps.shops.assertMay(personId, shopId, 'orders.see');
  const asked = numbers.map(readNumber);
  const rows = await ordersByNumber(deps.platform.database.db, shopId, asked);
  const parts = await partsOf(deps, rows, 'shop');
  const views = new Map(rows.map((row) => [row.number, viewOf(row, parts)]));
  return { orders: [...new Set(asked)].flatMap((number) => views.get(number) ?? []) };
}

export async function packMany(
  deps: OrdersDeps, personId: string, shopId: string, numbers: readonly string[],
): Promise<BulkResult> {
  const tasks = numbers.map((number): Task => ({ number, work: (tx, order) => packIn(deps, tx, personId, order) }));
  return each(deps, personId, shopId, tasks);
}

export async function shipMany(
  deps: OrdersDeps, personId: string, shopId: string, { parcels }: BulkShip,
): Promise<BulkResult> {
  const tasks = parcels.map(({ number, ...parcel }): Task => (
    { number, work: (tx, order) => shipIn(deps, tx, personId, order, parcel) }
  ));
  return each(deps, personId, shopId, tasks);
}

interface Task {
  number: string;
  work(tx: Tx, order: store.OrderRow): Promise<unknown>;
}

async function each(
  deps: OrdersDeps, personId: string, shopId: string, tasks: readonly Task[],
): Promise<BulkResult> {
  await deps.shops.assertMay(personId, shopId, 'orders.ship');
  const { db } = deps.platform.database;
  const rows = await ordersByNumber(db, shopId, tasks.map(({ number }) => readNumber(number)));
  const ids = new Map(rows.map((row) => [row.number, row.id]));
  const results: BulkResult['results'] = [];
  // One after the other: a hundred at once would take every connection from those who buy.
  for (const task of tasks) {
    const number = readNumber(task.number);
    results.push({ number: numberOf({ number }), problem: await one(deps, ids.get(number), task) });
  }
  return { results };
}

async function one(deps: OrdersDeps, orderId: string | undefined, task: Task): Promise<Problem | null> {
  if (orderId === undefined) return problemOf('orders.not_found');
  try {
    await deps.platform.database.transaction(async (tx) => {
      const order = await store.lockOrder(tx, orderId);
      if (order === null) throw new Refusal('orders.not_found');
      await task.work(tx, order);
    });
    return null;
  } catch (error) {
    if (error instanceof Refusal) return problemOf(error.code, error.details);
    deps.platform.log.error({ err: error, orderId }, 'one of many orders failed');
    return problemOf('server.failed');
  }
}

/** The schema lets only digits through, behind an `N-` or not. */
function readNumber(text: string): bigint {
  return BigInt(text.replaceAll(/[^0-9]/g, ''));
}
