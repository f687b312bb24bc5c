/** The init segment of the same stream with AAC in place of Opus. One whose sound is AAC already stays as it is. */
import { box, boxesOf, fullBox, u32 } from '../fmp4/boxes.ts';
import { aacSound } from '../fmp4/sound.ts';

export const aacBitrate = 96_000;
const madeSound = aacSound({ sampleRate: 48_000, channels: 2, bitrate: aacBitrate });
const containers: readonly string[] = ['moov', 'trak', 'mdia', 'minf', 'stbl'];

/** @param initSegment as `init-segment.ts` builds it */
export function withAacSound(initSegment: Buffer): Buffer {
  return Buffer.concat(boxesOf(initSegment).map(rewritten));
}

export const withAacCodec = (mime: string): string => mime.replace(/opus/i, 'mp4a.40.2');

function rewritten(whole: Buffer): Buffer {
  const type = whole.toString('latin1', 4, 8);
  const body = whole.subarray(8);
  if (containers.includes(type)) return box(type, ...boxesOf(body).map(rewritten));
  // Version, flags and the count of entries stand before the only entry.
  const isSound = type === 'stsd' && whole.toString('latin1', 20, 24) === 'Opus';
  return isSound ? fullBox('stsd', 0, 0, u32(1), madeSound.sampleEntry) : whole;
}
