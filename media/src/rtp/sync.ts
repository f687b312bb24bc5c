/**
 * Puts sound and picture of one publisher on one timeline.
 *
 * Sender reports say exactly which timestamps belong to the same instant (RFC 3550 §6.4.1), but the first one for sound
 * comes after seconds. Until then the arrival times stand in, taken where they were smallest (the network only ever
 * delays). The step from one to the other is made once; later only when the clocks have drifted audibly apart.
 */

/** Below this nobody hears or sees it, and each correction costs a click. EBU R37 allows 40 ms early sound. */
export const driftLimitMs = 40;
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

export interface SoundSync {
  /** Where a sound timestamp lies behind the picture with timestamp `zero`, in ms; null when nothing is known yet. */
  soundMs(timestamp: number, zero: number): number | null;
}

export function createSoundSync(picture: TrackClock, sound: TrackClock): SoundSync {
  /** Milliseconds from (sound ticks ÷ 48) to the picture's timeline; fixed until a correction. */
  let shiftMs: number | null = null;
  let isReported = false;
  let shiftZero = 0;

  const measure = (timestamp: number, zero: number): { ms: number; isReported: boolean } | null => {
    const soundReported = sound.reportedMs(timestamp);
    const pictureReported = picture.reportedMs(zero);
    if (soundReported !== null && pictureReported !== null) {
      return { ms: soundReported - pictureReported, isReported: true };
    }
    const soundArrival = sound.arrivalMs(timestamp);
    const pictureArrival = picture.arrivalMs(zero);
    if (soundArrival === null || pictureArrival === null) return null;
    return { ms: soundArrival - pictureArrival, isReported: false };
  };

  return {
    soundMs(timestamp, zero) {
      const ticksMs = timestamp / 48;
      if (shiftMs === null || shiftZero !== zero || !isReported || sound.reportedMs(timestamp) !== null) {
        const measured = measure(timestamp, zero);
        if (measured === null) return shiftMs === null ? null : ticksMs + shiftMs;
        const difference = shiftMs === null ? Number.POSITIVE_INFINITY : Math.abs(measured.ms - ticksMs - shiftMs);
        const isFirstReport = measured.isReported && !isReported;
        const limitMs = isFirstReport ? firstCorrectionLimitMs : driftLimitMs;
        const mayCorrect = measured.isReported && difference > limitMs;
        if (shiftMs === null || shiftZero !== zero || mayCorrect) shiftMs = measured.ms - ticksMs;
        shiftZero = zero;
        isReported ||= measured.isReported;
      }
      return ticksMs + shiftMs;
    },
  };
}
