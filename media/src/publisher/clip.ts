/**
 * A clip as a loop of timed access units and Opus packets, read from an MP4 file.
 *
 * Wants what WebRTC can carry without transcoding: H.264 without B-frames, a key picture first and every few seconds,
 * Opus in frames of 20 ms. Anything else is refused with a sentence, when the clip is read and not on air.
 */
import { ALL_FORMATS, EncodedPacketSink, FilePathSource, Input, type InputTrack } from 'mediabunny';

export interface ClipPicture {
  /** From the clip's start, in ticks of 90 kHz. */
  ticks: number;
  isKey: boolean;
  /** Without length or start code; a key picture begins with its parameter sets. */
  nals: Buffer[];
}

export interface ClipSound {
  /** From the clip's start, in ticks of 48 kHz. */
  ticks: number;
  data: Buffer;
}

export interface Clip {
  durationMs: number;
  width: number;
  height: number;
  /** E.g. `42e01f`. */
  profileLevelId: string;
  pictures: ClipPicture[];
  /** Empty when the clip is silent. */
  sounds: ClipSound[];
}

/** A loop is held in memory as a whole. Longer clips are no demo, and would need reading as they play. */
const maxClipBytes = 64 * 1024 * 1024;
const soundFrameTicks = 960;

export async function loadClip(path: string): Promise<Clip> {
  const input = new Input({ formats: ALL_FORMATS, source: new FilePathSource(path) });
  try {
    const video = await input.getPrimaryVideoTrack();
    if (video === null || video.codec !== 'avc') throw new Error('it has no picture in H.264');
    const audio = await input.getPrimaryAudioTrack();
    if (audio !== null && audio.codec !== 'opus') throw new Error('its sound is not Opus');
    const config = await video.getDecoderConfig();
    const description = config?.description;
    if (description === undefined) throw new Error('it has no H.264 parameter sets');
    const sets = parameterSets(toBuffer(description));
    const pictures = await readPictures(video, sets);
    const last = pictures.at(-1)!;
    const durationTicks = last.ticks + (pictures.length > 1 ? last.ticks / (pictures.length - 1) : 3000);
    const sounds = audio === null ? [] : await readSounds(audio, Math.round((durationTicks * 48) / 90));
    return {
      durationMs: durationTicks / 90,
      width: config?.codedWidth ?? 0,
      height: config?.codedHeight ?? 0,
      profileLevelId: sets[0]!.toString('hex', 1, 4),
      pictures,
      sounds,
    };
  } catch (error) {
    throw new Error(`The clip ${path} cannot be played: ${error instanceof Error ? error.message : String(error)}.`, {
      cause: error,
    });
  } finally {
    input.dispose();
  }
}

async function readPictures(track: InputTrack, sets: Buffer[]): Promise<ClipPicture[]> {
  const pictures: ClipPicture[] = [];
  let bytes = 0;
  for await (const packet of new EncodedPacketSink(track).packets()) {
    bytes += packet.data.length;
    if (bytes > maxClipBytes) throw new Error('it is too large');
    const ticks = Math.round(packet.timestamp * 90_000);
    if (ticks < (pictures.at(-1)?.ticks ?? 0)) throw new Error('it has B-frames');
    const isKey = packet.type === 'key';
    const nals = splitNals(toBuffer(packet.data));
    pictures.push({ ticks, isKey, nals: isKey ? [...sets, ...nals] : nals });
  }
  const first = pictures[0];
  if (first === undefined || !first.isKey) throw new Error('it does not begin with a key picture');
  return pictures.map((picture) => ({ ...picture, ticks: picture.ticks - first.ticks }));
}

async function readSounds(track: InputTrack, durationTicks: number): Promise<ClipSound[]> {
  const sounds: ClipSound[] = [];
  const wanted = Math.floor(durationTicks / soundFrameTicks);
  for await (const packet of new EncodedPacketSink(track).packets()) {
    if (Math.abs(packet.duration * 48_000 - soundFrameTicks) > 1 && sounds.length < wanted - 1) {
      throw new Error('its sound is not in frames of 20 ms');
    }
    if (sounds.length < wanted) sounds.push({ ticks: sounds.length * soundFrameTicks, data: toBuffer(packet.data) });
  }
  return sounds;
}

function toBuffer(data: ArrayBufferView | ArrayBufferLike): Buffer {
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.from(data);
}

/** From an `avcC` (ISO/IEC 14496-15 §5.3.3): sequence sets, then picture sets. */
function parameterSets(config: Buffer): Buffer[] {
  const sets: Buffer[] = [];
  let offset = 5;
  for (const mask of [0x1f, 0xff]) {
    const count = (config[offset] ?? 0) & mask;
    offset += 1;
    for (let index = 0; index < count; index += 1) {
      const size = config.readUInt16BE(offset);
      sets.push(config.subarray(offset + 2, offset + 2 + size));
      offset += 2 + size;
    }
  }
  if (sets.length < 2) throw new Error('it has no H.264 parameter sets');
  return sets;
}

function splitNals(sample: Buffer): Buffer[] {
  const nals: Buffer[] = [];
  let offset = 0;
  while (offset + 4 <= sample.length) {
    const size = sample.readUInt32BE(offset);
    const nal = sample.subarray(offset + 4, offset + 4 + size);
    // Parameter sets come from the configuration; descriptions of the encoder are of no use to a viewer.
    const type = (nal[0] ?? 0) & 0x1f;
    if (type >= 1 && type <= 5) nals.push(nal);
    offset += 4 + size;
  }
  return nals;
}
