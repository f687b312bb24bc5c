/**
 * Counts failed attempts, in memory and bounded, to make guessing slow. Each process counts for itself: with n
 * processes a guesser has n times the tries, which is still few.
 */
import { LRUCache } from 'lru-cache';
import { Refusal } from '../lib/refusal.ts';
import type { Clock } from '../platform/clock.ts';

export interface AttemptLimit {
  /** What is counted: an address, an e-mail, both together. */
  key: string;
  max: number;
  windowMs: number;
}

export interface Attempts {
  /**
   * Counts an attempt before it is made, so that many at once do not all pass.
   * @throws Refusal `request.too_many` when one of the limits is reached; then nothing is counted.
   */
  begin(limits: readonly AttemptLimit[]): void;
  /** The attempt was no failure after all: takes it back. */
  forgive(limits: readonly AttemptLimit[]): void;
}

/** Keys kept at a time, about 100 bytes each. Fewer lets a guesser push its own count out by inventing e-mails. */
const KEYS_MAX = 100_000;

export function createAttempts(deps: { clock: Clock }): Attempts {
  const counts = new LRUCache<string, { count: number; until: number }>({ max: KEYS_MAX });

  function current(limit: AttemptLimit) {
    const found = counts.get(limit.key);
    return found !== undefined && found.until > deps.clock.now().getTime() ? found : null;
  }

  return {
    begin(limits) {
      const now = deps.clock.now().getTime();
      for (const limit of limits) {
        const found = current(limit);
        if (found !== null && found.count >= limit.max) {
          throw new Refusal('request.too_many', { retryAfterSeconds: Math.ceil((found.until - now) / 1000) });
        }
      }
      for (const limit of limits) {
        const found = current(limit);
        if (found === null) counts.set(limit.key, { count: 1, until: now + limit.windowMs });
        else found.count += 1;
      }
    },
    forgive(limits) {
      for (const limit of limits) {
        const found = current(limit);
        if (found !== null) found.count = Math.max(0, found.count - 1);
      }
    },
  };
}
