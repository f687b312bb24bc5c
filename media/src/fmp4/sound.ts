/**
 * What the muxer has to know of a sound codec: Opus (Encapsulation of Opus in ISOBMFF, §4.3) and AAC-LC
 * (ISO/IEC 14496-3, in MP4 by 14496-14 §5.6).
 */
import { opusClockRate, opusSilence, opusSilenceTicks, opusTicks } from '../rtp/opus.ts';
import { box, fullBox, u16, u32, u8, zeros } from './boxes.ts';

export interface SoundCodec {
  /** RFC 6381 form, e.g. `mp4a.40.2`. */
  codec: string;
  /** Ticks per second of the track. */
  timescale: number;
  /** The box in `stsd`. Two codecs with equal ones are the same. */
  sampleEntry: Buffer;
  /** A packet of silence that decoders take between any other packets, and how long it is. */
  silence: Buffer;
  silenceTicks: number;
  /** Length of a packet; null for what is none. */
  ticksOf(packet: Uint8Array): number | null;
}

/** RTP always announces two channels for Opus (RFC 7587 §4.1), whatever is in the packets. */
const opusChannels = 2;

export const opusSound: SoundCodec = {
  codec: 'opus',
  timescale: opusClockRate,
  sampleEntry: soundEntry(
    'Opus', opusChannels, opusClockRate,
    // A stream joined in the middle has no pre-skip.
    box('dOps', u8(0, opusChannels), u16(0), u32(opusClockRate), u16(0), u8(0)),
  ),
  silence: opusSilence,
  silenceTicks: opusSilenceTicks,
  ticksOf: opusTicks,
};

/** AAC-LC: samples of one packet (ISO/IEC 14496-3 §4.5.1.1). */
export const aacPacketTicks = 1_024;
/** A packet of AAC is 6,144 bits a channel at most (§4.5.3.2). */
const aacPacketBytes = 768;

export interface AacShape {
  /** Hz */
  sampleRate: 44_100 | 48_000;
  channels: 1 | 2;
  /** Told in the sample entry, bits per second; 0 when it is not known. */
  bitrate?: number;
}

/** Raw data blocks with nothing in them (§4.4.2.1), one channel and two. */
const aacSilence = { 1: Buffer.from('00c800802380', 'hex'), 2: Buffer.from('210049900219002380', 'hex') } as const;
const aacRateIndex = { 48_000: 3, 44_100: 4 } as const;

export function aacSound({ sampleRate, channels, bitrate = 0 }: AacShape): SoundCodec {
  return {
    codec: 'mp4a.40.2',
    timescale: sampleRate,
    sampleEntry: soundEntry('mp4a', channels, sampleRate, elementaryStream({ sampleRate, channels, bitrate })),
    silence: aacSilence[channels],
    silenceTicks: aacPacketTicks,
    ticksOf: ({ length }) => (length === 0 || length > aacPacketBytes * channels ? null : aacPacketTicks),
  };
}

function soundEntry(type: string, channels: number, sampleRate: number, configuration: Buffer): Buffer {
  return box(
    type, zeros(6), u16(1), zeros(8), u16(channels, 16, 0, 0), u32(sampleRate * 0x10000), configuration,
  );
}

/** `esds` (ISO/IEC 14496-14 §5.6, descriptors of 14496-1 §7.2.6). */
function elementaryStream({ sampleRate, channels, bitrate }: Required<AacShape>): Buffer {
  // AAC-LC (2), rate and channels in five, four and four bits (ISO/IEC 14496-3 §1.6.2.1).
  const specific = u16((2 << 11) | (aacRateIndex[sampleRate] << 7) | (channels << 3));
  const decoder = descriptor(4, u8(0x40, 0x15, 0, 0, 0), u32(bitrate, bitrate), descriptor(5, specific));
  return fullBox('esds', 0, 0, descriptor(3, u16(0), u8(0), decoder, descriptor(6, u8(2))));
}

function descriptor(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([u8(tag, body.length), body]);
}
