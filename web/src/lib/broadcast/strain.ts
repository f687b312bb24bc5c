/**
 * Watches a show on its device and line: what it costs, battery and processor, and what gets through, and sends less
 * when it is too much; and whether its camera still gives any pictures.
 */
import { renewCamera, sendPicture } from './capture.ts';
import { change, fullShape, inTurn, type Core } from './core.ts';
import { createEconomy, type Battery } from './economy.ts';
import type { BroadcastView } from './face.ts';
import type { PictureShape } from './picture-encoder.ts';
import type { Publication } from './publication.ts';
import { createWeakUplink, type UplinkAdvice, type WeakUplink } from './weak-uplink.ts';

const lookEveryMs = 1_000;
/** Longer than any change of cameras or of the network, as which this must not be taken. */
const stillAfterMs = 4_000;
/** A browser's estimate of a line starts low and finds it within this; the socket measures what arrives. */
const settleMs = { direct: 6_000, socket: 1_000 } as const;
/** Of the bitrate: smaller changes are not worth telling the encoder. */
const worthTelling = 0.1;

type WithBattery = Navigator & { getBattery?: () => Promise<Battery> };

/** Returns the way out. */
export function watchStrain(core: Core): () => void {
  const economy = createEconomy();
  const watchLine = lineWatch(core);
  let battery: Battery | null = null;
  // Chromium's alone; elsewhere nothing is told of the battery.
  (navigator as WithBattery).getBattery?.().then(
    (told) => (battery = told),
    () => undefined,
  );
  const look = (): void => {
    const stats = core.publication?.stats() ?? null;
    if (core.view.state === 'live') change(core, { stats });
    const nowMs = performance.now();
    const { frameRate, saving } = economy.step({ nowMs, limitedByCpu: stats?.limitedByCpu ?? false, battery });
    if (saving !== core.view.saving) change(core, { saving });
    watchLine(nowMs, frameRate);
  };
  const watchPictures = pictureWatch(core);
  const timer = setInterval(() => {
    look();
    void watchPictures(performance.now());
  }, lookEveryMs);
  return () => clearInterval(timer);
}

/** To be asked now and then: sends what line and device carry. */
function lineWatch(core: Core): (nowMs: number, frameRate: number) => void {
  let uplink: WeakUplink | null = null;
  let way: Publication['way'] | null = null;
  let told: { publication: Publication; shape: PictureShape } | null = null;

  return (nowMs, frameRate) => {
    const { publication } = core;
    if (!publication || core.view.state !== 'live') {
      if (core.view.tooWeakFor !== null) change(core, { tooWeakFor: null });
      return;
    }
    const full = fullShape(core);
    if (!uplink || way !== publication.way) {
      way = publication.way;
      uplink = createWeakUplink(full.bitrateBps, settleMs[way]);
    }
    const advice = uplink.decide({ nowMs, carriesBps: publication.carriesBps() });
    const shape = {
      // WebRTC finds the bitrate by itself, and must not be kept from finding more.
      bitrateBps: way === 'direct' && !advice.isStill ? full.bitrateBps : advice.bitrateBps,
      framesPerSecond: Math.min(frameRate, advice.framesPerSecond),
      scale: advice.scale,
    };
    if (told?.publication !== publication || isOther(shape, told.shape)) {
      told = { publication, shape };
      void publication.setShape(shape);
    }
    const tooWeakFor = weakness(advice, full.bitrateBps);
    if (tooWeakFor !== core.view.tooWeakFor) change(core, { tooWeakFor });
    if (advice.isStill !== core.isStill) {
      core.isStill = advice.isStill;
      void inTurn(core, () => sendPicture(core));
    }
  };
}

function isOther(shape: PictureShape, told: PictureShape): boolean {
  const { bitrateBps, framesPerSecond, scale } = shape;
  const isNear = Math.abs(bitrateBps - told.bitrateBps) < told.bitrateBps * worthTelling;
  return !isNear || framesPerSecond !== told.framesPerSecond || scale !== told.scale;
}

function weakness({ step, isStill, scale, bitrateBps }: UplinkAdvice, fullBps: number): BroadcastView['tooWeakFor'] {
  if (isStill) return 'moving';
  if (scale < 1) return 'size';
  if (step > 0) return 'frame-rate';
  return bitrateBps < fullBps / 2 ? 'bitrate' : null;
}

/** To be asked now and then: takes a camera anew that is there and gives no pictures. */
export function pictureWatch(core: Core): (nowMs: number) => Promise<void> {
  let seen = { pictures: -1, atMs: 0 };
  return async (nowMs) => {
    const { state, missing } = core.view;
    // Browsers may stop the camera of a page that nobody sees.
    const isExpected = state === 'live' && !missing.camera && !document.hidden;
    const pictures = isExpected ? ((await core.publication?.pictures()) ?? null) : null;
    if (pictures === null || pictures !== seen.pictures) seen = { pictures: pictures ?? -1, atMs: nowMs };
    else if (nowMs - seen.atMs > stillAfterMs) {
      seen = { pictures: -1, atMs: nowMs };
      await inTurn(core, () => renewCamera(core));
    }
  };
}
