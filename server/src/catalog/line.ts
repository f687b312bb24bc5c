/**
 * The front of the line: pieces that come back are kept for whoever waits longest, in the transaction in which they
 * come back, under the lock of their stock. Nobody else can take them in between.
 */
import { KEPT_MS } from '@nacre/contract/waiting';
import { afterCommit, type Tx } from '../platform/database.ts';
import type { CatalogDeps } from './catalog.ts';
import { KEPT_TOPIC, type KeptFact } from './events.ts';
import * as stockStore from './stock-store.ts';
import * as store from './waiting-store.ts';
import { tellWaits } from './waiting-view.ts';

/** Of one variant by one statement. Fewer ask the database more often, more make a fact too long to be told at once. */
const SERVED_AT_ONCE = 500;

/** @returns the levels that changed, as rows of stock */
export async function serveLine(
  deps: CatalogDeps, tx: Tx, variantIds: readonly string[],
): Promise<stockStore.StockRow[]> {
  if (variantIds.length === 0) return [];
  const { clock, outbox } = deps.platform;
  const at = clock.now();
  const until = new Date(at.getTime() + KEPT_MS);
  let rows: stockStore.StockRow[] = [];
  for (;;) {
    const kept = await store.keepForNext(tx, variantIds, { at, until, most: SERVED_AT_ONCE });
    if (kept.length === 0) return rows;
    const moves = kept.map(({ personId, variantId, kept: pieces }): stockStore.Move => ({
      variantId, availableChange: -pieces, heldChange: pieces, reason: 'kept', orderId: null, personId,
    }));
    const changed = await stockStore.applyMoves(tx, moves, at);
    rows = [...rows.filter((row) => changed.every(({ variantId }) => variantId !== row.variantId)), ...changed];
    const facts = kept.map((one): KeptFact => ({ ...one, until: until.toISOString() }));
    await outbox.publish(tx, { topic: KEPT_TOPIC, payload: { kept: facts } });
    const ids = kept.map(({ waitId }) => waitId);
    afterCommit(tx, () => tellWaits(deps, ids));
  }
}
