/**
 * Bodies of FLV tags as RTMP carries them (Adobe's FLV 10.1, annex E; Enhanced RTMP v2 for what has a FourCC): what is
 * a configuration, a picture, a sound packet, and what no browser plays. Pure; garbage is `broken`, never an exception.
 */
import { aacSound, opusSound, type SoundCodec } from '../fmp4/sound.ts';
import { nalType, type NalUnit } from '../rtp/h264.ts';
import type { EncoderProblem } from './problems.ts';

export interface AvcConfiguration {
  sps: Buffer;
  pps: Buffer;
  /** Bytes of the length before each NAL unit. */
  lengthBytes: number;
}

type Refused = { kind: 'refused'; problem: EncoderProblem };
/** Says nothing that matters here, e.g. the end of the sequence. */
const nothing = { kind: 'nothing' } as const;

export type VideoTag =
  | typeof nothing | Refused
  | { kind: 'configuration'; avc: AvcConfiguration }
  /** `offsetMs`: from decoding to showing, signed. `data`: NAL units behind their lengths. */
  | { kind: 'picture'; offsetMs: number; data: Buffer };

export type AudioTag =
  | typeof nothing | Refused
  | { kind: 'configuration'; sound: SoundCodec }
  | { kind: 'packet'; data: Buffer };

const refused = (code: EncoderProblem['code'], found: string | null = null): Refused => (
  { kind: 'refused', problem: { code, found } }
);
const broken = refused('broken');

const videoCodecs: Record<number, string> = {
  2: 'Sorenson H.263', 3: 'Screen Video', 4: 'VP6', 5: 'VP6', 6: 'Screen Video', 12: 'HEVC', 13: 'AV1', 14: 'VP9',
};
const soundCodecs: Record<number, string> = {
  0: 'PCM', 1: 'ADPCM', 2: 'MP3', 3: 'PCM', 4: 'Nellymoser', 5: 'Nellymoser', 6: 'Nellymoser', 7: 'G.711', 8: 'G.711',
  11: 'Speex', 14: 'MP3', 15: 'its own sound',
};
const fourCcs: Record<string, string> = {
  'hvc1': 'HEVC', 'av01': 'AV1', 'vp08': 'VP8', 'vp09': 'VP9', 'vvc1': 'VVC',
  'ac-3': 'AC-3', 'ec-3': 'E-AC-3', '.mp3': 'MP3', 'fLaC': 'FLAC',
};
const nameOf = (fourCc: string): string => fourCcs[fourCc] ?? 'another codec';

const avc = 7;
const aac = 10;
const enhancedSound = 9;
/** Enhanced RTMP: packet types of both, and where they differ. */
const sequenceStart = 0;
const codedFrames = 1;
const codedFramesX = 3;
const soundMultitrack = 5;
const videoMultitrack = 6;
const modifierExtension = 7;

export function readVideoTag(body: Buffer): VideoTag {
  if (body.length === 0) return nothing;
  const first = body[0]!;
  if ((first & 0x80) !== 0) return readEnhancedVideo(body);
  const codec = first & 0x0f;
  // Frame type 5 is a command of the player's.
  if (first >> 4 === 5) return nothing;
  if (codec !== avc) return refused('picture_codec', videoCodecs[codec] ?? 'another codec');
  if (body.length < 5) return broken;
  if (body[1] === 0) return readAvcConfiguration(body.subarray(5));
  return body[1] === 1 ? { kind: 'picture', offsetMs: body.readIntBE(2, 3), data: body.subarray(5) } : nothing;
}

function readEnhancedVideo(body: Buffer): VideoTag {
  if (((body[0]! >> 4) & 7) === 5) return nothing;
  const { type, at } = readPacketType(body);
  if (type === videoMultitrack) return refused('tracks');
  if (body.length < at + 4) return broken;
  const fourCc = body.toString('latin1', at, at + 4);
  if (fourCc !== 'avc1') return refused('picture_codec', nameOf(fourCc));
  const rest = body.subarray(at + 4);
  if (type === sequenceStart) return readAvcConfiguration(rest);
  if (type === codedFramesX) return { kind: 'picture', offsetMs: 0, data: rest };
  if (type !== codedFrames) return nothing;
  return rest.length < 3 ? broken : { kind: 'picture', offsetMs: rest.readIntBE(0, 3), data: rest.subarray(3) };
}

/** The packet type behind its modifiers, of which none changes what is read here, and where the FourCC begins. */
function readPacketType(body: Buffer): { type: number; at: number } {
  let type = body[0]! & 0x0f;
  let at = 1;
  while (type === modifierExtension) {
    let size = (body[at] ?? 0) + 1;
    at += 1;
    if (size === 256) {
      size = at + 2 <= body.length ? body.readUInt16BE(at) + 1 : body.length;
      at += 2;
    }
    at += size;
    const next = body[at];
    if (next === undefined) return { type: -1, at: body.length };
    type = next & 0x0f;
    at += 1;
  }
  return { type, at };
}

/** AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1), its first set of each kind. */
export function readAvcConfiguration(record: Buffer): VideoTag {
  if (record.length < 7 || record[0] !== 1) return broken;
  const lengthBytes = (record[4]! & 3) + 1;
  const sps = readParameterSet(record, 5, 0x1f);
  const pps = sps && readParameterSet(record, sps.end, 0xff);
  if (sps === null || pps === null || lengthBytes === 3) return broken;
  return { kind: 'configuration', avc: { sps: sps.first, pps: pps.first, lengthBytes } };
}

function readParameterSet(record: Buffer, at: number, mask: number): { first: Buffer; end: number } | null {
  let end = at + 1;
  let first: Buffer | null = null;
  for (let left = (record[at] ?? 0) & mask; left > 0; left -= 1) {
    if (end + 2 > record.length) return null;
    const next = end + 2 + record.readUInt16BE(end);
    if (next > record.length) return null;
    first ??= record.subarray(end + 2, next);
    end = next;
  }
  return first === null || first.length === 0 ? null : { first, end };
}

/** To stand before a key picture's own, which come later and win where there are any. */
export function parameterSets({ sps, pps }: AvcConfiguration): NalUnit[] {
  return [sps, pps].map((bytes) => ({ type: bytes[0]! & 0x1f, size: bytes.length, chunks: [bytes] }));
}

/** A picture has some slices and messages; more is an attack or a mistake. */
const maxNals = 512;

/** Null when the lengths do not add up, or there is no slice of a picture. The units are views of `data`. */
export function readNals(data: Buffer, lengthBytes: number): { nals: NalUnit[]; isKey: boolean } | null {
  const nals: NalUnit[] = [];
  let at = 0;
  while (at < data.length) {
    if (at + lengthBytes > data.length || nals.length >= maxNals) return null;
    const size = data.readUIntBE(at, lengthBytes);
    const unit = data.subarray(at + lengthBytes, at + lengthBytes + size);
    if (unit.length < size) return null;
    at += lengthBytes + size;
    if (size > 0) nals.push({ type: unit[0]! & 0x1f, size, chunks: [unit] });
  }
  const isKey = nals.some(({ type }) => type === nalType.idr);
  return isKey || nals.some(({ type }) => type === nalType.slice) ? { nals, isKey } : null;
}

export function readAudioTag(body: Buffer): AudioTag {
  if (body.length === 0) return nothing;
  const format = body[0]! >> 4;
  if (format === enhancedSound) return readEnhancedAudio(body);
  if (format !== aac) return refused('sound_codec', soundCodecs[format] ?? 'another codec');
  if (body.length < 2) return broken;
  if (body[1] === 0) return readAacConfiguration(body.subarray(2));
  return body[1] === 1 && body.length > 2 ? { kind: 'packet', data: body.subarray(2) } : nothing;
}

function readEnhancedAudio(body: Buffer): AudioTag {
  const { type, at } = readPacketType(body);
  if (type === soundMultitrack) return refused('tracks');
  if (body.length < at + 4) return broken;
  const fourCc = body.toString('latin1', at, at + 4);
  if (fourCc !== 'mp4a' && fourCc !== 'Opus') return refused('sound_codec', nameOf(fourCc));
  const rest = body.subarray(at + 4);
  if (type === codedFrames) return rest.length > 0 ? { kind: 'packet', data: rest } : nothing;
  if (type !== sequenceStart) return nothing;
  return fourCc === 'mp4a' ? readAacConfiguration(rest) : readOpusHead(rest);
}

/** RFC 7845 §5.1. */
function readOpusHead(head: Buffer): AudioTag {
  if (head.length < 10 || head.toString('latin1', 0, 8) !== 'OpusHead') return broken;
  const channels = head[9]!;
  return channels > 2 ? refused('sound_channels', `${channels}`) : { kind: 'configuration', sound: opusSound };
}

const aacRates = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
const aacLc = 2;
/** Spectral band replication, and parametric stereo on top (ISO/IEC 14496-3 table 1.17). */
const heAac: readonly number[] = [5, 29];

/** AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1). */
export function readAacConfiguration(config: Buffer): AudioTag {
  if (config.length < 2) return broken;
  const bits = config.readUInt16BE(0);
  const objectType = bits >> 11;
  if (heAac.includes(objectType)) return refused('sound_codec', 'HE-AAC');
  if (objectType !== aacLc) return refused('sound_codec', 'AAC, but not AAC-LC');
  const sampleRate = aacRates[(bits >> 7) & 0x0f];
  if (sampleRate !== 48_000 && sampleRate !== 44_100) return refused('sound_rate', `${sampleRate ?? 'unusual'}`);
  const channels = (bits >> 3) & 0x0f;
  if (channels !== 1 && channels !== 2) return refused('sound_channels', channels === 0 ? 'special' : `${channels}`);
  // frameLengthFlag: 960 samples in a packet, which nobody plays.
  if ((bits & 4) !== 0) return refused('sound_codec', 'AAC with 960 samples');
  return { kind: 'configuration', sound: aacSound({ sampleRate, channels }) };
}
