/**
 * Watches a show on its device: what it costs, battery and processor, and sends fewer pictures when it is too much; and
 * whether its camera still gives any.
 */
import { renewCamera } from './capture.ts';
import { change, fullShape, inTurn, type Core } from './core.ts';
import { createEconomy, fullFrameRate, type Battery } from './economy.ts';

const lookEveryMs = 1_000;
/** Longer than any change of cameras or of the network, as which this must not be taken. */
const stillAfterMs = 4_000;

type WithBattery = Navigator & { getBattery?: () => Promise<Battery> };

/** Returns the way out. */
export function watchStrain(core: Core): () => void {
  const economy = createEconomy();
  let battery: Battery | null = null;
  let frameRate = fullFrameRate;
  let publication = core.publication;
  // Chromium's alone; elsewhere nothing is told of the battery.
  (navigator as WithBattery).getBattery?.().then(
    (told) => (battery = told),
    () => undefined,
  );
  const look = (): void => {
    const stats = core.publication?.stats() ?? null;
    if (core.view.state === 'live') change(core, { stats });
    const now = economy.step({ nowMs: performance.now(), limitedByCpu: stats?.limitedByCpu ?? false, battery });
    if (now.saving !== core.view.saving) change(core, { saving: now.saving });
    if (now.frameRate === frameRate && core.publication === publication) return;
    frameRate = now.frameRate;
    publication = core.publication;
    void publication?.setShape({ ...fullShape(core), framesPerSecond: frameRate });
  };
  const watchPictures = pictureWatch(core);
  const timer = setInterval(() => {
    look();
    void watchPictures(performance.now());
  }, lookEveryMs);
  return () => clearInterval(timer);
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
