/** What offers does when a show's state changes, and what it tells the rooms. */
import type { LivePrice } from '@nacre/contract/offers';
import type { Bus } from '../platform/bus.ts';
import type { Log } from '../platform/log.ts';
import type { Outbox } from '../platform/outbox.ts';
import { createPaced } from '../platform/paced.ts';
import { showRoom, type Channel } from '../realtime/channel.ts';
import { SHOWS_CHANGED_TOPIC, type ShowsChanged } from '../shows/events.ts';
import { OFFERS_SET_TOPIC, OFFERS_TOPIC, type OfferSet, type OffersChanged } from './events.ts';
import type { Offers } from './offers.ts';

/** Notices of this time share one look. Shorter is a query per batch in a rush, longer is felt as delay. */
const LOOK_EVERY_MS = 250;
/** After a look that failed: the database is away, and each look in vain is a line of the log. */
const LOOK_AGAIN_MS = 1_000;

/** Registers them; before `outbox.start()`. */
export function offersReactions(outbox: Outbox, deps: { offers: Pick<Offers, 'settle'> }): void {
  outbox.on(SHOWS_CHANGED_TOPIC, (_tx, fact: ShowsChanged) => deps.offers.settle(fact.showId));
  outbox.on(OFFERS_SET_TOPIC, (_tx, fact: OfferSet) => deps.offers.settle(fact.showId));
}

export interface OffersFeedDeps {
  bus: Bus;
  channel: Pick<Channel, 'publish'>;
  log: Log;
  liveIn(showId: string): Promise<LivePrice[]>;
}

/**
 * Tells rooms which live prices there are now, all of them: one that is missing is over. Notices of two commits can
 * come in the wrong order, so a notice only says where to look.
 */
export function createOffersFeed(deps: OffersFeedDeps): { stop(): Promise<void> } {
  let changed = new Set<string>();
  let failed = false;
  const looks = createPaced({
    pauseMs: () => (failed ? LOOK_AGAIN_MS : LOOK_EVERY_MS), work: look, isDue: () => changed.size > 0,
  });

  async function look(): Promise<void> {
    const due = changed;
    changed = new Set();
    failed = false;
    for (const showId of due) {
      try {
        deps.channel.publish(showRoom(showId), { type: 'live-prices', items: await deps.liveIn(showId) });
      } catch (error) {
        deps.log.warn({ err: error, showId }, 'live prices could not be told to the room yet');
        changed.add(showId);
        failed = true;
      }
    }
  }

  const unsubscribe = deps.bus.subscribe(OFFERS_TOPIC, (told) => {
    changed.add((told as OffersChanged).showId);
    looks.wake();
  });

  return {
    async stop() {
      unsubscribe();
      await looks.stop();
    },
  };
}
