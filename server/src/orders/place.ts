/**
 * Placing an order: one transaction that holds the pieces, writes the order and opens its payment.
 *
 * Locks in this order: the buyer, the goods by variant id, the new order, its payment. Nothing else of this module
 * takes the buyer's lock, and all others lock an order before its goods, which here nobody knows yet: no circle.
 */
import type { Address } from '@nacre/contract/accounts';
import type { Order, OrderPlace } from '@nacre/contract/orders';
import { Refusal } from '../lib/refusal.ts';
import type { Tx } from '../platform/database.ts';
import type { Bag, Buyer, OrdersDeps } from './orders.ts';
import { hashRequest, lineRows, priceOrder, readLines, type AskedLine, type PricedOrder } from './placing.ts';
import { tellBuyerAfterCommit, viewOne } from './reading.ts';
import * as store from './store.ts';
import { factOf, numberOf, subjectOf } from './view.ts';

/** Time to pay. Shorter drives people off who look for their card; longer keeps pieces from those who would buy. */
export const HOLD_MS = 5 * 60_000;
/** Unpaid orders of one person at a time. Fewer hinder somebody who buys here and there; more let one person empty a
 * shelf without paying. */
export const HELD_ORDERS_MAX = 5;

interface Placing {
  buyer: Buyer;
  request: OrderPlace;
  asked: AskedLine[];
  requestHash: Buffer;
  /** Null outside a show, or when there is no such show. */
  bag: Bag | null;
}

export async function place(deps: OrdersDeps, buyer: Buyer, request: OrderPlace): Promise<Order> {
  const { showId, address, pickup } = request;
  if ((address === undefined) === (pickup === undefined)) {
    throw new Refusal('request.invalid', { details: { field: 'address', reason: 'an address or a pick-up' } });
  }
  const placing: Placing = {
    buyer,
    request,
    asked: readLines(request.lines),
    requestHash: hashRequest(request),
    // Before the transaction: it takes another connection, and transactions that wait for one block each other.
    bag: showId === null ? null : await deps.bagOf(showId, buyer.personId),
  };
  const { order, isNew } = await deps.platform.database.transaction((tx) => placeIn(deps, tx, placing));
  if (isNew && request.saveAddress === true && address !== undefined) await keepAddress(deps, buyer, address);
  return viewOne(deps, order, 'buyer');
}

async function placeIn(
  deps: OrdersDeps,
  tx: Tx,
  placing: Placing,
): Promise<{ order: store.OrderRow; isNew: boolean }> {
  const { buyer, request, requestHash } = placing;
  await store.lockBuyer(tx, buyer.personId);
  const before = await store.findByKey(tx, buyer.personId, request.idempotencyKey);
  if (before !== null) {
    if (!before.request_hash.equals(requestHash)) throw new Refusal('orders.key_reused');
    return { order: before, isNew: false };
  }
  if (request.showId !== null && placing.bag === null) throw new Refusal('shows.not_found');
  if ((await store.countHeld(tx, buyer.personId)) >= HELD_ORDERS_MAX) {
    throw new Refusal('orders.too_many_open', { details: { most: HELD_ORDERS_MAX } });
  }
  const goods = await deps.catalog.lockForOrder(tx, placing.asked.map((line) => line.variantId));
  const priced = priceOrder(placing.asked, goods);
  if (placing.bag !== null && placing.bag.shopId !== priced.shopId) {
    throw new Refusal('request.invalid', { details: { field: 'showId', reason: 'of another shop' } });
  }
  const pickup = await pickupOf(deps, tx, request, priced.shopId);
  const orderId = deps.platform.newId();
  await deps.catalog.hold(tx, priced.lines, { orderId, personId: buyer.personId });
  return { order: await write(deps, tx, orderId, placing, priced, pickup), isNew: true };
}

/** Who comes, and the shop's place as it is now; null for a parcel. @throws Refusal `orders.no_pickup` */
async function pickupOf(
  deps: OrdersDeps, tx: Tx, { pickup }: OrderPlace, shopId: string,
): Promise<store.OrderRow['pickup']> {
  if (pickup === undefined) return null;
  const place = await deps.shops.pickupPlace(tx, shopId);
  if (place === null) throw new Refusal('orders.no_pickup');
  return { name: pickup.name.trim(), phone: pickup.phone.trim(), place };
}

async function write(
  deps: OrdersDeps,
  tx: Tx,
  orderId: string,
  placing: Placing,
  priced: PricedOrder,
  pickup: store.OrderRow['pickup'],
): Promise<store.OrderRow> {
  const { buyer, request, requestHash, bag } = placing;
  const now = deps.platform.clock.now();
  const holdExpiresAt = new Date(now.getTime() + HOLD_MS);
  const lines = lineRows(orderId, priced, bag?.numbers ?? null);
  const order = await store.insertOrder(
    tx,
    {
      ...store.NOTHING_HAPPENED,
      id: orderId,
      shop_id: priced.shopId,
      buyer_id: buyer.personId,
      buyer_name: buyer.name,
      show_id: request.showId,
      idempotency_key: request.idempotencyKey,
      request_hash: requestHash,
      state: 'held',
      currency: priced.currency,
      total_minor: priced.totalMinor,
      channel: request.showId === null ? 'online' : 'show',
      delivery: pickup === null ? 'parcel' : 'pickup',
      counter_method: null,
      address: request.address ?? null,
      pickup,
      hold_expires_at: holdExpiresAt,
      placed_at: now,
    },
    lines,
  );
  await store.insertTransition(tx, { orderId, from: null, to: 'held', personId: buyer.personId, at: now });
  await deps.payments.create(tx, {
    subject: subjectOf(orderId),
    payerId: buyer.personId,
    amountMinor: priced.totalMinor,
    currency: priced.currency,
    expiresAt: holdExpiresAt,
    description: numberOf(order),
  });
  await deps.platform.outbox.publish(tx, { topic: 'orders.placed', payload: { ...factOf(order, lines) } });
  tellBuyerAfterCommit(deps, tx, order);
  return order;
}

/** The order stands whether or not the address book has room. */
async function keepAddress(deps: OrdersDeps, buyer: Buyer, address: Address): Promise<void> {
  try {
    await deps.keepAddress(buyer.personId, address);
  } catch (error) {
    deps.platform.log.info({ err: error }, 'the address of an order was not kept');
  }
}
