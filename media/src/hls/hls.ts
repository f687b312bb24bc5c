/**
 * Low-Latency HLS of all streams, inside the main process, from the events that the hub gets too: playlists that wait
 * for what is coming, and the files that they name. Knows no HTTP; `HlsAnswer` says what to answer.
 *
 * Invariants: a playlist is written once per change and shared by everybody who asks for it; every wait ends by what
 * was waited for, by the end of the stream, by a change of who may watch, or after `waitMs`; waits are bounded.
 */
import { gzipSync } from 'node:zlib';
import type { MediaEvent } from '../hooks.ts';
import type { Recorder } from '../recording/recorder.ts';
import { createPackager, targetDurationSeconds, type Packager } from './packager.ts';
import {
  variantOf, writeMultivariant, writePlaylist, type HlsVariant, type RenditionReport,
} from './playlist.ts';

/** §6.2.5.2: a blocked request is given up after three target durations. */
export const waitMs = 3 * targetDurationSeconds * 1_000;
/** Playlist and part of each viewer wait at the same time: twice as many as the process has viewers at most. */
const maxWaits = 20_000;
/** Streams without a publisher that are remembered, for viewers who still read their last seconds. */
const maxIdleStreams = 200;
/** §6.2.5.2: who asks for more than two segments ahead has lost its way. */
const maxAhead = 2;

export interface PlaylistQuery {
  /** `_HLS_msn`: not before the playlist has this segment … */
  sequence: number | null;
  /** … or, with `_HLS_part`, this part of it, counted from 0. */
  part: number | null;
  /** `_HLS_skip=YES` */
  skip: boolean;
}

/** Written and packed once for everybody who asks for it. */
export interface WrittenPlaylist {
  text: string;
  bytes: Buffer;
  /** Compressed (RFC 1952), a fifth of it; the work is done when it is first asked for. */
  gzip(): Buffer;
}

export type HlsAnswer<T> =
  /** `waited`: its address says for what, so it may be kept; `isLast`: the show is over. */
  | { kind: 'ok'; body: T; waited: boolean; isLast: boolean }
  /** Nobody publishes (yet), or the file is gone. */
  | { kind: 'not-found' }
  | { kind: 'bad-request' }
  /** It did not come in time, or too many wait. */
  | { kind: 'unavailable' };

export interface Hls {
  /** Feed it every event of the media supervisor, in order. Never throws. */
  onMediaEvent(event: MediaEvent): void;
  /**
   * Waits until there is something to play.
   * @param variants what is offered, from the stream as it came; left out: that alone
   */
  multivariant(
    streamId: string, variants?: (asItCame: HlsVariant) => HlsVariant[],
  ): Promise<HlsAnswer<WrittenPlaylist>>;
  /** As it is now; null while there is nothing to play. */
  variant(streamId: string, uri: string): HlsVariant | null;
  /** How far it has come, for the playlists of others; null while there is nothing to play. */
  report(streamId: string, uri: string): RenditionReport | null;
  /** How many have been, and will have been with what comes next. */
  discontinuities(streamId: string): number;
  playlist(streamId: string, query: PlaylistQuery): Promise<HlsAnswer<WrittenPlaylist>>;
  /** `<number>.part.m4s` (waits when it is the next one), `<sequence>.m4s`, `<name>.mp4`. */
  file(streamId: string, name: string): Promise<HlsAnswer<Buffer>>;
  /** What a rendition made from it begins with (`Packager.recent`); null when nobody publishes. */
  recent(streamId: string): ReturnType<Packager['recent']>;
  /** Somebody publishes it, or did lately. */
  has(streamId: string): boolean;
  /** Those that are remembered. */
  size(): number;
  /** As if it had never been. */
  forget(streamId: string): void;
  /** The show is over: the playlist says so, and what it names stays for a while. */
  end(streamId: string): void;
  /** Who may watch has changed: nobody waits on; who still may asks again. */
  dismiss(streamId: string): void;
  stop(): void;
}

interface Wait {
  isOver(stream: Stream): boolean;
  end(isThere: boolean): void;
}

interface Stream {
  packager: Packager;
  sessionId: string | null;
  isEnded: boolean;
  waits: Set<Wait>;
  /** Written playlists of the present state; cleared by every change. */
  written: { full: WrittenPlaylist | null; delta: WrittenPlaylist | null };
}

export function createHls(deps: {
  /** Unix epoch, ms. */
  now: () => number;
  waitMs?: number;
  /** Told of each part and each segment as soon as it is whole, for recording. Must not throw. */
  recorder?: Pick<Recorder, 'onPart' | 'onSegment'>;
  /** How many discontinuities a stream has had elsewhere that begins here. */
  discontinuities?: (streamId: string) => number;
  /** Of the other renditions of a stream. */
  reports?: (streamId: string) => readonly (RenditionReport | null)[];
}): Hls {
  const streams = new Map<string, Stream>();
  const patienceMs = deps.waitMs ?? waitMs;
  let waiting = 0;

  const changed = (stream: Stream): void => {
    stream.written = { full: null, delta: null };
    for (const wait of stream.waits) if (wait.isOver(stream)) wait.end(true);
  };

  /** Resolves at once when it is so; false when it never came to be, or too many wait. */
  const until = (stream: Stream, isSo: (stream: Stream) => boolean): Promise<boolean> => {
    if (isSo(stream)) return Promise.resolve(true);
    if (stream.isEnded || waiting >= maxWaits) return Promise.resolve(false);
    waiting += 1;
    return new Promise((resolve) => {
      const wait: Wait = {
        isOver: isSo,
        end(isThere) {
          clearTimeout(timer);
          if (!stream.waits.delete(wait)) return;
          waiting -= 1;
          resolve(isThere);
        },
      };
      const timer = setTimeout(() => wait.end(false), patienceMs);
      stream.waits.add(wait);
    });
  };

  const endWaits = (stream: Stream): void => {
    for (const wait of stream.waits) wait.end(false);
  };

  const streamOf = (streamId: string): Stream => {
    const known = streams.get(streamId);
    if (known) return known;
    const stream: Stream = {
      packager: createPackager({
        startedAtMs: deps.now(),
        discontinuities: deps.discontinuities?.(streamId) ?? 0,
        onPart: (segment, part) => deps.recorder?.onPart(streamId, segment, part),
        onSegment: (segment) => deps.recorder?.onSegment(streamId, segment),
      }),
      sessionId: null,
      isEnded: false,
      waits: new Set(),
      written: { full: null, delta: null },
    };
    streams.set(streamId, stream);
    forgetIdle();
    return stream;
  };

  const forgetIdle = (): void => {
    const idle = [...streams].filter(([, stream]) => stream.sessionId === null);
    for (const [streamId, stream] of idle.slice(0, Math.max(0, idle.length - maxIdleStreams))) {
      streams.delete(streamId);
      endWaits(stream);
    }
  };

  const write = (streamId: string, stream: Stream, skip: boolean): WrittenPlaylist => {
    const { packager, isEnded, written } = stream;
    const reports = (deps.reports?.(streamId) ?? []).filter((report) => report !== null);
    return (written[skip ? 'delta' : 'full'] ??= asWritten(writePlaylist(packager, { skip, isEnded, reports })));
  };

  const playable = (streamId: string): Packager | null => {
    const packager = streams.get(streamId)?.packager;
    return packager !== undefined && hasSegment(packager) ? packager : null;
  };

  const readPlaylist = async (streamId: string, query: PlaylistQuery): Promise<HlsAnswer<WrittenPlaylist>> => {
    const { sequence, part, skip } = query;
    if (part !== null && sequence === null) return { kind: 'bad-request' };
    const stream = streams.get(streamId);
    if (stream === undefined) return { kind: 'not-found' };
    const last = stream.packager.segments.at(-1)?.sequence;
    if (sequence !== null && last !== undefined && sequence > last + maxAhead) return { kind: 'bad-request' };
    const isThere = await until(stream, ({ packager }) => (
      sequence === null ? hasSegment(packager) : hasReached(packager, sequence, part)
    ));
    // A show that is over has nothing more to wait for: its playlist says so.
    if (!isThere && !(stream.isEnded && hasSegment(stream.packager))) return { kind: 'unavailable' };
    return { kind: 'ok', body: write(streamId, stream, skip), waited: sequence !== null, isLast: stream.isEnded };
  };

  const readFile = async (streamId: string, name: string): Promise<HlsAnswer<Buffer>> => {
    const stream = streams.get(streamId);
    if (stream === undefined) return { kind: 'not-found' };
    const { packager } = stream;
    const [, number, kind] = /^(\d{1,12})\.(part\.m4s|m4s)$/.exec(name) ?? [];
    if (number === undefined) {
      const map = name.endsWith('.mp4') ? packager.map(name.slice(0, -'.mp4'.length)) : null;
      return map === null ? { kind: 'not-found' } : plainly(map.init.initSegment);
    }
    if (kind === 'm4s') {
      const segment = packager.segment(Number(number));
      if (segment === null) return { kind: 'not-found' };
      return plainly(Buffer.concat(segment.parts.map(({ data }) => data)));
    }
    const wanted = Number(number);
    const isHinted = wanted === packager.nextPart;
    if (isHinted && !(await until(stream, () => packager.part(wanted) !== null))) return { kind: 'not-found' };
    const part = packager.part(wanted);
    return part === null ? { kind: 'not-found' } : { kind: 'ok', body: part.data, waited: isHinted, isLast: false };
  };

  const onMediaEvent = (event: MediaEvent): void => {
    if (event.type === 'init') {
      const stream = streamOf(event.streamId);
      stream.sessionId = event.sessionId;
      stream.isEnded = false;
      stream.packager.begin(event);
      changed(stream);
    } else if (event.type === 'fragment') {
      const stream = streams.get(event.streamId);
      if (stream?.packager.add(event)) changed(stream);
    } else if (event.type === 'uplink') {
      streams.get(event.streamId)?.packager.placed(event.sessionId, event.placedMs);
    } else if (event.type === 'down') {
      const stream = streams.get(event.streamId);
      if (stream === undefined || stream.sessionId !== event.sessionId) return;
      stream.sessionId = null;
      stream.packager.finish();
      changed(stream);
      forgetIdle();
    }
  };

  return {
    onMediaEvent,
    async multivariant(streamId, variants = (asItCame) => [asItCame]) {
      const stream = streams.get(streamId);
      if (stream === undefined) return { kind: 'not-found' };
      if (!(await until(stream, ({ packager }) => hasSegment(packager)))) return { kind: 'unavailable' };
      return plainly(asWritten(writeMultivariant(variants(variantOf(stream.packager, 'media.m3u8')))));
    },
    variant(streamId, uri) {
      const packager = playable(streamId);
      return packager === null ? null : variantOf(packager, uri);
    },
    report(streamId, uri) {
      const last = playable(streamId)?.segments.findLast(({ parts }) => parts.length > 0);
      if (last === undefined) return null;
      return { uri, lastSequence: last.sequence, lastPart: last.parts.length - 1 };
    },
    discontinuities: (streamId) => streams.get(streamId)?.packager.discontinuities ?? 0,
    playlist: readPlaylist,
    file: readFile,
    recent: (streamId) => streams.get(streamId)?.packager.recent() ?? null,
    has: (streamId) => streams.has(streamId),
    size: () => streams.size,
    forget(streamId) {
      const stream = streams.get(streamId);
      streams.delete(streamId);
      if (stream !== undefined) endWaits(stream);
    },
    end(streamId) {
      const stream = streams.get(streamId);
      if (stream === undefined || stream.isEnded) return;
      stream.isEnded = true;
      stream.packager.finish();
      changed(stream);
      endWaits(stream);
    },
    dismiss(streamId) {
      const stream = streams.get(streamId);
      if (stream !== undefined) endWaits(stream);
    },
    stop() {
      for (const stream of streams.values()) endWaits(stream);
      streams.clear();
    },
  };
}

function plainly<T>(body: T): HlsAnswer<T> {
  return { kind: 'ok', body, waited: false, isLast: false };
}

function asWritten(text: string): WrittenPlaylist {
  const bytes = Buffer.from(text);
  let packed: Buffer | null = null;
  return { text, bytes, gzip: () => (packed ??= gzipSync(bytes)) };
}

/** Players take a playlist without one whole segment for an empty one. */
function hasSegment({ segments }: Packager): boolean {
  return segments[0]?.isComplete === true;
}

/** A part beyond the last of a complete segment is the first of the next one (§6.2.5.2). */
function hasReached(packager: Packager, sequence: number, part: number | null): boolean {
  const { segments } = packager;
  const last = segments.at(-1);
  if (last === undefined || !hasSegment(packager)) return false;
  if (last.sequence > sequence) {
    const asked = segments.find((segment) => segment.sequence === sequence);
    const isBeyond = asked !== undefined && part !== null && part >= asked.parts.length;
    return !isBeyond || last.sequence > sequence + 1 || last.parts.length > 0;
  }
  if (last.sequence < sequence) return false;
  return last.isComplete || (part !== null && part < last.parts.length);
}
