/** What orders does when payments tells something, and its sweeps. All of it may run twice. */
import type { PaymentFact, PaymentsFact } from '../payments/events.ts';
import type { Log } from '../platform/log.ts';
import type { Outbox } from '../platform/outbox.ts';
import { createPeriodic, type Periodic } from '../platform/periodic.ts';
import type { Waits } from './arriving.ts';
import type { Orders } from './orders.ts';

/** Pieces come back a second after their hold is over. Less often keeps them from buyers, more often asks in vain. */
const SWEEP_EVERY_MS = 1_000;

/** Registers the reactions; before `outbox.start()`. */
export function ordersReactions(outbox: Outbox, deps: { orders: Orders }): void {
  outbox.on('payments.captured', (tx, fact: PaymentsFact) => deps.orders.paymentsCaptured(tx, subjectsOf(fact)));
  outbox.on('payments.declined', (tx, fact: PaymentsFact) => deps.orders.paymentsDeclined(tx, subjectsOf(fact)));
  outbox.on('payments.refunded', (tx, fact: PaymentFact) => deps.orders.paymentRefunded(tx, fact.subject));
}

function subjectsOf(fact: PaymentsFact): string[] {
  return ('payments' in fact ? fact.payments : [fact]).map(({ subject }) => subject);
}

/** Days are what is waited for: a minute more is nothing. */
const WAITING_EVERY_MS = 60_000;

/** Takes orders on from shipped to delivered and completed, until stopped. */
export function createWaitingSweep(deps: { orders: Orders; waits: Waits; log: Log }): Periodic {
  return createPeriodic({
    name: 'orders.waiting',
    everyMs: WAITING_EVERY_MS,
    work: async () => {
      const moved = await deps.orders.sweepWaiting(deps.waits);
      if (moved > 0) deps.log.info({ moved }, 'orders went on by time');
    },
    log: deps.log,
  });
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
