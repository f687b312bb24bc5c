/**
 * Reads fragments as `fragment.ts` writes them: one `moof` + `mdat` after another, one track and one run of samples in
 * each, every field at its fixed place. For nothing else.
 */
import { pictureTimescale, pictureTrackId, soundTimescale } from './init-segment.ts';

/** From the start of a `moof`: its head, `mfhd`, the head of `traf`, `tfhd`, `tfdt`, `trun` (see `writeHead`). */
const trackIdAt = 8 + 16 + 8 + 12;
const decodeTimeAt = 8 + 16 + 8 + 20 + 12;
const sampleCountAt = 8 + 16 + 8 + 20 + 20 + 12;
const firstFlagsAt = sampleCountAt + 8;
const samplesAt = firstFlagsAt + 4;
/** Version and flags of `trun`; the flag that each sample has a composition offset behind its size. */
const trunFlagsAt = sampleCountAt - 4;
const trunOffset = 0x000800;
/** sample_depends_on (ISO/IEC 14496-12 §8.8.3.1) of a picture that needs no other. */
const independent = 0x02000000;

export interface ReadFragment {
  track: 'video' | 'audio';
  isKey: boolean;
  /** In ticks of the track: 90 kHz, of sound as its codec has them. */
  decodeTime: number;
  /** Of all samples together, in the same ticks. */
  ticks: number;
  /** Of decoding. Sound is taken for 48 kHz: with another codec only its ticks are right. */
  timeMs: number;
  durationMs: number;
  /** `offset`: from decoding to showing, in ticks. */
  samples: { duration: number; offset: number; data: Buffer }[];
  /** All of it, `moof` and `mdat`. */
  data: Buffer;
}

/** Views into `bytes`, nothing is copied. Throws RangeError when they are no fragments of ours. */
export function readFragments(bytes: Buffer): ReadFragment[] {
  const fragments: ReadFragment[] = [];
  for (let at = 0; at < bytes.length;) {
    const moofBytes = bytes.readUInt32BE(at);
    const end = at + moofBytes + bytes.readUInt32BE(at + moofBytes);
    if (end <= at || end > bytes.length) throw new RangeError('these are no fragments');
    fragments.push(readFragment(bytes.subarray(at, end), moofBytes));
    at = end;
  }
  return fragments;
}

/** How many of `bytes`, from the first on, are whole fragments: a writer may have been cut short at any byte. */
export function wholeFragments(bytes: Buffer): number {
  let whole = 0;
  while (whole + 8 <= bytes.length) {
    const dataAt = whole + bytes.readUInt32BE(whole);
    if (dataAt < whole + samplesAt || dataAt + 8 > bytes.length) break;
    const end = dataAt + bytes.readUInt32BE(dataAt);
    if (end < dataAt + 8 || end > bytes.length) break;
    whole = end;
  }
  return whole;
}

function readFragment(data: Buffer, moofBytes: number): ReadFragment {
  const isPicture = data.readUInt32BE(trackIdAt) === pictureTrackId;
  const timescale = isPicture ? pictureTimescale : soundTimescale;
  const decodeTime = data.readUInt32BE(decodeTimeAt) * 2 ** 32 + data.readUInt32BE(decodeTimeAt + 4);
  const samples: ReadFragment['samples'] = [];
  let sampleAt = moofBytes + 8;
  let ticks = 0;
  const hasOffsets = (data.readUInt32BE(trunFlagsAt) & trunOffset) !== 0;
  const entryBytes = hasOffsets ? 12 : 8;
  for (let index = 0; index < data.readUInt32BE(sampleCountAt); index += 1) {
    const entryAt = samplesAt + index * entryBytes;
    const duration = data.readUInt32BE(entryAt);
    const size = data.readUInt32BE(entryAt + 4);
    const offset = hasOffsets ? data.readInt32BE(entryAt + 8) : 0;
    samples.push({ duration, offset, data: data.subarray(sampleAt, sampleAt + size) });
    sampleAt += size;
    ticks += duration;
  }
  return {
    track: isPicture ? 'video' : 'audio',
    isKey: data.readUInt32BE(firstFlagsAt) === independent,
    decodeTime,
    ticks,
    timeMs: (decodeTime * 1_000) / timescale,
    durationMs: (ticks * 1_000) / timescale,
    samples,
    data,
  };
}
