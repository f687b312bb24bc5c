/** What payments tells the others, and the work that it leaves for later. */
import type { Tx } from '../platform/database.ts';
import type { PaymentFacts } from './events.ts';
import type { PaymentsDeps } from './payments.ts';

export const JOB_NOTICE = 'payments.sandbox-notice';
export const JOB_GIVE_BACK = 'payments.give-back';

export async function publish<T extends keyof PaymentFacts>(
  deps: PaymentsDeps,
  tx: Tx,
  topic: T,
  payload: PaymentFacts[T],
): Promise<void> {
  await deps.platform.outbox.publish(tx, { topic, payload: { ...payload } });
}
