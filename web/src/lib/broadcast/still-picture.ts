/**
 * A picture that stands in for the camera, so that the show goes on with sound: the last one while cameras are changed,
 * a pause sign without words while something else holds the camera.
 *
 * Sound reaches viewers with the next picture (media/README.md): without any picture they would hear nothing either.
 */

/** While cameras change, for a second or two. */
const changingEveryMs = 66;
/** While paused. Browsers give hidden pages one tick a second; fewer pictures would part the sound. */
const pausedEveryMs = 500;
/** On a line that carries hardly more than sound: as often as while paused, and new every so often. */
const slowEveryMs = 500;
const newEveryMs = 3_000;
/** Waiting longer for the camera's last picture would be a longer change than the one it hides. */
const lastPictureWithinMs = 150;

export interface StillPicture {
  track: MediaStreamTrack;
  stop(): void;
}

/** Null where the browser has no pictures from a canvas. Of the camera's size, so that the stream need not change. */
export function showPause(size: { width?: number; height?: number }): StillPicture | null {
  return still(size, pausedEveryMs, (context, { width, height }) => {
    const ground = context.createLinearGradient(0, 0, width, height);
    for (const [at, colour] of [[0, '#2b2430'], [0.5, '#3a3540'], [1, '#1f2a2c']] as const) {
      ground.addColorStop(at, colour);
    }
    context.fillStyle = ground;
    context.fillRect(0, 0, width, height);
    const unit = Math.min(width, height) / 16;
    context.fillStyle = 'rgb(255 255 255 / 85%)';
    for (const side of [-1.5, 0.5]) context.fillRect(width / 2 + side * unit, height / 2 - 2 * unit, unit, 4 * unit);
  });
}

/** The camera's last picture; null when it has none. */
export async function holdLast(camera: MediaStreamTrack): Promise<StillPicture | null> {
  const video = document.createElement('video');
  video.muted = video.playsInline = true;
  video.srcObject = new MediaStream([camera]);
  try {
    await Promise.race([
      video.play(),
      new Promise((_, reject) => setTimeout(reject, lastPictureWithinMs, new Error('no picture'))),
    ]);
    const picture = await createImageBitmap(video);
    const size = { width: picture.width, height: picture.height };
    const held = still(size, changingEveryMs, (context) => context.drawImage(picture, 0, 0));
    if (held === null) {
      picture.close();
      return null;
    }
    return {
      track: held.track,
      stop() {
        held.stop();
        // As large as the camera's picture, and freed late otherwise.
        picture.close();
      },
    };
  } catch {
    return null;
  } finally {
    video.srcObject = null;
  }
}

/** The camera's picture, a new one every few seconds, for a line that carries no more; null as above. */
export function showSlowly(camera: MediaStreamTrack): StillPicture | null {
  const video = document.createElement('video');
  video.muted = video.playsInline = true;
  video.srcObject = new MediaStream([camera]);
  video.play().catch(() => undefined);
  const taken = document.createElement('canvas');
  const takenContext = taken.getContext('2d', { alpha: false });
  let takenMs = -Infinity;
  const slow = still(camera.getSettings(), slowEveryMs, (context, { width, height }) => {
    const nowMs = performance.now();
    if (video.videoWidth > 0 && nowMs - takenMs >= newEveryMs) {
      takenMs = nowMs;
      taken.width = width;
      taken.height = height;
      takenContext?.drawImage(video, 0, 0, width, height);
    }
    // Mostly the same again, so that sound has a picture to travel with.
    context.drawImage(taken, 0, 0, width, height);
  });
  if (slow === null) return null;
  return {
    track: slow.track,
    stop() {
      slow.stop();
      video.srcObject = null;
    },
  };
}

type Draw = (context: CanvasRenderingContext2D, size: { width: number; height: number }) => void;

function still(size: { width?: number; height?: number }, everyMs: number, draw: Draw): StillPicture | null {
  const canvas = document.createElement('canvas');
  canvas.width = size.width || 720;
  canvas.height = size.height || 1280;
  const context = canvas.getContext('2d', { alpha: false });
  const [track] = canvas.captureStream?.().getVideoTracks() ?? [];
  if (!context || !track) return null;
  const paint = (): void => draw(context, canvas);
  paint();
  // A canvas sends a picture whenever something was drawn on it.
  const timer = setInterval(paint, everyMs);
  return {
    track,
    stop() {
      clearInterval(timer);
      track.stop();
    },
  };
}
