/**
 * Pictures of products as they are shown, for their clips: some moments after one came on screen, what this device's
 * camera sees is taken once and sent. The show waits for none of it, and a picture that cannot be had is done without.
 */
import { api, ask } from '#lib/api.ts';
import { uploadImage } from '#lib/office/upload-image.ts';

/** Sooner the host is still reaching for it, later she may have put it down. */
const afterMs = 2_500;
/** Some 60 KB: more takes of a weak line what the show needs. */
const widthPx = 540;
const quality = 0.75;

export interface Posters {
  /** What is on screen now; a repeat does nothing. */
  shown(productId: string | null): void;
  stop(): void;
}

/** @param options.picture what shows the camera of this device; null while it films nothing */
export function createPosters(options: { showId: string; picture: () => HTMLVideoElement | null }): Posters {
  const taken = new Set<string>();
  let waiting: ReturnType<typeof setTimeout> | undefined;

  async function take(productId: string): Promise<void> {
    const file = await pictureOf(options.picture());
    if (file === null) return;
    taken.add(productId);
    try {
      const { id: imageId } = await uploadImage(file, () => undefined).done;
      const path = { showId: options.showId, productId };
      await ask(api.PUT('/api/office/shows/{showId}/posters/{productId}', { params: { path }, body: { imageId } }));
    } catch (error) {
      // The next time that it is shown.
      taken.delete(productId);
      console.warn('no picture of what is on screen could be kept', error);
    }
  }

  return {
    shown(productId) {
      clearTimeout(waiting);
      if (productId !== null && !taken.has(productId)) waiting = setTimeout(() => void take(productId), afterMs);
    },
    stop: () => clearTimeout(waiting),
  };
}

/** As viewers see it, not mirrored. */
async function pictureOf(video: HTMLVideoElement | null): Promise<File | null> {
  if (video === null || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || video.videoWidth === 0) return null;
  const canvas = document.createElement('canvas');
  canvas.width = Math.min(widthPx, video.videoWidth);
  canvas.height = Math.round((canvas.width * video.videoHeight) / video.videoWidth);
  canvas.getContext('2d')?.drawImage(video, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', quality));
  return blob === null ? null : new File([blob], 'poster.jpg', { type: blob.type });
}
