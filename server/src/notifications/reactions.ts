/** What notifications does when others report a fact, in the outbox's transaction, and its jobs. */
import { KEPT_TOPIC, type KeptForNext } from '../catalog/events.ts';
import type { OrderFact, OrderFacts } from '../orders/events.ts';
import type { Jobs } from '../platform/jobs.ts';
import type { Outbox } from '../platform/outbox.ts';
import { CANCELLED_TOPIC, MOVED_TOPIC, WENT_LIVE_TOPIC, type ShowFact } from '../shows/events.ts';
import type { Notifications } from './notifications.ts';
import { JOB_FOLLOWERS, JOB_PUSH, type FollowersJob, type OwnNews, type PushJob } from './telling.ts';

/** Registers them; before `jobs.start()` and `outbox.start()`. */
export function notificationsReactions(
  outbox: Outbox, jobs: Pick<Jobs, 'on'>, { notifications }: { notifications: Notifications },
): void {
  outbox.on(WENT_LIVE_TOPIC, (tx, fact: ShowFact) => notifications.noteShow(tx, 'live', fact));
  outbox.on(MOVED_TOPIC, (tx, fact: ShowFact) => notifications.noteShow(tx, 'moved', fact));
  outbox.on(CANCELLED_TOPIC, (tx, fact: ShowFact) => notifications.noteShow(tx, 'cancelled', fact));
  outbox.on('orders.shipped', (tx, fact: OrderFacts['orders.shipped']) => (
    notifications.noteOwn(tx, { ...ofOrder(fact), kind: 'order_shipped' })
  ));
  // Who cancelled it themselves knows.
  outbox.on('orders.cancelled', async (tx, fact: OrderFacts['orders.cancelled']) => {
    if (fact.by === 'shop') await notifications.noteOwn(tx, { ...ofOrder(fact), kind: 'order_cancelled' });
  });
  outbox.on('orders.paid_late', async (tx, { orders }: OrderFacts['orders.paid_late']) => {
    for (const order of orders) {
      const kind = order.late === 'kept' ? 'order_paid_late' : 'order_too_late';
      await notifications.noteOwn(tx, { ...ofOrder(order), kind });
    }
  });
  outbox.on(KEPT_TOPIC, async (tx, { kept }: KeptForNext) => {
    for (const { personId, shopId, waitId, productId, title } of kept) {
      await notifications.noteOwn(tx, { personId, kind: 'kept', shopId, about: { waitId, productId, title } });
    }
  });
  jobs.on(JOB_FOLLOWERS, (job: FollowersJob) => notifications.tellFollowers(job));
  jobs.on(JOB_PUSH, (job: PushJob) => notifications.push(job));
}

function ofOrder({ buyerId, shopId, orderId, orderNumber }: OrderFact): Omit<OwnNews, 'kind'> {
  return { personId: buyerId, shopId, about: { orderId, orderNumber } };
}
