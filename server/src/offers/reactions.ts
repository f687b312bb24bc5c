/** What offers does when a show's state changes, and what it tells the rooms. */
import type { RoomCoupon } from '@nacre/contract/coupons';
import type { LivePrice } from '@nacre/contract/offers';
import type { Bus } from '../platform/bus.ts';
import type { Log } from '../platform/log.ts';
import type { Jobs } from '../platform/jobs.ts';
import { createPaced } from '../platform/paced.ts';
import type { Platform } from '../platform/platform.ts';
import { showRoom, type Channel } from '../realtime/channel.ts';
import { SHOWS_CHANGED_TOPIC, STATE_TOPIC, type ShowsChanged, type ShowStateChanged } from '../shows/events.ts';
import {
  COUPONS_TOPIC, JOB_COUPON_BEGINS, OFFERS_SET_TOPIC, OFFERS_TOPIC, type CouponsChanged, type OfferSet,
  type OffersChanged,
} from './events.ts';
import type { Offers } from './offers.ts';

/** Notices of this time share one look. Shorter is a query per batch in a rush, longer is felt as delay. */
const LOOK_EVERY_MS = 250;
/** After a look that failed: the database is away, and each look in vain is a line of the log. */
const LOOK_AGAIN_MS = 1_000;

/** Registers them; before `outbox.start()` and `jobs.start()`. */
export function offersReactions(
  { outbox, bus }: Pick<Platform, 'outbox' | 'bus'>, jobs: Pick<Jobs, 'on'>, deps: { offers: Pick<Offers, 'settle'> },
): void {
  outbox.on(SHOWS_CHANGED_TOPIC, (_tx, fact: ShowsChanged) => deps.offers.settle(fact.showId));
  outbox.on(OFFERS_SET_TOPIC, (_tx, fact: OfferSet) => deps.offers.settle(fact.showId));
  jobs.on(JOB_COUPON_BEGINS, async (change: CouponsChanged) => bus.publish(COUPONS_TOPIC, change));
}

interface RoomFeedDeps {
  bus: Bus;
  channel: Pick<Channel, 'publish'>;
  log: Log;
}

export interface Feed {
  stop(): Promise<void>;
}

export interface OffersFeedDeps extends RoomFeedDeps {
  liveIn(showId: string): Promise<LivePrice[]>;
}

/**
 * Tells rooms which live prices there are now, all of them: one that is missing is over. Notices of two commits can
 * come in the wrong order, so a notice only says where to look.
 */
export function createOffersFeed({ bus, channel, log, liveIn }: OffersFeedDeps): Feed {
  const looks = createLooks(log, async (showId) => {
    channel.publish(showRoom(showId), { type: 'live-prices', items: await liveIn(showId) });
  });
  const unsubscribe = bus.subscribe(OFFERS_TOPIC, (told) => looks.note((told as OffersChanged).showId));
  return stopping([unsubscribe], looks);
}

export interface CouponsFeedDeps extends RoomFeedDeps {
  inShow(showId: string): Promise<RoomCoupon[]>;
  /** Planned and running ones. */
  openShowsOf(shopId: string): Promise<string[]>;
}

/** The same of coupons: what changed for a whole shop is looked at in each of its shows. */
export function createCouponsFeed({ bus, channel, log, inShow, openShowsOf }: CouponsFeedDeps): Feed {
  const rooms = createLooks(log, async (showId) => {
    channel.publish(showRoom(showId), { type: 'coupons', items: await inShow(showId) });
  });
  const shops = createLooks(log, async (shopId) => {
    for (const showId of await openShowsOf(shopId)) rooms.note(showId);
  });
  return stopping([
    bus.subscribe(COUPONS_TOPIC, (told) => {
      const { shopId, showId } = told as CouponsChanged;
      if (showId === null) shops.note(shopId);
      else rooms.note(showId);
    }),
    bus.subscribe(STATE_TOPIC, (told) => rooms.note((told as ShowStateChanged).showId)),
  ], shops, rooms);
}

/** What is noted, however often, is looked at once in a while; again when that failed. */
function createLooks(log: Log, look: (id: string) => Promise<void>) {
  let noted = new Set<string>();
  let failed = false;
  const paced = createPaced({
    pauseMs: () => (failed ? LOOK_AGAIN_MS : LOOK_EVERY_MS),
    isDue: () => noted.size > 0,
    async work() {
      const due = noted;
      noted = new Set();
      failed = false;
      for (const id of due) {
        try {
          await look(id);
        } catch (error) {
          log.warn({ err: error, id }, 'what is offered could not be told to the room yet');
          noted.add(id);
          failed = true;
        }
      }
    },
  });
  return {
    note(id: string): void {
      noted.add(id);
      paced.wake();
    },
    stop: paced.stop,
  };
}

type Looks = ReturnType<typeof createLooks>;

/** The looks stop one after the other: an earlier one may still wake a later. */
function stopping(unsubscribes: ReadonlyArray<() => void>, ...looks: Looks[]): Feed {
  return {
    async stop() {
      for (const unsubscribe of unsubscribes) unsubscribe();
      for (const { stop } of looks) await stop();
    },
  };
}
