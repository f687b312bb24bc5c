/** Watches picture and sound before the show and says, one thing at a time, what would make them better. */
import type { Air } from './air.svelte.ts';
import { judgeLight, type Light } from './light.ts';

// Once a second is often enough for somebody who turns a lamp, and costs nothing.
const lookEveryMs = 1000;
// The meter follows the voice; about twelve times a second looks live.
const listenEveryMs = 80;
const size = 24;
// Speech at arm's length peaks well above this; a silent room stays below.
const voiceFrom = 0.06;
// As long as a pause between sentences: after it the host is asked to speak again.
const voiceForgottenMs = 12_000;

interface Watched {
  air: Air | null;
  video: HTMLVideoElement | null;
  active: boolean;
}

/** Called while a component is made. */
export function createCoach(watched: () => Watched) {
  let light = $state<Light | null>(null);
  let level = $state(0);
  let heardAtMs = $state(-Infinity);
  let nowMs = $state(0);

  function look(video: HTMLVideoElement, context: CanvasRenderingContext2D): void {
    if (document.hidden || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    context.drawImage(video, 0, 0, size, size);
    light = judgeLight(context.getImageData(0, 0, size, size).data, size);
  }

  $effect(() => {
    const { air, video, active } = watched();
    if (!air || !video || !active) return;
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = size;
    const context = canvas.getContext('2d', { willReadFrequently: true });
    const looking = setInterval(() => context && look(video, context), lookEveryMs);
    const listening = setInterval(() => {
      // Nobody looks: then a phone has better things to do.
      if (document.hidden) return;
      level = air.level();
      nowMs = performance.now();
      if (level > voiceFrom) heardAtMs = nowMs;
    }, listenEveryMs);
    return () => {
      clearInterval(looking);
      clearInterval(listening);
    };
  });

  return {
    /** Null until a picture was looked at. */
    get light() {
      return light;
    },
    /** 0…1 */
    get level() {
      return level;
    },
    get heard() {
      return nowMs - heardAtMs < voiceForgottenMs;
    },
  };
}

export type Coach = ReturnType<typeof createCoach>;
