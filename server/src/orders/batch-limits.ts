/** How much goes into a batch of orders, and how much waits for it. */
import { Refusal } from '../lib/refusal.ts';

/** Orders of one transaction. Fewer wait more often for the disk; more keep the first one's answer back. */
const BATCH_MAX = 500;
/** Placings that wait: about a second's work. Longer than that nobody should be left without an answer. */
export const WAITING_MAX = 8_000;
/** When to try again. A queue of `WAITING_MAX` is worked off by then. */
const RETRY_AFTER_SECONDS = 2;

export const BATCH_LIMITS = {
  batchMax: BATCH_MAX,
  waitingMax: WAITING_MAX,
  full: () => new Refusal('orders.rush', { retryAfterSeconds: RETRY_AFTER_SECONDS }),
};
