/**
 * Coupons: made by the shop, handed out by the host, claimed by people, taken off orders. Rules: README.md.
 *
 * Invariants: claims are never more than the quota, and one a person; a claim is with one order at most that is not
 * over. Locks coupons by id; or, in an order's transaction and after goods and live prices, claims by id.
 */
import type { Page, PageQuery } from '@nacre/contract/common';
import {
  COUPON_DAYS_MAX, COUPONS_MAX, type Coupon, type CouponLower, type CouponMake, type CouponValue, type OfficeCoupon,
  type OwnCoupon, type RoomCoupon,
} from '@nacre/contract/coupons';
import type { PersonActor } from '../http/actor.ts';
import { PAGE_LIMIT_DEFAULT, pageOf, readCursor } from '../lib/cursor.ts';
import { Refusal } from '../lib/refusal.ts';
import { createBatcher } from '../platform/batcher.ts';
import { afterCommit, type Tx } from '../platform/database.ts';
import { createClaiming, type Claiming } from './claiming.ts';
import { closedOf, stateOf } from './coupon-state.ts';
import * as store from './coupon-store.ts';
import type { ClaimUse, CouponRow, OwnRow } from './coupon-store.ts';
import { COUPONS_TOPIC, JOB_COUPON_BEGINS, type CouponsChanged } from './events.ts';
import type { OffersDeps } from './offers.ts';

/** In the office, over ones too: a year of a shop that makes four a week. */
const OFFICE_MAX = 200;
/** Of one person, good in the shops that they buy from just now; the page chooses among them. */
const OWN_MAX = 100;
/** Claims of one transaction, and those that wait: a hundred thousand viewers tap within seconds. */
const BATCH_MAX = 500;
const WAITING_MAX = 8_000;
const RETRY_AFTER_SECONDS = 2;

/** What an order must know of a claim, held until the transaction ends. */
export interface ClaimTerms {
  claimId: string;
  couponId: string;
  personId: string;
  shopId: string;
  name: string;
  value: CouponValue;
  validFrom: Date;
  validUntil: Date;
  /** The order that has it; null: none. */
  orderId: string | null;
}

export interface Coupons {
  /**
   * For a member who may set prices.
   * @throws Refusal `request.invalid` with the field; `shows.not_found`, `shows.wrong_state`, `coupons.too_many`,
   * `shops.*`
   */
  make(actor: PersonActor, shopId: string, input: CouponMake): Promise<OfficeCoupon>;
  /**
   * Fewer in all, for a member who may set prices.
   * @throws Refusal `coupons.not_found`, `coupons.over`, `coupons.only_lower`, `coupons.already_claimed` with
   * `{ claimed }`, `shops.*`
   */
  lower(actor: PersonActor, couponId: string, change: CouponLower): Promise<OfficeCoupon>;
  /** Nobody claims it any more; what is claimed stays good. A repeat changes nothing. @throws Refusal as `lower` */
  end(actor: PersonActor, couponId: string): Promise<OfficeCoupon>;
  /** The newest first, for who runs shows. @throws Refusal `shops.*` */
  listOfShop(actor: PersonActor, shopId: string): Promise<OfficeCoupon[]>;
  /**
   * Shows it on the picture of a show that runs, instead of another; null: none. For who runs the show.
   * @throws Refusal `shows.not_found`, `shows.not_live`, `coupons.not_found`, `coupons.early`, `coupons.over`,
   * `shops.*`
   */
  handOut(actor: PersonActor, showId: string, couponId: string | null): Promise<RoomCoupon[]>;
  /** Those that can be claimed in a show; none while it does not run. The caller knows who may see the show. */
  inShow(showId: string): Promise<RoomCoupon[]>;
  /** Those that can be claimed outside shows now. */
  openIn(shopId: string): Promise<Coupon[]>;
  /**
   * Claims it for good. A repeat, whenever it comes, answers the same.
   * @throws Refusal `coupons.not_found`, `coupons.all_claimed`, `coupons.early` with `{ validFrom }`, `coupons.over`,
   * `coupons.only_in_show`; `coupons.rush` when too many wait: nothing was tried
   */
  claim(actor: PersonActor, couponId: string): Promise<OwnCoupon>;
  /** One's own, the last claimed first. */
  listMine(personId: string, query: PageQuery): Promise<Page<OwnCoupon>>;
  /** One's own of these shops that are neither used nor over; what ends first comes first. */
  mineIn(personId: string, shopIds: readonly string[]): Promise<OwnCoupon[]>;
  /** The same of one shop, used ones too: nobody is offered again what they have had. */
  claimedIn(personId: string, shopId: string): Promise<OwnCoupon[]>;

  // ---- orders, in their transactions; goods and live prices are locked

  /** These claims, held; ids of none are missing. */
  lockClaims(tx: Tx, claimIds: readonly string[]): Promise<ClaimTerms[]>;
  /** Orders have these claims, which are held. */
  use(tx: Tx, uses: readonly ClaimUse[]): Promise<void>;
  /** These orders are over: the claims that they have are free again. */
  giveBack(tx: Tx, uses: readonly ClaimUse[]): Promise<void>;
}

export function createCoupons(deps: OffersDeps): Coupons {
  const { db } = deps.platform.database;
  const claim = createClaiming(deps, (tx, coupon) => tellAfterCommit(deps, tx, coupon));
  const claimer = createBatcher<Claiming, OwnCoupon>({
    async run(claimings) {
      const answers = await claim(claimings);
      const rows = answers.flatMap((answer) => (answer instanceof Refusal ? [] : [answer]));
      const views = new Map((await ownViews(deps, rows)).map((view) => [view.claimId, view]));
      return answers.map((answer) => (answer instanceof Refusal ? answer : views.get(answer.claim_id)!));
    },
    batchMax: BATCH_MAX,
    waitingMax: WAITING_MAX,
    full: () => new Refusal('coupons.rush', { retryAfterSeconds: RETRY_AFTER_SECONDS }),
  });
  return {
    make: (actor, shopId, input) => make(deps, actor, shopId, input),
    lower: (actor, id, change) => onOwn(deps, actor, id, (tx, row) => lower(deps, tx, row, change)),
    end: (actor, id) => onOwn(deps, actor, id, (tx, row) => end(deps, tx, row)),
    async listOfShop({ personId }, shopId) {
      await deps.shops.assertMay(personId, shopId, 'show.run');
      const rows = await store.ofShop(db, shopId, OFFICE_MAX);
      const used = await store.usedOf(db, rows.map(({ id }) => id));
      return rows.map((row) => officeView(deps, row, used.get(row.id) ?? 0));
    },
    handOut: (actor, showId, couponId) => handOut(deps, actor, showId, couponId),
    inShow: (showId) => inShow(deps, showId),
    async openIn(shopId) {
      const rows = await store.open(db, shopId, null, deps.platform.clock.now());
      return rows.filter(({ claimed, quota }) => claimed < quota).map(viewOf);
    },
    claim: (actor, couponId) => claimer.add({ couponId, personId: actor.personId, actor }),
    async listMine(personId, query) {
      const limit = query.limit ?? PAGE_LIMIT_DEFAULT;
      const rows = await store.listOwn(db, personId, readCursor(query.cursor), limit);
      const views = new Map((await ownViews(deps, rows.slice(0, limit))).map((view) => [view.claimId, view]));
      const key = (row: OwnRow) => ({ at: row.claimed_at, id: row.claim_id });
      return pageOf(rows, limit, key, (row) => views.get(row.claim_id)!);
    },
    mineIn: async (personId, shopIds) => (
      ownViews(deps, await store.ownIn(db, personId, shopIds, false, deps.platform.clock.now(), OWN_MAX))
    ),
    claimedIn: async (personId, shopId) => (
      ownViews(deps, await store.ownIn(db, personId, [shopId], true, deps.platform.clock.now(), OWN_MAX))
    ),
    lockClaims: async (tx, claimIds) => (
      claimIds.length === 0 ? [] : (await store.lockClaims(tx, claimIds)).map(termsOf)
    ),
    use: async (tx, uses) => {
      if (uses.length > 0) await store.use(tx, uses);
    },
    async giveBack(tx, uses) {
      if (uses.length === 0) return;
      await store.lockClaims(tx, uses.map(({ claimId }) => claimId));
      await store.giveBack(tx, uses);
    },
  };
}

async function make(deps: OffersDeps, actor: PersonActor, shopId: string, input: CouponMake): Promise<OfficeCoupon> {
  const { database, clock, newId } = deps.platform;
  await deps.shops.assertMay(actor.personId, shopId, 'goods.edit');
  const now = clock.now();
  const { validFrom, validUntil } = readTerms(input, now);
  if (input.showId !== null) {
    const show = await deps.shows.brief(actor, input.showId);
    if (show.shopId !== shopId) throw new Refusal('shows.not_found');
    if (!show.isOpen) throw new Refusal('shows.wrong_state', { details: { state: show.state } });
  }
  const { productIds } = input;
  if (productIds !== null) {
    const known = await deps.catalog.productsByIds(productIds);
    if (productIds.some((id) => known.get(id)?.shopId !== shopId)) throw invalid('productIds');
  }
  const { currency } = await deps.shops.byId(shopId);
  const minor = (amount: number | null) => (amount === null ? null : BigInt(amount));
  const row = await database.transaction(async (tx) => {
    await store.lockMaking(tx, shopId);
    if ((await store.countNotOver(tx, shopId, now)) >= COUPONS_MAX) {
      throw new Refusal('coupons.too_many', { details: { most: COUPONS_MAX } });
    }
    const made = await store.insert(tx, {
      id: newId(), shop_id: shopId, show_id: input.showId, name: input.name.trim(), currency,
      amount_minor: minor(input.amountMinor), percent: input.percent, most_minor: minor(input.mostMinor),
      minimum_minor: BigInt(input.minimumMinor), product_ids: productIds === null ? null : [...productIds],
      quota: input.quota, valid_from: validFrom, valid_until: validUntil, made_by: actor.personId, made_at: now,
    });
    tellAfterCommit(deps, tx, made);
    if (validFrom > now) await deps.jobs.add(tx, JOB_COUPON_BEGINS, { ...changeOf(made) }, validFrom);
    return made;
  });
  return officeView(deps, row, 0);
}

const invalid = (field: string) => new Refusal('request.invalid', { details: { field } });

/** @throws Refusal `request.invalid` */
function readTerms(input: CouponMake, now: Date): { validFrom: Date; validUntil: Date } {
  const validFrom = new Date(input.validFrom);
  const validUntil = new Date(input.validUntil);
  const latest = now.getTime() + COUPON_DAYS_MAX * 24 * 3_600_000;
  if ((input.amountMinor === null) === (input.percent === null)) throw invalid('amountMinor');
  if (input.mostMinor !== null && input.percent === null) throw invalid('mostMinor');
  if (validUntil <= validFrom || validUntil <= now || validUntil.getTime() > latest) throw invalid('validUntil');
  return { validFrom, validUntil };
}

/** For who may set prices: the coupon is held, and what the verb makes of it is the answer. */
async function onOwn(
  deps: OffersDeps, actor: PersonActor, id: string, verb: (tx: Tx, row: CouponRow) => Promise<CouponRow>,
): Promise<OfficeCoupon> {
  const { database } = deps.platform;
  const known = await store.find(database.db, id);
  if (known === undefined) throw new Refusal('coupons.not_found');
  await deps.shops.assertMay(actor.personId, known.shop_id, 'goods.edit');
  return database.transaction(async (tx) => {
    const [row] = await store.lock(tx, [id]);
    const after = await verb(tx, row!);
    return officeView(deps, after, (await store.usedOf(tx, [id])).get(id) ?? 0);
  });
}

async function lower(deps: OffersDeps, tx: Tx, row: CouponRow, { quota }: CouponLower): Promise<CouponRow> {
  if (stateOf(row, deps.platform.clock.now()) === 'over') throw new Refusal('coupons.over');
  if (quota > row.quota) throw new Refusal('coupons.only_lower');
  if (quota < row.claimed) throw new Refusal('coupons.already_claimed', { details: { claimed: row.claimed } });
  tellAfterCommit(deps, tx, row);
  return store.update(tx, row.id, { quota });
}

async function end(deps: OffersDeps, tx: Tx, row: CouponRow): Promise<CouponRow> {
  if (row.ended_at !== null) return row;
  tellAfterCommit(deps, tx, row);
  return store.update(tx, row.id, { ended_at: deps.platform.clock.now() });
}

async function handOut(
  deps: OffersDeps, actor: PersonActor, showId: string, couponId: string | null,
): Promise<RoomCoupon[]> {
  const { database, clock } = deps.platform;
  const show = await deps.shows.brief(actor, showId);
  await deps.shops.assertMay(actor.personId, show.shopId, 'show.run');
  if (couponId !== null) {
    if (!show.isRunning) throw new Refusal('shows.not_live');
    const coupon = await store.find(database.db, couponId);
    const isFromHere = coupon?.shop_id === show.shopId && (coupon.show_id ?? showId) === showId;
    if (coupon === undefined || !isFromHere) throw new Refusal('coupons.not_found');
    const closed = closedOf(coupon, clock.now());
    if (closed !== null) throw closed;
  }
  await database.transaction(async (tx) => {
    await (couponId === null ? store.takeBackHanding(tx, showId) : store.handOut(tx, showId, couponId, clock.now()));
    tellAfterCommit(deps, tx, { shop_id: show.shopId, show_id: showId });
  });
  return inShow(deps, showId);
}

async function inShow(deps: OffersDeps, showId: string): Promise<RoomCoupon[]> {
  const { database: { db }, clock } = deps.platform;
  const show = await deps.shows.standing(showId);
  if (show === null || !show.isRunning) return [];
  const [rows, handed] = await Promise.all([
    store.open(db, show.shopId, showId, clock.now()), store.handedOutIn(db, showId),
  ]);
  return rows.map((row) => ({
    ...viewOf(row), handedOutAt: handed?.coupon_id === row.id ? handed.handed_at.toISOString() : null,
  }));
}

type Place = Pick<CouponRow, 'shop_id' | 'show_id'>;

const changeOf = ({ shop_id, show_id }: Place): CouponsChanged => ({ shopId: shop_id, showId: show_id });

function tellAfterCommit(deps: OffersDeps, tx: Tx, place: Place): void {
  afterCommit(tx, () => deps.platform.bus.publish(COUPONS_TOPIC, changeOf(place)));
}

// ---- views -------------------------------------------------------------------------------------------------------

const numberOf = (amount: bigint | null): number | null => (amount === null ? null : Number(amount));

function valueOf(row: CouponRow): CouponValue {
  return {
    amountMinor: numberOf(row.amount_minor), percent: row.percent, mostMinor: numberOf(row.most_minor),
    minimumMinor: Number(row.minimum_minor), productIds: row.product_ids,
  };
}

function viewOf(row: CouponRow): Coupon {
  return {
    id: row.id, shopId: row.shop_id, showId: row.show_id, name: row.name, ...valueOf(row), currency: row.currency,
    left: row.quota - row.claimed, validFrom: row.valid_from.toISOString(), validUntil: row.valid_until.toISOString(),
  };
}

function officeView(deps: OffersDeps, row: CouponRow, used: number): OfficeCoupon {
  const state = stateOf(row, deps.platform.clock.now());
  return { ...viewOf(row), state, quota: row.quota, claimed: row.claimed, used };
}

async function ownViews(deps: OffersDeps, rows: readonly OwnRow[]): Promise<OwnCoupon[]> {
  const shops = await deps.shops.refs([...new Set(rows.map((row) => row.shop_id))]);
  const now = deps.platform.clock.now();
  return rows.map((row) => ({
    claimId: row.claim_id, claimedAt: row.claimed_at.toISOString(), coupon: viewOf(row), shop: shops.get(row.shop_id)!,
    state: row.order_id !== null ? 'used' : row.valid_until <= now ? 'over' : row.valid_from > now ? 'early' : 'good',
    orderId: row.order_id,
  }));
}

function termsOf(row: OwnRow): ClaimTerms {
  return {
    claimId: row.claim_id, couponId: row.id, personId: row.person_id, shopId: row.shop_id, name: row.name,
    value: valueOf(row), validFrom: row.valid_from, validUntil: row.valid_until, orderId: row.order_id,
  };
}
