/**
 * All publishers that come by a socket, in the main process: nothing here is native code, whose crashes the media
 * process is for, and their bytes are in this process already.
 *
 * Invariants: one connected session per stream, whichever way it came (the newest one); `down` is sent exactly once per
 * session and is its last event.
 */
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { MediaEvent, StreamDownReason } from '../hooks.ts';
import { createSocketSession, type SocketSession } from './socket-session.ts';

/**
 * Reading and muxing 30 pictures a second takes 0.06 % of a core; what the sockets themselves take is not measured.
 * More might slow down orders and rooms; fewer turn hosts away whose networks leave them no other way.
 */
export const maxSocketPublishers = 20;
/** Shorter: idle work; longer: held pictures and lost publishers are noticed late. */
const tickMs = 100;

export interface SocketPublishersDeps {
  /** As from the media process, in order. */
  onEvent(event: MediaEvent): void;
  /** A session of this stream is about to be up: whoever publishes it by another way is down before this returns. */
  takeOver(streamId: string): void;
  /** Without a message for so long a publisher is lost. */
  silenceMs: number;
  log: { error(fields: object, message: string): void };
}

export interface SocketPublisher {
  readonly sessionId: string;
  /** One access unit, H.264 annex B. False when it is none: end the session. */
  picture(bytes: Buffer, capturedMs: number): boolean;
  /** One Opus packet. */
  sound(bytes: Buffer, capturedMs: number): boolean;
  ping(sentMs: number, before?: { sentMs: number; roundTripMs: number }): void;
  /** `down`, with `onEnd`. A repeat does nothing. */
  end(reason: 'closed' | 'lost'): void;
}

export interface SocketPublishers {
  /** Null when as many publish as may. */
  open(options: {
    streamId: string;
    hasSound: boolean;
    onKeyNeeded(): void;
    /** Once, whoever ended it. */
    onEnd(reason: StreamDownReason): void;
  }): SocketPublisher | null;
  /** Another way has this stream now: who publishes it by socket is down (`replaced`). */
  replace(streamId: string): void;
  /** The show is over or its key was rotated: its publishers are down (`closed`). */
  drop(streamId: string): void;
  count(): number;
  stop(): void;
}

interface Publisher {
  streamId: string;
  session: SocketSession;
  end(reason: StreamDownReason): void;
}

export function createSocketPublishers(deps: SocketPublishersDeps): SocketPublishers {
  const publishers = new Map<string, Publisher>();

  const endThose = (reason: StreamDownReason, wanted: (publisher: Publisher, sessionId: string) => boolean): void => {
    for (const [sessionId, publisher] of publishers) if (wanted(publisher, sessionId)) publisher.end(reason);
  };

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
    open({ streamId, hasSound, onKeyNeeded, onEnd }) {
      // Of a stream that is taken over there are two for a moment: they count as one.
      const streams = new Set([...publishers.values()].map((publisher) => publisher.streamId));
      if (streams.size >= maxSocketPublishers && !streams.has(streamId)) return null;
      const sessionId = randomUUID();
      const ids = { streamId, sessionId };
      const end = (reason: StreamDownReason): void => {
        if (!publishers.has(sessionId)) return;
        session.end();
        publishers.delete(sessionId);
        deps.onEvent({ type: 'down', ...ids, reason });
        onEnd(reason);
      };
      const session = createSocketSession({
        hasSound,
        nowMs: performance.now(),
        silenceMs: deps.silenceMs,
        onUp() {
          endThose('replaced', (other, id) => other.streamId === streamId && id !== sessionId && other.session.isUp);
          deps.takeOver(streamId);
          deps.onEvent({ type: 'up', ...ids });
        },
        onInit: ({ generation, mime, info, initSegment }) =>
          deps.onEvent({
            type: 'init', ...ids, generation, mime, width: info.width, height: info.height,
            hasVideo: true, hasAudio: hasSound, initSegment,
          }),
        onFragment: ({ arrivedMs, ...fragment }) =>
          deps.onEvent({ type: 'fragment', ...ids, ...fragment, arrivedAtMs: performance.timeOrigin + arrivedMs }),
        onUplink: (uplinkMs) => deps.onEvent({ type: 'uplink', ...ids, uplinkMs }),
        onKeyNeeded,
        onLost: () => end('lost'),
      });
      endThose('replaced', (other) => other.streamId === streamId && !other.session.isUp);
      publishers.set(sessionId, { streamId, session, end });
      return {
        sessionId,
        picture: (bytes, capturedMs) => session.picture(bytes, capturedMs, performance.now()),
        sound: (bytes, capturedMs) => session.sound(bytes, capturedMs, performance.now()),
        ping: (sentMs, before) => session.ping(sentMs, before, performance.now()),
        end,
      };
    },
    replace: (streamId) => endThose('replaced', (one) => one.streamId === streamId && one.session.isUp),
    drop: (streamId) => endThose('closed', (publisher) => publisher.streamId === streamId),
    count: () => publishers.size,
    stop() {
      clearInterval(ticker);
      endThose('closed', () => true);
    },
  };
}
