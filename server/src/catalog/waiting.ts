/**
 * Standing in line for what is sold out, and letting go of what is kept. Rules: README.md.
 *
 * Locks: the person (joining only), then the stock by variant id; under it the rows of the line.
 */
import {
  LINE_MAX, LINES_SHOWN_MAX, WAITS_MAX, type LineLengths, type Wait, type WaitJoin,
} from '@nacre/contract/waiting';
import { Refusal } from '../lib/refusal.ts';
import { afterCommit, type Db, type Tx } from '../platform/database.ts';
import type { CatalogDeps } from './catalog.ts';
import { serveLine } from './line.ts';
import { moveAndTell } from './stock.ts';
import { lockOrderable, lockStock, type Move } from './stock-store.ts';
import * as store from './waiting-store.ts';
import { viewsOf } from './waiting-view.ts';

/** Kept pieces that one sweep lets go of in a transaction. More keep the rows of the goods longer. */
const SWEEP_BATCH = 500;
/** Batches of one sweep; the next begins a second later. */
const SWEEP_BATCHES = 20;
/** Lines served by one look at what was left over. */
const LEFT_OVER_MAX = 100;

/** Kept pieces that an order of their person may use up. */
export interface Kept {
  waitId: string;
  personId: string;
  variantId: string;
  quantity: number;
}

export async function join(
  deps: CatalogDeps, personId: string, { variantId, quantity }: WaitJoin,
): Promise<Wait> {
  const { database, clock, newId } = deps.platform;
  const waitId = await database.transaction(async (tx) => {
    await store.lockPerson(tx, personId);
    const [variant] = await lockOrderable(tx, [variantId]);
    if (variant === undefined) throw new Refusal('catalog.not_found');
    const now = clock.now();
    const open = await store.findOpen(tx, variantId, personId);
    if (open !== undefined) {
      if (open.state === 'waiting' && open.quantity !== quantity) await store.setQuantity(tx, open.id, quantity, now);
      return open.id;
    }
    if (!variant.isForSale) throw new Refusal('waits.not_for_sale');
    if (variant.available > 0) throw new Refusal('waits.in_stock', { details: { available: variant.available } });
    const { ofPerson, inLine } = await store.countOpen(tx, personId, variantId);
    if (ofPerson >= WAITS_MAX) throw new Refusal('waits.too_many', { details: { most: WAITS_MAX } });
    if (inLine >= LINE_MAX) throw new Refusal('waits.line_full');
    const id = newId();
    await store.insertWait(tx, {
      id, variantId, personId, state: 'waiting', quantity, kept: null, keptUntil: null, since: now,
    });
    return id;
  });
  const [wait] = await viewsOf(deps, await store.listOpen(database.db, { ids: [waitId] }, 1));
  // Its pieces came and went between the two: in one moment that nobody can act in.
  if (wait === undefined) throw new Refusal('waits.not_found');
  return wait;
}

export async function leave(deps: CatalogDeps, personId: string, waitId: string): Promise<void> {
  const { database, clock } = deps.platform;
  const found = await store.findWait(database.db, waitId);
  if (found?.personId !== personId) throw new Refusal('waits.not_found');
  await database.transaction(async (tx) => {
    await lockStock(tx, [found.variantId]);
    const wait = await store.findWait(tx, waitId);
    if (wait === undefined) throw new Error(`wait ${waitId} is gone`);
    if (wait.state === 'waiting') {
      await store.end(tx, [waitId], 'left', clock.now());
      tellOver(deps, tx, [wait]);
    } else if (wait.state === 'kept') {
      await letGo(deps, tx, [wait], 'let_go');
    }
  });
}

/** The pieces come back, and with that to the next in line. */
async function letGo(
  deps: CatalogDeps, tx: Tx, waits: readonly store.WaitRow[], state: 'let_go' | 'lapsed',
): Promise<void> {
  if (waits.length === 0) return;
  await store.end(tx, waits.map(({ id }) => id), state, deps.platform.clock.now());
  await moveAndTell(deps, tx, waits.map(backMove));
  tellOver(deps, tx, waits);
}

export function backMove({ variantId, personId, kept }: store.WaitRow): Move {
  if (kept === null) throw new Error('nothing is kept');
  return { variantId, availableChange: kept, heldChange: -kept, reason: 'let_go', orderId: null, personId };
}

export function tellOver(deps: CatalogDeps, tx: Tx, waits: readonly store.WaitRow[]): void {
  afterCommit(tx, () => {
    for (const { id, personId } of waits) deps.tell(personId, { type: 'own-wait', waitId: id, wait: null });
  });
}

/** Ends what was kept too long. Any number of sweeps may run at a time. @returns how many this one ended */
export async function sweepKept(deps: CatalogDeps): Promise<number> {
  const { database, clock } = deps.platform;
  let ended = 0;
  for (let batches = 0; batches < SWEEP_BATCHES; batches += 1) {
    const due = await store.dueKept(database.db, clock.now(), SWEEP_BATCH);
    if (due.length === 0) break;
    ended += await database.transaction(async (tx) => {
      await lockStock(tx, [...new Set(due.map(({ variantId }) => variantId))]);
      const over = await store.stillDue(tx, due.map(({ id }) => id), clock.now());
      await letGo(deps, tx, over, 'lapsed');
      return over.length;
    });
  }
  return ended;
}

/** Serves lines beside which something lies: goods were not for sale for a while. */
export async function serveLeftOver(deps: CatalogDeps): Promise<void> {
  const { database } = deps.platform;
  const variantIds = await store.servable(database.db, LEFT_OVER_MAX);
  if (variantIds.length === 0) return;
  await database.transaction(async (tx) => {
    await lockStock(tx, variantIds);
    await moveAndTell(deps, tx, [], await serveLine(deps, tx, variantIds));
  });
}

export async function keptFor(deps: CatalogDeps, tx: Db | Tx, asks: readonly store.KeptAsk[]): Promise<Kept[]> {
  if (asks.length === 0) return [];
  const rows = await store.findKept(tx, asks, deps.platform.clock.now());
  return rows.map(({ id, personId, variantId, kept }) => ({ waitId: id, personId, variantId, quantity: kept ?? 0 }));
}

export async function linesOf(deps: CatalogDeps, personId: string, shopId: string): Promise<LineLengths> {
  await deps.shops.assertMay(personId, shopId, 'goods.see');
  return { items: await store.lineLengths(deps.platform.database.db, shopId, LINES_SHOWN_MAX) };
}
