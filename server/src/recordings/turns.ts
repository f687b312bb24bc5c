/** Work that costs much and is asked for by anybody: so much of it at once, the rest one after the other, in bounds. */
import { Refusal } from '../lib/refusal.ts';

export interface Turns {
  /** @throws Refusal `server.busy` when too many wait, or the turn does not come in time; then nothing was begun */
  take<T>(work: () => Promise<T>): Promise<T>;
  stats(): { refused: number; waiting: number };
}

export function createTurns({ atOnce, waitingMost, waitMs, retryAfterSeconds }: {
  atOnce: number;
  waitingMost: number;
  /** So long one waits for a turn. */
  waitMs: number;
  /** Told to who was refused. */
  retryAfterSeconds: number;
}): Turns {
  const waiting = new Set<() => void>();
  let running = 0;
  let refused = 0;

  function refuse(): Refusal {
    refused += 1;
    return new Refusal('server.busy', { retryAfterSeconds });
  }

  const turn = (): Promise<void> => new Promise((resolve, reject) => {
    const begin = (): void => {
      clearTimeout(tooLong);
      resolve();
    };
    const tooLong = setTimeout(() => {
      waiting.delete(begin);
      reject(refuse());
    }, waitMs);
    waiting.add(begin);
  });

  return {
    async take(work) {
      if (running >= atOnce) {
        if (waiting.size >= waitingMost) throw refuse();
        await turn();
      } else running += 1;
      try {
        return await work();
      } finally {
        // Whoever has waited longest takes the place over.
        const [next] = waiting;
        if (next === undefined) running -= 1;
        else {
          waiting.delete(next);
          next();
        }
      }
    },
    stats: () => ({ refused, waiting: waiting.size }),
  };
}
