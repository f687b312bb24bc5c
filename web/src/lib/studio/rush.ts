/** How fast a show sells, from the totals that the server tells once a second. Pure: the time is handed in. */

/** Shorter jumps with every order, longer still counts a rush that is over. */
const windowMs = 5_000;

export interface Rush {
  /** Orders placed in total, as of now. A total that is lower than one before is an older answer. */
  note: (placed: number, nowMs: number) => void;
  /** Orders a second over the last five seconds; what was placed before the page was open is none of them. */
  perSecond: (nowMs: number) => number;
}

export function createRush(): Rush {
  let told: { atMs: number; placed: number }[] = [];
  return {
    note(placed, nowMs) {
      const last = told.at(-1);
      if (last && placed <= last.placed) return;
      told.push({ atMs: nowMs, placed });
      // The last total from before the window is what it began with.
      const first = told.findLastIndex(({ atMs }) => atMs <= nowMs - windowMs);
      told = told.slice(Math.max(0, first));
    },
    perSecond(nowMs) {
      const begin = told.findLast(({ atMs }) => atMs <= nowMs - windowMs) ?? told[0];
      const last = told.at(-1);
      if (!begin || !last) return 0;
      return ((last.placed - begin.placed) * 1_000) / windowMs;
    },
  };
}
