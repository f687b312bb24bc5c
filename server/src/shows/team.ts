/** What becomes of shows when somebody in the shop's team may do less than before. */
import { afterCommit, type Tx } from '../platform/database.ts';
import { showRoom, studioRoom } from '../realtime/channel.ts';
import type { TeamChanged } from '../shops/events.ts';
import type { Parts } from './parts.ts';
import * as store from './store.ts';

/**
 * Whoever may not run the shows any more holds no stream key: it ends, and who publishes with it is cut. Rooms that are
 * open to members only ask anew who may be there. Runs in the outbox's transaction.
 */
export async function noteTeamChanged(parts: Parts, tx: Tx, fact: TeamChanged): Promise<void> {
  const { clock, database, log } = parts.platform;
  const cut = fact.mayRunShows ? [] : await store.dropStreamKeys(tx, fact.shopId, fact.personId, clock.now());
  afterCommit(tx, () => {
    const work = async () => {
      await Promise.all(cut.map((showId) => parts.video.dropPublisher(showId)));
      for (const showId of await store.openShowsOf(database.db, fact.shopId)) {
        await parts.channel.recheck(studioRoom(showId));
        await parts.channel.recheck(showRoom(showId));
      }
    };
    work().catch((error: unknown) => log.warn({ err: error, shopId: fact.shopId }, 'rooms were not asked anew'));
  });
}
