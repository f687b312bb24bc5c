/** Where recordings are read from: of a show that runs, from the recorder; of one that is over, from the blobs. */
import type { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { LRUCache } from 'lru-cache';
import { indexKey, mapKey, segmentKey, type Recorder } from '@nacre/media/recording/recorder';
import { airedOf, readIndex, type RecordingIndex } from '@nacre/media/recording/recording-index';
import { writeReplay, writeReplayMultivariant, type ReplaySound } from '@nacre/media/recording/replay-playlist';
import type { Blobs } from '../platform/blobs.ts';

export interface Recorded {
  index: RecordingIndex;
  /** Nothing is added any more. */
  isOver: boolean;
}

export interface Playlist {
  text: string;
  gzipped: Buffer;
  isOver: boolean;
}

/** Of a recording, and of the same as it went out, where some of it gave way (media/src/recording/weak.ts). */
export type PlaylistName = 'index' | 'media' | 'aired' | 'aired-media';

/** Whether what comes behind this segment is known: its sound reaches into it, and is not made AAC before. */
export const isSettled = ({ index: { segments }, isOver }: Recorded, at: number): boolean => (
  isOver || at < segments.length - 1
);

export interface Shelf {
  /** Null when there is none, or it was taken away. */
  find(showId: string): Promise<Recorded | null>;
  /** Null while there is nothing to play. */
  playlist(showId: string, name: PlaylistName, sound?: ReplaySound): Promise<Playlist | null>;
  /** `<sequence>.m4s` or `<map>.mp4`; null when there is no such file. Read it to its end, or destroy it. */
  file(showId: string, name: string): Promise<{ size: number; stream: Readable } | null>;
  segment(showId: string, sequence: number): Promise<Buffer | null>;
  /** An init segment. */
  map(showId: string, name: string): Promise<Buffer | null>;
  /** The index as it was written when the show ended; null when it was not. */
  stored(showId: string): Promise<RecordingIndex | null>;
  /** All that is kept of the show, its index last: when this is cut short, it can be done again. */
  remove(showId: string): Promise<void>;
  /** It was taken away. */
  forget(showId: string): void;
}

/** An index has 150 bytes for each two seconds: 50 of three hours are 40 MB at most. */
const rememberIndexes = 50;
/** An object store takes its time for each. */
const removeTogether = 16;
/** Another process may have taken one away. */
const rememberMs = 60_000;

const pack = promisify(gzip);

export function createShelf(deps: {
  blobs: Blobs;
  recorder: Pick<Recorder, 'index'>;
  /** Whether the show is over and its recording there to be seen. */
  isReady(showId: string): Promise<boolean>;
}): Shelf {
  const { blobs, recorder } = deps;
  const over = new LRUCache<string, { is: Promise<Recorded | null> }>({ max: rememberIndexes, ttl: rememberMs });
  /** Of the index as it was when it had so many segments. */
  const written = new WeakMap<RecordingIndex, Map<string, { segments: number; playlist: Promise<Playlist | null> }>>();

  async function stored(showId: string): Promise<RecordingIndex | null> {
    const found = await blobs.read(indexKey(showId));
    return found === null ? null : readIndex(await text(found.stream)).index;
  }

  async function readOver(showId: string): Promise<Recorded | null> {
    const index = (await deps.isReady(showId)) ? await stored(showId) : null;
    return index === null ? null : { index, isOver: true };
  }

  async function find(showId: string): Promise<Recorded | null> {
    const live = recorder.index(showId);
    if (live !== null) return { index: live, isOver: false };
    let known = over.get(showId);
    if (known === undefined) {
      known = { is: readOver(showId) };
      over.set(showId, known);
      // What is not there yet may be soon.
      known.is.then((found) => found ?? over.delete(showId), () => over.delete(showId));
    }
    return known.is;
  }

  async function write(recorded: Recorded, name: PlaylistName, sound: ReplaySound): Promise<Playlist | null> {
    const { index: whole, isOver } = recorded;
    const isAired = name === 'aired' || name === 'aired-media';
    const { maps, segments: all } = isAired && whole.replaced !== undefined ? airedOf(whole) : whole;
    const segments = sound === 'aac' ? all.filter((_, at) => isSettled(recorded, at)) : all;
    const index = { maps, segments };
    const isEmpty = !segments.some(({ isLost }) => !isLost);
    const lines = isEmpty ? null
      : name === 'index' ? writeReplayMultivariant(index, 'media.m3u8', sound)
        : name === 'aired' ? writeReplayMultivariant(index, 'aired-media.m3u8', sound) : writeReplay(index, { isOver });
    return lines === null ? null : { text: lines, gzipped: await pack(lines), isOver };
  }

  return {
    find,
    stored,
    async playlist(showId, name, sound = 'as-recorded') {
      const recorded = await find(showId);
      if (recorded === null) return null;
      const { index, isOver } = recorded;
      const ofIndex = written.get(index) ?? new Map();
      written.set(index, ofIndex);
      const key = `${name} ${sound} ${isOver}`;
      const known = ofIndex.get(key);
      if (known?.segments === index.segments.length) return known.playlist;
      const playlist = write(recorded, name, sound);
      ofIndex.set(key, { segments: index.segments.length, playlist });
      return playlist;
    },
    async file(showId, name) {
      const [, sequence, map] = /^(?:(\d{1,15})\.m4s|([a-z0-9-]{1,60})\.mp4)$/.exec(name) ?? [];
      if ((sequence ?? map) === undefined || (await find(showId)) === null) return null;
      return blobs.read(map === undefined ? segmentKey(showId, Number(sequence)) : mapKey(showId, map));
    },
    async segment(showId, sequence) {
      const found = await blobs.read(segmentKey(showId, sequence));
      return found === null ? null : buffer(found.stream);
    },
    async map(showId, name) {
      const found = await blobs.read(mapKey(showId, name));
      return found === null ? null : buffer(found.stream);
    },
    async remove(showId) {
      const index = await stored(showId);
      if (index === null) return;
      const segments = [...index.segments, ...(index.replaced ?? [])];
      const keys = segments.map(({ sequence }) => segmentKey(showId, sequence));
      for (let from = 0; from < keys.length; from += removeTogether) {
        await Promise.all(keys.slice(from, from + removeTogether).map((key) => blobs.remove(key)));
      }
      for (const { name } of index.maps) await blobs.remove(mapKey(showId, name));
      await blobs.remove(indexKey(showId));
      over.delete(showId);
    },
    forget: (showId) => void over.delete(showId),
  };
}
