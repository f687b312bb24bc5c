/**
 * How many pictures a second a phone should make: fewer when its processor cannot keep up (which is what heat looks
 * like from inside a page) or its battery runs out. Pure; the broadcaster asks once a second.
 */
import type { BroadcastSaving } from './face.ts';

export const fullFrameRate = 30;
const fewerFrameRate = 20;
const fewestFrameRate = 12;
/** A limit that lasts shorter is somebody opening the camera app's settings. */
const hotAfterMs = 5_000;
/** Still limited with fewer pictures for so long: fewer yet. */
const hotterAfterMs = 15_000;
/** Without a limit for so long the phone has cooled down. Sooner would go up and down all the time. */
const coolAfterMs = 60_000;
const lowBattery = 0.2;
const emptyBattery = 0.1;

export interface Battery {
  /** 0…1 */
  level: number;
  charging: boolean;
}

export interface Economy {
  /** @param battery null where the browser does not tell */
  step(now: { nowMs: number; limitedByCpu: boolean; battery: Battery | null }): {
    frameRate: number;
    saving: BroadcastSaving;
  };
}

export function createEconomy(): Economy {
  let heat: 0 | 1 | 2 = 0;
  /** Since when it is limited, or is not, without a break. */
  let sinceMs: number | null = null;
  let wasLimited = false;

  return {
    step({ nowMs, limitedByCpu, battery }) {
      if (limitedByCpu !== wasLimited || sinceMs === null) {
        wasLimited = limitedByCpu;
        sinceMs = nowMs;
      }
      const lastedMs = nowMs - sinceMs;
      if (limitedByCpu && heat < 2 && lastedMs >= (heat === 0 ? hotAfterMs : hotterAfterMs)) {
        heat = heat === 0 ? 1 : 2;
        sinceMs = nowMs;
      } else if (!limitedByCpu && heat > 0 && lastedMs >= coolAfterMs) {
        heat = heat === 2 ? 1 : 0;
        sinceMs = nowMs;
      }
      const drain = battery === null || battery.charging || battery.level > lowBattery ? 0
        : battery.level > emptyBattery ? 1 : 2;
      const frameRate = [fullFrameRate, fewerFrameRate, fewestFrameRate][Math.max(heat, drain)] ?? fullFrameRate;
      // A battery that runs out ends the show; heat only makes it less smooth.
      return { frameRate, saving: drain > 0 ? 'battery' : heat > 0 ? 'heat' : null };
    },
  };
}
