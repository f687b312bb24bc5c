/** What shows does when others report a fact. Runs in the outbox's transaction. */
import type { OrderFacts } from '../orders/events.ts';
import { afterCommit } from '../platform/database.ts';
import type { Outbox } from '../platform/outbox.ts';
import { TEAM_CHANGED_TOPIC, type TeamChanged } from '../shops/events.ts';
import type { Shows } from './shows.ts';

/** Registers them; before `outbox.start()`. */
export function showsReactions(
  outbox: Outbox,
  deps: { shows: Pick<Shows, 'noteBought' | 'noteTakenBack' | 'notePlaced' | 'noteFollowed' | 'noteTeamChanged'> },
): void {
  outbox.on('orders.paid', (tx, paid: OrderFacts['orders.paid']) => (
    deps.shows.noteBought(tx, 'orders' in paid ? paid.orders : [paid])
  ));
  outbox.on('orders.cancelled', (tx, order: OrderFacts['orders.cancelled']) => deps.shows.noteTakenBack(tx, order));
  outbox.on('orders.placed', (tx, placed: OrderFacts['orders.placed']) => (
    deps.shows.notePlaced(tx, 'orders' in placed ? placed.orders : [placed])
  ));
  outbox.on(TEAM_CHANGED_TOPIC, (tx, fact: TeamChanged) => deps.shows.noteTeamChanged(tx, fact));
  outbox.on('follows.followed', async (tx, fact: { shopId: string; showId: string | null }) => {
    const { showId } = fact;
    if (showId !== null) afterCommit(tx, () => deps.shows.noteFollowed(showId));
  });
}
