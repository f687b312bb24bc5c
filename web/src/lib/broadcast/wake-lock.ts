/** Keeps the screen on during a show (W3C Screen Wake Lock). */
import type { WakeLock } from './face.ts';

export function createWakeLock(): WakeLock {
  let isWanted = false;
  let lock: WakeLockSentinel | null = null;

  async function take(): Promise<void> {
    if (!isWanted || lock || document.hidden || !('wakeLock' in navigator)) return;
    try {
      const taken = await navigator.wakeLock.request('screen');
      if (!isWanted) return void taken.release();
      lock = taken;
      // The browser takes it back whenever the page is hidden.
      taken.addEventListener('release', () => {
        lock = null;
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
      document.removeEventListener('visibilitychange', onVisible);
      void lock?.release();
      lock = null;
    },
  };
}
