/**
 * Puts the sound of a publisher, and its picture in another size, on the timeline of its picture.
 *
 * Sender reports say exactly which timestamps belong to the same instant (RFC 3550 §6.4.1), but the first one for sound
 * comes after seconds. Until then the arrival times stand in, taken where they were smallest (the network only ever
 * delays). The step from one to the other is made once; later only when the clocks have drifted audibly apart.
 */

/** Below this nobody hears or sees it, and each correction costs a click. EBU R37 allows 40 ms early sound. */
export const soundDriftLimitMs = 40;
/** Who changes from one size of the picture to the other must not see a step; a correction costs nothing. */
export const layerDriftLimitMs = 15;
/** The first correction, from arrival times to sender reports, is worth more than later ones. */
export const firstCorrectionLimitMs = 10;

export interface TrackClock {
  /** A packet with this extended timestamp came at this steady time. */
  arrived(timestamp: number, nowMs: number): void;
  report(timestamp: number, ntpMs: number): void;
  /** When a timestamp was captured, by the sender's clock; null before its first report. */
  reportedMs(timestamp: number): number | null;
  /** When it came at the earliest, by ours; null before the first packet. */
  arrivalMs(timestamp: number): number | null;
}

export function createTrackClock(clockRate: number): TrackClock {
  const ticksPerMs = clockRate / 1000;
  let smallestOffsetMs: number | null = null;
  let last: { timestamp: number; ntpMs: number } | null = null;
  return {
    arrived(timestamp, nowMs) {
      const offset = nowMs - timestamp / ticksPerMs;
      if (smallestOffsetMs === null || offset < smallestOffsetMs) smallestOffsetMs = offset;
    },
    report(timestamp, ntpMs) {
      last = { timestamp, ntpMs };
    },
    reportedMs(timestamp) {
      return last === null ? null : last.ntpMs + (timestamp - last.timestamp) / ticksPerMs;
    },
    arrivalMs(timestamp) {
      return smallestOffsetMs === null ? null : smallestOffsetMs + timestamp / ticksPerMs;
    },
  };
}

export interface TrackSync {
  /** Where a timestamp lies behind the timestamp `zero` of the reference, in ms; null when nothing is known yet. */
  placeMs(timestamp: number, zero: number): number | null;
}

export interface TrackSyncOptions {
  /** Of the track that is placed, in Hz. */
  clockRate: number;
  /** Later corrections, once sender reports have been taken; smaller differences are left alone. */
  driftLimitMs: number;
}

/** A track on the timeline of another, the reference. */
export function createTrackSync(reference: TrackClock, track: TrackClock, options: TrackSyncOptions): TrackSync {
  const ticksPerMs = options.clockRate / 1000;
  /** Milliseconds from the track's own time to the reference's timeline; fixed until a correction. */
  let shiftMs: number | null = null;
  let isReported = false;
  let shiftZero = 0;

  const measure = (timestamp: number, zero: number): { ms: number; isReported: boolean } | null => {
    const reported = track.reportedMs(timestamp);
    const referenceReported = reference.reportedMs(zero);
    if (reported !== null && referenceReported !== null) {
      return { ms: reported - referenceReported, isReported: true };
    }
    const arrival = track.arrivalMs(timestamp);
    const referenceArrival = reference.arrivalMs(zero);
    if (arrival === null || referenceArrival === null) return null;
    return { ms: arrival - referenceArrival, isReported: false };
  };

  return {
    placeMs(timestamp, zero) {
      const ownMs = timestamp / ticksPerMs;
      if (shiftMs === null || shiftZero !== zero || !isReported || track.reportedMs(timestamp) !== null) {
        const measured = measure(timestamp, zero);
        if (measured === null) return shiftMs === null ? null : ownMs + shiftMs;
        const difference = shiftMs === null ? Number.POSITIVE_INFINITY : Math.abs(measured.ms - ownMs - shiftMs);
        const isFirstReport = measured.isReported && !isReported;
        const limitMs = isFirstReport ? firstCorrectionLimitMs : options.driftLimitMs;
        const mayCorrect = measured.isReported && difference > limitMs;
        if (shiftMs === null || shiftZero !== zero || mayCorrect) shiftMs = measured.ms - ownMs;
        shiftZero = zero;
        isReported ||= measured.isReported;
      }
      return ownMs + shiftMs;
    },
  };
}
