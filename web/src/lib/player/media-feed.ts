/**
 * Feeds fragments into Media Source Extensions (W3C MSE 2; ManagedMediaSource on iPhones).
 *
 * The feed lays every epoch and every stretch after a gap behind what is buffered (by `timestampOffset`), so that the
 * element's timeline has no holes to get stuck in. What waits for the browser is bounded: beyond the bound it is thrown
 * away up to the next key picture.
 */
import type { LiveFragment, LiveInit } from '@nacre/contract/live';

/** About 10 s at 3 Mbit/s. Less throws away a long group on joining, more grows a tab that the browser starves. */
const queuedBytesMax = 4 * 1024 * 1024;

/**
 * Seconds kept behind the screen. A removal reaches to the next key picture: less could reach what is on the screen.
 */
const keepBehind = 15;
const removeBeyond = 30;

/** A key picture further than this (seconds) from where the timeline ended begins anew behind the buffer. */
const seamTolerance = 0.3;

/** Where the first picture is laid, so that the sound that begins a little before it is not before zero. */
const firstPictureAt = 1;

/** Pictures whose arrival is remembered, to tell the age of the one on the screen: 10 s at 30 a second. */
const arrivalsKept = 300;

type MediaSourceClass = typeof MediaSource;

/** iPhones' (W3C Media Source Extensions 2, §3): tells when it wants to be fed, to save the radio and the battery. */
interface ManagedSource extends MediaSource {
  readonly streaming?: boolean;
}

export function mediaSourceClass(): MediaSourceClass | undefined {
  const scope = globalThis as { MediaSource?: MediaSourceClass; ManagedMediaSource?: MediaSourceClass };
  return scope.MediaSource ?? scope.ManagedMediaSource;
}

/** The type as this browser wants it: WebKit takes `Opus` where others take `opus`. Null when it cannot show it. */
export function playableType(mime: string): string | null {
  const Source = mediaSourceClass();
  return [mime, mime.replace('opus', 'Opus')].find((type) => Source?.isTypeSupported(type)) ?? null;
}

/** The same stream without its sound. */
export const pictureOf = (mime: string): string => mime.replace(/,[^"]*/, '');

export interface MediaFeed {
  /** `type` is what `playableType` gave for it. */
  init(init: LiveInit, type: string): void;
  fragment(fragment: LiveFragment): void;
  /** End of what is buffered, in seconds on the element's timeline; null while nothing is. */
  edge(): number | null;
  /** When the picture shown at this time arrived at the server (server's clock, ms); null when not remembered. */
  arrivedAt(mediaTime: number): number | null;
  droppedMessages(): number;
  destroy(): void;
}

interface FeedDeps {
  video: HTMLVideoElement;
  /** The element begins anew, paused and at 0: the tracks are others. */
  onNewSource: () => void;
  /** Something was appended and nothing waits. */
  onAppended: (last: LiveFragment) => void;
  /** The browser gave up on the stream; the feed is of no use any more. */
  onBroken: () => void;
  /** A managed source wants pictures, or has enough for now. Never called by others. */
  onWanted: (isWanted: boolean) => void;
}

type Step = { init: LiveInit; type: string } | { init: null; fragment: LiveFragment };

interface Feed extends FeedDeps {
  source: ManagedSource | null;
  buffer: SourceBuffer | null;
  url: string;
  /** Of what the source buffer was made for. */
  tracks: string;
  type: string;
  epoch: number;
  steps: Step[];
  queuedBytes: number;
  awaitingKey: boolean;
  /** Of the last init that came. */
  hasPicture: boolean;
  dropped: number;
  removedAt: number;
  last: LiveFragment | null;
  /** Where the picture appended last ends, on the stream's timeline, in seconds. */
  streamEnd: number | null;
  arrivals: { mediaTime: number; arrivedAtMs: number }[];
  advance: () => void;
}

export function createMediaFeed(deps: FeedDeps): MediaFeed {
  const feed: Feed = {
    ...deps,
    source: null,
    buffer: null,
    url: '',
    tracks: '',
    type: '',
    epoch: -1,
    steps: [],
    queuedBytes: 0,
    awaitingKey: false,
    hasPicture: true,
    dropped: 0,
    removedAt: 0,
    last: null,
    streamEnd: null,
    arrivals: [],
    advance: () => advance(feed),
  };
  return {
    init(init, type) {
      feed.steps.push({ init, type });
      feed.hasPicture = init.hasVideo;
      feed.awaitingKey = true;
      if (!feed.source) open(feed, init, type);
      advance(feed);
    },
    fragment(fragment) {
      if (feed.queuedBytes > queuedBytesMax) throwAway(feed);
      if (canStart(feed, fragment)) feed.awaitingKey = false;
      if (feed.awaitingKey || !feed.source) {
        feed.dropped += 1;
        return;
      }
      feed.steps.push({ init: null, fragment });
      feed.queuedBytes += fragment.bytes.length;
      advance(feed);
    },
    edge: () => bufferedEnd(feed),
    arrivedAt(mediaTime) {
      // Half a millisecond of grace: media times are rounded to the track's ticks.
      return feed.arrivals.findLast((arrival) => arrival.mediaTime <= mediaTime + 0.0005)?.arrivedAtMs ?? null;
    },
    droppedMessages: () => feed.dropped,
    destroy() {
      feed.steps = [];
      close(feed);
      feed.video.removeAttribute('src');
      feed.video.load();
    },
  };
}

function open(feed: Feed, init: LiveInit, type: string): void {
  const Source = mediaSourceClass();
  if (!Source) throw new Error('no Media Source Extensions');
  close(feed);
  const source = new Source();
  feed.source = source;
  feed.tracks = tracksOf(init);
  feed.type = type;
  source.addEventListener('sourceopen', () => {
    if (feed.source !== source || feed.buffer) return;
    feed.buffer = source.addSourceBuffer(feed.type);
    feed.buffer.addEventListener('updateend', feed.advance);
    feed.buffer.addEventListener('error', feed.onBroken);
    advance(feed);
  });
  source.addEventListener('startstreaming', () => {
    if (feed.source !== source) return;
    feed.onWanted(true);
    advance(feed);
  });
  source.addEventListener('endstreaming', () => {
    if (feed.source === source) feed.onWanted(false);
  });
  feed.url = URL.createObjectURL(source);
  feed.video.src = feed.url;
}

function close(feed: Feed): void {
  feed.buffer?.removeEventListener('updateend', feed.advance);
  feed.buffer?.removeEventListener('error', feed.onBroken);
  feed.buffer = null;
  feed.source = null;
  feed.streamEnd = null;
  feed.removedAt = 0;
  feed.arrivals.length = 0;
  if (feed.url) URL.revokeObjectURL(feed.url);
  feed.url = '';
}

function bufferedEnd(feed: Feed): number | null {
  const ranges = feed.source?.readyState === 'open' ? feed.buffer?.buffered : undefined;
  return ranges?.length ? ranges.end(ranges.length - 1) : null;
}

/** Does the next thing that waits; the browser's `updateend` calls it again. */
function advance(feed: Feed): void {
  const { buffer } = feed;
  if (!buffer || buffer.updating || feed.source?.readyState !== 'open' || feed.source.streaming === false) return;
  try {
    const [next] = feed.steps;
    if (removeOld(feed, buffer)) return;
    if (next?.init) appendInit(feed, buffer, next.init, next.type);
    else if (next) appendFragments(feed, buffer);
    else if (feed.last) feed.onAppended(feed.last);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'QuotaExceededError') throwAway(feed);
    else feed.onBroken();
  }
}

function appendInit(feed: Feed, buffer: SourceBuffer, init: LiveInit, type: string): void {
  if (init.epoch !== feed.epoch) feed.streamEnd = null;
  feed.epoch = init.epoch;
  // A source buffer keeps its tracks for life (MSE §3.5.8): others need a new source.
  if (tracksOf(init) !== feed.tracks) {
    open(feed, init, type);
    return feed.onNewSource();
  }
  feed.steps.shift();
  if (type !== feed.type) buffer.changeType(type);
  feed.type = type;
  buffer.appendBuffer(init.bytes);
}

/** Everything that waits goes in one append, up to the next change of timeline. */
function appendFragments(feed: Feed, buffer: SourceBuffer): void {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let step = feed.steps[0]; step && !step.init; step = feed.steps[0]) {
    const { fragment } = step;
    const time = fragment.timeMs / 1000;
    const { streamEnd } = feed;
    const isSeam = canStart(feed, fragment) && (streamEnd === null || Math.abs(time - streamEnd) > seamTolerance);
    if (isSeam && parts.length) break;
    if (isSeam) buffer.timestampOffset = (bufferedEnd(feed) ?? firstPictureAt) - time;
    feed.steps.shift();
    feed.queuedBytes -= fragment.bytes.length;
    feed.last = fragment;
    parts.push(fragment.bytes);
    if (!fragment.hasVideo && feed.hasPicture) continue;
    feed.streamEnd = time + fragment.durationMs / 1000;
    feed.arrivals.push({ mediaTime: time + buffer.timestampOffset, arrivedAtMs: fragment.arrivedAtMs });
    if (feed.arrivals.length > arrivalsKept) feed.arrivals.shift();
  }
  buffer.appendBuffer(joined(parts));
}

/** Sound alone can be begun anywhere. */
function canStart({ hasPicture }: Feed, { isKey }: LiveFragment): boolean {
  return isKey || !hasPicture;
}

function removeOld(feed: Feed, buffer: SourceBuffer): boolean {
  const now = feed.video.currentTime;
  const { buffered } = buffer;
  // The last condition ends it where the browser found nothing to remove.
  if (!buffered.length || now - buffered.start(0) < removeBeyond || now - feed.removedAt < keepBehind) return false;
  feed.removedAt = now;
  buffer.remove(0, now - keepBehind);
  return true;
}

function throwAway(feed: Feed): void {
  feed.dropped += feed.steps.length;
  feed.steps = feed.steps.filter((step) => step.init).slice(-1);
  feed.queuedBytes = 0;
  feed.awaitingKey = true;
}

function tracksOf(init: LiveInit): string {
  return `${init.hasVideo}/${init.hasAudio}`;
}

function joined(parts: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  if (parts.length === 1 && parts[0]) return parts[0];
  const whole = new Uint8Array(parts.reduce((bytes, part) => bytes + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
