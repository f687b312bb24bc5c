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
      const code = Math.floor(Date.now() / 100) % 2 ** fields;
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

/** When what the page's video shows now was taken: Unix epoch in ms, exact to 100 ms, within an hour of `nearMs`. */
export async function shownMoment(page: Page, nearMs: number): Promise<number> {
  const code = await page.evaluate(() => {
    const video = document.querySelector('video')!;
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    const context = canvas.getContext('2d')!;
    context.drawImage(video, 0, 0);
    let read = 0;
    for (let bit = 0; bit < 16; bit += 1) {
      const at = Math.round(((bit + 0.5) * canvas.width) / 16);
      if (context.getImageData(at, Math.round(canvas.height * 0.03), 1, 1).data[1]! > 128) read |= 1 << bit;
    }
    return read;
  });
  const turn = 2 ** 16;
  const near = Math.floor(nearMs / 100);
  const turns = Math.round((near - code) / turn);
  return (turns * turn + code) * 100 + 50;
}
