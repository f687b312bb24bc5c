/**
 * What is kept of a stream, as a list that only grows: init segments ("maps") and segments, in order. Written as lines,
 * each with a checksum of itself, so that one that was cut short by a crash is known for what it is. Pure.
 */
import { crc32 } from 'node:zlib';

export interface RecordedMap {
  /** Unique in the recording; its init segment is `<name>.mp4`. */
  name: string;
  /** For `MediaSource.isTypeSupported`. */
  mime: string;
  /** Pixels to show. */
  width: number;
  height: number;
  hasAudio: boolean;
}

export interface RecordedSegment {
  /** Its bytes are `<sequence>.m4s`. Grows over the recording, not always by one. */
  sequence: number;
  /** Name of its map. */
  map: string;
  /** When its first picture reached the server: Unix epoch, ms. */
  startedAtMs: number;
  durationMs: number;
  bytes: number;
  /** Decoding can start here. */
  isIndependent: boolean;
  /** It could not be kept, as on a full disk: its time is known, its bytes are nowhere. */
  isLost: boolean;
  /** How many it shows; absent in recordings of before it was counted. */
  pictures?: number;
  /** How long after its capture, in ms, what it shows lies at its time; absent where unknown (rtp/uplink.ts). */
  placedMs?: number;
  /** It came from the publisher's device after the show (healing.ts). */
  isHealed?: true;
  /** And took the place of what went out. */
  isReplacing?: true;
}

export interface RecordingIndex {
  maps: RecordedMap[];
  segments: RecordedSegment[];
  /** What went out where healed segments are now (healing.ts), in order; absent: nothing gave way. */
  replaced?: RecordedSegment[];
}

export type IndexEntry = { map: RecordedMap } | { segment: RecordedSegment } | { replaced: RecordedSegment };

export const emptyIndex = (): RecordingIndex => ({ maps: [], segments: [] });

/** Eight hexadecimal digits of CRC-32 over the rest of the line, a space, JSON, a line feed. */
export function writeEntry(entry: IndexEntry): string {
  const json = JSON.stringify(entry);
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`;
}

/** Adds it; again it changes nothing. */
export function addEntry(index: RecordingIndex, entry: IndexEntry): void {
  if ('map' in entry) {
    if (!index.maps.some(({ name }) => name === entry.map.name)) index.maps.push(entry.map);
  } else if ('replaced' in entry) {
    const { sequence } = entry.replaced;
    if (!index.replaced?.some((one) => one.sequence === sequence)) (index.replaced ??= []).push(entry.replaced);
  } else if (isNew(index, entry.segment)) index.segments.push(entry.segment);
}

/** Numbers grow; what was healed has a number of its own, out of their order. */
function isNew({ segments }: RecordingIndex, { sequence, isHealed }: RecordedSegment): boolean {
  if (isHealed) return !segments.some((segment) => segment.sequence === sequence);
  return (segments.findLast((segment) => !segment.isHealed)?.sequence ?? -1) < sequence;
}

/**
 * Reads lines up to the first that is broken or unfinished. `bytes`: how long what was read is; the rest is to be cut
 * off before anything is added.
 */
export function readIndex(text: string): { index: RecordingIndex; bytes: number } {
  const index = emptyIndex();
  let at = 0;
  for (let end = text.indexOf('\n', at); end !== -1; end = text.indexOf('\n', at)) {
    const entry = readEntry(text.slice(at, end));
    if (entry === null) break;
    addEntry(index, entry);
    at = end + 1;
  }
  return { index, bytes: Buffer.byteLength(text.slice(0, at)) };
}

function readEntry(line: string): IndexEntry | null {
  const json = line.slice(9);
  if (line[8] !== ' ' || line.slice(0, 8) !== crc32(json).toString(16).padStart(8, '0')) return null;
  try {
    return JSON.parse(json) as IndexEntry;
  } catch {
    return null;
  }
}

/** Time that follows itself without a break, so that a moment of the day is a place in the recording. */
export interface Stretch {
  /** Place in the recording, in ms from its beginning. */
  fromMs: number;
  /** Unix epoch, ms. */
  startedAtMs: number;
  durationMs: number;
  /** It came from the publisher's device after the show. */
  isHealed?: true;
  /** And took the place of what went out. */
  isReplacing?: true;
}

/** A shorter break is the network's; longer, the show was interrupted, or a segment is lost. */
export const breakMs = 1_000;

/** The recording's stretches in order; what is lost keeps its time and breaks nothing. */
export function stretchesOf({ segments }: RecordingIndex): Stretch[] {
  const stretches: Stretch[] = [];
  let map: string | null = null;
  let fromMs = 0;
  for (const segment of segments) {
    const last = stretches.at(-1);
    const goesOn = last !== undefined && map === segment.map
      && Math.abs(last.startedAtMs + last.durationMs - segment.startedAtMs) <= breakMs;
    if (goesOn) last.durationMs += segment.durationMs;
    else {
      const { startedAtMs, durationMs, isHealed, isReplacing } = segment;
      stretches.push({
        fromMs, startedAtMs, durationMs, ...(isHealed && { isHealed }), ...(isReplacing && { isReplacing }),
      });
    }
    map = segment.map;
    fromMs += segment.durationMs;
  }
  return stretches;
}

export const durationOf = ({ segments }: RecordingIndex): number => (
  segments.reduce((sum, { durationMs }) => sum + durationMs, 0)
);

/** What its segments take in the store, also those that gave way. */
export const bytesOf = ({ segments, replaced = [] }: RecordingIndex): number => (
  [...segments, ...replaced].reduce((sum, { bytes }) => sum + bytes, 0)
);

/** As it went out: without what was healed, and with what gave way to it. */
export function airedOf({ maps, segments, replaced = [] }: RecordingIndex): RecordingIndex {
  const aired = [...segments.filter(({ isHealed }) => !isHealed), ...replaced];
  return { maps, segments: aired.sort((a, b) => a.sequence - b.sequence) };
}

/** As lines, in an order in which they are read again. */
export const linesOf = ({ maps, segments, replaced = [] }: RecordingIndex): string => [
  ...maps.map((map) => ({ map })), ...segments.map((segment) => ({ segment })),
  ...replaced.map((one) => ({ replaced: one })),
].map(writeEntry).join('');

/**
 * The place in the recording of a moment of the day; of one that falls into a break, where the picture comes back;
 * after the end, the end. Both in ms.
 */
export function placeOf(stretches: readonly Stretch[], atMs: number): number {
  for (const { fromMs, startedAtMs, durationMs } of stretches) {
    if (atMs < startedAtMs + durationMs) return fromMs + Math.max(0, atMs - startedAtMs);
  }
  const last = stretches.at(-1);
  return last === undefined ? 0 : last.fromMs + last.durationMs;
}
