/**
 * Orders whose money comes, is refused, or does not come in time: many in one transaction, one statement a table.
 *
 * Locks in the house's order: the orders by id, their payments by id, their goods by variant id, claims of coupons.
 */
import type { LatePayment, OrderState } from '@nacre/contract/orders';
import { isUnavailable, type Tx } from '../platform/database.ts';
import { usesOf } from './couponing.ts';
import type { LateFact, OrderFact } from './events.ts';
import type { OrdersDeps } from './orders.ts';
import { codeFrom } from './pickup-code.ts';
import { byVariant } from './placing.ts';
import { tellBuyersAfterCommit } from './reading.ts';
import { assertMayBecome } from './states.ts';
import * as store from './store.ts';
import { factOf, orderOf, subjectOf } from './view.ts';

type OrderRow = store.OrderRow;
type Lines = ReadonlyMap<string, store.LineRow[]>;

/** Holds that end in one transaction. Fewer wait more often for the disk, more keep the rows of the goods longer. */
const SWEEP_BATCH = 500;
/** One sweep ends after this many; the next begins a second later. Without an end a stop would have to wait for it. */
const SWEEP_MAX = 20_000;
/** Codes tried for one order. With a million open pick-ups in one shop, all of these are taken once in 10¹⁴ orders. */
const CODES_TRIED = 5;

export async function paymentsCaptured(deps: OrdersDeps, tx: Tx, subjects: readonly string[]): Promise<void> {
  const orders = (await lockOf(tx, subjects)).filter((order) => order.paid_at === null && order.late_payment === null);
  if (orders.length === 0) return;
  const lines = await linesOf(tx, orders);
  const held = orders.filter(({ state }) => state === 'held');
  const over = orders.filter(({ state }) => state !== 'held');
  const alive = await revive(deps, tx, over.filter(({ state }) => state === 'expired'), lines);
  await pay(deps, tx, [...held, ...alive], lines);
  await giveBack(deps, tx, over.filter((order) => !alive.includes(order)));
  if (over.length === 0) return;
  const late = over.map((order): LateFact => ({
    ...factOf(order, lines.get(order.id) ?? []), late: alive.includes(order) ? 'kept' : 'returned',
  }));
  await deps.platform.outbox.publish(tx, { topic: 'orders.paid_late', payload: { orders: late } });
}

/**
 * Holds the pieces again of those whose hold had ended, where all of them are there and their coupon is with no other
 * order; the longest placed first.
 */
async function revive(deps: OrdersDeps, tx: Tx, expired: OrderRow[], lines: Lines): Promise<OrderRow[]> {
  if (expired.length === 0) return [];
  // The payments before the goods; what is captured stays so.
  const isThere = await deps.payments.expire(tx, expired.map(({ id }) => subjectOf(id)));
  const pieces = piecesOf(expired, lines);
  const goods = byVariant(await deps.catalog.lockForOrder(tx, [
    ...new Set(pieces.flatMap((one) => one.lines.map(({ variantId }) => variantId))),
  ]));
  const left = new Map([...goods].map(([variantId, { available }]) => [variantId, available]));
  const claims = await deps.offers.coupons.lockClaims(tx, usesOf(expired).map(({ claimId }) => claimId));
  const free = new Set(claims.flatMap(({ claimId, orderId }) => (orderId === null ? [claimId] : [])));
  const alive = expired
    .sort((a, b) => a.placed_at.getTime() - b.placed_at.getTime())
    .filter((order) => {
      const wanted = lines.get(order.id) ?? [];
      const isLeft = wanted.every(({ variant_id: id, quantity }) => (left.get(id) ?? 0) >= quantity);
      if (!isLeft || !isThere.has(subjectOf(order.id))) return false;
      if (order.coupon !== null && !free.delete(order.coupon.claimId)) return false;
      for (const { variant_id: id, quantity } of wanted) left.set(id, left.get(id)! - quantity);
      return true;
    });
  await deps.catalog.holdAll(tx, piecesOf(alive, lines));
  await deps.offers.coupons.use(tx, usesOf(alive));
  return alive;
}

/** Their pieces are held, and now sold. */
async function pay(deps: OrdersDeps, tx: Tx, orders: readonly OrderRow[], lines: Lines): Promise<void> {
  if (orders.length === 0) return;
  const paidAt = deps.platform.clock.now();
  const codes = await drawCodes(deps, tx, orders.filter(({ delivery }) => delivery === 'pickup'));
  const paid = await step(deps, tx, orders, 'paid', null, lines, (order) => ({
    paid_at: paidAt, pickup_code: codes.get(order.id) ?? null,
    late_payment: order.state === 'expired' ? 'kept' : null,
  }));
  await deps.catalog.sellAll(tx, piecesOf(paid, lines));
  const facts = paid.map((order): OrderFact => factOf(order, lines.get(order.id) ?? []));
  await deps.platform.outbox.publish(tx, { topic: 'orders.paid', payload: { orders: facts } });
}

/** Nobody waits for this money any more: it goes back, and the order stays over. */
async function giveBack(deps: OrdersDeps, tx: Tx, orders: readonly OrderRow[]): Promise<void> {
  if (orders.length === 0) return;
  await deps.payments.refund(tx, orders.map(({ id }) => subjectOf(id)));
  const after = orders.map((order) => ({ ...order, late_payment: 'returned' satisfies LatePayment }) as const);
  await store.updateOrders(tx, after);
  tellBuyersAfterCommit(deps, tx, after);
  deps.platform.log.info({ orders: orders.map(({ id }) => id) }, 'paid too late; the money goes back');
}

export async function paymentsDeclined(deps: OrdersDeps, tx: Tx, subjects: readonly string[]): Promise<void> {
  const held = (await lockOf(tx, subjects)).filter(({ state }) => state === 'held');
  await endHolds(deps, tx, held, 'declined', null);
}

/** Ends holds, of locked orders: the pieces come back in the same transaction. */
export async function endHolds(
  deps: OrdersDeps, tx: Tx, orders: readonly OrderRow[], to: 'cancelled' | 'declined' | 'expired',
  personId: string | null, change: Partial<OrderRow> = {},
): Promise<OrderRow[]> {
  if (orders.length === 0) return [];
  const lines = await linesOf(tx, orders);
  const ended = await step(deps, tx, orders, to, personId, lines, () => change);
  const pieces = piecesOf(ended, lines, personId);
  // What they had at a live price stays set aside for the next; all else comes back.
  const stays = await deps.offers.giveBack(tx, pieces.map(({ lines: own, ref: { orderId } }) => (
    { orderId, lines: own }
  )));
  await deps.catalog.releaseAll(tx, pieces.map(({ lines: own, ref }) => ({
    ref, lines: own.filter(({ variantId }) => stays.get(ref.orderId)?.has(variantId) !== true),
  })));
  await deps.offers.coupons.giveBack(tx, usesOf(ended));
  return ended;
}

/** Writes the new state and who brought it about, and tells the buyers after the commit. */
async function step(
  deps: OrdersDeps, tx: Tx, orders: readonly OrderRow[], to: OrderState, personId: string | null, lines: Lines,
  changeOf: (order: OrderRow) => Partial<OrderRow>,
): Promise<OrderRow[]> {
  for (const { delivery, state } of orders) assertMayBecome(delivery, state, to);
  const at = deps.platform.clock.now();
  const after = orders.map((order): OrderRow => ({ ...order, ...changeOf(order), state: to }));
  await store.updateOrders(tx, after);
  await store.insertTransitions(tx, orders.map(({ id, state }) => ({
    order_id: id, from_state: state, to_state: to, person_id: personId, at,
    reason: state === 'expired' ? 'late_payment' : null,
  })));
  tellBuyersAfterCommit(deps, tx, after, lines);
  return after;
}

/** The orders among the subjects, locked. */
function lockOf(tx: Tx, subjects: readonly string[]): Promise<OrderRow[]> {
  return store.lockOrders(tx, subjects.flatMap((subject) => orderOf(subject) ?? []));
}

async function linesOf(tx: Tx, orders: readonly OrderRow[]): Promise<Lines> {
  return Map.groupBy(await store.readLines(tx, orders.map(({ id }) => id)), (line) => line.order_id);
}

/** What of the goods each has; `personId` is whose doing it is, the buyer's unless given. */
function piecesOf(orders: readonly OrderRow[], lines: Lines, personId?: string | null) {
  return orders.map((order) => ({
    lines: (lines.get(order.id) ?? []).map((line) => ({ variantId: line.variant_id, quantity: line.quantity })),
    ref: { orderId: order.id, personId: personId === undefined ? order.buyer_id : personId },
  }));
}

/**
 * A code for each that no open order of its shop has. Two transactions that draw the same at the same moment are told
 * apart by the index: the second's news of the payment comes again and draws anew.
 */
async function drawCodes(deps: OrdersDeps, tx: Tx, orders: readonly OrderRow[]): Promise<Map<string, string>> {
  const codes = new Map<string, string>();
  const used = new Set<string>();
  const nameOf = ({ shopId, code }: store.ShopCode) => `${shopId} ${code}`;
  let open = orders;
  for (let tried = 0; tried < CODES_TRIED && open.length > 0; tried += 1) {
    const drawn = open.map((order) => ({ order, shopId: order.shop_id, code: codeFrom(deps.platform.newId()) }));
    for (const taken of await store.findTakenCodes(tx, drawn)) used.add(nameOf(taken));
    for (const { order, ...one } of drawn) {
      if (used.has(nameOf(one))) continue;
      used.add(nameOf(one));
      codes.set(order.id, one.code);
    }
    open = open.filter(({ id }) => !codes.has(id));
  }
  if (open.length > 0) throw new Error(`no free pick-up code in shop ${open[0]!.shop_id}`);
  return codes;
}

export async function sweepExpired(deps: OrdersDeps): Promise<number> {
  const { database, clock } = deps.platform;
  const orderIds = await store.expiredHolds(database.db, clock.now(), SWEEP_MAX);
  let ended = 0;
  for (let start = 0; start < orderIds.length; start += SWEEP_BATCH) {
    ended += await expireApart(deps, orderIds.slice(start, start + SWEEP_BATCH));
  }
  return ended;
}

/** One order that cannot be ended must not keep the pieces of the others: it is found by halves. */
async function expireApart(deps: OrdersDeps, orderIds: readonly string[]): Promise<number> {
  if (orderIds.length === 0) return 0;
  try {
    return await deps.platform.database.transaction((tx) => expire(deps, tx, orderIds));
  } catch (error) {
    if (isUnavailable(error)) throw error;
    if (orderIds.length === 1) {
      deps.platform.log.error({ err: error, orderId: orderIds[0] }, 'a hold could not be ended');
      return 0;
    }
    const half = Math.ceil(orderIds.length / 2);
    return await expireApart(deps, orderIds.slice(0, half)) + await expireApart(deps, orderIds.slice(half));
  }
}

/** Those at which another sweep is are left to it, and those whose money has come are about to be paid. */
async function expire(deps: OrdersDeps, tx: Tx, orderIds: readonly string[]): Promise<number> {
  const orders = await store.lockExpired(tx, orderIds, deps.platform.clock.now());
  const paid = await deps.payments.expire(tx, orders.map(({ id }) => subjectOf(id)));
  const over = orders.filter(({ id }) => !paid.has(subjectOf(id)));
  return (await endHolds(deps, tx, over, 'expired', null)).length;
}
