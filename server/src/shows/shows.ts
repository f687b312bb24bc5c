/**
 * Live sales: planned, run, and over; their bag, what is on screen, what viewers ask for. Rules: README.md.
 *
 * Invariants: the state moves as `states.ts` says; at most one product is on screen; a number in the bag stays with its
 * product; a viewer counts once; a private show exists for members of its shop only.
 */
import type { Page } from '@nacre/contract/common';
import type {
  Show, ShowCreate, ShowFigures, ShowPatch, ShowQuery, ShowState, ShowTile,
} from '@nacre/contract/shows';
import type { Actor } from '../http/actor.ts';
import { PAGE_LIMIT_DEFAULT, pageOf } from '../lib/cursor.ts';
import { Refusal } from '../lib/refusal.ts';
import type { Tx } from '../platform/database.ts';
import { createPeriodic, type Periodic } from '../platform/periodic.ts';
import type { OrderFact } from '../orders/events.ts';
import { createBagReader } from './bag-numbers.ts';
import { createAnnouncements, type Announcements } from './announcements.ts';
import type { TeamChanged } from '../shops/events.ts';
import { createCounts, likesNow } from './counts.ts';
import { figuresOf, screensOf, type FiguresOfShow, type ScreenTime } from './figures.ts';
import { factsOf, type ShowFacts } from './found-facts.ts';
import * as found from './found-store.ts';
import { createGoodsFeed } from './goods-feed.ts';
import { putOut, stopRunning, stopShow } from './keeping.ts';
import { createTurns, finish, interruptLive, pictureDown, pictureUp, sweepAway } from './lifecycle.ts';
import { listShows, placeOf } from './listing.ts';
import { isMemberOf, ownShow, visibleShow, type Parts, type ShowsDeps } from './parts.ts';
import { issueStreamKey, patch, plan, setBag } from './planning.ts';
import {
  aside, explain, figures, like, noteBought, noteInterest, notePlaced, noteTakenBack, putOnScreen, takeBack,
  tellCounted, type NotedKind,
} from './running.ts';
import { isOpen, isRunning } from './states.ts';
import * as store from './store.ts';
import { hashStreamKey } from './stream-key.ts';
import { createStudioFeed } from './studio-feed.ts';
import { noteTeamChanged } from './team.ts';
import { bagOf, interestOf, showOf, tilesOf, type ViewDeps } from './view.ts';
import { showRoom } from '../realtime/channel.ts';

export type { FiguresOfShow, ShowsDeps };

/** Looks for hosts who stayed away. Shorter costs queries, longer ends shows late by as much. */
const SWEEP_EVERY_MS = 30_000;
/** Told of at a start. More than one server carries; fewer leaves some without figures until they move. */
const RUNNING_MOST = 2_000;

/** What others need to know of a show to decide something of their own. */
export interface ShowBrief {
  id: string;
  shopId: string;
  state: ShowState;
  /** The talk is open. */
  isRunning: boolean;
  /** Planned or running. */
  isOpen: boolean;
  /** The one who asks works in the show's shop. */
  isMember: boolean;
  /** And may run its shows: sits in the studio, speaks for the shop. */
  mayRun: boolean;
  /** And may keep the talk in order. */
  mayModerate: boolean;
}

/** Of a show, for orders. */
export interface BagNumbers {
  shopId: string;
  /** By product, removed ones included. */
  numbers: ReadonlyMap<string, number>;
}
/** What who joins starts from. */
export type RoomState = Pick<Show, 'state' | 'onScreenProductId' | 'likes' | 'bag' | 'livePrices' | 'coupons'>;

export interface Shows {
  // ---- the office; `personId` must be a member whose role includes it: `shows.not_found`, `shops.not_found`,
  // `shops.not_a_member`, `shops.not_allowed`

  /** @throws Refusal `shows.foreign_product`, `shows.bag_full`, `images.unknown`, `request.invalid` */
  plan(personId: string, shopId: string, input: ShowCreate): Promise<Show>;
  /** Changes what is given. @throws Refusal `shows.wrong_state`, `images.unknown`, `request.invalid` */
  patch(personId: string, showId: string, change: ShowPatch): Promise<Show>;
  /** Of a planned show. A repeat changes nothing. @throws Refusal `shows.wrong_state` */
  cancel(personId: string, showId: string): Promise<Show>;
  /** Of a running show: picture and sockets end too. A repeat changes nothing. @throws Refusal `shows.wrong_state` */
  end(personId: string, showId: string): Promise<Show>;
  /**
   * Makes the bag exactly these goods in this order, also live. Numbers stay with their products.
   * @throws Refusal `shows.wrong_state`, `shows.foreign_product`, `shows.bag_full`, `request.invalid`
   */
  setBag(personId: string, showId: string, productIds: readonly string[]): Promise<Show>;
  /** Null: nothing. A repeat changes nothing. @throws Refusal `shows.not_live`, `shows.not_in_bag` */
  putOnScreen(personId: string, showId: string, productId: string | null): Promise<Show>;
  /** A new key; the one before opens nothing any more and whoever publishes with it is cut. Told this once. */
  issueStreamKey(personId: string, showId: string, how?: { takeOver: boolean }): Promise<string>;
  /** @throws Refusal unless the person may run the show and it is not over */
  assertRuns(personId: string, showId: string): Promise<void>;
  figures(personId: string, showId: string): Promise<ShowFigures>;
  forOffice(personId: string, showId: string): Promise<Show>;
  /** Everything of the shop, the latest start first (with a state: in that list's order). */
  listForOffice(personId: string, shopId: string, query: ShowQuery): Promise<Page<ShowTile>>;

  // ---- viewers, guests included; a private show of another shop is `shows.not_found`

  /** Public shows: running ones newest first, planned ones next first, ended ones latest first. */
  list(query: ShowQuery): Promise<Page<ShowTile>>;
  get(actor: Actor, showId: string): Promise<Show>;
  /** For calendars and feeds. */
  announcements: Announcements;
  /**
   * Counted once per viewer until it is answered.
   * @returns how many wait. @throws Refusal `shows.not_live`, `shows.not_in_bag`
   */
  explain(actor: Actor, showId: string, productId: string): Promise<number>;
  /**
   * Counted once per viewer, product and kind; `bagged` also puts the product aside for the viewer.
   * @throws Refusal `shows.not_live`, `shows.not_in_bag`
   */
  noteInterest(actor: Actor, showId: string, productId: string, kind: NotedKind): Promise<void>;
  /** Products that the viewer has put aside in this show, as a person or as the guest they were before. */
  aside(actor: Actor, showId: string): Promise<string[]>;
  /** Ends that, also after the show. A repeat changes nothing, nor does it change what was counted. */
  takeBack(actor: Actor, showId: string, productId: string): Promise<void>;
  /** Adds likes, up to what one viewer may give in a minute. @returns the total. @throws Refusal `shows.not_live` */
  like(actor: Actor, showId: string, count: number): Promise<number>;

  // ---- other modules

  /** Of public shows that are not called off; the others are missing from the answer. */
  factsOf(ids: readonly string[]): Promise<ShowFacts[]>;
  /** Ids of shows in their order, on from an id; empty at the end. */
  idsAfter(last: string | null, limit: number): Promise<string[]>;
  /** The highest counts of viewers of all shows of each shop, added up. */
  viewersOfShops(shopIds: readonly string[]): Promise<Map<string, number>>;
  /**
   * What the show itself knows for its figures, for a member who may see them.
   * @throws Refusal `shows.not_found`, `shops.not_a_member`, `shops.not_allowed`
   */
  figuresOf(personId: string, showId: string): Promise<FiguresOfShow>;
  /** Shows that run, and since when; 2,000 at most. */
  running(): Promise<Array<{ showId: string; wentLiveAt: Date }>>;

  /** Those of the shows that everybody may know of, in any state. */
  publicTiles(showIds: readonly string[]): Promise<Map<string, ShowTile>>;
  /** @throws Refusal `shows.not_found` also when the actor may not know of it */
  brief(actor: Actor, showId: string): Promise<ShowBrief>;
  /**
   * The show that this key publishes to; null for an unknown or old key and for a show that is over.
   * @throws Refusal `moderation.suspended` when the shop may not go live
   */
  authorizeStreamKey(key: string): Promise<{ showId: string } | null>;
  /** Whether there is, or will be, a picture for this actor. */
  mayWatch(showId: string, actor: Actor): Promise<boolean>;
  /** Whether this actor may see what was recorded of the show, while it runs and when it is over. */
  mayReplay(showId: string, actor: Actor): Promise<boolean>;
  /** What was on screen, in order of time; `endedAt` null: still is. For other modules: it hides nothing. */
  screensOf(showId: string): Promise<ScreenTime[]>;
  /** The host's picture is there. */
  pictureUp(showId: string): Promise<void>;
  pictureDown(showId: string, reason: string): Promise<void>;
  /** What is on screen in each of the shows, in the transaction's view; ids without a show are missing. */
  screensNow(tx: Tx, showIds: readonly string[]): Promise<Map<string, store.ShowScreen>>;
  /** Shop and numbers of the goods, removed ones included; null for a show that this person may not know of. */
  bagNumbers(showId: string, personId: string): Promise<BagNumbers | null>;
  /** The shop that a show is of; null for a show that this person may not know of. */
  shopOf(showId: string, personId: string): Promise<string | null>;
  /** Null when there is no such show. For other modules: it hides nothing. */
  stateOf(showId: string): Promise<ShowState | null>;
  /** Whose it is and whether it runs; hides nothing either. */
  standing(showId: string): Promise<{
    shopId: string; isRunning: boolean; isDemo: boolean; wentLiveAt: Date | null; endedAt: Date | null;
  } | null>;
  /** State of the room for who joins; null when there is no such show. */
  roomState(showId: string): Promise<RoomState | null>;
  /** Whether this actor is kept out of the shop's shows. */
  isBanned(shopId: string, actor: Actor): Promise<boolean>;
  /** Whether anybody is kept out of this show. */
  hasBans(showId: string): Promise<boolean>;
  /** Ends the show, or cancels it, and cuts its picture. A repeat changes nothing. */
  stopShow(showId: string): Promise<void>;
  /** Ends what the shop has running. */
  stopRunning(shopId: string): Promise<void>;
  /** Puts out of rooms and picture whoever of these viewers may not be there any more. */
  putOut(shopId: string, names: readonly string[]): Promise<void>;
  /** Ids of nothing are missing. */
  titles(ids: readonly string[]): Promise<Map<string, string>>;
  /** Ids of the shop's shows that are planned or running. */
  openOf(shopId: string): Promise<string[]>;
  noteViewers(showId: string, viewers: number): void;
  noteBought(tx: Tx, paid: readonly OrderFact[]): Promise<void>;
  noteTakenBack(tx: Tx, order: OrderFact): Promise<void>;
  /** Orders were placed, of whichever shows. In the outbox's transaction: each is counted once. */
  notePlaced(tx: Tx, orders: readonly OrderFact[]): Promise<void>;
  noteFollowed(showId: string): void;
  /** Ends stream keys and places in the studio of whoever may not run the shop's shows any more. */
  noteTeamChanged(tx: Tx, fact: TeamChanged): Promise<void>;
  /** Ends shows whose host stayed away for two hours. @returns how many */
  sweep(): Promise<number>;
  /** Interrupts what was live when the server stopped; sweeps from now on. Before publishers are taken. */
  start(): Promise<void>;
  /** Writes what is not written yet. */
  stop(): Promise<void>;
}

export function createShows(deps: ShowsDeps): Shows {
  const { database } = deps.platform;
  const parts = createParts(deps);
  const inTurn = createTurns();
  const readBag = createBagReader({
    shows: (ids) => store.showsByIds(database.db, ids), items: (ids) => store.itemsOfShows(database.db, ids),
  });
  let sweeper: Periodic | null = null;

  const afterwards = async (personId: string, showId: string, work: Promise<unknown>): Promise<Show> => {
    await work;
    return forOffice(parts, personId, showId);
  };

  return {
    plan: async (personId, shopId, input) => forOffice(parts, personId, await plan(parts, personId, shopId, input)),
    patch: (personId, showId, change) => afterwards(personId, showId, patch(parts, personId, showId, change)),
    cancel: (personId, showId) => afterwards(personId, showId, finishOwn(parts, personId, showId, 'cancel')),
    end: (personId, showId) => afterwards(personId, showId, finishOwn(parts, personId, showId, 'end')),
    setBag: (personId, showId, ids) => afterwards(personId, showId, setBag(parts, personId, showId, ids)),
    putOnScreen: (personId, showId, id) => afterwards(personId, showId, putOnScreen(parts, personId, showId, id)),
    issueStreamKey: (personId, showId, how) => issueStreamKey(parts, personId, showId, how),
    async assertRuns(personId, showId) {
      const { state } = await ownShow(parts, showId, personId, 'show.run');
      if (!isOpen(state)) throw new Refusal('shows.wrong_state');
    },
    figures: (personId, showId) => figures(parts, personId, showId),
    forOffice: (personId, showId) => forOffice(parts, personId, showId),
    listForOffice: async (personId, shopId, query) => {
      await deps.shops.assertMay(personId, shopId, 'show.see');
      return list(parts, { ...query, shopId }, true);
    },
    list: (query) => list(parts, query, false),
    announcements: createAnnouncements(parts),
    get: async (actor, showId) => showOf(parts.view, await visibleShow(parts, showId, actor)),
    explain: (actor, showId, productId) => explain(parts, actor, showId, productId),
    noteInterest: (actor, showId, productId, kind) => noteInterest(parts, actor, showId, productId, kind),
    aside: (actor, showId) => aside(parts, actor, showId),
    takeBack: (actor, showId, productId) => takeBack(parts, actor, showId, productId),
    like: (actor, showId, count) => like(parts, actor, showId, count),
    factsOf: (ids) => factsOf(parts.view.db, ids),
    idsAfter: (last, limit) => found.showIdsAfter(parts.view.db, last, limit),
    viewersOfShops: (shopIds) => found.viewersOfShops(parts.view.db, shopIds),
    figuresOf: (personId, showId) => figuresOf(parts, personId, showId),
    running: () => store.runningShows(deps.platform.database.db, RUNNING_MOST),
    publicTiles: async (showIds) => {
      const rows = await store.publicShows(database.db, showIds);
      return new Map((await tilesOf(parts.view, rows)).map((tile) => [tile.id, tile]));
    },
    brief: (actor, showId) => brief(parts, actor, showId),
    authorizeStreamKey: (key) => authorizeStreamKey(parts, key),
    mayWatch: async (showId, actor) => (await seenShow(parts, showId, actor, isOpen)) !== null,
    mayReplay: (showId, actor) => mayReplay(parts, showId, actor),
    screensOf: (showId) => screensOf(parts, showId),
    pictureUp: (showId) => inTurn(showId, () => pictureUp(parts, showId)),
    pictureDown: (showId, reason) => inTurn(showId, () => pictureDown(parts, showId, reason)),
    screensNow: store.screensNow,
    bagNumbers: (showId, personId) => bagNumbers(parts, readBag, showId, personId),
    shopOf: async (showId, personId) => (await findVisible(parts, showId, personId))?.shop_id ?? null,
    stateOf: async (showId) => (await store.findShow(parts.view.db, showId))?.state ?? null,
    async standing(showId) {
      const show = await store.findShow(parts.view.db, showId);
      if (show === null) return null;
      const { shop_id: shopId, state, is_demo: isDemo, went_live_at: wentLiveAt, ended_at: endedAt } = show;
      return { shopId, isRunning: isRunning(state), isDemo, wentLiveAt, endedAt };
    },
    roomState: (showId) => roomState(parts, showId),
    isBanned: deps.guard.isBanned,
    hasBans: async (showId) => {
      const show = await store.findShow(parts.view.db, showId);
      return show !== null && deps.guard.hasBans(show.shop_id);
    },
    stopShow: (showId) => stopShow(parts, showId),
    stopRunning: (shopId) => stopRunning(parts, shopId),
    putOut: (shopId, names) => putOut(parts, shopId, names),
    titles: (ids) => store.titlesOf(parts.view.db, ids),
    openOf: (shopId) => store.openShowsOf(parts.view.db, shopId),
    noteViewers: (showId, viewers) => parts.counts.sawViewers(showId, viewers),
    noteBought: (tx, paid) => noteBought(parts, tx, paid),
    noteTakenBack: (tx, order) => noteTakenBack(parts, tx, order),
    notePlaced: (tx, orders) => notePlaced(parts, tx, orders),
    noteFollowed: (showId) => parts.studio.markFollowers(showId),
    noteTeamChanged: (tx, fact) => noteTeamChanged(parts, tx, fact),
    sweep: () => sweepAway(parts),
    async start() {
      await interruptLive(parts);
      sweeper = createPeriodic({
        name: 'shows.away', everyMs: SWEEP_EVERY_MS, log: deps.platform.log,
        work: async () => void (await sweepAway(parts)),
      });
    },
    async stop() {
      await sweeper?.stop();
      await Promise.all([parts.goods.stop(), parts.studio.stop(), parts.counts.stop()]);
    },
  };
}

function createParts(deps: ShowsDeps): Parts {
  const { database, bus, clock, log } = deps.platform;
  const counts = createCounts({
    clock,
    log,
    write: (showId, likes, peakViewers) => store.addCounts(database.db, showId, likes, peakViewers),
    onLikes(showId, total, added) {
      deps.channel.publish(showRoom(showId), { type: 'likes', total });
      tellCounted(deps, { showId, what: 'liked', count: added });
    },
  });
  const studio = createStudioFeed({
    channel: deps.channel,
    log,
    interest: async (showId, productIds) => {
      const items = await store.itemsOf(database.db, showId);
      return items.filter((item) => productIds.has(item.product_id)).map(interestOf);
    },
    newFollowers: deps.newFollowersOf,
    sales: (showId) => store.salesOf(database.db, showId),
  });
  const view: ViewDeps = {
    replayLengthsOf: deps.replayLengthsOf,
    db: database.db,
    channel: deps.channel,
    shops: deps.shops,
    catalog: deps.catalog,
    images: deps.images,
    livePricesOf: deps.livePricesOf,
    couponsOf: deps.couponsOf,
    pending: counts.pending,
  };
  const goods = createGoodsFeed({
    bus,
    channel: deps.channel,
    log,
    openShowsWith: (productIds) => store.openShowsWith(database.db, productIds),
    productsByIds: deps.catalog.productsByIds,
    bagOfShow: async (showId) => {
      const show = await store.findShow(database.db, showId);
      return show === null ? [] : bagOf(view, show);
    },
  });
  return { ...deps, counts, studio, goods, view };
}

async function forOffice(parts: Parts, personId: string, showId: string): Promise<Show> {
  return showOf(parts.view, await ownShow(parts, showId, personId, 'show.see'));
}

async function finishOwn(parts: Parts, personId: string, showId: string, step: 'end' | 'cancel'): Promise<void> {
  await ownShow(parts, showId, personId, step === 'end' ? 'show.run' : 'show.plan');
  await finish(parts, showId, step);
  await parts.counts.flush();
}

async function list(parts: Parts, query: ShowQuery, forOffice: boolean): Promise<Page<ShowTile>> {
  const rows = await listShows(parts.view.db, query, forOffice, parts.platform.clock.now());
  const limit = query.limit ?? PAGE_LIMIT_DEFAULT;
  const tiles = new Map((await tilesOf(parts.view, rows.slice(0, limit))).map((tile) => [tile.id, tile]));
  return pageOf(rows, limit, (row) => placeOf(row, query.state), (row) => {
    const tile = tiles.get(row.id);
    if (tile === undefined) throw new Error(`show ${row.id} has no tile`);
    return tile;
  });
}

async function brief(parts: Parts, actor: Actor, showId: string): Promise<ShowBrief> {
  const show = await store.findShow(parts.view.db, showId);
  if (show === null) throw new Refusal('shows.not_found');
  const isMember = await isMemberOf(parts, show, actor);
  if (show.visibility === 'private' && !isMember) throw new Refusal('shows.not_found');
  const may = async (right: 'show.run' | 'talk.moderate') => (
    isMember && actor.kind === 'person' && parts.shops.may(actor.personId, show.shop_id, right)
  );
  const [mayRun, mayModerate] = await Promise.all([may('show.run'), may('talk.moderate')]);
  return {
    id: show.id, shopId: show.shop_id, state: show.state, isRunning: isRunning(show.state),
    isOpen: isOpen(show.state), isMember, mayRun, mayModerate,
  };
}

async function authorizeStreamKey(parts: Parts, key: string): Promise<{ showId: string } | null> {
  const hash = hashStreamKey(key);
  const showId = hash === null ? null : await store.showOfKey(parts.view.db, hash);
  const show = showId === null ? null : await store.findShow(parts.view.db, showId);
  if (show === null) return null;
  if (await parts.guard.isSuspended(show.shop_id)) throw new Refusal('moderation.suspended');
  return { showId: show.id };
}

/** The show, when the actor may see it; null otherwise. */
async function seenShow(
  parts: Parts, showId: string, actor: Actor, isThere: (state: ShowState) => boolean,
): Promise<store.ShowRow | null> {
  if (!UUID.test(showId)) return null;
  const show = await store.findShow(parts.view.db, showId);
  if (show === null || !isThere(show.state) || await parts.guard.isBanned(show.shop_id, actor)) return null;
  return show.visibility === 'public' || (await isMemberOf(parts, show, actor)) ? show : null;
}

async function mayReplay(parts: Parts, showId: string, actor: Actor): Promise<boolean> {
  const show = await seenShow(parts, showId, actor, (state) => state !== 'cancelled');
  if (show === null) return false;
  if (!(await parts.guard.isStopped(showId))) return true;
  return (await isMemberOf(parts, show, actor)) || (actor.kind === 'person' && actor.isOperator);
}

/** PostgreSQL refuses other text with an error; a stranger's address bar may hold anything. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

async function findVisible(parts: Parts, showId: string, personId: string): Promise<store.ShowRow | null> {
  const show = await store.findShow(parts.view.db, showId);
  return show !== null && (await maySee(parts, show, personId)) ? show : null;
}

async function maySee(
  parts: Parts, show: Pick<store.ShowRow, 'visibility' | 'shop_id'>, personId: string,
): Promise<boolean> {
  return show.visibility === 'public' || parts.shops.isMember(personId, show.shop_id);
}

async function bagNumbers(
  parts: Parts, readBag: ReturnType<typeof createBagReader>, showId: string, personId: string,
): Promise<BagNumbers | null> {
  const bag = await readBag(showId);
  if (bag === null || !(await maySee(parts, bag.show, personId))) return null;
  return { shopId: bag.show.shop_id, numbers: bag.numbers };
}

async function roomState(
  parts: Parts, showId: string,
): Promise<RoomState | null> {
  const show = await store.findShow(parts.view.db, showId);
  if (show === null) return null;
  const [bag, onScreenProductId, livePrices, coupons] = await Promise.all([
    bagOf(parts.view, show), store.onScreenNow(parts.view.db, showId), parts.livePricesOf(showId),
    parts.couponsOf(showId),
  ]);
  const likes = likesNow(show.likes, parts.counts.pending(showId));
  return { state: show.state, onScreenProductId, likes, bag, livePrices, coupons };
}
