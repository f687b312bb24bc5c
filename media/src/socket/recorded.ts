/**
 * A recording as a browser makes it (MediaRecorder), read while it is made: fragmented MP4 (ISO/IEC 14496-12 §8.8) in
 * pieces that are cut anywhere, to pictures and sound in the order of their times. For browsers that encode nothing
 * else for a page. Of the many ways to write such a file those are read that browsers use; bounds are on everything.
 */
import { boxesOf, typeOf } from '../fmp4/boxes.ts';
import { opusSound, type SoundCodec } from '../fmp4/sound.ts';
import { readAacConfiguration, readAvcConfiguration, type AvcConfiguration } from '../rtmp/tags.ts';

/** A fragment is some seconds long at most. Less refuses sharp pictures, more lets a publisher fill memory. */
const maxBoxBytes = 4 * 1024 * 1024;
const maxSamples = 4_000;
const smallHead = 8;
const largeHead = 16;
/** Of the entries in `stsd`, before the boxes in them: pictures, sound, and sound as QuickTime has it. */
const pictureEntryBytes = 86;
const soundEntryBytes = 36;
const quickTimeEntryBytes = 52;

export interface RecordedTracks {
  picture: AvcConfiguration;
  sound: SoundCodec | null;
}

export interface RecordedSample {
  track: 'picture' | 'sound';
  /** NAL units behind their lengths, or one packet of sound. A view of what was pushed. */
  data: Buffer;
  /** When it is decoded, from the recording's beginning, and from there to when it is shown, in ms. */
  timeMs: number;
  offsetMs: number;
}

export interface RecordedReader {
  /** The next piece; one that begins with `ftyp` begins another recording. False for what is none. Never throws. */
  push(bytes: Buffer): boolean;
}

interface Track {
  kind: 'picture' | 'sound';
  timescale: number;
  /** Where its 0 lies (edit list, §8.6.6), in ms. */
  startMs: number;
  defaults: SampleDefaults;
}

interface SampleDefaults {
  duration: number;
  size: number;
}

/** Samples that follow each other in the file. */
interface Run {
  track: Track;
  /** Of the first, on the track's clock. */
  decodeTime: number;
  /** In the file; null: behind the run before. */
  at: number | null;
  entries: { duration: number; size: number; offset: number }[];
}

export function createRecordedReader(deps: {
  /** Before its first sample. */
  onTracks(tracks: RecordedTracks): void;
  onSample(sample: RecordedSample): void;
}): RecordedReader {
  let rest: Buffer = Buffer.alloc(0);
  /** Of `rest` in the recording. */
  let position = 0;
  let tracks = new Map<number, Track>();
  let runs: Run[] | null = null;

  const take = (whole: Buffer, head: number): boolean => {
    const type = typeOf(whole);
    if (type === 'ftyp') {
      position = 0;
      tracks = new Map();
    } else if (type === 'moov') {
      const read = readMovie(whole.subarray(head));
      if (read === null) return false;
      tracks = read.tracks;
      deps.onTracks(read.found);
    } else if (type === 'moof') runs = readFragment(whole.subarray(head), position, tracks);
    else if (type === 'mdat' && runs !== null) {
      const samples = samplesOf(runs, whole, position, head);
      runs = null;
      for (const sample of samples.sort((a, b) => a.timeMs - b.timeMs)) deps.onSample(sample);
    }
    return true;
  };

  return {
    push(bytes) {
      rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      try {
        while (rest.length >= smallHead) {
          const isLarge = rest.readUInt32BE(0) === 1;
          if (isLarge && rest.length < largeHead) break;
          const size = isLarge ? Number(rest.readBigUInt64BE(smallHead)) : rest.readUInt32BE(0);
          const head = isLarge ? largeHead : smallHead;
          if (size < head || size > maxBoxBytes) return false;
          if (rest.length < size) break;
          if (!take(rest.subarray(0, size), head)) return false;
          rest = rest.subarray(size);
          position += size;
        }
        return true;
      } catch (error) {
        // Reading beyond the end of a box.
        if (error instanceof RangeError) return false;
        throw error;
      }
    },
  };
}

/** The boxes in `bytes` by their types, without heads; of several of one type the first. */
function inside(bytes: Buffer): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (const whole of boxesOf(bytes)) if (!found.has(typeOf(whole))) found.set(typeOf(whole), whole.subarray(8));
  return found;
}

function child(bytes: Buffer, ...path: string[]): Buffer {
  return path.reduce((within, type) => {
    const body = inside(within).get(type);
    if (body === undefined) throw new RangeError(`no ${type}`);
    return body;
  }, bytes);
}

const allOf = (bytes: Buffer, type: string): Buffer[] => (
  boxesOf(bytes).filter((whole) => typeOf(whole) === type).map((whole) => whole.subarray(8))
);

/** Null when there is no H.264 in it, or sound that browsers do not play. */
function readMovie(moov: Buffer): { tracks: Map<number, Track>; found: RecordedTracks } | null {
  const movieScale = timescaleOf(child(moov, 'mvhd'));
  const defaults = new Map(allOf(child(moov, 'mvex'), 'trex').map((trex) => (
    [trex.readUInt32BE(4), { duration: trex.readUInt32BE(12), size: trex.readUInt32BE(16) }] as const
  )));
  const tracks = new Map<number, Track>();
  let picture: AvcConfiguration | null = null;
  let sound: SoundCodec | null = null;
  for (const trak of allOf(moov, 'trak')) {
    const header = child(trak, 'tkhd');
    const id = header.readUInt32BE(header[0] === 1 ? 20 : 12);
    const media = child(trak, 'mdia');
    const timescale = timescaleOf(child(media, 'mdhd'));
    const [entry] = boxesOf(child(media, 'minf', 'stbl', 'stsd').subarray(8));
    if (entry === undefined || timescale === 0) return null;
    const avc = avcOf(entry);
    const heard = avc === null ? soundOf(entry) : null;
    if (avc === null && heard === null) return null;
    picture ??= avc;
    sound ??= heard;
    tracks.set(id, {
      kind: avc === null ? 'sound' : 'picture', timescale, startMs: startOf(trak, movieScale, timescale),
      defaults: defaults.get(id) ?? { duration: 0, size: 0 },
    });
  }
  return picture === null ? null : { tracks, found: { picture, sound } };
}

/** Of `mvhd` or `mdhd`, in ticks a second. */
const timescaleOf = (header: Buffer): number => header.readUInt32BE(header[0] === 1 ? 20 : 12);

function avcOf(entry: Buffer): AvcConfiguration | null {
  if (typeOf(entry) !== 'avc1' && typeOf(entry) !== 'avc3') return null;
  const record = inside(entry.subarray(pictureEntryBytes)).get('avcC');
  const read = record === undefined ? null : readAvcConfiguration(record);
  return read?.kind === 'configuration' ? read.avc : null;
}

function soundOf(entry: Buffer): SoundCodec | null {
  if (typeOf(entry) === 'Opus') return opusSound;
  if (typeOf(entry) !== 'mp4a') return null;
  const isQuickTime = entry.readUInt16BE(16) === 1;
  const esds = inside(entry.subarray(isQuickTime ? quickTimeEntryBytes : soundEntryBytes)).get('esds');
  const config = esds === undefined ? null : specificConfigOf(esds.subarray(4));
  const read = config === null ? null : readAacConfiguration(config);
  return read?.kind === 'configuration' ? read.sound : null;
}

/** AudioSpecificConfig in an ES descriptor (ISO/IEC 14496-1 §7.2.6.5, §7.2.6.6): tags 3, 4 and 5 in each other. */
function specificConfigOf(descriptors: Buffer): Buffer | null {
  let body = descriptors;
  for (const [tag, fixedBytes] of [[3, 3], [4, 13], [5, 0]] as const) {
    if (body[0] !== tag) return null;
    let at = 1;
    let size = 0;
    do size = (size << 7) | (body[at]! & 0x7f); while ((body[at++]! & 0x80) !== 0 && at < 5);
    body = body.subarray(at + fixedBytes, at + size);
  }
  return body;
}

/** When the track begins: behind an empty edit, and with what lies before the first other one left out. */
function startOf(trak: Buffer, movieScale: number, timescale: number): number {
  const edits = inside(trak).get('edts');
  const list = edits === undefined ? undefined : inside(edits).get('elst');
  if (list === undefined || movieScale === 0) return 0;
  const isLong = list[0] === 1;
  const entryBytes = isLong ? 20 : 12;
  let emptyMs = 0;
  for (let index = 0; index < Math.min(4, list.readUInt32BE(4)); index += 1) {
    const at = 8 + index * entryBytes;
    const duration = isLong ? Number(list.readBigUInt64BE(at)) : list.readUInt32BE(at);
    const mediaTime = isLong ? Number(list.readBigInt64BE(at + 8)) : list.readInt32BE(at + 4);
    if (mediaTime >= 0) return emptyMs - (mediaTime * 1_000) / timescale;
    emptyMs += (duration * 1_000) / movieScale;
  }
  return emptyMs;
}

/** @param position of the `moof` in the file */
function readFragment(moof: Buffer, position: number, tracks: ReadonlyMap<number, Track>): Run[] {
  const runs: Run[] = [];
  for (const traf of allOf(moof, 'traf')) {
    const header = child(traf, 'tfhd');
    const track = tracks.get(header.readUInt32BE(4));
    if (track === undefined) continue;
    const { base, defaults } = readHeader(header, track.defaults);
    const time = child(traf, 'tfdt');
    let decodeTime = time[0] === 1 ? Number(time.readBigUInt64BE(4)) : time.readUInt32BE(4);
    for (const trun of allOf(traf, 'trun')) {
      const { dataOffset, entries } = readRun(trun, defaults);
      runs.push({ track, decodeTime, at: dataOffset === null ? null : (base ?? position) + dataOffset, entries });
      decodeTime += entries.reduce((sum, { duration }) => sum + duration, 0);
    }
  }
  if (runs.reduce((sum, { entries }) => sum + entries.length, 0) > maxSamples) throw new RangeError('too many samples');
  return runs;
}

/** `tfhd` (§8.8.7). `base`: what offsets count from, where it is not the `moof`. */
function readHeader(tfhd: Buffer, trex: SampleDefaults): { base: number | null; defaults: SampleDefaults } {
  const flags = tfhd.readUIntBE(1, 3);
  const defaults = { ...trex };
  let at = 8;
  const base = (flags & 1) === 0 ? null : Number(tfhd.readBigUInt64BE(at));
  if (base !== null) at += 8;
  if ((flags & 2) !== 0) at += 4;
  if ((flags & 8) !== 0) {
    defaults.duration = tfhd.readUInt32BE(at);
    at += 4;
  }
  if ((flags & 0x10) !== 0) defaults.size = tfhd.readUInt32BE(at);
  return { base, defaults };
}

/** `trun` (§8.8.8). */
function readRun(trun: Buffer, defaults: SampleDefaults): { dataOffset: number | null; entries: Run['entries'] } {
  const flags = trun.readUIntBE(1, 3);
  const count = trun.readUInt32BE(4);
  if (count > maxSamples) throw new RangeError('too many samples');
  let at = 8;
  const next = (isThere: boolean, otherwise: number, isSigned = false): number => {
    if (!isThere) return otherwise;
    at += 4;
    return isSigned ? trun.readInt32BE(at - 4) : trun.readUInt32BE(at - 4);
  };
  const hasOffset = (flags & 1) !== 0;
  const dataOffset = next(hasOffset, 0, true);
  next((flags & 4) !== 0, 0);
  const entries = Array.from({ length: count }, () => {
    const duration = next((flags & 0x100) !== 0, defaults.duration);
    const size = next((flags & 0x200) !== 0, defaults.size);
    next((flags & 0x400) !== 0, 0);
    // Unsigned in version 0, where nobody has offsets of days.
    return { duration, size, offset: next((flags & 0x800) !== 0, 0, true) };
  });
  return { dataOffset: hasOffset ? dataOffset : null, entries };
}

function samplesOf(runs: readonly Run[], mdat: Buffer, position: number, head: number): RecordedSample[] {
  const samples: RecordedSample[] = [];
  let next = head;
  for (const { track, decodeTime, at, entries } of runs) {
    next = at === null ? next : at - position;
    let ticks = decodeTime;
    for (const { duration, size, offset } of entries) {
      if (next < head || next + size > mdat.length) throw new RangeError('a sample outside of its data');
      samples.push({
        track: track.kind,
        data: mdat.subarray(next, next + size),
        timeMs: track.startMs + (ticks * 1_000) / track.timescale,
        offsetMs: (offset * 1_000) / track.timescale,
      });
      next += size;
      ticks += duration;
    }
  }
  return samples;
}
