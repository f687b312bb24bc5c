/** What orders does when payments tells something, and its sweep. All of it may run twice. */
import type { PaymentsFact } from '../payments/events.ts';
import type { Log } from '../platform/log.ts';
import type { Outbox } from '../platform/outbox.ts';
import { createPeriodic, type Periodic } from '../platform/periodic.ts';
import type { Orders } from './orders.ts';

/** Pieces come back a second after their hold is over. Less often keeps them from buyers, more often asks in vain. */
const SWEEP_EVERY_MS = 1_000;

/** Registers the reactions; before `outbox.start()`. */
export function ordersReactions(outbox: Outbox, deps: { orders: Orders }): void {
  outbox.on('payments.captured', (tx, fact: PaymentsFact) => deps.orders.paymentsCaptured(tx, subjectsOf(fact)));
  outbox.on('payments.declined', (tx, fact: PaymentsFact) => deps.orders.paymentsDeclined(tx, subjectsOf(fact)));
}

function subjectsOf(fact: PaymentsFact): string[] {
  return ('payments' in fact ? fact.payments : [fact]).map(({ subject }) => subject);
}

/** Ends holds whose time is over, until stopped. */
export function createOrderSweep(deps: { orders: Orders; log: Log }): Periodic {
  return createPeriodic({
    name: 'orders.expired',
    everyMs: SWEEP_EVERY_MS,
    work: async () => {
      const ended = await deps.orders.sweepExpired();
      if (ended > 0) deps.log.info({ ended }, 'holds ended');
    },
    log: deps.log,
  });
}
