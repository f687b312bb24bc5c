/** The end of a parcel's way: delivered by the buyer's word or by time, then completed. */
import type { Order } from '@nacre/contract/orders';
import { Refusal } from '../lib/refusal.ts';
import { move } from './moving.ts';
import type { OrdersDeps } from './orders.ts';
import { lockOverdue, moveAll } from './parcel-store.ts';
import { tellBuyersAfterCommit, viewOne } from './reading.ts';
import * as store from './store.ts';

/** Orders of one transaction. Fewer make more of them, more keep their rows locked longer. */
const BATCH = 200;
/** Transactions of one sweep, so that a stop need not wait for a year's orders; the rest is for the next. */
const BATCHES_MAX = 20;

/** How long after the step before, in milliseconds. */
export interface Waits {
  /** From shipped to delivered, without a word of the buyer. */
  deliveredMs: number;
  /** From delivered to completed. */
  completedMs: number;
}

export async function arrived(deps: OrdersDeps, personId: string, orderId: string): Promise<Order> {
  const order = await deps.platform.database.transaction(async (tx) => {
    const found = await store.lockOrder(tx, orderId);
    if (found === null || found.buyer_id !== personId) throw new Refusal('orders.not_found');
    if (found.state === 'delivered' || found.state === 'completed') return found;
    return move(deps, tx, found, 'delivered', personId, { delivered_at: deps.platform.clock.now() });
  });
  return viewOne(deps, order, 'buyer');
}

/** Both steps, by batches. @returns how many orders went one */
export async function sweepWaiting(deps: OrdersDeps, { deliveredMs, completedMs }: Waits): Promise<number> {
  return (await sweep(deps, 'completed', completedMs)) + (await sweep(deps, 'delivered', deliveredMs));
}

async function sweep(deps: OrdersDeps, to: 'delivered' | 'completed', waitMs: number): Promise<number> {
  let moved = 0;
  for (let batch = 0; batch < BATCHES_MAX; batch += 1) {
    const count = await sweepBatch(deps, to, waitMs);
    moved += count;
    if (count < BATCH) break;
  }
  return moved;
}

async function sweepBatch(deps: OrdersDeps, to: 'delivered' | 'completed', waitMs: number): Promise<number> {
  const { database, clock } = deps.platform;
  const at = clock.now();
  return database.transaction(async (tx) => {
    const waiting = await lockOverdue(tx, to, new Date(at.getTime() - waitMs), BATCH);
    if (waiting.length === 0) return 0;
    const orders = await moveAll(tx, waiting.map(({ id }) => id), to, at);
    await store.insertTransitions(tx, waiting.map(({ id, state }) => (
      { order_id: id, from_state: state, to_state: to, person_id: null, at, reason: null }
    )));
    tellBuyersAfterCommit(deps, tx, orders);
    return waiting.length;
  });
}
