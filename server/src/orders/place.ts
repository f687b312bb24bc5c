/**
 * Placing orders: in batches, each one transaction that holds the pieces, writes the orders and opens their payments.
 * Placings gather while the batch before them is under way; each is answered on its own after the commit.
 *
 * Locks in this order: placing, over all processes; the goods by variant id; their live prices; claims of coupons; the
 * new orders and payments. All others lock an order before its goods, which here nobody knows yet: no circle.
 */
import type { Address } from '@nacre/contract/accounts';
import type { Order, OrderPlace } from '@nacre/contract/orders';
import { Refusal } from '../lib/refusal.ts';
import type { Seller } from '../shops/shops.ts';
import { createBatcher, type Batcher } from '../platform/batcher.ts';
import { afterCommit, together, type Tx } from '../platform/database.ts';
import { BATCH_LIMITS } from './batch-limits.ts';
import { usesOf } from './couponing.ts';
import { decideAll, keptName, nameOf, type DecidedOrder, type Decision, type Ground } from './deciding.ts';
import type { Bag, Buyer, OrdersDeps } from './orders.ts';
import { byVariant, hashRequest, lineRows, readLines, type AskedLine } from './placing.ts';
import { promisesOf, type PromiseGround } from './promise.ts';
import { partsOf, type Written } from './reading.ts';
import { placeNameOf, type Parcel, type ParcelPlace } from './shipping.ts';
import { createSoldOut, goneIn, type SoldOut } from './sold-out.ts';
import * as store from './store.ts';
import { factOf, numberOf, subjectOf, viewOf } from './view.ts';

/** Time to pay. Shorter drives people off who look for their card; longer keeps pieces from those who would buy. */
export const HOLD_MS = 5 * 60_000;

export interface Placing {
  buyer: Buyer;
  request: OrderPlace;
  asked: AskedLine[];
  requestHash: Buffer;
  /** Null outside a show, or when there is no such show. */
  bag: Bag | null;
}

interface Placed {
  order: Order;
  isNew: boolean;
}

export type Placer = Pick<Batcher<Placing, Placed>, 'add'>;

export function createPlacer(deps: OrdersDeps): Placer {
  const soldOut = createSoldOut(deps);
  const batcher = createBatcher<Placing, Placed>({
    run: (placings) => placeBatch(deps, soldOut, placings),
    ...BATCH_LIMITS,
  });
  return { add: (placing) => soldOut.ask(placing, () => batcher.add(placing)) };
}

export async function place(deps: OrdersDeps, placer: Placer, buyer: Buyer, request: OrderPlace): Promise<Order> {
  const { showId, address, pickup } = request;
  if ((address === undefined) === (pickup === undefined)) {
    throw new Refusal('request.invalid', { details: { field: 'address', reason: 'an address or a pick-up' } });
  }
  const { order, isNew } = await placer.add({
    buyer,
    request,
    asked: readLines(request.lines),
    requestHash: hashRequest(request),
    bag: showId === null ? null : await deps.bagOf(showId, buyer.personId),
  });
  if (isNew && request.saveAddress === true && address !== undefined) await keepAddress(deps, buyer, address);
  return order;
}

async function placeBatch(
  deps: OrdersDeps, soldOut: SoldOut, placings: readonly Placing[],
): Promise<Array<Placed | Refusal>> {
  const { decisions, written } = await deps.platform.database.transaction(async (tx) => {
    const reading = soldOut.reading();
    const ground = await readGround(deps, tx, placings);
    const decided = decideAll(placings, ground);
    afterCommit(tx, () => soldOut.learn(reading, goneIn(placings, decided, ground.live)));
    return { decisions: decided, written: await write(deps, tx, placings, ground, decided) };
  });
  const views = await viewsOf(deps, decisions, written);
  return decisions.map((decision, at) => {
    if (decision.is === 'refused') return decision.refusal;
    const order = views[at]!;
    const isNew = decision.is === 'new';
    if (isNew) deps.tell(placings[at]!.buyer.personId, { type: 'own-order', order });
    return { order, isNew };
  });
}

interface ReadGround extends Ground {
  sellers: ReadonlyMap<string, Seller>;
}

async function readGround(deps: OrdersDeps, tx: Tx, placings: readonly Placing[]): Promise<ReadGround> {
  // As a statement of its own: what is read after it sees all that earlier batches wrote.
  await store.lockPlacing(tx);
  const keys = placings.map(({ buyer: { personId }, request: { idempotencyKey } }) => (
    { buyerId: personId, idempotencyKey }
  ));
  const personIds = [...new Set(keys.map(({ buyerId }) => buyerId))];
  const [orders, heldBy, offered] = await together([
    store.findByKeys(tx, keys),
    store.countHeld(tx, personIds),
    lockOffered(deps, tx, placings, personIds),
  ]);
  const places: Ground['places'] = new Map([...offered.sellers.values()].flatMap(({ id, pickupPlace }) => (
    pickupPlace === null ? [] : [[id, pickupPlace] as const]
  )));
  return {
    orders: new Map(orders.map((row) => [
      nameOf({ buyerId: row.buyer_id!, idempotencyKey: row.idempotency_key }), row,
    ])),
    ...offered, heldBy, places,
    now: deps.platform.clock.now(),
  };
}

/** What is asked for, locked; and with the goods locked, so that it stays so, what is kept for these buyers. */
async function lockOffered(
  deps: OrdersDeps, tx: Tx, placings: readonly Placing[], personIds: readonly string[],
): Promise<Pick<ReadGround, 'goods' | 'live' | 'claims' | 'sellers' | 'shipping' | 'kept'>> {
  const pieces = placings.flatMap(({ buyer: { personId }, asked }) => (
    asked.map(({ variantId }) => ({ personId, variantId }))
  ));
  const variantIds = [...new Set(pieces.map(({ variantId }) => variantId))];
  const goods = byVariant(await deps.catalog.lockForOrder(tx, variantIds));
  const lockPromotions = async () => {
    const showIds = new Set(placings.flatMap(({ request }) => request.showId ?? []));
    const live = await deps.offers.lockLive(tx, [...showIds], variantIds, personIds);
    const claimIds = new Set(placings.flatMap(({ request }) => request.coupon?.claimId ?? []));
    return { live, claims: await deps.offers.coupons.lockClaims(tx, [...claimIds]) };
  };
  const readTerms = async () => {
    const sellers = await deps.shops.sellersOf(tx, [...new Set([...goods.values()].map(({ shopId }) => shopId))]);
    return { sellers, shipping: await readShipping(tx, placings, sellers) };
  };
  const [promotions, terms, kept] = await together([
    lockPromotions(), readTerms(), deps.catalog.keptFor(tx, pieces),
  ]);
  return { goods, ...promotions, ...terms, kept: new Map(kept.map((one) => [keptName(one), one])) };
}

/** What the shops of the batch take for sending, and which parcels may go along. */
async function readShipping(
  tx: Tx, placings: readonly Placing[], sellers: ReadonlyMap<string, Seller>,
): Promise<Ground['shipping']> {
  const terms = new Map([...sellers.values()].flatMap(({ id, shipping }) => (
    shipping === null ? [] : [[id, shipping] as const]
  )));
  const places = new Map(placings.flatMap(({ buyer: { personId: buyerId }, request: { showId }, bag }) => {
    if (showId === null || bag === null || !terms.has(bag.shopId)) return [];
    const place: ParcelPlace = { buyerId, shopId: bag.shopId, showId };
    return [[placeNameOf(place), place] as const];
  }));
  const rows = await store.openParcels(tx, [...places.values()]);
  const named = rows.map(({ id, buyer_id, shop_id, show_id, address }) => ({
    name: placeNameOf({ buyerId: buyer_id, shopId: shop_id, showId: show_id }),
    parcel: { orderId: id, address } satisfies Parcel,
  }));
  const byName = Map.groupBy(named, ({ name }) => name);
  return { terms, parcels: new Map([...byName].map(([name, all]) => [name, all.map(({ parcel }) => parcel)])) };
}

/** Writes what is new; the rest of the batch has no place in the answer. */
async function write(
  deps: OrdersDeps, tx: Tx, placings: readonly Placing[], ground: ReadGround, decisions: readonly Decision[],
): Promise<Map<number, Written>> {
  const { now } = ground;
  const times = { now, holdExpiresAt: new Date(now.getTime() + HOLD_MS) };
  const ids = new Map<number, string>();
  const fresh = decisions.flatMap((decision, at) => {
    if (decision.is !== 'new') return [];
    const { priced, kept, coupon } = decision;
    const placing = placings[at]!;
    const id = deps.platform.newId();
    ids.set(at, id);
    const row = newRow(id, placing, decision, ids, times);
    const lines = lineRows(row.id, priced, placing.bag?.numbers ?? null, coupon?.shares);
    return [{ at, row, priced, kept, lines }];
  });
  if (fresh.length === 0) return new Map();
  const uses = fresh.flatMap(({ row, priced }) => priced.lines.flatMap(({ livePriceId, variantId, quantity }) => (
    livePriceId === null ? [] : [{ orderId: row.id, personId: row.buyer_id!, livePriceId, variantId, quantity }]
  )));
  const steps = fresh.map(({ row }): store.TransitionRow => (
    { order_id: row.id, from_state: null, to_state: 'held', person_id: row.buyer_id, at: now, reason: null }
  ));
  const [rows, promiseGround] = await together([
    store.insertOrders(tx, fresh.map(({ row }) => row), fresh.flatMap(({ lines }) => lines), steps),
    readPromiseGround(deps, tx, fresh, ground),
    deps.catalog.holdAll(tx, fresh.map(({ row, priced }) => (
      { lines: priced.lines, ref: { orderId: row.id, personId: row.buyer_id } }
    )), {
      kept: fresh.flatMap(({ row, kept }) => kept.map(({ waitId }) => ({ waitId, orderId: row.id }))), freed: uses,
      locked: [...ground.goods.values()],
    }),
    deps.offers.take(tx, uses),
  ]);
  const promised = rows.map((row, i) => (
    { row, lines: fresh[i]!.lines, priced: fresh[i]!.priced }
  ));
  const { offers, promises } = promisesOf(promised, promiseGround);
  const fromCarts = fresh.filter(({ at }) => placings[at]!.request.fromCart === true).map(({ row, priced }) => ({
    personId: row.buyer_id!, shopId: row.shop_id, idempotencyKey: row.idempotency_key, lines: priced.lines,
  }));
  const orders = rows.map((row, i) => factOf(row, fresh[i]!.lines));
  const [payments] = await together([
    deps.payments.create(tx, rows.map((row) => ({
      subject: subjectOf(row.id),
      payerId: row.buyer_id!,
      amountMinor: row.total_minor,
      currency: row.currency,
      expiresAt: row.hold_expires_at,
      description: numberOf(row),
    }))),
    store.insertPromises(tx, offers, promises),
    deps.offers.coupons.use(tx, usesOf(rows)),
    fromCarts.length > 0 ? deps.takeFromCarts(tx, fromCarts) : Promise.resolve(),
    deps.platform.outbox.publish(tx, { topic: 'orders.placed', payload: { orders } }),
  ]);
  return new Map(rows.map((row, i) => [
    fresh[i]!.at,
    { row, lines: fresh[i]!.lines, pageUrl: payments[i]!.pageUrl, shop: ground.sellers.get(row.shop_id)! },
  ]));
}

/** What these orders are promised, read once for all of them. */
async function readPromiseGround(
  deps: OrdersDeps, tx: Tx,
  orders: ReadonlyArray<{ row: Pick<Written['row'], 'show_id'>; lines: Written['lines'] }>, { sellers }: ReadGround,
): Promise<PromiseGround> {
  const shows = new Set(orders.flatMap(({ row }) => row.show_id ?? []));
  const screens = await deps.screensNow(tx, [...shows]);
  const products = new Set([
    ...orders.flatMap(({ lines }) => lines.map((line) => line.product_id)),
    ...[...screens.values()].flatMap((screen) => screen.onScreenProductId ?? []),
  ]);
  return {
    screens,
    cards: await deps.catalog.cardsOf(tx, [...products]),
    shops: sellers,
  };
}

function newRow(
  id: string,
  { buyer, request, requestHash }: Placing,
  { priced: { shopId, currency, totalMinor }, pickup, shipping: { feeMinor, shipsWith }, coupon }: DecidedOrder,
  /** Of the orders before it in the batch, by their place there. */
  ids: ReadonlyMap<number, string>,
  { now, holdExpiresAt }: { now: Date; holdExpiresAt: Date },
): Omit<store.OrderRow, 'number'> {
  const discountMinor = BigInt(coupon?.discountMinor ?? 0);
  return {
    ...store.NOTHING_HAPPENED,
    id,
    shop_id: shopId,
    buyer_id: buyer.personId,
    buyer_name: buyer.name,
    show_id: request.showId,
    idempotency_key: request.idempotencyKey,
    request_hash: requestHash,
    state: 'held',
    currency,
    total_minor: totalMinor - discountMinor + feeMinor,
    discount_minor: discountMinor,
    coupon: coupon?.kept ?? null,
    shipping_minor: feeMinor,
    ships_with: shipsWith === null ? null : 'orderId' in shipsWith ? shipsWith.orderId : ids.get(shipsWith.at)!,
    channel: request.showId === null ? 'online' : 'show',
    delivery: pickup === null ? 'parcel' : 'pickup',
    counter_method: null,
    address: request.address ?? null,
    pickup,
    hold_expires_at: holdExpiresAt,
    placed_at: now,
  };
}

/** What each buyer is answered, in its place; nothing for who was refused. */
async function viewsOf(
  deps: OrdersDeps, decisions: readonly Decision[], written: ReadonlyMap<number, Written>,
): Promise<Array<Order | undefined>> {
  const known = decisions.flatMap((decision) => (decision.is === 'known' ? [decision.order] : []));
  const parts = await partsOf(deps, known, 'buyer', [...written.values()]);
  return decisions.map((decision, at) => {
    if (decision.is === 'refused') return undefined;
    const row = decision.is === 'known' ? decision.order : written.get(decision.is === 'same' ? decision.as : at)!.row;
    return viewOf(row, parts);
  });
}

/** The order stands whether or not the address book has room. */
async function keepAddress(deps: OrdersDeps, buyer: Buyer, address: Address): Promise<void> {
  try {
    await deps.people.keepAddress(buyer.personId, address);
  } catch (error) {
    deps.platform.log.info({ err: error }, 'the address of an order was not kept');
  }
}
