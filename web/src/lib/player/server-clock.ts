/** Estimates the server's clock from pings: the answer with the shortest round trip is the most exact one. */

/**
 * An estimate this old gives way to any newer one, because clocks drift. Shorter trusts bad answers, longer old ones.
 */
const keepBestMs = 60_000;

export interface ServerClock {
  /** A first guess without a round trip: the server's time just received, late by the way here. */
  guess(serverNowMs: number, nowMs: number): void;
  /** An answer to a ping sent at `sentMs`. All on one monotonic clock of this page. */
  measure(sentMs: number, serverNowMs: number, nowMs: number): void;
  /** The server's time, Unix epoch in ms; null while unknown. */
  at(nowMs: number): number | null;
  /** False while there is only a guess. */
  isMeasured(): boolean;
  roundTripMs(): number | null;
}

export function createServerClock(): ServerClock {
  let offsetMs: number | null = null;
  let bestRoundTripMs = Infinity;
  let bestAtMs = 0;
  let lastRoundTripMs: number | null = null;
  return {
    guess(serverNowMs, nowMs) {
      if (bestRoundTripMs === Infinity) offsetMs = serverNowMs - nowMs;
    },
    measure(sentMs, serverNowMs, nowMs) {
      const roundTripMs = nowMs - sentMs;
      if (roundTripMs < 0) return;
      lastRoundTripMs = roundTripMs;
      if (roundTripMs > bestRoundTripMs && nowMs - bestAtMs < keepBestMs) return;
      bestRoundTripMs = roundTripMs;
      bestAtMs = nowMs;
      offsetMs = serverNowMs + roundTripMs / 2 - nowMs;
    },
    at: (nowMs) => (offsetMs === null ? null : nowMs + offsetMs),
    isMeasured: () => bestRoundTripMs !== Infinity,
    roundTripMs: () => lastRoundTripMs,
  };
}
