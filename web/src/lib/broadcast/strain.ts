/** Watches what a show costs the device, battery and processor, and sends fewer pictures when it is too much. */
import { change, type Core } from './core.ts';
import { createEconomy, fullFrameRate, type Battery } from './economy.ts';

const lookEveryMs = 1_000;

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
    void publication?.setFrameRate(frameRate);
  };
  const timer = setInterval(look, lookEveryMs);
  return () => clearInterval(timer);
}
