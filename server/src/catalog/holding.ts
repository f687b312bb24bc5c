/** Holding pieces for orders that use up what was kept for their buyers. */
import type { StockLevel } from '@nacre/contract/catalog';
import type { Tx } from '../platform/database.ts';
import type { CatalogDeps } from './catalog.ts';
import { serveLine } from './line.ts';
import { moveAndTell, moveForOrders, type OrderPieces, type StockLine } from './stock.ts';
import { applyMoves, type StockRow } from './stock-store.ts';
import { backMove, tellOver } from './waiting.ts';
import * as store from './waiting-store.ts';

/**
 * What was kept becomes available for this one step, under the lock of its stock, and is held with the rest. What is
 * over, because less was bought than was kept, goes to the next in line.
 */
export async function holdWithKept(
  deps: CatalogDeps, tx: Tx, orders: readonly OrderPieces[], uses: readonly store.KeptUse[],
  freed: readonly StockLine[], locked?: readonly StockRow[],
): Promise<StockLevel[]> {
  if (uses.length === 0) return moveForOrders(deps, tx, 'held', orders, freed, locked);
  const at = deps.platform.clock.now();
  const used = await store.useKept(tx, uses, at);
  if (used.length !== uses.length) throw new Error(`of ${uses.length} only ${used.length} are kept`);
  await applyMoves(tx, used.map(backMove), at);
  tellOver(deps, tx, used);
  const levels = await moveForOrders(deps, tx, 'held', orders, freed);
  const served = await serveLine(deps, tx, [...new Set(used.map(({ variantId }) => variantId))]);
  return served.length === 0 ? levels : moveAndTell(deps, tx, [], served);
}
