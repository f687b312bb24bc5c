/**
 * Whether a small picture is sent beside the full one, for viewers with little data or a small screen. Pure.
 *
 * The full picture comes first: the small one is sent where line and device carry both, goes at the first sign
 * that they do not, and comes back after a while, more rarely each time that it was in vain. Browsers share a line
 * among sizes from the smallest up and stop the large one when too little is left for it, so that going late would
 * cost it its pictures.
 */
import { fullFrameRate } from './economy.ts';

/** 288 × 512 of 720 × 1280: legible on a small screen at an eighth of the data. */
export const smallPicture = { bitrateBps: 300_000, framesPerSecond: 15, scale: 1 / 2.5 } as const;

/** Sound, its packets' heads, and what asks and answers. */
const besidesPicturesBps = 64_000;
/** By so much more than both take the line must be estimated. Less goes on and off all the time. */
const spareBps = 100_000;
/**
 * Chromium searches for what a line carries in the first half second, by packets of the first of the sizes: with one
 * there that is not sent it finds nothing, and a show would begin with half of its bitrate and take half a minute to
 * all of it. So the small one is there from the beginning, thin, until the line is found to carry both, or this is
 * over.
 */
export const searchBps = 30_000;
const searchForMs = 2_000;
/**
 * What Chromium's encoders start with, before they know the line; by themselves they start at 300 kbit/s and show mush
 * for seconds. More would swamp a weak mobile line in its first second.
 */
export const startBps = 1_200_000;
/** An estimate below this share of that is of a line that is too weak for both, found out early. */
const weakRatio = 0.8;
/** Of its bitrate, what the full picture's encoder must have been given before, and must keep. */
const wellFedRatio = 0.9;
const starvedRatio = 0.7;
/** All of this must have held for so long. */
const goodForMs = 4_000;

/** After it went. Twice as long each time that it was in vain, which it was when it went within `inVainMs`. */
const firstWaitMs = 30_000;
const longestWaitMs = 8 * 60_000;
const inVainMs = 2 * 60_000;

/** Of the pictures that the camera gives, so many must be made, counted over `countMs`. */
const keptUpRatio = 0.75;
const countMs = 3_000;
/** An encoder that was at work for less of that time left them out to keep its bitrate, not for want of time. */
const busyRatio = 0.5;

export interface PictureCount {
  /** What is counted anew with each. */
  source: string;
  /** Pictures that came from it, and full ones that were made. */
  taken: number;
  made: number;
  /** How long encoders of all sizes were at it so far; null where the browser does not tell. */
  encodeMs: number | null;
}

export interface SmallPictureSample {
  nowMs: number;
  /** What the line carries, by the browser's estimate; null where it does not tell: then it may be too little. */
  availableBps: number | null;
  /** What the full picture's encoder is given, bits per second; null where the browser does not tell. */
  fullTargetBps: number | null;
  /** Whether all of the full picture is wanted, rather than less for a weak line, a hot phone, a low battery. */
  isWhole: boolean;
  limitedByCpu: boolean;
  /** Null where the browser does not tell. */
  pictures: PictureCount | null;
}

export interface SmallPicture {
  /** To be asked several times a second. @returns what it may take from now on, bits per second; 0: it is not sent */
  decide(sample: SmallPictureSample): number;
}

/** @param fullBps of the full picture, when nothing is in the way */
export function createSmallPicture(fullBps: number): SmallPicture {
  const bothBps = fullBps + smallPicture.bitrateBps + besidesPicturesBps;
  const isLeftBehind = createPictureCount();
  let state: 'search' | 'sent' | 'off' = 'search';
  let startedMs: number | null = null;
  let goodSinceMs: number | null = null;
  let changedMs = -Infinity;
  let waitMs = 0;

  const isStrained = (sample: SmallPictureSample): boolean => (
    isLeftBehind(sample) || !sample.isWhole || sample.limitedByCpu
  );
  const isCarried = ({ availableBps, fullTargetBps }: SmallPictureSample, spare: number, fedRatio: number): boolean => (
    (availableBps ?? 0) >= bothBps + spare && (fullTargetBps ?? fullBps) >= fullBps * fedRatio
  );
  const stop = (nowMs: number): void => {
    const wasInVain = nowMs - changedMs < inVainMs;
    waitMs = wasInVain && waitMs > 0 ? Math.min(waitMs * 2, longestWaitMs) : firstWaitMs;
    changedMs = nowMs;
    state = 'off';
  };
  const send = (nowMs: number): void => {
    changedMs = nowMs;
    state = 'sent';
  };

  return {
    decide(sample) {
      const { nowMs, availableBps } = sample;
      startedMs ??= nowMs;
      const isTooMuch = isStrained(sample);
      const isGood = !isTooMuch && isCarried(sample, spareBps, wellFedRatio);
      goodSinceMs = isGood ? (goodSinceMs ?? nowMs) : null;
      if (state === 'search') {
        if (isTooMuch || (availableBps ?? startBps) < Math.min(startBps, fullBps) * weakRatio) stop(nowMs);
        else if (isGood) send(nowMs);
        else if (nowMs - startedMs >= searchForMs) state = 'off';
      } else if (state === 'sent') {
        if (isTooMuch || !isCarried(sample, 0, starvedRatio)) stop(nowMs);
      } else if (goodSinceMs !== null && nowMs - goodSinceMs >= goodForMs && nowMs - changedMs >= waitMs) {
        send(nowMs);
      }
      return { search: searchBps, sent: smallPicture.bitrateBps, off: 0 }[state];
    },
  };
}

/** Whether the encoder leaves out pictures that the camera gives: what the processor is too slow for. */
function createPictureCount(): (sample: SmallPictureSample) => boolean {
  let from: (PictureCount & { atMs: number }) | null = null;
  let isBehind = false;
  return ({ nowMs, pictures, isWhole }) => {
    // Cameras are changed, and less than all pictures are not to be made: what was counted means nothing.
    if (pictures === null || !isWhole || from?.source !== pictures.source || pictures.taken < from.taken) {
      from = pictures && { atMs: nowMs, ...pictures };
      isBehind = false;
    } else if (nowMs - from.atMs >= countMs) {
      const lastedMs = nowMs - from.atMs;
      const asked = Math.min(pictures.taken - from.taken, (fullFrameRate * lastedMs) / 1_000);
      const isBusy = pictures.encodeMs === null || pictures.encodeMs - (from.encodeMs ?? 0) > lastedMs * busyRatio;
      isBehind = isBusy && pictures.made - from.made < asked * keptUpRatio;
      from = { atMs: nowMs, ...pictures };
    }
    return isBehind;
  };
}
