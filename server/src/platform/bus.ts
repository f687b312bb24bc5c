/**
 * What must be heard at once by everybody in the server: at most once, in order per sender, after the commit. Nothing
 * that may not be lost goes here; that is the outbox's.
 *
 * It stays within the process, which is one reason why one server works in a database at a time (server-lock.ts). One
 * that reaches several processes has to pass the same conformance suite.
 */
import type { Log } from './log.ts';

export type BusListener = (message: unknown) => void | Promise<void>;

export interface Bus {
  /**
   * Hands `message` to every subscriber of `topic`. Never throws, never waits. The message is JSON, and belongs to
   * everybody who hears it: it is not changed any more.
   */
  publish(topic: string, message: unknown): void;
  /** Calls `listener` for each message until the returned function is called. What it throws is logged. */
  subscribe(topic: string, listener: BusListener): () => void;
  stop(): Promise<void>;
}

export function createMemoryBus(deps: { log: Log }): Bus {
  // By subscription, not by listener: the same function may be subscribed twice.
  const subscriptions = new Map<string, Set<{ listener: BusListener }>>();

  function failed(topic: string, error: unknown): void {
    deps.log.error({ err: error, topic }, 'a bus listener failed');
  }

  return {
    publish(topic, message) {
      // A copy: who subscribes or leaves while this message is handed round does so from the next one on.
      for (const { listener } of Array.from(subscriptions.get(topic) ?? [])) {
        try {
          const result = listener(message);
          if (result instanceof Promise) result.catch((error: unknown) => failed(topic, error));
        } catch (error) {
          failed(topic, error);
        }
      }
    },
    subscribe(topic, listener) {
      const subscription = { listener };
      const ofTopic = subscriptions.get(topic) ?? new Set();
      subscriptions.set(topic, ofTopic.add(subscription));
      return () => {
        ofTopic.delete(subscription);
        if (ofTopic.size === 0 && subscriptions.get(topic) === ofTopic) subscriptions.delete(topic);
      };
    },
    async stop() {
      subscriptions.clear();
    },
  };
}
