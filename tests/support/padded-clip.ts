/** The demo show's clip at a higher bitrate, for tests and measurements of the way in. */
import { randomBytes } from 'node:crypto';
import { loadClip, type Clip } from '@nacre/media/publisher/clip';
import { demoClip } from './publisher-stage.ts';

/** Each picture is filled up with a message for decoders to the bitrate, in bits per second. */
export async function loadPaddedClip(bitrateBps: number): Promise<Clip> {
  const clip = await loadClip(demoClip);
  const bytesPerPicture = (bitrateBps / 8 / clip.pictures.length) * (clip.durationMs / 1000);
  const pictures = clip.pictures.map((picture) => {
    const missing = Math.round(bytesPerPicture) - picture.nals.reduce((sum, nal) => sum + nal.length, 0);
    return missing < 64 ? picture : { ...picture, nals: [message(missing), ...picture.nals] };
  });
  return { ...clip, pictures };
}

/** SEI of user_data_unregistered (ITU-T H.264 §7.3.2.3, D.1.6). Without zeros nothing in it needs to be escaped. */
function message(bytes: number): Buffer {
  const size = bytes - 3 - Math.ceil(bytes / 255);
  const sizeBytes = [...Array<number>(Math.floor(size / 255)).fill(255), size % 255];
  const data = randomBytes(size).map((byte) => byte || 1);
  return Buffer.concat([Buffer.from([6, 5, ...sizeBytes]), data, Buffer.from([0x80])]);
}
