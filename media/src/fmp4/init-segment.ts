/**
 * The init segment: `ftyp` + `moov` without samples (ISO/IEC 14496-12 §8.8), track 1 picture in H.264, track 2 sound
 * (`sound.ts`).
 */
import { avcConfiguration, type SpsInfo } from './avc.ts';
import { box, fullBox, text, u16, u32, zeros } from './boxes.ts';
import type { SoundCodec } from './sound.ts';

export const pictureTrackId = 1;
export const soundTrackId = 2;
export const pictureTimescale = 90_000;
/** Of Opus, and of AAC made from it; AAC as it came has its own (`SoundCodec.timescale`). */
export const soundTimescale = 48_000;

const identityMatrix = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);
/** `und`, packed (§8.4.2.3). */
const undeterminedLanguage = 0x55c4;

function trackHeader(trackId: number, width: number, height: number, isSound: boolean): Buffer {
  return fullBox(
    'tkhd',
    0,
    3,
    u32(0, 0, trackId, 0, 0, 0, 0),
    u16(0, 0, isSound ? 0x100 : 0, 0),
    identityMatrix,
    u32(width * 0x10000, height * 0x10000),
  );
}

function media(timescale: number, handler: string, name: string, mediaHeader: Buffer, entry: Buffer): Buffer {
  const dataReference = box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1)));
  const samples = box(
    'stbl',
    fullBox('stsd', 0, 0, u32(1), entry),
    fullBox('stts', 0, 0, u32(0)),
    fullBox('stsc', 0, 0, u32(0)),
    fullBox('stsz', 0, 0, u32(0, 0)),
    fullBox('stco', 0, 0, u32(0)),
  );
  return box(
    'mdia',
    fullBox('mdhd', 0, 0, u32(0, 0, timescale, 0), u16(undeterminedLanguage, 0)),
    fullBox('hdlr', 0, 0, u32(0), Buffer.from(handler, 'latin1'), zeros(12), text(name)),
    box('minf', mediaHeader, dataReference, samples),
  );
}

function pictureTrack(info: SpsInfo, sps: Uint8Array, pps: readonly Uint8Array[]): Buffer {
  const entry = box(
    'avc1',
    zeros(6),
    u16(1),
    zeros(16),
    u16(info.width, info.height),
    u32(0x480000, 0x480000, 0),
    u16(1),
    zeros(32),
    u16(0x18, 0xffff),
    box('avcC', avcConfiguration(sps, pps)),
  );
  return box(
    'trak',
    trackHeader(pictureTrackId, info.width, info.height, false),
    media(pictureTimescale, 'vide', 'picture', fullBox('vmhd', 0, 1, zeros(8)), entry),
  );
}

function soundTrack({ timescale, sampleEntry }: SoundCodec): Buffer {
  return box(
    'trak',
    trackHeader(soundTrackId, 0, 0, true),
    media(timescale, 'soun', 'sound', fullBox('smhd', 0, 0, zeros(4)), sampleEntry),
  );
}

export interface InitSegmentFields {
  info: SpsInfo;
  sps: Uint8Array;
  pps: readonly Uint8Array[];
  /** Null for a stream without. */
  sound: SoundCodec | null;
}

export function buildInitSegment(fields: InitSegmentFields): Buffer {
  const trackExtends = (trackId: number): Buffer => fullBox('trex', 0, 0, u32(trackId, 1, 0, 0, 0));
  const tracks = [pictureTrack(fields.info, fields.sps, fields.pps)];
  const extended = [trackExtends(pictureTrackId)];
  if (fields.sound !== null) {
    tracks.push(soundTrack(fields.sound));
    extended.push(trackExtends(soundTrackId));
  }
  const movieHeader = fullBox(
    'mvhd',
    0,
    0,
    u32(0, 0, 1000, 0, 0x10000),
    u16(0x100, 0),
    zeros(8),
    identityMatrix,
    zeros(24),
    u32(soundTrackId + 1),
  );
  return Buffer.concat([
    box('ftyp', Buffer.from('iso5', 'latin1'), u32(512), Buffer.from('iso5iso6mp41avc1', 'latin1')),
    box('moov', movieHeader, ...tracks, box('mvex', ...extended)),
  ]);
}
