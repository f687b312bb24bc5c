/** Encoders that come by RTMP (`../publishing/registry.ts` has all that come to the main process). */
import { performance } from 'node:perf_hooks';
import type { StreamDownReason } from '../hooks.ts';
import type { PublisherRegistry } from '../publishing/registry.ts';
import type { EncoderProblem } from './problems.ts';
import type { RtmpMessage } from './protocol.ts';
import { createRtmpSession } from './rtmp-session.ts';

/** As by socket: more might slow down orders and rooms; encoders that can should come by WHIP. */
export const maxRtmpPublishers = 20;

export interface RtmpPublisher {
  readonly sessionId: string;
  take(message: RtmpMessage): void;
  /** `down`, with `onEnd`. A repeat does nothing. */
  end(reason: 'closed' | 'lost'): void;
}

export interface RtmpPublishers {
  /** Null when as many publish as may. */
  open(options: {
    streamId: string;
    /** Its picture is on the air. */
    onUp(): void;
    /** `isRefused`: `end` it; nothing is taken any more. */
    onProblem(problem: EncoderProblem, isRefused: boolean): void;
    /** Once, whoever ended it. */
    onEnd(reason: StreamDownReason): void;
  }): RtmpPublisher | null;
}

export function createRtmpPublishers(deps: {
  registry: PublisherRegistry;
  /** Without a message for so long a publisher is lost. */
  silenceMs: number;
}): RtmpPublishers {
  return {
    open({ streamId, onUp, onProblem, onEnd }) {
      const opened = deps.registry.open({
        streamId, way: 'rtmp', most: maxRtmpPublishers, onEnd,
        start: (handlers) => createRtmpSession({
          ...handlers, silenceMs: deps.silenceMs, onProblem,
          onUp() {
            handlers.onUp();
            onUp();
          },
        }),
      });
      if (opened === null) return null;
      const { sessionId, session, end } = opened;
      return { sessionId, take: (message) => session.take(message, performance.now()), end };
    },
  };
}
