/**
 * Which missing packets to ask for again, and when (RFC 4585 §3.5 leaves it to the receiver).
 *
 * First after a short wait, since reordering mends itself; then again at an interval near a round trip; given up when a
 * player would have to stop for it. Times are of a steady clock and come from the caller.
 */

export interface NackTimes {
  /** Shorter: reordered packets are asked for needlessly; longer: the repair comes later by as much. */
  firstMs: number;
  /** Shorter than a round trip: the same packet is sent several times; longer: a lost repair costs more. */
  repeatMs: number;
  /** Shorter: slow networks lose pictures that could be mended; longer: every viewer stands still meanwhile. */
  giveUpMs: number;
}

export const videoNackTimes: NackTimes = { firstMs: 5, repeatMs: 60, giveUpMs: 400 };
/** Sound is given up sooner: 20 ms of silence is heard less than a pause of everything. */
export const audioNackTimes: NackTimes = { firstMs: 5, repeatMs: 60, giveUpMs: 200 };

/** Packets asked for at a time. More would answer a broken network with a flood of requests and repeats. */
export const maxMissing = 500;

export interface NackSchedule {
  /** Packets `from` to `to` (inclusive, extended numbers) were skipped by one that arrived. */
  skipped(from: number, to: number, nowMs: number): void;
  /** True when it had been asked for. */
  arrived(sequence: number): boolean;
  /** Packets to ask for now; each call marks them as asked. */
  due(nowMs: number): number[];
  /** True when there is no use waiting for this one any longer. */
  isGivenUp(sequence: number, nowMs: number): boolean;
  forget(sequence: number): void;
  clear(): void;
  readonly size: number;
  /** Packets asked for at least once. */
  readonly asked: number;
}

interface Missing {
  sinceMs: number;
  askedMs: number;
}

export function createNackSchedule(times: NackTimes): NackSchedule {
  const missing = new Map<number, Missing>();
  let asked = 0;
  let nextDueMs = Number.POSITIVE_INFINITY;
  return {
    get size() {
      return missing.size;
    },
    get asked() {
      return asked;
    },
    skipped(from, to, nowMs) {
      for (let sequence = from; sequence <= to && missing.size < maxMissing; sequence += 1) {
        missing.set(sequence, { sinceMs: nowMs, askedMs: Number.NEGATIVE_INFINITY });
      }
      nextDueMs = Math.min(nextDueMs, nowMs + times.firstMs);
    },
    arrived(sequence) {
      const entry = missing.get(sequence);
      if (entry === undefined) return false;
      missing.delete(sequence);
      return entry.askedMs !== Number.NEGATIVE_INFINITY;
    },
    due(nowMs) {
      const sequences: number[] = [];
      if (missing.size === 0 || nowMs < nextDueMs) return sequences;
      nextDueMs = Number.POSITIVE_INFINITY;
      for (const [sequence, entry] of missing) {
        const isFirst = entry.askedMs === Number.NEGATIVE_INFINITY;
        const dueMs = isFirst ? entry.sinceMs + times.firstMs : entry.askedMs + times.repeatMs;
        if (nowMs >= dueMs) {
          if (isFirst) asked += 1;
          entry.askedMs = nowMs;
          sequences.push(sequence);
          nextDueMs = Math.min(nextDueMs, nowMs + times.repeatMs);
        } else {
          nextDueMs = Math.min(nextDueMs, dueMs);
        }
      }
      return sequences;
    },
    isGivenUp(sequence, nowMs) {
      const entry = missing.get(sequence);
      return entry === undefined || nowMs - entry.sinceMs >= times.giveUpMs;
    },
    forget(sequence) {
      missing.delete(sequence);
    },
    clear() {
      missing.clear();
    },
  };
}
