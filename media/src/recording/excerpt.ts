/**
 * A part of a recording as one MP4 file that any player opens: packets are copied, nothing is encoded anew. Held in
 * memory as a whole, so whoever asks bounds how long it is.
 */
import {
  ALL_FORMATS, BufferSource, BufferTarget, EncodedAudioPacketSource, EncodedPacketSink, EncodedVideoPacketSource, Input,
  Mp4OutputFormat, Output, type EncodedPacket, type InputAudioTrack, type InputVideoTrack,
} from 'mediabunny';
import { breakMs, type RecordedSegment, type RecordingIndex } from './recording-index.ts';

/** Segments that follow themselves with one map and nothing lost; decoding can start at the first. */
export interface Excerpt {
  /** Place of the first picture, and of the end: ms from the recording's beginning. */
  fromMs: number;
  toMs: number;
  segments: RecordedSegment[];
}

/**
 * The longest unbroken part of what lies between the two places, from the key picture at or before its beginning on;
 * null where nothing was kept. Pure.
 */
export function excerptOf({ segments }: RecordingIndex, fromMs: number, toMs: number): Excerpt | null {
  let longest: Excerpt | null = null;
  let run: Excerpt | null = null;
  let atMs = 0;
  for (const segment of segments) {
    const endMs = atMs + segment.durationMs;
    const last: RecordedSegment | undefined = run?.segments.at(-1);
    if (segment.isLost || (last !== undefined && !goesOn(last, segment))) run = null;
    // Whatever was before is not wanted, once a picture can be shown without it.
    if (segment.isIndependent && atMs <= fromMs) run = null;
    if (!segment.isLost && atMs < toMs && (run !== null || segment.isIndependent)) {
      run ??= { fromMs: atMs, toMs: atMs, segments: [] };
      run.segments.push(segment);
      run.toMs = Math.min(endMs, toMs);
      if (run.toMs > fromMs && within(run, fromMs) > (longest === null ? 0 : within(longest, fromMs))) longest = run;
    }
    atMs = endMs;
  }
  return longest;
}

const within = (excerpt: Excerpt, fromMs: number): number => excerpt.toMs - Math.max(excerpt.fromMs, fromMs);

const goesOn = (last: RecordedSegment, next: RecordedSegment): boolean => (
  last.map === next.map && Math.abs(last.startedAtMs + last.durationMs - next.startedAtMs) <= breakMs
);

/**
 * Fragmented MP4 as a plain file with its table in front, from 0 on, `durationMs` long at most. Throws when it is none,
 * or has no picture.
 */
export async function remuxExcerpt(fragmented: Buffer, durationMs: number): Promise<Buffer> {
  const input = new Input({ formats: ALL_FORMATS, source: new BufferSource(fragmented) });
  try {
    const [picture, sound] = await Promise.all([input.getPrimaryVideoTrack(), input.getPrimaryAudioTrack()]);
    if (picture === null || picture.codec === null) throw new Error('the recording has no picture');
    const target = new BufferTarget();
    const output = new Output({ format: new Mp4OutputFormat({ fastStart: 'in-memory' }), target });
    const pictures = new EncodedVideoPacketSource(picture.codec);
    output.addVideoTrack(pictures);
    const sounds = sound === null || sound.codec === null ? null : new EncodedAudioPacketSource(sound.codec);
    if (sounds !== null) output.addAudioTrack(sounds);
    await output.start();
    const span = await spanOf(picture, durationMs);
    const pictureConfig = await picture.getDecoderConfig();
    await copy(picture, span, (packet) => pictures.add(packet, pictureConfig ? { decoderConfig: pictureConfig } : {}));
    pictures.close();
    if (sounds !== null) {
      const config = await sound!.getDecoderConfig();
      await copy(sound!, span, (packet) => sounds.add(packet, config ? { decoderConfig: config } : {}));
      sounds.close();
    }
    await output.finalize();
    return Buffer.from(target.buffer!);
  } finally {
    input.dispose();
  }
}

/** In seconds, on the recording's own clock. */
interface Span {
  from: number;
  to: number;
}

async function spanOf(picture: InputVideoTrack, durationMs: number): Promise<Span> {
  const first = await new EncodedPacketSink(picture).getFirstKeyPacket();
  if (first === null) throw new Error('the recording has no key picture');
  return { from: first.timestamp, to: first.timestamp + durationMs / 1_000 };
}

/** One after the other: both tracks lie in memory, and the file's order is the muxer's. */
async function copy(
  track: InputVideoTrack | InputAudioTrack, { from, to }: Span, add: (packet: EncodedPacket) => Promise<void>,
): Promise<void> {
  for await (const packet of new EncodedPacketSink(track).packets()) {
    // In the order of decoding: behind the end there may be pictures shown before it, which lack what they refer to.
    if (packet.timestamp >= to) break;
    if (packet.timestamp < from) continue;
    await add(packet.clone({ timestamp: packet.timestamp - from }));
  }
}
