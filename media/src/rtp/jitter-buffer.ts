/**
 * Puts packets of one stream back in order. Knows no time: whether to wait for a missing one is the caller's decision.
 *
 * Invariant: packets leave in strictly growing sequence, each at most once; at most `capacity` wait.
 */

/** Packets that can wait. At 5 Mbit/s some 4 s, ten times what is ever waited for; a power of two for the ring. */
export const jitterCapacity = 2048;

export interface JitterBuffer<T> {
  /** `fresh` when it is the newest so far, `filled` when it closes a gap; the others are dropped. */
  insert(sequence: number, item: T): 'fresh' | 'filled' | 'duplicate' | 'late' | 'jump';
  /** The next in order, or null when it is missing (or nothing waits). */
  pop(): T | null;
  /** Number that `pop` waits for, when something behind it has arrived; else null. */
  missing(): number | null;
  /** Gives up on the missing one. */
  skip(): void;
  /** Highest number seen; null before the first. */
  highest(): number | null;
}

export function createJitterBuffer<T>(capacity = jitterCapacity): JitterBuffer<T> {
  const ring = Array.from<T | undefined>({ length: capacity });
  let next: number | null = null;
  let highest = 0;
  const slot = (sequence: number): number => ((sequence % capacity) + capacity) % capacity;
  return {
    insert(sequence, item) {
      if (next === null) {
        next = sequence;
        highest = sequence;
        ring[slot(sequence)] = item;
        return 'fresh';
      }
      if (sequence < next) return 'late';
      if (sequence - next >= capacity) {
        ring.fill(undefined);
        next = sequence;
        highest = sequence;
        ring[slot(sequence)] = item;
        return 'jump';
      }
      if (ring[slot(sequence)] !== undefined) return 'duplicate';
      ring[slot(sequence)] = item;
      if (sequence < highest) return 'filled';
      highest = sequence;
      return 'fresh';
    },
    pop() {
      if (next === null) return null;
      const index = slot(next);
      const item = ring[index];
      if (item === undefined) return null;
      ring[index] = undefined;
      next += 1;
      return item;
    },
    missing() {
      return next !== null && next <= highest && ring[slot(next)] === undefined ? next : null;
    },
    skip() {
      if (next !== null && next <= highest && ring[slot(next)] === undefined) next += 1;
    },
    highest() {
      return next === null ? null : highest;
    },
  };
}
