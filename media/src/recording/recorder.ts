/**
 * Records streams as they go out: the segments of `hls/`, kept as they are.
 *
 * A segment in progress is a file that its parts are added to (the spool); a whole one is put into the store, then
 * written down in the index, then leaves the spool. So a crash at any byte loses at most the part that was being
 * written, and doing any step again does no harm. A stream's spool is a folder `<folder>/<streamId>` with `index.jsonl`
 * and the files that are not in the store yet; what is in it is named by `mapKey`, `segmentKey` and `indexKey`.
 *
 * Invariants: the live picture never waits for a disk; what waits in memory is bounded, and what could not be kept is
 * written down as lost, with its time.
 */
import {
  mkdir, mkdtemp, open, readdir, readFile, rename, rm, truncate, writeFile, type FileHandle,
} from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readFragments, wholeFragments } from '../fmp4/fragment-reader.ts';
import type { HlsPart, HlsSegment } from '../hls/packager.ts';
import type { MediaLog } from '../hooks.ts';
import {
  addEntry, durationOf, emptyIndex, linesOf, readIndex, writeEntry,
  type IndexEntry, type RecordedSegment, type RecordingIndex,
} from './recording-index.ts';

/** Where recordings are kept: a folder, or an object store. */
export interface SegmentStore {
  /** All or nothing, also when the process ends in between; again it replaces. */
  put(key: string, bytes: Buffer): Promise<void>;
}

export interface Recorder {
  /** A part of the segment in progress is whole. Never throws, never waits. */
  onPart(streamId: string, segment: HlsSegment, part: HlsPart): void;
  /** The segment has all its parts. Never throws, never waits. */
  onSegment(streamId: string, segment: HlsSegment): void;
  /** What is kept of a stream that is not finished; null when nothing is. Grows; not to be changed. */
  index(streamId: string): RecordingIndex | null;
  /**
   * Nothing more comes of the stream; what does all the same is let go. Resolves with its index once all of it is in
   * the store, the index too; null when nothing was recorded (or it was finished before). Rejects when the store does
   * not take it in time; the recording stays, and it may be called again.
   */
  finish(streamId: string): Promise<RecordingIndex | null>;
  /** Takes up what an earlier process left. @returns the streams that have something. Before anything is recorded. */
  recover(): Promise<string[]>;
  stats(): RecorderStats;
  /** Writes what came; the streams stay to be finished by a later process. Idempotent. */
  stop(): Promise<void>;
}

export interface RecorderStats {
  /** Streams with something that is not finished. */
  streams: number;
  segmentsKept: number;
  segmentsLost: number;
  bytesKept: number;
  /** Segments that wait for the store. */
  waiting: number;
  /** What went wrong last, in the system's words; null since something went well. */
  trouble: string | null;
}

/** Bytes of one stream that wait for the disk: half a minute of it. What comes on top is lost. */
const waitingBytesMax = 8 * 1024 * 1024;
/** Streams that are known for finished; what straggles comes within seconds, and a server has not so many in a day. */
const closedMost = 10_000;
/** In the name of a folder that nobody reads any more. */
const aside = '.unread-';
/** Between tries to reach the store. */
const retryMs = { first: 500, longest: 30_000 };
/** How long `finish` waits for the store. */
const finishWithinMs = 40_000;

export const mapKey = (streamId: string, name: string): string => `recordings/${streamId}/${name}.mp4`;
export const segmentKey = (streamId: string, sequence: number): string => `recordings/${streamId}/${sequence}.m4s`;
export const indexKey = (streamId: string): string => `recordings/${streamId}/index.jsonl`;

interface Spool {
  segment: HlsSegment;
  path: string;
  file: FileHandle;
  bytes: number;
}

interface Stream {
  id: string;
  folder: string;
  index: RecordingIndex;
  /** Maps that are in the index; their init segments are in the store or in the spool. */
  maps: Set<string>;
  spool: Spool | null;
  /** Sequences of segments in progress of which something could not be kept. */
  spoiled: Set<number>;
  /** What is written to the spool, one after the other; and what goes to the store, likewise. Neither ever rejects. */
  spooling: Promise<void>;
  storing: Promise<void>;
  /** What is written to the index, likewise. */
  noting: Promise<void>;
  /** Where a line of the index begins that may not be whole; null: all are. */
  tornAt: number | null;
  waitingBytes: number;
  /** How long it is with what waits, and how long it may get; null until that is known. */
  lengthMs: number;
  limitMs: number | null;
}

interface Core extends Limits {
  folder: string;
  store: SegmentStore;
  log: MediaLog;
  streams: Map<string, Stream>;
  /** Ids that `finish` was called with, the latest of them, the oldest first. */
  closed: Set<string>;
  stats: RecorderStats;
  stopping: AbortController;
}

interface Limits {
  /** How long the recording of a stream may get, in ms. Asked once for each; what comes after is not recorded. */
  limitMsOf(streamId: string): Promise<number>;
  /** False while nothing more may be written, before a disk is full. Asked for every part: answered from memory. */
  hasRoom(): boolean;
}

/** A day. What is longer is a camera that somebody forgot. */
export const recordingMostMs = 24 * 3_600_000;

export function createRecorder(
  deps: { folder: string; store: SegmentStore; log: MediaLog } & Partial<Limits>,
): Recorder {
  const core: Core = {
    limitMsOf: async () => recordingMostMs,
    hasRoom: () => true,
    ...deps,
    streams: new Map(),
    closed: new Set(),
    stats: { streams: 0, segmentsKept: 0, segmentsLost: 0, bytesKept: 0, waiting: 0, trouble: null },
    stopping: new AbortController(),
  };
  return {
    onPart(streamId, segment, { data }) {
      if (core.closed.has(streamId)) return;
      const stream = streamOf(core, streamId);
      if (stream.waitingBytes + data.length > waitingBytesMax || !core.hasRoom()) {
        stream.spoiled.add(segment.sequence);
        return;
      }
      stream.waitingBytes += data.length;
      stream.spooling = stream.spooling.then(async () => {
        await addPart(core, stream, segment, data);
        stream.waitingBytes -= data.length;
      });
    },
    onSegment(streamId, segment) {
      if (core.closed.has(streamId)) return;
      const stream = streamOf(core, streamId);
      stream.spooling = stream.spooling.then(() => closeSegment(core, stream, segment));
    },
    index: (streamId) => core.streams.get(streamId)?.index ?? null,
    finish: (streamId) => finish(core, streamId),
    recover: () => recover(core),
    stats: () => ({ ...core.stats, streams: core.streams.size }),
    async stop() {
      const streams = [...core.streams.values()];
      await Promise.all(streams.map(({ spooling }) => spooling));
      // What the store does not take now is in the spool.
      core.stopping.abort();
      await Promise.all(streams.map(({ storing }) => storing));
      await Promise.all(streams.map(({ spool }) => spool?.file.close()));
    },
  };
}

function streamOf(core: Core, id: string): Stream {
  const known = core.streams.get(id);
  if (known !== undefined) return known;
  const stream: Stream = {
    id, folder: join(core.folder, id), index: emptyIndex(), maps: new Set(), spool: null, spoiled: new Set(),
    spooling: Promise.resolve(), storing: Promise.resolve(),
    noting: Promise.resolve(), tornAt: null, waitingBytes: 0, lengthMs: 0, limitMs: null,
  };
  core.streams.set(id, stream);
  return stream;
}

const spoolName = ({ sequence, map, startedAtMs }: HlsSegment): string => `${sequence}_${map.name}_${startedAtMs}.m4s`;

async function addPart(core: Core, stream: Stream, segment: HlsSegment, data: Buffer): Promise<void> {
  if (stream.spoiled.has(segment.sequence)) return;
  try {
    stream.limitMs ??= await core.limitMsOf(stream.id);
    if (isFull(stream)) return;
    if (stream.spool?.segment !== segment) {
      await mkdir(stream.folder, { recursive: true });
      await keepMap(core, stream, segment);
      const path = join(stream.folder, spoolName(segment));
      stream.spool = { segment, path, file: await open(path, 'a'), bytes: 0 };
    }
    await stream.spool.file.appendFile(data);
    stream.spool.bytes += data.length;
  } catch (error) {
    stream.spoiled.add(segment.sequence);
    trouble(core, stream, error, 'a part could not be recorded');
  }
}

const isFull = ({ lengthMs, limitMs }: Stream): boolean => limitMs !== null && lengthMs >= limitMs;

async function closeSegment(core: Core, stream: Stream, segment: HlsSegment): Promise<void> {
  if (isFull(stream)) return;
  stream.lengthMs += segment.durationMs;
  const { spool } = stream;
  stream.spool = null;
  const isLost = stream.spoiled.delete(segment.sequence) || spool?.segment !== segment;
  try {
    await spool?.file.close();
    if (isLost && spool !== null) await rm(spool.path, { force: true });
  } catch (error) {
    trouble(core, stream, error, 'a segment in progress could not be closed');
  }
  const { sequence, map, startedAtMs, durationMs, pictures, placedMs, parts } = segment;
  const entry: RecordedSegment = {
    sequence, map: map.name, startedAtMs, durationMs, bytes: isLost ? 0 : spool.bytes,
    isIndependent: parts[0]?.isIndependent ?? false, isLost, pictures,
    ...(placedMs !== null && { placedMs: Math.round(placedMs) }),
  };
  // What is lost of a map that could not be kept either is a break of the recording, nothing more.
  if (isLost && !stream.maps.has(map.name)) core.stats.segmentsLost += 1;
  else keepSegment(core, stream, entry, isLost ? null : spool.path);
}

/** Before anything of it, so that what is left after a crash can be told and shown. */
async function keepMap(core: Core, stream: Stream, { map: { name, init } }: HlsSegment): Promise<void> {
  if (stream.maps.has(name)) return;
  const { mime, width, height, hasAudio } = init;
  const path = join(stream.folder, `${name}.mp4`);
  // Without it nothing behind it can be shown: it is on the disk before it is named.
  await writeFile(path, init.initSegment, { flush: true });
  await note(stream, { map: { name, mime, width, height, hasAudio } });
  stream.maps.add(name);
  storeMap(core, stream, name, path);
}

function storeMap(core: Core, stream: Stream, name: string, path: string): void {
  store(core, stream, async () => {
    await core.store.put(mapKey(stream.id, name), await readFile(path));
    await rm(path, { force: true });
  });
}

/** `path`: of its file in the spool; null when it is lost. */
function keepSegment(core: Core, stream: Stream, segment: RecordedSegment, path: string | null): void {
  store(core, stream, async () => {
    if (path !== null) await core.store.put(segmentKey(stream.id, segment.sequence), await readFile(path));
    await note(stream, { segment });
    if (path !== null) await rm(path, { force: true });
    core.stats[path === null ? 'segmentsLost' : 'segmentsKept'] += 1;
    core.stats.bytesKept += segment.bytes;
  });
}

/** One after the other, each until it is done or the process stops: then a later one takes it up from the spool. */
function store(core: Core, stream: Stream, work: () => Promise<void>): void {
  core.stats.waiting += 1;
  stream.storing = stream.storing.then(async () => {
    for (let pauseMs = retryMs.first; ; pauseMs = Math.min(retryMs.longest, pauseMs * 2)) {
      try {
        await work();
        core.stats.trouble = null;
        break;
      } catch (error) {
        if (pauseMs === retryMs.first) trouble(core, stream, error, 'a recording waits for its store');
        if (core.stopping.signal.aborted) break;
        await sleep(pauseMs, undefined, { signal: core.stopping.signal, ref: false }).catch(() => undefined);
      }
    }
    core.stats.waiting -= 1;
  });
}

/** One line after the other, whoever writes it. */
function note(stream: Stream, entry: IndexEntry): Promise<void> {
  const noted = stream.noting.then(() => appendEntry(stream, entry));
  stream.noting = noted.catch(() => undefined);
  return noted;
}

async function appendEntry(stream: Stream, entry: IndexEntry): Promise<void> {
  await mkdir(stream.folder, { recursive: true });
  const file = await open(join(stream.folder, 'index.jsonl'), 'a');
  try {
    // A full disk may have taken half a line: what came behind it would not be read any more.
    if (stream.tornAt !== null) await file.truncate(stream.tornAt);
    stream.tornAt = (await file.stat()).size;
    await file.appendFile(writeEntry(entry));
    await file.datasync();
    stream.tornAt = null;
  } finally {
    await file.close();
  }
  addEntry(stream.index, entry);
}

async function finish(core: Core, streamId: string): Promise<RecordingIndex | null> {
  close(core, streamId);
  const stream = core.streams.get(streamId);
  if (stream === undefined) return null;
  await stream.spooling;
  const late = sleep(finishWithinMs, 'late', { ref: false });
  if ((await Promise.race([stream.storing, late])) === 'late') {
    throw new Error(`the recording of ${streamId} still waits for its store`);
  }
  // What the store did not take is in the spool, and there alone.
  if (core.stopping.signal.aborted) throw new Error(`stopped while the recording of ${streamId} was finished`);
  const { index } = stream;
  if (index.segments.length > 0) {
    await core.store.put(indexKey(streamId), Buffer.from(linesOf(index)));
  }
  await rm(stream.folder, { recursive: true, force: true });
  core.streams.delete(streamId);
  return index.segments.length === 0 ? null : index;
}

/** A part that straggles would begin the stream anew, and finished again it would take the whole index's place. */
function close({ closed }: Core, streamId: string): void {
  closed.delete(streamId);
  closed.add(streamId);
  const [oldest] = closed;
  if (closed.size > closedMost && oldest !== undefined) closed.delete(oldest);
}

async function recover(core: Core): Promise<string[]> {
  const folders = await readdir(core.folder).catch(() => []);
  const found: string[] = [];
  for (const id of folders.filter((name) => !name.includes(aside))) {
    const stream = streamOf(core, id);
    try {
      await takeUp(core, stream);
      found.push(id);
    } catch (error) {
      trouble(core, stream, error, 'what is left of a recording could not be read, and was put aside');
      // Taken for empty it would be deleted.
      core.streams.delete(id);
      await rename(stream.folder, await mkdtemp(stream.folder + aside));
    }
  }
  return found;
}

async function takeUp(core: Core, stream: Stream): Promise<void> {
  const path = join(stream.folder, 'index.jsonl');
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if ((error as { code?: string }).code === 'ENOENT') return '';
    throw error;
  });
  const { index, bytes } = readIndex(text);
  if (bytes < Buffer.byteLength(text)) await truncate(path, bytes);
  stream.index = index;
  stream.lengthMs = durationOf(index);
  stream.maps = new Set(index.maps.map(({ name }) => name));
  const names = await readdir(stream.folder);
  for (const name of stream.maps) {
    if (names.includes(`${name}.mp4`)) storeMap(core, stream, name, join(stream.folder, `${name}.mp4`));
  }
  const left = names.flatMap((name) => {
    const [, sequence, map, startedAtMs] = /^(\d+)_([a-z0-9-]+)_([\d.]+)\.m4s$/.exec(name) ?? [];
    return map === undefined
      ? [] : [{ path: join(stream.folder, name), sequence: Number(sequence), map, startedAtMs: Number(startedAtMs) }];
  });
  let last = index.segments.at(-1) ?? null;
  for (const { path: file, ...segment } of left.sort((a, b) => a.sequence - b.sequence)) {
    const pictures = await cutToWhole(file);
    // Without its init segment nothing can be shown of it.
    const isNew = stream.maps.has(segment.map) && !index.segments.some(({ sequence }) => sequence === segment.sequence);
    if (!isNew || pictures === null) {
      await rm(file, { force: true });
      continue;
    }
    const hole = holeBefore(segment, last);
    if (hole !== null) keepSegment(core, stream, hole, null);
    last = { ...segment, ...pictures, isLost: false };
    stream.lengthMs += last.durationMs;
    keepSegment(core, stream, last, file);
  }
}

/** What is missing between two segments of one publisher whose numbers do not follow each other; null: nothing is. */
function holeBefore(
  { sequence, map, startedAtMs }: Pick<RecordedSegment, 'sequence' | 'map' | 'startedAtMs'>,
  last: RecordedSegment | null,
): RecordedSegment | null {
  if (last === null || last.map !== map || last.sequence + 1 === sequence) return null;
  const endedAtMs = last.startedAtMs + last.durationMs;
  return {
    sequence: last.sequence + 1, map, startedAtMs: endedAtMs, durationMs: Math.max(0, startedAtMs - endedAtMs),
    bytes: 0, isIndependent: false, isLost: true,
  };
}

/** Cuts the file behind its last whole fragment. Null when no picture is left. */
async function cutToWhole(
  path: string,
): Promise<Pick<RecordedSegment, 'bytes' | 'durationMs' | 'isIndependent' | 'pictures'> | null> {
  const all = await readFile(path);
  const bytes = wholeFragments(all);
  if (bytes < all.length) await truncate(path, bytes);
  const pictures = readFragments(all.subarray(0, bytes)).filter(({ track }) => track === 'video');
  const [first] = pictures;
  if (first === undefined) return null;
  const durationMs = pictures.reduce((sum, picture) => sum + picture.durationMs, 0);
  return { bytes, durationMs, isIndependent: first.isKey, pictures: pictures.length };
}

function trouble(core: Core, stream: Stream, error: unknown, message: string): void {
  core.stats.trouble = error instanceof Error ? error.message : String(error);
  core.log.error({ err: error, streamId: stream.id }, message);
}
