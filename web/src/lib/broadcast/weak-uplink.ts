/**
 * What to send over a line that carries less than the picture wants: first fewer bits, then fewer pictures, then
 * smaller ones; below 150 kbit/s the sound with a picture every few seconds, since a host who is heard can sell. And
 * back up.
 *
 * Pure. Down it goes within seconds, since a line that is too full makes everything late; up slowly and a step at a
 * time, and more rarely each time that it was in vain.
 */
import type { PictureShape } from './picture-encoder.ts';

export interface UplinkStep {
  /** What the line must carry for it, picture and sound, in bits per second. */
  fromBps: number;
  framesPerSecond: number;
  scale: number;
}

/** Goods must stay sharp: of 720p 15 pictures a second are better than 30 blurred ones, until there is too little. */
export const uplinkSteps: readonly [UplinkStep, ...UplinkStep[]] = [
  { fromBps: 1_000_000, framesPerSecond: 30, scale: 1 },
  { fromBps: 700_000, framesPerSecond: 20, scale: 1 },
  { fromBps: 450_000, framesPerSecond: 15, scale: 1 },
  { fromBps: 280_000, framesPerSecond: 15, scale: 0.75 },
  { fromBps: 150_000, framesPerSecond: 12, scale: 0.5 },
  // Sound travels with pictures, so the one that stands is sent twice a second; a repeated picture has a few bytes.
  { fromBps: 0, framesPerSecond: 2, scale: 0.5 },
];
const lastStep = uplinkSteps.length - 1;

/** Sound, its packets' heads, and what asks and answers. */
const besidesPictureBps = 64_000;
const leastPictureBps = 60_000;
/** Too little for so long is a weak line, not a hiccup. */
const downAfterMs = 2_000;
/** Enough for more, by so much and for so long. Less goes up and down all the time. */
const upRatio = 1.2;
const upAfterMs = 5_000;
/** Down again within this, a step up was in vain: the next waits twice as long. */
const inVainMs = 15_000;
const longestWaitMs = 2 * 60_000;
/** While nothing limits what is sent, the line is thought to carry so much more each second. */
const growRatio = 1.05;
const growBps = 20_000;
/** What it was found to carry is not tried to exceed for so long. */
const believedMs = 10_000;

/** After a hiccup of one look, of what was sent before. */
const hiccupRatio = 0.9;

export interface UplinkSample {
  nowMs: number;
  /** What the line carries, as measured while it was full; null when it was not, and might carry more. */
  carriesBps: number | null;
}

export interface UplinkAdvice extends PictureShape {
  /** Of `uplinkSteps`; 0 when nothing is left out. */
  step: number;
  /** A picture every few seconds, and sound. */
  isStill: boolean;
}

export interface WeakUplink {
  /** To be asked about once a second. */
  decide(sample: UplinkSample): UplinkAdvice;
}

/**
 * @param fullBps of the picture, when nothing is in the way
 * @param settleMs how long what is measured means nothing yet
 */
export function createWeakUplink(fullBps: number, settleMs: number): WeakUplink {
  const mostBps = fullBps + besidesPictureBps;
  let startedMs: number | null = null;
  let lastMs = 0;
  let lineBps = mostBps;
  let limitedMs = -Infinity;
  /** What the line was thought to carry before one look found less; a second such look makes it believed. */
  let beforeHiccupBps: number | null = null;
  let step = 0;
  /** Since when too little, or enough for more, without a break. */
  let lowSinceMs: number | null = null;
  let highSinceMs: number | null = null;
  let wentUpMs = -Infinity;
  let waitMs = upAfterMs;

  const measure = ({ nowMs, carriesBps }: UplinkSample): void => {
    const seconds = Math.min(5, (nowMs - lastMs) / 1_000);
    if (carriesBps === null && beforeHiccupBps !== null) lineBps = beforeHiccupBps;
    const isFirst = carriesBps !== null && nowMs - limitedMs > believedMs;
    beforeHiccupBps = isFirst ? lineBps * hiccupRatio : null;
    // Of a line that is not filled no measure tells how much more it carries.
    if (carriesBps !== null && carriesBps < lineBps) {
      lineBps = carriesBps;
      limitedMs = nowMs;
    } else if (carriesBps !== null) {
      lineBps = Math.min(carriesBps, lineBps * 1.15 ** seconds);
    } else if (nowMs - limitedMs > believedMs) {
      lineBps = lineBps * growRatio ** seconds + growBps * seconds;
    }
    lineBps = Math.min(mostBps, Math.max(lineBps, 0));
  };

  const goDown = (nowMs: number): void => {
    if (nowMs - wentUpMs < inVainMs) waitMs = Math.min(waitMs * 2, longestWaitMs);
    // As far as need be: a line that broke down is not waited out step by step.
    while (step < lastStep && lineBps < uplinkSteps[step]!.fromBps) step += 1;
    lowSinceMs = null;
  };

  const goUp = (nowMs: number): void => {
    step -= 1;
    wentUpMs = nowMs;
    highSinceMs = null;
  };

  return {
    decide(sample) {
      const { nowMs } = sample;
      startedMs ??= nowMs;
      lastMs ||= nowMs;
      if (nowMs - startedMs >= settleMs) measure(sample);
      lastMs = nowMs;
      if (nowMs - wentUpMs > longestWaitMs && step === 0) waitMs = upAfterMs;
      const above = uplinkSteps[step - 1];
      lowSinceMs = lineBps < uplinkSteps[step]!.fromBps ? (lowSinceMs ?? nowMs) : null;
      highSinceMs = above && lineBps >= above.fromBps * upRatio ? (highSinceMs ?? nowMs) : null;
      if (lowSinceMs !== null && nowMs - lowSinceMs >= downAfterMs) goDown(nowMs);
      else if (highSinceMs !== null && nowMs - highSinceMs >= waitMs) goUp(nowMs);
      const { framesPerSecond, scale } = uplinkSteps[step]!;
      const bitrateBps = Math.round(Math.min(fullBps, Math.max(leastPictureBps, lineBps - besidesPictureBps)));
      const isStill = step === lastStep;
      return { step, isStill, framesPerSecond, scale, bitrateBps: isStill ? leastPictureBps : bitrateBps };
    },
  };
}
