/** A page's script, before all others: the browser takes no Opus. */
import type { Page } from 'playwright-core';

/** As Safari before 17: Media Source Extensions, H.264 and AAC, but no Opus in MP4. */
export function forgetOpus(): void {
  const without = (real: (type: string) => boolean) => (type: string) => !/opus/i.test(type) && real(type);
  MediaSource.isTypeSupported = without(MediaSource.isTypeSupported.bind(MediaSource));
  const canPlay = HTMLMediaElement.prototype.canPlayType;
  HTMLMediaElement.prototype.canPlayType = function canPlayType(type) {
    return /opus/i.test(type) ? '' : canPlay.call(this, type);
  };
}

/** Bytes of sound that the page's first video decoded. */
export const decodedSound = (page: Page): Promise<number> => page.evaluate(() => (
  document.querySelector('video') as unknown as { webkitAudioDecodedByteCount: number }
).webkitAudioDecodedByteCount);
