/** Keeps the screen on during a show (W3C Screen Wake Lock). */
import type { WakeLock } from './face.ts';

/** Sooner would quarrel with a system that saves its battery; later than half a minute the screen is dark. */
const againAfterMs = 5_000;

export function createWakeLock(): WakeLock {
  let isWanted = false;
  let lock: WakeLockSentinel | null = null;
  let again: ReturnType<typeof setTimeout> | undefined;

  async function take(): Promise<void> {
    if (!isWanted || lock || document.hidden || !('wakeLock' in navigator)) return;
    try {
      const taken = await navigator.wakeLock.request('screen');
      if (!isWanted) return void taken.release();
      lock = taken;
      // The browser takes it back whenever the page is hidden, and some to save the battery.
      taken.addEventListener('release', () => {
        lock = null;
        clearTimeout(again);
        if (isWanted && !document.hidden) again = setTimeout(take, againAfterMs);
      });
    } catch {
      // Refused, for example on an empty battery: the show goes on without.
    }
  }

  const onVisible = (): void => void take();
  return {
    hold() {
      if (isWanted) return;
      isWanted = true;
      document.addEventListener('visibilitychange', onVisible);
      void take();
    },
    release() {
      isWanted = false;
      clearTimeout(again);
      document.removeEventListener('visibilitychange', onVisible);
      void lock?.release();
      lock = null;
    },
  };
}
