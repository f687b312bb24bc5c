/**
 * The verbs on stock: hold, release, sell, change.
 *
 * Invariants: `available` and `held` are never negative; each verb locks its rows before it decides, in the order of
 * variant ids; viewers hear of the levels after the commit and only then.
 */
import type { StockChange, StockLevel } from '@nacre/contract/catalog';
import { Refusal } from '../lib/refusal.ts';
import { afterCommit, type Tx } from '../platform/database.ts';
import type { CatalogDeps } from './catalog.ts';
import { STOCK_TOPIC, type StockChanged } from './events.ts';
import { serveLine } from './line.ts';
import * as stockStore from './stock-store.ts';

/** Pieces of one variant; several lines of the same variant count together. */
export interface StockLine {
  variantId: string;
  quantity: number;
}

/** Whose doing it is, for the record. */
export interface StockRef {
  /** Null: pieces that are set aside for no order in particular, or no longer. */
  orderId: string | null;
  personId: string | null;
}

/** The pieces of one order. */
export interface OrderPieces {
  lines: readonly StockLine[];
  ref: StockRef;
}

/** A shop's shelf holds no more; beyond it the column ends. */
const AVAILABLE_MAX = 1_000_000_000;

/** Moves per piece, for the verbs of an order. */
const STEPS = {
  held: { available: -1, held: 1 },
  released: { available: 1, held: -1 },
  sold: { available: 0, held: -1 },
  returned: { available: 1, held: 0 },
} as const;

/** Adds up and sorts, so that a variant is moved once. */
function totals(lines: readonly StockLine[]): Map<string, number> {
  const sum = new Map<string, number>();
  for (const { variantId, quantity } of lines) {
    if (!Number.isSafeInteger(quantity) || quantity < 1) throw new Error(`not a quantity: ${quantity}`);
    sum.set(variantId, (sum.get(variantId) ?? 0) + quantity);
  }
  return sum;
}

/**
 * All or none. `locked` are levels that the transaction holds and has not changed.
 * @throws Refusal `orders.sold_out` (held only) with `details: { variantId, available }`
 */
export async function moveForOrders(
  deps: CatalogDeps, tx: Tx, reason: keyof typeof STEPS, orders: readonly OrderPieces[],
  freed: readonly StockLine[] = [], locked?: readonly stockStore.StockRow[],
): Promise<StockLevel[]> {
  const wanted = totals(orders.flatMap(({ lines }) => lines));
  if (wanted.size === 0) return [];
  const levels = locked ?? await stockStore.lockStock(tx, [...wanted.keys()]);
  const rows = new Map(levels.map((row) => [row.variantId, row]));
  const freedOf = totals(freed);
  for (const [variantId, quantity] of wanted) {
    const row = rows.get(variantId);
    const available = (row?.available ?? 0) + (freedOf.get(variantId) ?? 0);
    if (reason === 'held' && available < quantity) {
      throw new Refusal('orders.sold_out', { details: { variantId, available } });
    }
    if (STEPS[reason].held < 0 && (row?.held ?? 0) < quantity) {
      throw new Error(`${quantity} pieces of ${variantId} are to be ${reason}, but ${row?.held ?? 0} are held`);
    }
  }
  return moveAndTell(deps, tx, [
    ...movesOf('released', { lines: freed, ref: { orderId: null, personId: null } }),
    ...orders.flatMap((order) => movesOf(reason, order)),
  ]);
}

function movesOf(reason: keyof typeof STEPS, { lines, ref }: OrderPieces): stockStore.Move[] {
  return [...totals(lines)].map(([variantId, quantity]) => ({
    variantId,
    availableChange: STEPS[reason].available * quantity,
    heldChange: STEPS[reason].held * quantity,
    reason,
    ...ref,
  }));
}

/** @throws Refusal `catalog.not_found`, `catalog.stock_too_low` with `details: { available }`, `request.invalid` */
export async function changeStock(
  deps: CatalogDeps, personId: string, variantId: string, change: StockChange,
): Promise<StockLevel> {
  const { database } = deps.platform;
  const shopId = await stockStore.shopIdOfVariant(database.db, variantId);
  if (shopId === undefined) throw new Refusal('catalog.not_found');
  await deps.shops.assertMay(personId, shopId, 'stock.change');
  return database.transaction(async (tx) => {
    const [row] = await stockStore.lockStock(tx, [variantId]);
    if (row === undefined) throw new Error(`variant ${variantId} has no stock row`);
    const availableChange = 'change' in change ? change.change : change.setTo - row.available;
    if (row.available + availableChange < 0) {
      throw new Refusal('catalog.stock_too_low', { details: { available: row.available } });
    }
    if (row.available + availableChange > AVAILABLE_MAX) {
      throw new Refusal('request.invalid', { details: { field: 'change' } });
    }
    if (availableChange === 0) return levelOf(row);
    const move = { variantId, availableChange, heldChange: 0, reason: 'set', orderId: null, personId } as const;
    const [level] = await moveAndTell(deps, tx, [move]);
    if (level === undefined) throw new Error(`variant ${variantId} has no level`);
    return level;
  });
}

/**
 * Moves pieces of rows that the caller holds; what comes back is kept for whoever waits. `changed` are rows that have
 * changed before. Viewers hear of the levels after the commit.
 */
export async function moveAndTell(
  deps: CatalogDeps, tx: Tx, moves: stockStore.Move[], changed: stockStore.StockRow[] = [],
): Promise<StockLevel[]> {
  const { bus, clock } = deps.platform;
  const moved = moves.length === 0 ? [] : await stockStore.applyMoves(tx, moves, clock.now());
  const back = new Set(moves.filter(({ availableChange }) => availableChange > 0).map(({ variantId }) => variantId));
  const served = await serveLine(deps, tx, [...back]);
  // Of one variant the latest.
  const rows = new Map([...changed, ...moved, ...served].map((row) => [row.variantId, row]));
  const levels = [...rows.values()].map(levelOf);
  if (levels.length > 0) afterCommit(tx, () => bus.publish(STOCK_TOPIC, { levels } satisfies StockChanged));
  return levels;
}

function levelOf({ productId, variantId, available, held }: stockStore.StockRow): StockLevel {
  return { productId, variantId, available, held };
}
