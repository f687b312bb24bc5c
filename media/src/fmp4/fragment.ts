/**
 * Fragments: one `moof` + `mdat` (ISO/IEC 14496-12 §8.8.4), written in one pass into one buffer because this runs for
 * every picture of every publisher.
 */
import type { NalUnit } from '../rtp/h264.ts';
import { pictureTrackId, soundTrackId } from './init-segment.ts';

/** sample_flags (§8.8.3.1): depends on no other; depends on others and is no sync sample. */
const keySampleFlags = 0x02000000;
const deltaSampleFlags = 0x01010000;
const defaultBaseIsMoof = 0x020000;
const trunDataOffset = 0x000001;
const trunFirstFlags = 0x000004;
const trunDuration = 0x000100;
const trunSize = 0x000200;
const trunOffset = 0x000800;

interface MoofFields {
  sequence: number;
  trackId: number;
  decodeTime: number;
  /** Flags of the first sample; the others are like it. */
  sampleFlags: number;
  samples: readonly { duration: number; size: number }[];
  /** sample_composition_time_offset of the only sample, signed (version 1, §8.8.8). */
  offset: number;
}

/** Writes `moof` and the header of `mdat`; returns where the samples begin. */
function writeHead(buffer: Buffer, fields: MoofFields, dataBytes: number): number {
  const { samples, offset } = fields;
  const trunBytes = 24 + samples.length * sampleBytes(offset);
  const trafBytes = 8 + 20 + 20 + trunBytes;
  const moofBytes = 8 + 16 + trafBytes;
  let at = 0;
  const u32 = (value: number): void => {
    at = buffer.writeUInt32BE(value >>> 0, at);
  };
  const head = (size: number, type: string): void => {
    u32(size);
    at += buffer.write(type, at, 'latin1');
  };
  head(moofBytes, 'moof');
  head(16, 'mfhd');
  u32(0);
  u32(fields.sequence);
  head(trafBytes, 'traf');
  head(20, 'tfhd');
  u32(defaultBaseIsMoof | 0x20);
  u32(fields.trackId);
  u32(fields.sampleFlags);
  head(20, 'tfdt');
  u32(0x01000000);
  u32(Math.floor(fields.decodeTime / 2 ** 32));
  u32(fields.decodeTime % 2 ** 32);
  head(trunBytes, 'trun');
  const flags = trunDataOffset | trunFirstFlags | trunDuration | trunSize;
  u32(offset === 0 ? flags : 0x01000000 | flags | trunOffset);
  u32(samples.length);
  u32(moofBytes + 8);
  u32(fields.sampleFlags);
  for (const sample of samples) {
    u32(sample.duration);
    u32(sample.size);
    if (offset !== 0) u32(offset);
  }
  head(8 + dataBytes, 'mdat');
  return at;
}

/** Of `sequence_number` (§8.8.5), from the start of a `moof`: its head, the head of `mfhd`, version and flags. */
const sequenceAt = 8 + 12;

/** The number of a fragment of ours. */
export const sequenceOf = (fragment: Buffer): number => fragment.readUInt32BE(sequenceAt);

/** A copy of `fragments` behind each other, numbered from `first` on: the numbers have to rise (§8.8.5.1). */
export function joinFragments(fragments: readonly Buffer[], first: number): Buffer {
  const joined = Buffer.concat(fragments);
  let at = 0;
  for (const [index, { length }] of fragments.entries()) {
    joined.writeUInt32BE((first + index) >>> 0, at + sequenceAt);
    at += length;
  }
  return joined;
}

/** Duration and size, and the offset where there is one. */
function sampleBytes(offset: number): number {
  return offset === 0 ? 8 : 12;
}

function headBytes(samples: number, offset = 0): number {
  return 8 + 16 + 8 + 20 + 20 + 24 + samples * sampleBytes(offset) + 8;
}

export interface PictureSample {
  nals: readonly NalUnit[];
  isKey: boolean;
  /** In 90 kHz ticks. */
  decodeTime: number;
  duration: number;
  /** From there to when it is shown; not 0 where pictures are shown in another order. May be negative. */
  offset: number;
}

export function buildPictureFragment(sequence: number, sample: PictureSample): Buffer {
  let dataBytes = 0;
  for (const nal of sample.nals) dataBytes += 4 + nal.size;
  const buffer = Buffer.allocUnsafe(headBytes(1, sample.offset) + dataBytes);
  let at = writeHead(
    buffer,
    {
      sequence,
      trackId: pictureTrackId,
      decodeTime: sample.decodeTime,
      sampleFlags: sample.isKey ? keySampleFlags : deltaSampleFlags,
      samples: [{ duration: sample.duration, size: dataBytes }],
      offset: sample.offset,
    },
    dataBytes,
  );
  for (const nal of sample.nals) {
    at = buffer.writeUInt32BE(nal.size, at);
    for (const chunk of nal.chunks) {
      buffer.set(chunk, at);
      at += chunk.length;
    }
  }
  return buffer;
}

export interface SoundSample {
  data: Buffer;
  /** In ticks of the track. */
  duration: number;
}

export function buildSoundFragment(sequence: number, decodeTime: number, samples: readonly SoundSample[]): Buffer {
  let dataBytes = 0;
  for (const sample of samples) dataBytes += sample.data.length;
  const buffer = Buffer.allocUnsafe(headBytes(samples.length) + dataBytes);
  let at = writeHead(
    buffer,
    {
      sequence,
      trackId: soundTrackId,
      decodeTime,
      sampleFlags: keySampleFlags,
      samples: samples.map((sample) => ({ duration: sample.duration, size: sample.data.length })),
      offset: 0,
    },
    dataBytes,
  );
  for (const sample of samples) {
    buffer.set(sample.data, at);
    at += sample.data.length;
  }
  return buffer;
}
