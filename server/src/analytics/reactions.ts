/** What analytics does when others report a fact. Each may be told twice and counts once. */
import { FOLLOWED_TOPIC, type Followed } from '../follows/events.ts';
import type { OrderFacts } from '../orders/events.ts';
import type { Outbox } from '../platform/outbox.ts';
import type { Analytics } from './analytics.ts';

/** Registers them; before `outbox.start()`. */
export function analyticsReactions(
  outbox: Outbox, deps: { analytics: Pick<Analytics, 'noteOrders' | 'noteCancelled' | 'noteFollowed'> },
): void {
  const { analytics } = deps;
  outbox.on('orders.placed', (tx, placed: OrderFacts['orders.placed']) => (
    analytics.noteOrders(tx, 'orders' in placed ? placed.orders : [placed], false)
  ));
  outbox.on('orders.paid', (tx, paid: OrderFacts['orders.paid']) => (
    analytics.noteOrders(tx, 'orders' in paid ? paid.orders : [paid], true)
  ));
  outbox.on('orders.cancelled', (tx, order: OrderFacts['orders.cancelled']) => analytics.noteCancelled(tx, order));
  outbox.on(FOLLOWED_TOPIC, async (tx, { showId, personId }: Followed) => {
    if (showId !== null) await analytics.noteFollowed(tx, showId, personId);
  });
}
