/**
 * How many wrong pick-up codes one member may try in a minute: a slip or two is human, a hundred is a search for other
 * people's parcels.
 */
import { LRUCache } from 'lru-cache';
import { Refusal } from '../lib/refusal.ts';

/** Fewer stops a busy counter with a bad scanner; more shortens the search through 729 million codes. */
export const WRONG_CODES_PER_MINUTE = 10;
const MINUTE_MS = 60_000;
/** Members looked at. Fewer lets one begin anew by being forgotten. */
const MEMBERS_REMEMBERED = 5_000;

export interface CodeTries {
  /** @throws Refusal `request.too_many` when this member has tried too many wrong ones */
  assertMay(personId: string): void;
  wrong(personId: string): void;
}

export function createCodeTries(deps: { nowMs(): number }): CodeTries {
  const members = new LRUCache<string, { sinceMs: number; count: number }>({ max: MEMBERS_REMEMBERED });
  const minuteOf = (personId: string) => {
    const known = members.get(personId);
    return known === undefined || deps.nowMs() - known.sinceMs >= MINUTE_MS ? null : known;
  };
  return {
    assertMay(personId) {
      const minute = minuteOf(personId);
      if (minute === null || minute.count < WRONG_CODES_PER_MINUTE) return;
      const retryAfterSeconds = Math.ceil((minute.sinceMs + MINUTE_MS - deps.nowMs()) / 1000);
      throw new Refusal('request.too_many', { retryAfterSeconds });
    },
    wrong(personId) {
      const minute = minuteOf(personId) ?? { sinceMs: deps.nowMs(), count: 0 };
      members.set(personId, { ...minute, count: minute.count + 1 });
    },
  };
}
