/** The init segment of the same stream with AAC in place of Opus (ISO/IEC 14496-14 §5.6, 14496-1 §7.2.6). */
import { box, fullBox, u16, u32, u8, zeros } from '../fmp4/boxes.ts';
import { soundTimescale } from '../fmp4/init-segment.ts';

/** AAC-LC (2) at 48 kHz (index 3) with two channels, in five, four and four bits (ISO/IEC 14496-3 §1.6.2.1). */
const audioSpecificConfig = u8(0x11, 0x90);
export const aacBitrate = 96_000;
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
  return isSound ? fullBox('stsd', 0, 0, u32(1), aacEntry()) : whole;
}

function boxesOf(bytes: Buffer): Buffer[] {
  const boxes: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = bytes.readUInt32BE(at);
    if (size < 8 || at + size > bytes.length) throw new RangeError('no box of ours');
    boxes.push(bytes.subarray(at, at + size));
    at += size;
  }
  return boxes;
}

function descriptor(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([u8(tag, body.length), body]);
}

function aacEntry(): Buffer {
  const decoder = descriptor(
    4, u8(0x40, 0x15, 0, 0, 0), u32(aacBitrate, aacBitrate), descriptor(5, audioSpecificConfig),
  );
  const stream = descriptor(3, u16(0), u8(0), decoder, descriptor(6, u8(2)));
  return box(
    'mp4a', zeros(6), u16(1), zeros(8), u16(2, 16, 0, 0), u32(soundTimescale * 0x10000), fullBox('esds', 0, 0, stream),
  );
}
