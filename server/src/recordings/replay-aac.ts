/**
 * Replays with AAC sound, for browsers that take no Opus in MP4 (iPhones before iOS 17): made of a segment when it is
 * asked for, kept in memory for who asks next, never stored. Pictures are the recorded ones.
 */
import { availableParallelism } from 'node:os';
import { withAacSound } from '@nacre/media/aac/aac-init';
import { soundOf, withMadeSound, type MadeSound, type SoundRun } from '@nacre/media/aac/segment-sound';
import { createTranscoder } from '@nacre/media/aac/transcoder';
import { readFragments } from '@nacre/media/fmp4/fragment-reader';
import { isOpusSegment, makeRecordedSound, soundPlaceOf } from '@nacre/media/recording/recorded-sound';
import type { RecordedSegment, RecordingIndex } from '@nacre/media/recording/recording-index';
import { LRUCache } from 'lru-cache';
import { isSettled, type Shelf } from './shelf.ts';
import { createTurns } from './turns.ts';

/** One takes 0.2 s of a core and more; the rest of the machine has a shop to run. */
const atOnceMost = Math.max(1, Math.floor(availableParallelism() / 2));
/** Each holds a segment in memory, half a megabyte and more. */
const waitingMost = 30;
/** hls.js gives up what has not begun after 10 s; one that was told to comes again. */
const waitMs = 6_000;
const busySeconds = 2;
/** A segment's sound is 24 KB in AAC and 16 in Opus: three quarters of an hour, and what players ask for in order. */
const madeBytesMost = 32e6;
const heardBytesMost = 4e6;
/** What was taken away is gone from memory too. */
const rememberMs = 10 * 60_000;
/** Between two requests of a player that has loaded enough. */
const lingerMs = 30_000;

export interface ReplayAac {
  /**
   * `<sequence>.m4s`. Null when there is no such segment, or while its recording may go on behind it.
   * @throws Refusal `server.busy`
   */
  segment(showId: string, sequence: number): Promise<Buffer | null>;
  /** An init segment. */
  map(showId: string, name: string): Promise<Buffer | null>;
  stats(): { made: number; refused: number; waiting: number };
  stop(): Promise<void>;
}

const silence: MadeSound = { from: 0, packets: [] };

/** Null where a disk has changed bytes, which the check of the recording finds (RE6). */
function unlessBroken<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

const bytesOf = (parts: readonly Uint8Array[]): number => parts.reduce((sum, { length }) => sum + length, 1);

export function createReplayAac({ shelf, atOnce = atOnceMost }: {
  shelf: Pick<Shelf, 'find' | 'segment' | 'map'>;
  /** Segments that are made at the same time. */
  atOnce?: number;
}): ReplayAac {
  const transcoder = createTranscoder({ lingerMs });
  const turns = createTurns({ atOnce, waitingMost, waitMs, retryAfterSeconds: busySeconds });
  const made = new LRUCache<string, MadeSound>({
    maxSize: madeBytesMost, sizeCalculation: ({ packets }) => bytesOf(packets), ttl: rememberMs,
  });
  const heard = new LRUCache<string, SoundRun>({
    maxSize: heardBytesMost, sizeCalculation: ({ frames }) => bytesOf(frames.map(({ data }) => data)), ttl: rememberMs,
  });
  const beingMade = new Map<string, Promise<MadeSound | null>>();
  let count = 0;

  const keyOf = (showId: string, { sequence }: RecordedSegment): string => `${showId}/${sequence}`;

  /** Null also of one that is damaged: its pictures may do all the same. */
  function soundOfSegment(showId: string, segment: RecordedSegment, bytes: Buffer): SoundRun | null {
    const sound = unlessBroken(() => soundOf(readFragments(bytes)));
    if (sound !== null) heard.set(keyOf(showId, segment), sound);
    return sound;
  }

  async function make(showId: string, index: RecordingIndex, at: number, bytes: Buffer): Promise<MadeSound | null> {
    const own = index.segments[at]!;
    const sound = await makeRecordedSound(transcoder, index, at, async (segment) => {
      if (segment === own) return soundOfSegment(showId, own, bytes);
      const known = heard.get(keyOf(showId, segment));
      if (known !== undefined) return known;
      const other = await shelf.segment(showId, segment.sequence);
      return other === null ? null : soundOfSegment(showId, segment, other);
    });
    count += 1;
    if (sound !== null) made.set(keyOf(showId, own), sound);
    return sound;
  }

  /** Whoever asks for the same meanwhile waits for the same. */
  function soundFor(showId: string, index: RecordingIndex, at: number, bytes: Buffer): Promise<MadeSound | null> {
    const key = keyOf(showId, index.segments[at]!);
    const known = beingMade.get(key);
    if (known !== undefined) return known;
    const making = turns.take(() => make(showId, index, at, bytes)).finally(() => beingMade.delete(key));
    beingMade.set(key, making);
    return making;
  }

  return {
    async segment(showId, sequence) {
      const recorded = await shelf.find(showId);
      if (recorded === null) return null;
      const place = soundPlaceOf(recorded.index, sequence);
      if (place === null || place.segment.isLost || !isSettled(recorded, place.at)) return null;
      const { index, at, segment } = place;
      const bytes = await shelf.segment(showId, sequence);
      if (bytes === null || !isOpusSegment(index, segment)) return bytes;
      const sound = made.get(keyOf(showId, segment)) ?? await soundFor(showId, index, at, bytes);
      return unlessBroken(() => withMadeSound(readFragments(bytes), sound ?? silence));
    },
    async map(showId, name) {
      const recorded = await shelf.find(showId);
      if (!recorded?.index.maps.some((map) => map.name === name)) return null;
      const bytes = await shelf.map(showId, name);
      return bytes && withAacSound(bytes);
    },
    stats: () => ({ made: count, ...turns.stats() }),
    stop: () => transcoder.stop(),
  };
}
