/** Sends one picture, with progress. Refuses before sending what the server would refuse after the whole way. */
import type { Image } from '@nacre/contract/common';
import { ApiError, errorFrom } from '#lib/problem.ts';

/** As the server takes them; phones turn their own formats into JPEG when asked for these. */
export const imageTypes = 'image/jpeg,image/png,image/webp,image/avif,image/gif';

// The server's own limit; a larger file would be carried over a mobile network for nothing.
const imageMaxBytes = 15 * 1024 * 1024;
// 15 MB on a slow uplink of 1 Mbit/s take two minutes; a connection that is dead should not hold the form longer.
const uploadWithinMs = 180_000;

/** `onprogress` hears shares from 0 to 1. The returned `stop` gives the upload up. */
export function uploadImage(
  file: File,
  onprogress: (share: number) => void,
): { done: Promise<Image>; stop: () => void } {
  const request = new XMLHttpRequest();
  const done = new Promise<Image>((resolve, reject) => {
    if (!file.type.startsWith('image/')) return reject(new ApiError('images.not_an_image', 415));
    if (file.size > imageMaxBytes) return reject(new ApiError('images.too_large', 413));
    request.open('POST', '/api/images');
    request.responseType = 'json';
    request.timeout = uploadWithinMs;
    request.upload.onprogress = (event) => event.lengthComputable && onprogress(event.loaded / event.total);
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) resolve(request.response as Image);
      else reject(errorFrom(request.response, request.status));
    };
    request.onerror = request.ontimeout = request.onabort = () => reject(new ApiError('network', 0));
    const form = new FormData();
    form.append('file', file);
    request.send(form);
  });
  return { done, stop: () => request.abort() };
}
