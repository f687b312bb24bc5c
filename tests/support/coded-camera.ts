/** A camera whose pictures carry the moment at which they were taken, and reading it from what a page shows. */
import type { BrowserContext, Page } from 'playwright-core';

/** Runs in the page: what the real camera sees, with a strip of black and white fields above. */
function codeCamera(): void {
  const fields = 16;
  const [width, height] = [720, 1_280];
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wish) => {
    const stream = await real(wish);
    const [camera] = stream.getVideoTracks();
    if (!camera) return stream;
    const video = document.createElement('video');
    video.muted = true;
    video.srcObject = new MediaStream([camera]);
    await video.play();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext('2d')!;
    setInterval(() => {
      context.drawImage(video, 0, 0, width, height);
      const code = Math.floor(Date.now() / 10) % 2 ** fields;
      for (let bit = 0; bit < fields; bit += 1) {
        context.fillStyle = (code >> bit) & 1 ? '#fff' : '#000';
        context.fillRect((bit * width) / fields, 0, width / fields, 96);
      }
    }, 33);
    const [track] = canvas.captureStream(30).getVideoTracks();
    return new MediaStream([track!, ...stream.getAudioTracks()]);
  };
}

/** In pages of this context, opened from now on. */
export const leadCamera = (context: BrowserContext): Promise<unknown> => context.addInitScript(codeCamera);

/** A picture as the page's video shows it. */
export interface ShownPicture {
  /** Where it lies in what is played, in ms. */
  placeMs: number;
  /** When it was taken: Unix epoch in ms, exact to 10 ms. */
  takenMs: number;
}

const withinMs = 15_000;

/**
 * The next so many pictures that the page's video shows, taken within five minutes of `nearMs`. Fewer when it comes to
 * its end before.
 */
export async function shownPictures(page: Page, count: number, nearMs: number): Promise<ShownPicture[]> {
  const read = await page.evaluate(({ most, patienceMs }) => new Promise<{ placeMs: number; code: number }[]>((
    resolve, reject,
  ) => {
    const video = document.querySelector('video')!;
    const canvas = document.createElement('canvas');
    const context = canvas.getContext('2d', { willReadFrequently: true })!;
    const pictures: { placeMs: number; code: number }[] = [];
    const look: VideoFrameRequestCallback = (_, { mediaTime, width, height }) => {
      [canvas.width, canvas.height] = [width, Math.ceil(height * 0.06)];
      context.drawImage(video, 0, 0, width, height);
      let code = 0;
      for (let bit = 0; bit < 16; bit += 1) {
        const at = Math.round(((bit + 0.5) * width) / 16);
        if (context.getImageData(at, Math.round(height * 0.03), 1, 1).data[1]! > 128) code |= 1 << bit;
      }
      pictures.push({ placeMs: mediaTime * 1_000, code });
      if (pictures.length >= most) resolve(pictures);
      else video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
    video.addEventListener('ended', () => resolve(pictures), { once: true });
    setTimeout(() => reject(new Error(
      `${pictures.length} pictures of ${most}, at ${video.currentTime} of ${video.duration} s`,
    )), patienceMs);
  }), { most: count, patienceMs: withinMs });
  const turn = 2 ** 16;
  const near = Math.floor(nearMs / 10);
  return read.map(({ placeMs, code }) => {
    const turns = Math.round((near - code) / turn);
    return { placeMs, takenMs: (turns * turn + code) * 10 + 5 };
  });
}
