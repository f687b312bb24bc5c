/**
 * All publishers that come to the main process, by socket and by RTMP: nothing of them is native code, whose crashes
 * the media process is for, and their bytes are in this process already.
 *
 * Invariants: one connected session per stream, whichever way it came (the newest one); `down` is sent exactly once per
 * session and is its last event.
 */
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { MuxerFragment, MuxerInit } from '../fmp4/muxer.ts';
import type { MediaEvent, StreamDownReason } from '../hooks.ts';
import type { Uplink } from '../rtp/uplink.ts';

/** Shorter: idle work; longer: held pictures and lost publishers are noticed late. */
const tickMs = 100;

export interface PublisherRegistryDeps {
  /** As from the media process, in order. */
  onEvent(event: MediaEvent): void;
  /** A session of this stream is about to be up: whoever publishes it by WHIP is down before this returns. */
  takeOver(streamId: string): void;
  log: { error(fields: object, message: string): void };
}

/** What a session of any way has. */
export interface PublishingSession {
  readonly isUp: boolean;
  tick(nowMs: number): void;
  /** Emits what is held back; afterwards nothing comes any more. */
  end(): void;
}

/** What a session of any way tells. */
export interface SessionHandlers {
  /** Steady clock, ms. */
  nowMs: number;
  onUp(): void;
  onInit(init: MuxerInit): void;
  onFragment(fragment: MuxerFragment): void;
  onUplink(uplink: Uplink): void;
  onLost(): void;
}

export interface OpenPublisher<Session> {
  readonly sessionId: string;
  readonly session: Session;
  /** `down`, with `onEnd`. A repeat does nothing. */
  end(reason: StreamDownReason): void;
}

export interface PublisherRegistry {
  /** Null when as many publish by this way as may (`most`). A takeover needs no place. */
  open<Session extends PublishingSession>(options: {
    streamId: string;
    way: PublishingWay;
    most: number;
    start(handlers: SessionHandlers): Session;
    /** Once, whoever ended it. */
    onEnd(reason: StreamDownReason): void;
  }): OpenPublisher<Session> | null;
  /** WHIP has this stream now: who publishes it by another way is down (`replaced`). */
  replace(streamId: string): void;
  /** The show is over or its key was rotated: its publishers are down (`closed`). */
  drop(streamId: string): void;
  count(way: PublishingWay): number;
  stop(): void;
}

export type PublishingWay = 'socket' | 'rtmp';

interface Publisher {
  streamId: string;
  way: PublishingWay;
  session: PublishingSession;
  end(reason: StreamDownReason): void;
}

export function createPublisherRegistry(deps: PublisherRegistryDeps): PublisherRegistry {
  const publishers = new Map<string, Publisher>();

  const endThose = (reason: StreamDownReason, wanted: (publisher: Publisher, sessionId: string) => boolean): void => {
    for (const [sessionId, publisher] of publishers) if (wanted(publisher, sessionId)) publisher.end(reason);
  };
  const by = (way: PublishingWay): Publisher[] => [...publishers.values()].filter((one) => one.way === way);

  const ticker = setInterval(() => {
    const nowMs = performance.now();
    for (const [sessionId, { session, end }] of publishers) {
      try {
        session.tick(nowMs);
      } catch (error) {
        deps.log.error({ err: error, sessionId }, 'A publishing session failed and is closed');
        end('lost');
      }
    }
  }, tickMs);
  ticker.unref();

  return {
    open({ streamId, way, most, start, onEnd }) {
      // Of a stream that is taken over there are two for a moment: they count as one.
      const streams = new Set(by(way).map((publisher) => publisher.streamId));
      if (streams.size >= most && !streams.has(streamId)) return null;
      const sessionId = randomUUID();
      const ids = { streamId, sessionId };
      const end = (reason: StreamDownReason): void => {
        if (!publishers.has(sessionId)) return;
        session.end();
        publishers.delete(sessionId);
        deps.onEvent({ type: 'down', ...ids, reason });
        onEnd(reason);
      };
      const session = start({
        nowMs: performance.now(),
        onUp() {
          endThose('replaced', (other, id) => other.streamId === streamId && id !== sessionId && other.session.isUp);
          deps.takeOver(streamId);
          deps.onEvent({ type: 'up', ...ids });
        },
        onInit: ({ generation, mime, info, hasSound, initSegment }) =>
          deps.onEvent({
            type: 'init', ...ids, layer: 'full', generation, mime, width: info.width, height: info.height,
            hasVideo: true, hasAudio: hasSound, initSegment,
          }),
        onFragment: ({ arrivedMs, ...fragment }) =>
          deps.onEvent({
            type: 'fragment', ...ids, layer: 'full', ...fragment, arrivedAtMs: performance.timeOrigin + arrivedMs,
          }),
        onUplink: (uplink) => deps.onEvent({ type: 'uplink', ...ids, ...uplink }),
        onLost: () => end('lost'),
      });
      endThose('replaced', (other) => other.streamId === streamId && !other.session.isUp);
      publishers.set(sessionId, { streamId, way, session, end });
      return { sessionId, session, end };
    },
    replace: (streamId) => endThose('replaced', (one) => one.streamId === streamId && one.session.isUp),
    drop: (streamId) => endThose('closed', (publisher) => publisher.streamId === streamId),
    count: (way) => by(way).length,
    stop() {
      clearInterval(ticker);
      endThose('closed', () => true);
    },
  };
}
