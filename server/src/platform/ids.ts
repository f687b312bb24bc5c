/** Ids arrive as a dependency, so that a simulation can own them. Version 7: rows of one table lie in order of time. */
import { randomInt, randomUUID } from 'node:crypto';

/** A new UUID (RFC 9562, version 7). */
export type NewId = () => string;

/** What `rand_a` holds: 12 bits. */
const COUNT_END = 0x1000;

/**
 * As in section 6.2, method 1: within a millisecond a counter, which begins anywhere in the lower half, keeps the ids
 * of this process in sequence. Where it ends, the time is borrowed from the next millisecond. The other 62 bits are
 * chance: those of a version 4, of which Node keeps a store; asking the system for each would cost ten times as much.
 */
export function createNewId(nowMs: () => number = Date.now): NewId {
  let lastMs = 0;
  let count = 0;
  return () => {
    const chance = randomUUID();
    const now = nowMs();
    count += 1;
    if (now > lastMs || count === COUNT_END) {
      lastMs = Math.max(now, lastMs + 1);
      count = Number.parseInt(chance.slice(0, 3), 16) >> 1;
    }
    const time = lastMs.toString(16).padStart(12, '0');
    // From the variant on, which is the same in both versions.
    return `${time.slice(0, 8)}-${time.slice(8)}-7${count.toString(16).padStart(3, '0')}${chance.slice(18)}`;
  };
}

export const newId: NewId = createNewId();

/** Drawn by lot: a whole number from 0, below 2^31. */
export const newNumber = (): number => randomInt(2 ** 31);
