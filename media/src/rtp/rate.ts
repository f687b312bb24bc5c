/** Bits per second of something that is counted in bytes, over the last second or so. */

/** Shorter: each key picture is a peak; longer: what has changed is told late. */
const windowMs = 1000;

export interface Rate {
  /** @param bytes since the beginning */
  look(bytes: number, nowMs: number): void;
  readonly bps: number;
}

export function createRate(): Rate {
  let from: { bytes: number; atMs: number } | null = null;
  let bps = 0;
  return {
    look(bytes, nowMs) {
      from ??= { bytes, atMs: nowMs };
      if (nowMs - from.atMs < windowMs) return;
      bps = Math.round(((bytes - from.bytes) * 8000) / (nowMs - from.atMs));
      from = { bytes, atMs: nowMs };
    },
    get bps() {
      return bps;
    },
  };
}
