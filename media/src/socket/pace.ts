/** What comes in pieces of a second, going on at its own pace: so that viewers need not keep a second in store. */

/** More than this waits only after a line stood still, and goes on at once. Longer: later for the rest of the show. */
const mostMs = 2_500;
/** Of so many pieces the one that came with least to spare tells how much earlier all may go on … */
const piecesLooked = 6;
/** … but for so much, which is jitter. Less: the picture stands now and then. */
const spareMs = 100;

export interface Pace {
  /**
   * A piece: each of its items with the time that it has on its own clock, in ms, in order.
   * @param nowMs on ours
   */
  push(items: readonly { timeMs: number; go(nowMs: number): void }[], nowMs: number): void;
  /** Lets go what is due. Call every 100 ms or oftener. */
  tick(nowMs: number): void;
  flush(nowMs: number): void;
}

export function createPace(): Pace {
  const waiting: { timeMs: number; go(nowMs: number): void }[] = [];
  /** From their clock to ours. */
  let shiftMs: number | null = null;
  /** How much earlier than needed the last pieces came. */
  let spares: number[] = [];

  const goUntil = (timeMs: number, nowMs: number): void => {
    while (waiting[0] && waiting[0].timeMs <= timeMs) waiting.shift()!.go(nowMs);
  };

  return {
    push(items, nowMs) {
      const [first] = items;
      if (first === undefined) return;
      shiftMs ??= nowMs - first.timeMs;
      spares = [...spares, first.timeMs + shiftMs - nowMs].slice(-piecesLooked);
      const least = Math.min(...spares);
      if (least < 0 || (spares.length === piecesLooked && least > 2 * spareMs)) {
        shiftMs -= least < 0 ? least : least - spareMs;
        spares = [];
      }
      waiting.push(...items);
      goUntil(waiting.at(-1)!.timeMs - mostMs, nowMs);
      goUntil(nowMs - shiftMs, nowMs);
    },
    tick(nowMs) {
      if (shiftMs !== null) goUntil(nowMs - shiftMs, nowMs);
    },
    flush: (nowMs) => goUntil(Infinity, nowMs),
  };
}
