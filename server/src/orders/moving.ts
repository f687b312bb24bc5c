/**
 * What becomes of an order until it is paid. Each verb locks the order first, then its payment, then its goods.
 */
import type { OrderState } from '@nacre/contract/orders';
import type { Tx } from '../platform/database.ts';
import type { OrdersDeps } from './orders.ts';
import { codeFrom } from './pickup-code.ts';
import { tellBuyerAfterCommit } from './reading.ts';
import { assertMayBecome } from './states.ts';
import * as store from './store.ts';
import { factOf, orderOf, subjectOf } from './view.ts';

/** Read at a time. Fewer make a rush's sweep ask too often, more only take memory. */
const SWEEP_BATCH = 200;
/** One sweep ends after this many; the next begins a second later. Without an end a stop would have to wait for it. */
const SWEEP_MAX = 500;

/** Codes tried for one order. With a million open pick-ups in one shop, all of these are taken once in 10¹⁴ orders. */
const CODES_TRIED = 5;

type OrderRow = store.OrderRow;
type Change = Parameters<typeof store.updateOrder>[2];

/**
 * Writes the new state and who brought it about, and tells the buyer after the commit.
 * @throws Refusal `orders.wrong_state`
 */
export async function move(
  deps: OrdersDeps,
  tx: Tx,
  order: OrderRow,
  to: OrderState,
  personId: string | null,
  change: Change = {},
): Promise<OrderRow> {
  assertMayBecome(order.delivery, order.state, to);
  const after = await store.updateOrder(tx, order.id, { ...change, state: to });
  const at = deps.platform.clock.now();
  await store.insertTransitions(tx, [{
    order_id: order.id, from_state: order.state, to_state: to, person_id: personId, at,
  }]);
  tellBuyerAfterCommit(deps, tx, after);
  return after;
}

/** What the order has of each variant. */
export async function goodsOf(tx: Tx, order: OrderRow): Promise<{ variantId: string; quantity: number }[]> {
  const lines = await store.readLines(tx, [order.id]);
  return lines.map((line) => ({ variantId: line.variant_id, quantity: line.quantity }));
}

/** Ends a hold: the pieces come back in the same transaction. */
export async function endHold(
  deps: OrdersDeps,
  tx: Tx,
  order: OrderRow,
  to: 'cancelled' | 'declined' | 'expired',
  personId: string | null,
  change: Change = {},
): Promise<OrderRow> {
  const after = await move(deps, tx, order, to, personId, change);
  await deps.catalog.release(tx, await goodsOf(tx, order), { orderId: order.id, personId });
  await deps.offers.giveBack(tx, [order.id]);
  return after;
}

export async function paymentCaptured(deps: OrdersDeps, tx: Tx, subject: string): Promise<void> {
  const orderId = orderOf(subject);
  const order = orderId === null ? null : await store.lockOrder(tx, orderId);
  if (order === null || order.paid_at !== null) return;
  if (order.state !== 'held') {
    deps.platform.log.info({ orderId, state: order.state }, 'paid too late; the money goes back');
    await deps.payments.refund(tx, subject);
    return;
  }
  const code = order.delivery === 'pickup' ? await freeCode(deps, tx, order.shop_id) : null;
  const after = await move(deps, tx, order, 'paid', null, {
    paid_at: deps.platform.clock.now(), pickup_code: code,
  });
  const lines = await store.readLines(tx, [order.id]);
  await deps.catalog.sell(tx, await goodsOf(tx, order), { orderId: order.id, personId: order.buyer_id });
  await deps.platform.outbox.publish(tx, { topic: 'orders.paid', payload: { ...factOf(after, lines) } });
}

export async function paymentDeclined(deps: OrdersDeps, tx: Tx, subject: string): Promise<void> {
  const orderId = orderOf(subject);
  const order = orderId === null ? null : await store.lockOrder(tx, orderId);
  if (order?.state === 'held') await endHold(deps, tx, order, 'declined', null);
}

/**
 * A code that no open order of the shop has. Two orders that are paid at the same moment and draw the same are told
 * apart by the index: the second's news of the payment comes again and draws anew.
 */
async function freeCode(deps: OrdersDeps, tx: Tx, shopId: string): Promise<string> {
  for (let tried = 0; tried < CODES_TRIED; tried += 1) {
    const code = codeFrom(deps.platform.newId());
    if ((await store.findOpenPickup(tx, shopId, code)) === null) return code;
  }
  throw new Error(`no free pick-up code in shop ${shopId}`);
}

export async function sweepExpired(deps: OrdersDeps): Promise<number> {
  const { database, clock, log } = deps.platform;
  let ended = 0;
  let after: store.ExpiredHold | null = null;
  for (let seen = 0; seen < SWEEP_MAX; seen += SWEEP_BATCH) {
    const batch: store.ExpiredHold[] = await store.expiredHolds(database.db, clock.now(), after, SWEEP_BATCH);
    for (const { id } of batch) {
      try {
        if (await expire(deps, id)) ended += 1;
      } catch (error) {
        // One order that cannot be ended must not keep the pieces of the others.
        log.error({ err: error, orderId: id }, 'a hold could not be ended');
      }
    }
    after = batch.at(-1) ?? null;
    if (batch.length < SWEEP_BATCH) break;
  }
  return ended;
}

/** False when another sweep was quicker, or when the money has come and the order is about to be paid. */
async function expire(deps: OrdersDeps, orderId: string): Promise<boolean> {
  return deps.platform.database.transaction(async (tx) => {
    const order = await store.lockExpired(tx, orderId, deps.platform.clock.now());
    if (order === null) return false;
    if ((await deps.payments.cancel(tx, subjectOf(orderId))) === 'captured') return false;
    await endHold(deps, tx, order, 'expired', null);
    return true;
  });
}
