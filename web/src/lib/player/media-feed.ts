/**
 * Feeds fragments into Media Source Extensions (W3C MSE 2; ManagedMediaSource on iPhones).
 *
 * The feed lays every epoch and every stretch after a gap behind what is buffered (by `timestampOffset`), so that the
 * element's timeline has no holes to get stuck in. What waits for the browser is bounded: beyond the bound it is thrown
 * away up to the next key picture.
 */
import type { LiveFragment, LiveInit } from '@nacre/contract/live';

/** About 10 s at 2.5 Mbit/s. Less throws away a long group on joining, more grows a tab that the browser starves. */
const queuedBytesMax = 4 * 1024 * 1024;

/** Seconds kept behind the screen. A removal reaches to the next key picture: less could reach what is on the screen. */
const keepBehind = 15;
const removeBeyond = 30;

/** A key picture further than this (seconds) from where the timeline ended begins anew behind the buffer. */
const seamTolerance = 0.3;

/** Pictures whose arrival is remembered, to tell the age of the one on the screen: 10 s at 30 a second. */
const arrivalsKept = 300;

type MediaSourceClass = typeof MediaSource;

export function mediaSourceClass(): MediaSourceClass | undefined {
  const scope = globalThis as { MediaSource?: MediaSourceClass; ManagedMediaSource?: MediaSourceClass };
  return scope.MediaSource ?? scope.ManagedMediaSource;
}

/** The type as this browser wants it: WebKit takes `Opus` where others take `opus`. Null when it cannot show it. */
export function playableType(mime: string): string | null {
  const Source = mediaSourceClass();
  return [mime, mime.replace('opus', 'Opus')].find((type) => Source?.isTypeSupported(type)) ?? null;
}

export interface MediaFeed {
  /** Throws when this browser cannot show the type; ask `playableType` first. */
  init(init: LiveInit): void;
  fragment(fragment: LiveFragment): void;
  /** Seconds on the element's timeline; null while nothing is buffered. */
  edge(): number | null;
  /** When the picture shown at this time arrived at the server (server's clock, ms); null when not remembered. */
  arrivedAt(mediaTime: number): number | null;
  droppedMessages(): number;
  destroy(): void;
}

type Step =
  | { init: LiveInit }
  | { fragment: LiveFragment };

export function createMediaFeed(deps: {
  video: HTMLVideoElement;
  /** Something was appended and nothing waits. */
  onAppended: (last: LiveFragment) => void;
  /** The browser gave up on the stream; the feed is of no use any more. */
  onBroken: () => void;
}): MediaFeed {
  const { video } = deps;
  let source: MediaSource | null = null;
  let buffer: SourceBuffer | null = null;
  let tracks = '';
  let type = '';
  let url = '';
  let steps: Step[] = [];
  let queuedBytes = 0;
  let awaitingKey = false;
  let dropped = 0;
  let afterInit = true;
  let epoch = -1;
  let removedAt = 0;
  let last: LiveFragment | null = null;
  /** Where the picture appended last ends, on the stream's timeline, in seconds. */
  let streamEnd: number | null = null;
  const arrivals: { mediaTime: number; arrivedAtMs: number }[] = [];

  function open(init: LiveInit): void {
    close();
    const Source = mediaSourceClass();
    if (!Source) throw new Error('no Media Source Extensions');
    const opened = new Source();
    source = opened;
    tracks = tracksOf(init);
    opened.addEventListener('sourceopen', () => {
      if (source !== opened || buffer) return;
      buffer = opened.addSourceBuffer(type);
      buffer.addEventListener('updateend', advance);
      buffer.addEventListener('error', deps.onBroken);
      advance();
    });
    url = URL.createObjectURL(opened);
    video.src = url;
  }

  function close(): void {
    buffer?.removeEventListener('updateend', advance);
    buffer?.removeEventListener('error', deps.onBroken);
    buffer = null;
    source = null;
    streamEnd = null;
    arrivals.length = 0;
    removedAt = 0;
    if (url) URL.revokeObjectURL(url);
    url = '';
  }

  function bufferedEnd(): number | null {
    const ranges = buffer?.buffered;
    return ranges?.length ? ranges.end(ranges.length - 1) : null;
  }

  function advance(): void {
    if (!buffer || buffer.updating || source?.readyState !== 'open') return;
    try {
      if (removeOld(buffer)) return;
      const first = steps[0];
      if (!first) {
        if (last) deps.onAppended(last);
      } else if ('init' in first) appendInit(buffer, first.init);
      else appendFragments(buffer);
    } catch (error) {
      if (error instanceof DOMException && error.name === 'QuotaExceededError') throwAway();
      else deps.onBroken();
    }
  }

  function appendInit(target: SourceBuffer, init: LiveInit): void {
    steps.shift();
    afterInit = true;
    if (init.epoch !== epoch) streamEnd = null;
    epoch = init.epoch;
    const wanted = playableType(init.mime) ?? init.mime;
    if (tracksOf(init) !== tracks) {
      type = wanted;
      open(init);
      steps.unshift({ init });
      return;
    }
    if (wanted !== type) target.changeType(wanted);
    type = wanted;
    target.appendBuffer(init.bytes);
  }

  /** Everything that waits goes in one append, up to the next change of timeline. */
  function appendFragments(target: SourceBuffer): void {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let bytes = 0;
    while (steps[0] && 'fragment' in steps[0]) {
      const { fragment } = steps[0];
      const time = fragment.timeMs / 1000;
      const isSeam = fragment.isKey && (streamEnd === null || Math.abs(time - streamEnd) > seamTolerance);
      if (isSeam || afterInit) {
        if (parts.length) break;
        if (isSeam) target.timestampOffset = (bufferedEnd() ?? 1) - time;
        afterInit = false;
      }
      steps.shift();
      parts.push(fragment.bytes);
      bytes += fragment.bytes.length;
      last = fragment;
      if (!fragment.hasVideo) continue;
      streamEnd = time + fragment.durationMs / 1000;
      arrivals.push({ mediaTime: time + target.timestampOffset, arrivedAtMs: fragment.arrivedAtMs });
      if (arrivals.length > arrivalsKept) arrivals.shift();
    }
    queuedBytes -= bytes;
    target.appendBuffer(parts.length === 1 && parts[0] ? parts[0] : joined(parts, bytes));
  }

  function removeOld(target: SourceBuffer): boolean {
    const { buffered } = target;
    const now = video.currentTime;
    // The second condition ends it where the browser found nothing to remove.
    if (!buffered.length || now - buffered.start(0) < removeBeyond || now - removedAt < keepBehind) return false;
    removedAt = now;
    target.remove(0, now - keepBehind);
    return true;
  }

  function throwAway(): void {
    dropped += steps.length;
    steps = steps.filter((step) => 'init' in step).slice(-1);
    queuedBytes = 0;
    awaitingKey = true;
  }

  return {
    init(init) {
      const wanted = playableType(init.mime);
      if (!wanted) throw new Error('this browser cannot show the stream');
      steps.push({ init });
      awaitingKey = true;
      if (!source) {
        type = wanted;
        open(init);
      }
      advance();
    },
    fragment(fragment) {
      if (queuedBytes > queuedBytesMax) throwAway();
      if (fragment.isKey) awaitingKey = false;
      if (awaitingKey || !source) {
        dropped += 1;
        return;
      }
      steps.push({ fragment });
      queuedBytes += fragment.bytes.length;
      advance();
    },
    edge: bufferedEnd,
    arrivedAt(mediaTime) {
      // Half a millisecond of grace: media times are rounded to the track's ticks.
      for (let at = arrivals.length - 1; at >= 0; at--) {
        const arrival = arrivals[at];
        if (arrival && arrival.mediaTime <= mediaTime + 0.0005) return arrival.arrivedAtMs;
      }
      return null;
    },
    droppedMessages: () => dropped,
    destroy() {
      steps = [];
      close();
      video.removeAttribute('src');
      video.load();
    },
  };
}

function tracksOf(init: LiveInit): string {
  return `${init.hasVideo}/${init.hasAudio}`;
}

function joined(parts: readonly Uint8Array[], bytes: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
