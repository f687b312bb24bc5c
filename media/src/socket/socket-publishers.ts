/** Publishers that come by a socket (`../publishing/registry.ts` has all that come to the main process). */
import { performance } from 'node:perf_hooks';
import type { StreamDownReason } from '../hooks.ts';
import type { PublisherRegistry } from '../publishing/registry.ts';
import { createSocketSession } from './socket-session.ts';

/**
 * Reading and muxing 30 pictures a second takes 0.06 % of a core; what the sockets themselves take is not measured.
 * More might slow down orders and rooms; fewer turn hosts away whose networks leave them no other way.
 */
export const maxSocketPublishers = 20;

export interface SocketPublisher {
  readonly sessionId: string;
  /** One access unit, H.264 annex B. False when it is none: end the session. */
  picture(bytes: Buffer, capturedMs: number): boolean;
  /** One Opus packet. */
  sound(bytes: Buffer, capturedMs: number): boolean;
  /** The next piece of a recording (`recorded.ts`), and when that began. */
  recorded(bytes: Buffer, beganMs: number): boolean;
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
}

export function createSocketPublishers(deps: {
  registry: PublisherRegistry;
  /** Without a message for so long a publisher is lost. */
  silenceMs: number;
}): SocketPublishers {
  return {
    open({ streamId, hasSound, onKeyNeeded, onEnd }) {
      const opened = deps.registry.open({
        streamId, way: 'socket', most: maxSocketPublishers, onEnd,
        start: (handlers) => createSocketSession({
          ...handlers, hasSound, silenceMs: deps.silenceMs, onKeyNeeded,
        }),
      });
      if (opened === null) return null;
      const { sessionId, session, end } = opened;
      return {
        sessionId,
        picture: (bytes, capturedMs) => session.picture(bytes, capturedMs, performance.now()),
        sound: (bytes, capturedMs) => session.sound(bytes, capturedMs, performance.now()),
        recorded: (bytes, beganMs) => session.recorded(bytes, beganMs, performance.now()),
        ping: (sentMs, before) => session.ping(sentMs, before, performance.now()),
        end,
      };
    },
  };
}
