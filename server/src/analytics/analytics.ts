/**
 * A show's figures, minute by minute. Rules: README.md; how each is counted: docs/figures.md.
 *
 * Invariants: orders and money are what orders told, exactly; who is there is counted by the server, never told by a
 * page; what is counted as it happens is written every few seconds and at the stop.
 */
import type { ShowMinutes, VisitBody } from '@nacre/contract/analytics';
import type { Product } from '@nacre/contract/catalog';
import { SAID_TOPIC, type Said } from '../chat/events.ts';
import { viewerOf, type Actor } from '../http/actor.ts';
import { Refusal } from '../lib/refusal.ts';
import type { OrderFact } from '../orders/events.ts';
import type { Tx } from '../platform/database.ts';
import { createPeriodic } from '../platform/periodic.ts';
import type { Platform } from '../platform/platform.ts';
import { readRoom, showRoom } from '../realtime/channel.ts';
import { COUNTED_TOPIC, STATE_TOPIC, type ShowCounted, type ShowStateChanged } from '../shows/events.ts';
import { countries } from './countries.ts';
import { readMinutes, type ShowKnown } from './reading.ts';
import * as store from './store.ts';
import type { VisitTold } from './store.ts';
import { createTracker, type Countable, type Tracker } from './tracker.ts';

export interface AnalyticsDeps {
  platform: Platform;
  /** For a member who may see figures. @throws Refusal as `shows.figuresOf` */
  showFor(personId: string, showId: string): Promise<ShowKnown>;
  /** Whether this viewer may know of the show, and its state. @throws Refusal `shows.not_found` */
  stateFor(actor: Actor, showId: string): Promise<{ state: ShowKnown['state'] }>;
  runningShows(): Promise<Array<{ showId: string; wentLiveAt: Date }>>;
  productsByIds(ids: readonly string[]): Promise<Map<string, Product>>;
  /** Names of the viewers in a room (`viewerOf`). */
  viewersIn(room: string): string[];
}

export interface Analytics {
  /** @throws Refusal `shows.not_found`, `shops.not_a_member`, `shops.not_allowed` */
  minutes(personId: string, showId: string, from?: number): Promise<ShowMinutes>;
  /**
   * How a viewer came, and from which country; the first telling counts.
   * @throws Refusal `shows.not_found`, `shows.not_live` for one that is over
   */
  noteVisit(actor: Actor, showId: string, visit: VisitBody, browser: Browser): Promise<void>;
  /** A viewer's first tab is in the room, or the last one has gone. */
  notePresence(room: string, viewer: string, isHere: boolean): void;
  noteOrders(tx: Tx, orders: readonly OrderFact[], isPaid: boolean): Promise<void>;
  /** An order that was paid is cancelled. */
  noteCancelled(tx: Tx, order: OrderFact): Promise<void>;
  noteFollowed(tx: Tx, showId: string, personId: string): Promise<void>;
  /** Likes of each minute of the show, from its first on, a day at most. For other modules: it hides nothing. */
  likesByMinute(showId: string): Promise<number[]>;
  /** Writes what waits. */
  flush(): Promise<void>;
  /** Follows what runs already; visits that a killed server left open end. */
  start(): Promise<void>;
  /** Writes what waits and follows nothing any more. */
  stop(): Promise<void>;
}

/** What the browser says of itself with every request. */
export interface Browser {
  /** IANA name, from the page's cookie. */
  timeZone: string | undefined;
  acceptLanguage: string | undefined;
}

/** Of one show. */
const MINUTES_MOST = 1_440;
/** Statistics that a killed server loses. Shorter is more writes, longer feels dead to a host who looks. */
const FLUSH_EVERY_MS = 2_000;
/** Viewers coming and going that one flush writes. Fewer lags in a rush, more is a statement that takes long. */
const MOVES_PER_FLUSH = 10_000;
/** Told and not written yet. What is over is left out: how somebody came is worth less than the server. */
const TOLD_MAX = 50_000;

const COUNTABLE: Partial<Record<ShowCounted['what'], Countable>> = {
  card_opened: 'cardsOpened', sheet_opened: 'sheetsOpened', explained: 'explains', liked: 'likes',
};

export function createAnalytics(deps: AnalyticsDeps): Analytics {
  const { database, clock, log } = deps.platform;
  const tracker = createTracker();
  const nowMs = (): number => clock.now().getTime();
  let told: VisitTold[] = [];
  let flushing: Promise<void> = Promise.resolve();
  const unsubscribe = listen(deps, tracker);

  async function write(): Promise<void> {
    const taken = tracker.take(nowMs(), MOVES_PER_FLUSH);
    const visits = told;
    told = [];
    if (taken.minutes.length + taken.moves.length + visits.length === 0) return;
    try {
      await database.transaction(async (tx) => {
        await store.addMinutes(tx, taken.minutes, clock.now());
        await store.addMoves(tx, taken.moves);
        await store.addTold(tx, firstOf(visits));
      });
    } catch (error) {
      tracker.giveBack(taken);
      told = [...visits, ...told].slice(0, TOLD_MAX);
      log.warn({ err: error }, 'figures could not be written; they are kept and tried again');
    }
  }
  const flush = (): Promise<void> => {
    flushing = flushing.then(write);
    return flushing;
  };
  const periodic = createPeriodic({ name: 'analytics.flush', everyMs: FLUSH_EVERY_MS, work: flush, log });

  return {
    flush,
    async minutes(personId, showId, from = 0) {
      const show = await deps.showFor(personId, showId);
      return readMinutes({ db: database.db, now: () => clock.now(), productsByIds: deps.productsByIds }, show, from);
    },
    async likesByMinute(showId) {
      const likes = await store.likesOf(database.db, showId);
      const minutes = Math.min(MINUTES_MOST, Math.max(-1, ...likes.keys()) + 1);
      return Array.from({ length: minutes }, (_, minute) => likes.get(minute) ?? 0);
    },
    async noteVisit(actor, showId, { source, host }, { timeZone, acceptLanguage }) {
      const { state } = await deps.stateFor(actor, showId);
      if (state === 'ended' || state === 'cancelled') throw new Refusal('shows.not_live');
      const countryOf = await countries();
      if (told.length >= TOLD_MAX) return;
      told.push({
        showId, viewer: viewerOf(actor), source,
        host: source === 'other-site' ? host ?? null : null,
        country: countryOf(timeZone, acceptLanguage),
      });
    },
    notePresence(room, viewer, isHere) {
      const place = readRoom(room);
      if (place?.kind !== 'show') return;
      if (isHere) tracker.enter(place.showId, viewer, nowMs());
      else tracker.leave(place.showId, viewer, nowMs());
    },
    async noteOrders(tx, orders, isPaid) {
      const now = clock.now();
      await store.noteOrders(tx, orders.flatMap((order) => notedOf(order, now, isPaid)));
    },
    async noteCancelled(tx, order) {
      const now = clock.now();
      await store.noteOrders(tx, notedOf(order, now, true).map((noted) => ({ ...noted, takenBackAt: now })));
    },
    noteFollowed: (tx, showId, personId) => store.noteFollowed(tx, showId, `person/${personId}`, clock.now()),
    async start() {
      await store.closeLeftOpen(database.db);
      for (const { showId, wentLiveAt } of await deps.runningShows()) {
        tracker.run(showId, wentLiveAt.getTime(), nowMs(), deps.viewersIn(showRoom(showId)));
      }
    },
    async stop() {
      for (const end of unsubscribe) end();
      await periodic.stop();
      await flush();
    },
  };
}

/** None outside a show. */
function notedOf(order: OrderFact, now: Date, isPaid: boolean): store.NotedOrder[] {
  if (order.showId === null) return [];
  return [{
    orderId: order.orderId,
    showId: order.showId,
    goodsMinor: order.goodsMinor ?? order.totalMinor,
    lines: order.lines,
    placedAt: order.placedAt === undefined ? now : new Date(order.placedAt),
    paidAt: isPaid ? new Date(order.paidAt ?? now) : null,
    takenBackAt: null,
  }];
}

/** The first telling of each viewer: one statement cannot touch a row twice. */
function firstOf(told: readonly VisitTold[]): VisitTold[] {
  const first = new Map<string, VisitTold>();
  for (const visit of told) {
    const key = `${visit.showId} ${visit.viewer}`;
    if (!first.has(key)) first.set(key, visit);
  }
  return [...first.values()];
}

function listen({ platform, viewersIn }: AnalyticsDeps, tracker: Tracker): Array<() => void> {
  const { bus, clock } = platform;
  const nowMs = (): number => clock.now().getTime();
  return [
    bus.subscribe(STATE_TOPIC, (message) => {
      const { showId, state, wentLiveAt, at } = message as ShowStateChanged;
      if (state === 'live' && wentLiveAt !== null) {
        tracker.run(showId, Date.parse(wentLiveAt), Date.parse(at), viewersIn(showRoom(showId)));
      } else if (state === 'ended') tracker.end(showId, Date.parse(at));
    }),
    bus.subscribe(COUNTED_TOPIC, (message) => {
      const { showId, what, count } = message as ShowCounted;
      const countable = COUNTABLE[what];
      if (countable !== undefined) tracker.count(showId, countable, count, nowMs());
    }),
    bus.subscribe(SAID_TOPIC, (message) => tracker.count((message as Said).showId, 'chats', 1, nowMs())),
  ];
}
