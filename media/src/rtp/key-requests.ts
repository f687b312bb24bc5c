/**
 * When to ask the publisher for a key picture (PLI): so often that a viewer who joins waits little and a part is short,
 * and at once after a loss that was not mended. Browsers send none by themselves.
 */

/**
 * A key picture at least this often. Shorter: key pictures eat the bitrate; longer: joining viewers get more to decode.
 */
export const keyIntervalMs = 2000;
/**
 * Between two requests. Shorter: several for one round trip and encoder; longer: a lost request costs a longer freeze.
 */
export const keyRequestPauseMs = 300;

export interface KeyRequests {
  /** Pictures are useless until the next key picture. */
  needed(): void;
  keyArrived(nowMs: number): void;
  /** True when to ask now; counts as asked. */
  due(nowMs: number): boolean;
  /** Asked although not due, with another size of the same picture. */
  askedAlong(nowMs: number): void;
  readonly asked: number;
}

export function createKeyRequests(): KeyRequests {
  let isNeeded = true;
  let lastKeyMs = Number.NEGATIVE_INFINITY;
  let lastAskedMs: number | null = null;
  let asked = 0;
  const ask = (nowMs: number): void => {
    lastAskedMs = nowMs;
    asked += 1;
  };

  return {
    get asked() {
      return asked;
    },
    needed() {
      isNeeded = true;
      // The publication's own first key picture came broken: no use waiting for it.
      if (asked === 0) lastAskedMs = Number.NEGATIVE_INFINITY;
    },
    keyArrived(nowMs) {
      isNeeded = false;
      lastKeyMs = nowMs;
    },
    due(nowMs) {
      // A publication begins with a key picture: it is on its way.
      lastAskedMs ??= nowMs;
      if (!isNeeded && nowMs - lastKeyMs < keyIntervalMs) return false;
      if (nowMs - lastAskedMs < keyRequestPauseMs) return false;
      ask(nowMs);
      return true;
    },
    askedAlong: ask,
  };
}
