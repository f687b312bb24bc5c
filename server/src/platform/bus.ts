/**
 * What must be heard at once, by every process of the server: at most once, in order per sender, after the commit.
 * Nothing that may not be lost goes here; that is the outbox's.
 *
 * The embedded default keeps it within the process. A distributed one passes the same conformance suite.
 */
import type { Log } from './log.ts';

export interface Bus {
  /** Hands `message` to every subscriber of `topic`. Never throws, never waits. */
  publish(topic: string, message: unknown): void;
  /** Calls `listener` for each message until the returned function is called. */
  subscribe(topic: string, listener: (message: unknown) => void): () => void;
  stop(): Promise<void>;
}

export function createMemoryBus(deps: { log: Log }): Bus {
  const listeners = new Map<string, Set<(message: unknown) => void>>();
  return {
    publish(topic, message) {
      for (const listener of listeners.get(topic) ?? []) {
        try {
          listener(message);
        } catch (error) {
          deps.log.error({ err: error, topic }, 'a bus listener failed');
        }
      }
    },
    subscribe(topic, listener) {
      const set = listeners.get(topic) ?? new Set();
      listeners.set(topic, set.add(listener));
      return () => set.delete(listener);
    },
    async stop() {
      listeners.clear();
    },
  };
}
