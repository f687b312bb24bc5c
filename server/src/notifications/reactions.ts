/** What notifications does when others report a fact, in the outbox's transaction, and its jobs. */
import type { OrderFacts } from '../orders/events.ts';
import type { Jobs } from '../platform/jobs.ts';
import type { Outbox } from '../platform/outbox.ts';
import { CANCELLED_TOPIC, MOVED_TOPIC, WENT_LIVE_TOPIC, type ShowFact } from '../shows/events.ts';
import type { Notifications } from './notifications.ts';
import { JOB_FOLLOWERS, JOB_PUSH, type FollowersJob, type PushJob } from './telling.ts';

/** Registers them; before `jobs.start()` and `outbox.start()`. */
export function notificationsReactions(
  outbox: Outbox, jobs: Pick<Jobs, 'on'>, { notifications }: { notifications: Notifications },
): void {
  outbox.on(WENT_LIVE_TOPIC, (tx, fact: ShowFact) => notifications.noteShow(tx, 'live', fact));
  outbox.on(MOVED_TOPIC, (tx, fact: ShowFact) => notifications.noteShow(tx, 'moved', fact));
  outbox.on(CANCELLED_TOPIC, (tx, fact: ShowFact) => notifications.noteShow(tx, 'cancelled', fact));
  outbox.on('orders.shipped', (tx, fact: OrderFacts['orders.shipped']) => (
    notifications.noteOrder(tx, 'order_shipped', fact)
  ));
  // Who cancelled it themselves knows.
  outbox.on('orders.cancelled', async (tx, fact: OrderFacts['orders.cancelled']) => {
    if (fact.by === 'shop') await notifications.noteOrder(tx, 'order_cancelled', fact);
  });
  jobs.on(JOB_FOLLOWERS, (job: FollowersJob) => notifications.tellFollowers(job));
  jobs.on(JOB_PUSH, (job: PushJob) => notifications.push(job));
}
