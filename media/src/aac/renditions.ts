/**
 * The same streams in Low-Latency HLS with AAC sound, for browsers that take no Opus in MP4. Made only while somebody
 * asks: the first playlist starts it from the last whole segment on, and a while after the last request it ends.
 *
 * Picture and sound leave in the order of their times: the picture waits for the encoder, some 60 ms, so that each part
 * holds what belongs together.
 */
import { availableParallelism } from 'node:os';
import { buildSoundFragment } from '../fmp4/fragment.ts';
import { readFragments, type ReadFragment } from '../fmp4/fragment-reader.ts';
import { soundTimescale } from '../fmp4/init-segment.ts';
import type { HlsAnswer, WrittenPlaylist } from '../hls/hls.ts';
import { createHlsLadder, hasSound, withoutSmall, type HlsLadder, type HlsReader } from '../hls/ladder.ts';
import type { HlsVariant } from '../hls/playlist.ts';
import type { MediaEvent, MediaLog, StreamFragment, StreamInit } from '../hooks.ts';
import { wholeOf } from '../stream/layers.ts';
import { aacBitrate, withAacCodec, withAacSound } from './aac-init.ts';
import { aacPacketTicks, createTranscoder, type TranscoderLine } from './transcoder.ts';

/** A viewer asks three times a second and waits 9 s at most. Sooner ends under a phone in a lift. */
const idleMs = 20_000;
const lookEveryMs = 5_000;
/** One costs 6–8 % of a core (`npm run bench -- aac`); the rest of the machine has a shop to run. */
const perCore = 8;
/** A picture waits so long for sound that does not come, then goes without. An encoder takes a second to start. */
const maxHoldMs = 3_000;
/** The same in pictures: a burst of a whole playlist at the start at most, and more is a broken clock. */
const maxHeld = 1_200;
/** Viewers who read on past the end have all of it by then; longer is memory for nobody. */
const keepEndedMs = 60_000;
/**
 * What failed is not tried again sooner, twice as long after each time, up to a bound. Sooner could use names again
 * that caches have: a beginning's names may run ahead of its time by as many parts as there are in a playlist.
 */
const firstRestMs = 10_000;
const longestRestMs = 5 * 60_000;

export interface AacRenditions {
  /** Feed it every event of the media supervisor, after `hls`. Never throws. */
  onMediaEvent(event: MediaEvent): void;
  multivariant(streamId: string): Promise<HlsAnswer<WrittenPlaylist>>;
  /** Unavailable where it is not made now though the stream is there: too many, it failed, or nobody publishes. */
  whole: HlsReader;
  /** Its sound alone; the same holds. */
  sound: HlsReader;
  /** The show is over: the playlist says so, and what it names stays for a while. */
  end(streamId: string): void;
  dismiss(streamId: string): void;
  /** Those that run now. */
  running(): number;
  /** Those of which something is kept. */
  kept(): number;
  stop(): Promise<void>;
}

interface Rendition {
  line: TranscoderLine | null;
  init: StreamInit;
  held: { event: StreamFragment; sinceMs: number }[];
  askedMs: number;
  sequence: number;
}

interface Core {
  /** Holds parts, segments and playlists of what is made here. */
  out: HlsLadder;
  now: () => number;
  log: MediaLog;
  transcoder: ReturnType<typeof createTranscoder>;
  renditions: Map<string, Rendition>;
  /** When shows ended of which something is kept. */
  endedMs: Map<string, number>;
  failures: Map<string, { times: number; untilMs: number }>;
}

/** The same with AAC in place of Opus. What comes with AAC, or without sound, needs none. */
function withAac(variants: HlsVariant[]): HlsVariant[] {
  return withoutSmall(variants).map((variant) => {
    if (!/opus/i.test(variant.mime)) return variant;
    const [peakBps, averageBps] = hasSound(variant.mime)
      ? [variant.peakBps + aacBitrate, variant.averageBps + aacBitrate] : [aacBitrate, aacBitrate];
    return { ...variant, uri: `aac/${variant.uri}`, mime: withAacCodec(variant.mime), peakBps, averageBps };
  });
}

export function createAacRenditions(deps: {
  /** Of the streams as they come. */
  hls: Pick<HlsLadder, 'recent' | 'has' | 'multivariant'>;
  /** Unix epoch, ms. */
  now: () => number;
  log: MediaLog;
  maxRenditions?: number;
}): AacRenditions {
  const { now, log } = deps;
  const max = deps.maxRenditions ?? perCore * availableParallelism();
  const core: Core = {
    out: createHlsLadder({ now }), now, log, transcoder: createTranscoder(),
    renditions: new Map(), endedMs: new Map(), failures: new Map(),
  };
  const { out, renditions } = core;
  const timer = setInterval(() => tidyUp(core), lookEveryMs);
  timer.unref();

  /** `there`: it runs, or what it made is still there; `later`: ask again; `none`: there is no such stream. */
  const wake = (streamId: string): 'there' | 'later' | 'none' => {
    const known = renditions.get(streamId);
    if (known) known.askedMs = now();
    if (known || core.endedMs.has(streamId)) return 'there';
    if (!deps.hls.has(streamId)) return 'none';
    if (renditions.size >= max || now() < (core.failures.get(streamId)?.untilMs ?? 0)) return 'later';
    const recent = deps.hls.recent(streamId);
    if (recent === null) return 'later';
    start(core, recent);
    return 'there';
  };

  const readerOf = (made: HlsReader): HlsReader => ({
    async playlist(streamId, query) {
      const found = wake(streamId);
      if (found === 'there') return made.playlist(streamId, query);
      return { kind: found === 'none' ? 'not-found' : 'unavailable' };
    },
    async file(streamId, name) {
      const rendition = renditions.get(streamId);
      if (rendition) rendition.askedMs = now();
      return made.file(streamId, name);
    },
  });

  return {
    onMediaEvent(event) {
      const rendition = 'streamId' in event ? renditions.get(event.streamId) : undefined;
      if (rendition === undefined || wholeOf(event) === null) return;
      if (event.type === 'init') begin(core, rendition, event);
      else if (event.type === 'fragment') take(core, rendition, event);
      else if (event.type === 'down') goDown(core, rendition, event);
    },
    multivariant: (streamId) => deps.hls.multivariant(streamId, withAac),
    whole: readerOf(out.whole),
    sound: readerOf(out.sound),
    end(streamId) {
      const rendition = renditions.get(streamId);
      if (rendition === undefined) return;
      const { sessionId } = rendition.init;
      goDown(core, rendition, { type: 'down', streamId, sessionId, reason: 'closed' });
      close(core, streamId, rendition);
      out.end(streamId);
      core.endedMs.set(streamId, now());
    },
    dismiss: (streamId) => out.dismiss(streamId),
    running: () => renditions.size,
    kept: () => out.size(),
    async stop() {
      clearInterval(timer);
      renditions.clear();
      out.stop();
      await core.transcoder.stop();
    },
  };
}

function start(core: Core, recent: NonNullable<ReturnType<HlsLadder['recent']>>): void {
  const { init, startedAtMs, chunks } = recent;
  const rendition: Rendition = { line: null, init, held: [], askedMs: core.now(), sequence: 1 };
  core.renditions.set(init.streamId, rendition);
  begin(core, rendition, init);
  const fragments = chunks.flatMap(readFragments);
  const firstMs = fragments.find(({ track }) => track === 'video')?.timeMs ?? 0;
  const { streamId, sessionId, generation } = init;
  for (const read of fragments) {
    const { track, isKey, timeMs, durationMs, data } = read;
    const arrivedAtMs = startedAtMs + timeMs - firstMs;
    const layer = 'full' as const;
    const event = { streamId, sessionId, layer, generation, track, isKey, timeMs, durationMs, arrivedAtMs, data };
    take(core, rendition, event, read);
  }
}

/** Other sound goes through as it came. */
const isOpus = ({ mime }: StreamInit): boolean => /opus/i.test(mime);

/** Another publisher, another size, or the first. */
function begin(core: Core, rendition: Rendition, init: StreamInit): void {
  const isSameSound = rendition.line !== null && rendition.init.sessionId === init.sessionId && isOpus(init);
  if (!isSameSound) {
    release(core, rendition);
    rendition.line?.close();
    rendition.line = isOpus(init) ? openLine(core, rendition, init) : null;
  } else release(core, rendition);
  rendition.init = init;
  core.out.onMediaEvent({
    type: 'init', ...init, mime: withAacCodec(init.mime), initSegment: withAacSound(init.initSegment),
  });
}

function openLine(core: Core, rendition: Rendition, { streamId, sessionId }: StreamInit): TranscoderLine {
  const isOurs = (): boolean => rendition.init.sessionId === sessionId && core.renditions.get(streamId) === rendition;
  return core.transcoder.open({
    onPacket(time, data) {
      if (isOurs()) emitSound(core, rendition, time, Buffer.from(data));
    },
    onFailed(reason) {
      if (!isOurs()) return;
      // A request after the rest starts it anew; until then there is nothing rather than a show without sound.
      core.log.warn({ streamId, reason }, 'AAC sound could not be made');
      close(core, streamId, rendition);
      core.out.forget(streamId);
      rest(core, streamId);
    },
  });
}

function take(core: Core, rendition: Rendition, event: StreamFragment, read?: ReadFragment): void {
  if (event.sessionId !== rendition.init.sessionId) return;
  if (event.track === 'audio' && !isOpus(rendition.init)) {
    core.out.onMediaEvent({ type: 'fragment', ...event });
    return;
  }
  if (event.track === 'video') {
    rendition.held.push({ event, sinceMs: core.now() });
    const [oldest] = rendition.held;
    const isLate = oldest !== undefined && core.now() - oldest.sinceMs > maxHoldMs;
    if (rendition.line === null || isLate || rendition.held.length > maxHeld) release(core, rendition);
    return;
  }
  for (const { decodeTime, samples } of read ? [read] : readFragments(event.data)) {
    rendition.line?.sound(decodeTime, samples);
  }
}

/** Sends the pictures on that begin before this time, or all. */
function release(core: Core, rendition: Rendition, beforeMs = Infinity): void {
  const { held } = rendition;
  while (held[0] && held[0].event.timeMs < beforeMs) {
    core.out.onMediaEvent({ type: 'fragment', ...held.shift()!.event });
  }
}

function emitSound(core: Core, rendition: Rendition, time: number, data: Buffer): void {
  const { streamId, sessionId, generation } = rendition.init;
  const timeMs = (time * 1_000) / soundTimescale;
  const durationMs = (aacPacketTicks * 1_000) / soundTimescale;
  release(core, rendition, timeMs + durationMs);
  core.out.onMediaEvent({
    type: 'fragment', streamId, sessionId, layer: 'full', generation, track: 'audio', isKey: true, timeMs, durationMs,
    arrivedAtMs: core.now(),
    data: buildSoundFragment(rendition.sequence, time, [{ data, duration: aacPacketTicks }]),
  });
  rendition.sequence += 1;
}

function goDown(core: Core, rendition: Rendition, event: MediaEvent & { type: 'down' }): void {
  if (event.sessionId !== rendition.init.sessionId) return;
  release(core, rendition);
  rendition.line?.close();
  rendition.line = null;
  core.out.onMediaEvent(event);
}

function close(core: Core, streamId: string, rendition: Rendition): void {
  release(core, rendition);
  rendition.line?.close();
  rendition.line = null;
  core.renditions.delete(streamId);
}

function rest({ failures, now }: Core, streamId: string): void {
  const times = (failures.get(streamId)?.times ?? 0) + 1;
  failures.set(streamId, { times, untilMs: now() + Math.min(longestRestMs, firstRestMs * 2 ** (times - 1)) });
}

/** Ends what nobody asks for, and forgets what is over. */
function tidyUp(core: Core): void {
  const { renditions, endedMs, failures, out, now } = core;
  for (const [streamId, rendition] of renditions) {
    if (now() - rendition.askedMs <= idleMs) continue;
    close(core, streamId, rendition);
    out.forget(streamId);
  }
  for (const [streamId, atMs] of endedMs) {
    if (now() - atMs <= keepEndedMs) continue;
    endedMs.delete(streamId);
    out.forget(streamId);
  }
  // What went well for so long is mended.
  for (const [streamId, { untilMs }] of failures) if (now() - untilMs > longestRestMs) failures.delete(streamId);
}
