/**
 * Live prices: set by the shop, lowered and ended by the host, taken by orders. Rules: README.md.
 *
 * Invariants: while one is live, its pieces that are left are held in stock, for no order; what is left and what orders
 * have is its quota. Locks goods by variant id, then live prices by id.
 */
import type { LivePrice, LivePriceLower, LivePriceSet } from '@nacre/contract/offers';
import { LIVE_PRICES_MAX } from '@nacre/contract/offers';
import type { Catalog, StockLine } from '../catalog/catalog.ts';
import type { PersonActor } from '../http/actor.ts';
import { Refusal } from '../lib/refusal.ts';
import { afterCommit, type Tx } from '../platform/database.ts';
import type { Jobs } from '../platform/jobs.ts';
import type { Platform } from '../platform/platform.ts';
import type { Shops } from '../shops/shops.ts';
import type { Shows } from '../shows/shows.ts';
import { createCoupons, type Coupons } from './coupons.ts';
import { OFFERS_SET_TOPIC, OFFERS_TOPIC, type OffersChanged } from './events.ts';
import * as store from './store.ts';
import type { LivePriceRow } from './store.ts';

/** The former price is the lowest of this time (Directive 98/6/EC, article 6a). */
const FORMER_MS = 30 * 24 * 3_600_000;

export type { ClaimTerms, Coupons } from './coupons.ts';

export interface OffersDeps {
  platform: Platform;
  jobs: Pick<Jobs, 'add'>;
  shops: Pick<Shops, 'assertMay' | 'byId' | 'refs'>;
  shows: Pick<Shows, 'brief' | 'bagNumbers' | 'stateOf' | 'standing' | 'isBanned'>;
  catalog: Pick<Catalog, 'lockForOrder' | 'hold' | 'release' | 'lowestPrices' | 'productsByIds'>;
}

/** Pieces that are set aside for whoever comes. */
const NO_ORDER = { orderId: null, personId: null };

/** What an order must know of a live price, held until the transaction ends. */
export interface LiveTerms {
  id: string;
  showId: string;
  variantId: string;
  priceMinor: bigint;
  /** As in `LivePrice`. */
  formerMinor: bigint | null;
  left: number;
  perPerson: number;
  /** Pieces that each of the people asked about has at it; who has none is missing. */
  hadBy: ReadonlyMap<string, number>;
}

/** An order whose pieces come back. */
export interface EndedOrder {
  orderId: string;
  lines: readonly StockLine[];
}

/** What one person may still have at a live price: 1 piece or more. */
export interface StillLive {
  priceMinor: bigint;
  pieces: number;
}

/** Pieces of one order at a live price. */
export interface LiveUse {
  orderId: string;
  personId: string;
  livePriceId: string;
  variantId: string;
  quantity: number;
}

export interface Offers {
  coupons: Coupons;
  /**
   * Sets one, for a member who may set prices: at once if the show is live, else from when it is.
   * @throws Refusal `shows.not_found`, `shows.wrong_state`, `shows.not_in_bag`, `orders.not_for_sale`,
   * `offers.not_lower` with `{ priceMinor }`, `offers.too_many`, `catalog.stock_too_low` with `{ available }`,
   * `shops.*`
   */
  set(actor: PersonActor, showId: string, input: LivePriceSet): Promise<LivePrice>;
  /**
   * Lowers quota or limit, for who runs the show.
   * @throws Refusal `offers.not_found`, `offers.only_lower`, `offers.already_sold` with `{ sold }`, `shops.not_allowed`
   */
  lower(actor: PersonActor, livePriceId: string, change: LivePriceLower): Promise<LivePrice>;
  /** Ends it, for who runs the show. A repeat changes nothing. @throws Refusal as `lower` */
  end(actor: PersonActor, livePriceId: string): Promise<LivePrice>;
  /** Those of a show that are planned or live, for who runs it. @throws Refusal `shows.not_found`, `shops.*` */
  listForShop(actor: PersonActor, showId: string): Promise<LivePrice[]>;
  /** Those that are live in a show; the caller knows who may see the show. */
  liveIn(showId: string): Promise<LivePrice[]>;
  /** What this person may still have at live prices in the show, by variant; without those that are used up. */
  stillFor(personId: string, showId: string): Promise<Map<string, StillLive>>;
  /** Begins or ends what the state of the show asks for. Repeatable. */
  settle(showId: string): Promise<void>;

  // ---- orders, in the transaction of a batch; the goods are locked

  /** Those that are live in these shows for these goods, and what these people have of them. */
  lockLive(
    tx: Tx, showIds: readonly string[], variantIds: readonly string[], personIds: readonly string[],
  ): Promise<LiveTerms[]>;
  /** Orders have taken these pieces: stock has held them for the orders. */
  take(tx: Tx, uses: readonly LiveUse[]): Promise<void>;
  /**
   * Orders end unpaid: what they had at live prices that still run is left of these again, and stays set aside. Before
   * the rest of their pieces is released; locks all their goods if it has to.
   * @returns by order the variants whose pieces stay set aside
   */
  giveBack(tx: Tx, orders: readonly EndedOrder[]): Promise<Map<string, Set<string>>>;
}

export function createOffers(deps: OffersDeps): Offers {
  const { db } = deps.platform.database;
  return {
    coupons: createCoupons(deps),
    set: (actor, showId, input) => set(deps, actor, showId, input),
    lower: (actor, id, change) => onOwn(deps, actor, id, (tx, row) => lower(deps, tx, row, change)),
    end: (actor, id) => onOwn(deps, actor, id, (tx, row) => end(deps, tx, row)),
    async listForShop(actor, showId) {
      await assertMayRun(deps, actor, showId);
      return (await store.openOf(db, showId)).map(viewOf);
    },
    liveIn: async (showId) => (await store.openOf(db, showId)).filter(isLive).map(viewOf),
    stillFor: (personId, showId) => stillFor(deps, personId, showId),
    settle: (showId) => settle(deps, showId),
    lockLive,
    take: (tx, uses) => take(deps, tx, uses),
    giveBack: (tx, orders) => giveBack(deps, tx, orders),
  };
}

async function set(deps: OffersDeps, actor: PersonActor, showId: string, input: LivePriceSet): Promise<LivePrice> {
  const { database, clock, newId } = deps.platform;
  const { personId } = actor;
  const show = await deps.shows.brief(actor, showId);
  await deps.shops.assertMay(personId, show.shopId, 'goods.edit');
  if (!show.isOpen) throw new Refusal('shows.wrong_state', { details: { state: show.state } });
  const bag = await deps.shows.bagNumbers(showId, personId);
  const { variantId, quota, perPerson } = input;
  const id = newId();
  await database.transaction(async (tx) => {
    const [goods] = await deps.catalog.lockForOrder(tx, [variantId]);
    if (goods === undefined || bag?.numbers.has(goods.productId) !== true) throw new Refusal('shows.not_in_bag');
    if (!goods.isForSale) throw new Refusal('orders.not_for_sale', { details: { variantId } });
    const priceMinor = BigInt(input.priceMinor);
    if (priceMinor >= goods.priceMinor) {
      throw new Refusal('offers.not_lower', { details: { priceMinor: Number(goods.priceMinor) } });
    }
    const others = await store.lockOpenOf(tx, showId);
    const known = others.find((row) => row.variant_id === variantId);
    if (known !== undefined) await end(deps, tx, known);
    else if (others.length >= LIVE_PRICES_MAX) {
      throw new Refusal('offers.too_many', { details: { most: LIVE_PRICES_MAX } });
    }
    const onShelf = goods.available + (known?.pieces_left ?? 0);
    if (show.isRunning && quota > onShelf) {
      throw new Refusal('catalog.stock_too_low', { details: { available: onShelf } });
    }
    await store.insert(tx, {
      id, show_id: showId, variant_id: variantId, product_id: goods.productId, price_minor: priceMinor, quota,
      pieces_left: 0, per_person: perPerson, set_by: personId, set_at: clock.now(),
    });
    // In case this process dies before it begins.
    await deps.platform.outbox.publish(tx, { topic: OFFERS_SET_TOPIC, payload: { showId } });
  });
  await settle(deps, showId);
  return viewOf((await store.find(database.db, id))!);
}

async function assertMayRun(deps: OffersDeps, actor: PersonActor, showId: string): Promise<void> {
  const show = await deps.shows.brief(actor, showId);
  await deps.shops.assertMay(actor.personId, show.shopId, 'show.run');
}

/** For who runs the show: goods and live price are held, and what the verb makes of it is the answer. */
async function onOwn(
  deps: OffersDeps, actor: PersonActor, id: string, verb: (tx: Tx, row: LivePriceRow) => Promise<LivePriceRow>,
): Promise<LivePrice> {
  const { database } = deps.platform;
  const known = await store.find(database.db, id);
  if (known === undefined) throw new Refusal('offers.not_found');
  await assertMayRun(deps, actor, known.show_id);
  return database.transaction(async (tx) => {
    await deps.catalog.lockForOrder(tx, [known.variant_id]);
    const [row] = await store.lock(tx, [id]);
    return viewOf(await verb(tx, row!));
  });
}

async function lower(deps: OffersDeps, tx: Tx, row: LivePriceRow, change: LivePriceLower): Promise<LivePriceRow> {
  const { quota = row.quota, perPerson = row.per_person } = change;
  if (row.ended_at !== null) throw new Refusal('offers.not_found');
  if (quota > row.quota || perPerson > row.per_person) throw new Refusal('offers.only_lower');
  const sold = isLive(row) ? row.quota - row.pieces_left : 0;
  if (quota < sold) throw new Refusal('offers.already_sold', { details: { sold } });
  const fewer = row.quota - quota;
  if (isLive(row)) await free(deps, tx, row.variant_id, fewer);
  tellAfterCommit(deps, tx, row.show_id);
  return store.update(tx, row.id, {
    quota, per_person: perPerson, pieces_left: isLive(row) ? row.pieces_left - fewer : 0,
  });
}

async function end(deps: OffersDeps, tx: Tx, row: LivePriceRow): Promise<LivePriceRow> {
  if (row.ended_at !== null) return row;
  await free(deps, tx, row.variant_id, row.pieces_left);
  tellAfterCommit(deps, tx, row.show_id);
  return store.update(tx, row.id, { pieces_left: 0, ended_at: deps.platform.clock.now() });
}

/** Pieces that were set aside are on the shelf again. */
async function free(deps: OffersDeps, tx: Tx, variantId: string, quantity: number): Promise<void> {
  if (quantity > 0) await deps.catalog.release(tx, [{ variantId, quantity }], NO_ORDER);
}

async function settle(deps: OffersDeps, showId: string): Promise<void> {
  const { database } = deps.platform;
  const open = await store.openOf(database.db, showId);
  if (open.length === 0) return;
  await database.transaction(async (tx) => {
    const variantIds = [...new Set(open.map((row) => row.variant_id))];
    const goods = await deps.catalog.lockForOrder(tx, variantIds);
    // After the locks: whoever waited for them sees how the show is now.
    const state = await deps.shows.stateOf(showId);
    const available = new Map(goods.map((one) => [one.variantId, one.available]));
    for (const row of await store.lockOpenOf(tx, showId)) {
      // Set after the look above: its own setting settles it.
      if (!available.has(row.variant_id)) continue;
      if (state === 'ended' || state === 'cancelled') await end(deps, tx, row);
      else if (state !== 'planned' && row.began_at === null) {
        await begin(deps, tx, row, available.get(row.variant_id) ?? 0);
      }
    }
  });
}

async function begin(deps: OffersDeps, tx: Tx, row: LivePriceRow, available: number): Promise<void> {
  const now = deps.platform.clock.now();
  const since = new Date(now.getTime() - FORMER_MS);
  const ids = [row.variant_id];
  const asked = (await deps.catalog.lowestPrices(tx, ids, since)).get(row.variant_id);
  const live = (await store.lowestSince(tx, ids, since)).get(row.variant_id);
  const former = asked !== undefined && live !== undefined && live < asked ? live : asked;
  const quota = Math.min(row.quota, available);
  if (quota > 0) await deps.catalog.hold(tx, [{ variantId: row.variant_id, quantity: quota }], NO_ORDER);
  await store.update(tx, row.id, {
    began_at: now, quota, pieces_left: quota,
    former_minor: former !== undefined && former > row.price_minor ? former : null,
  });
  tellAfterCommit(deps, tx, row.show_id);
}

async function stillFor(deps: OffersDeps, personId: string, showId: string): Promise<Map<string, StillLive>> {
  const { db } = deps.platform.database;
  const rows = (await store.openOf(db, showId)).filter(isLive);
  if (rows.length === 0) return new Map();
  const had = await store.usedBy(db, rows.map(({ id }) => id), [personId]);
  const hadOf = new Map(had.map(({ livePriceId, quantity }) => [livePriceId, quantity]));
  return new Map(rows.flatMap((row) => {
    const pieces = Math.min(row.pieces_left, row.per_person - (hadOf.get(row.id) ?? 0));
    return pieces < 1 ? [] : [[row.variant_id, { priceMinor: row.price_minor, pieces }] as const];
  }));
}

async function lockLive(
  tx: Tx, showIds: readonly string[], variantIds: readonly string[], personIds: readonly string[],
): Promise<LiveTerms[]> {
  if (showIds.length === 0) return [];
  const rows = await store.lockLive(tx, showIds, variantIds);
  if (rows.length === 0) return [];
  const had = await store.usedBy(tx, rows.map((row) => row.id), personIds);
  return rows.map((row) => ({
    id: row.id, showId: row.show_id, variantId: row.variant_id, priceMinor: row.price_minor,
    formerMinor: row.former_minor, left: row.pieces_left, perPerson: row.per_person,
    hadBy: new Map(had.flatMap(({ livePriceId, personId, quantity }) => (
      livePriceId === row.id ? [[personId, quantity] as const] : []
    ))),
  }));
}

async function take(deps: OffersDeps, tx: Tx, uses: readonly LiveUse[]): Promise<void> {
  if (uses.length === 0) return;
  await store.insertUses(tx, uses.map((use) => ({
    order_id: use.orderId, live_price_id: use.livePriceId, person_id: use.personId, quantity: use.quantity,
  })));
  for (const showId of await store.lessLeft(tx, piecesOf(uses))) tellAfterCommit(deps, tx, showId);
}

function piecesOf(uses: readonly Pick<LiveUse, 'livePriceId' | 'quantity'>[]): Array<{ id: string; pieces: number }> {
  const sum = new Map<string, number>();
  for (const { livePriceId, quantity } of uses) sum.set(livePriceId, (sum.get(livePriceId) ?? 0) + quantity);
  return [...sum].map(([id, pieces]) => ({ id, pieces }));
}

async function giveBack(
  deps: OffersDeps, tx: Tx, orders: readonly EndedOrder[],
): Promise<Map<string, Set<string>>> {
  const uses = await store.takeUsesOf(tx, orders.map(({ orderId }) => orderId));
  if (uses.length === 0) return new Map();
  const variantIds = orders.flatMap(({ lines }) => lines.map(({ variantId }) => variantId));
  await deps.catalog.lockForOrder(tx, [...new Set(variantIds)]);
  const ids = [...new Set(uses.map((use) => use.live_price_id))];
  const live = new Map((await store.lock(tx, ids)).filter(isLive).map((row) => [row.id, row]));
  const back = uses.filter((use) => live.has(use.live_price_id));
  if (back.length === 0) return new Map();
  const more = piecesOf(back.map((use) => ({ livePriceId: use.live_price_id, quantity: -use.quantity })));
  for (const showId of await store.lessLeft(tx, more)) tellAfterCommit(deps, tx, showId);
  return new Map([...Map.groupBy(back, (use) => use.order_id)].map(([orderId, own]) => (
    [orderId, new Set(own.map((use) => live.get(use.live_price_id)!.variant_id))]
  )));
}

function tellAfterCommit(deps: OffersDeps, tx: Tx, showId: string): void {
  afterCommit(tx, () => deps.platform.bus.publish(OFFERS_TOPIC, { showId } satisfies OffersChanged));
}

function isLive(row: LivePriceRow): boolean {
  return row.began_at !== null && row.ended_at === null;
}

function viewOf(row: LivePriceRow): LivePrice {
  return {
    id: row.id,
    showId: row.show_id,
    variantId: row.variant_id,
    productId: row.product_id,
    priceMinor: Number(row.price_minor),
    formerMinor: row.former_minor === null ? null : Number(row.former_minor),
    quota: row.quota,
    left: row.pieces_left,
    perPerson: row.per_person,
    state: row.ended_at !== null ? 'over' : row.began_at === null ? 'planned' : 'live',
  };
}
