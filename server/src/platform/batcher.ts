/**
 * Gathers pieces of work while the batch before them is under way, and does them together: one transaction, one wait
 * for the disk, for hundreds. There is no timer. Who comes when nothing is under way is done at once and alone; the
 * more come, the larger the batches get.
 *
 * Invariants: one batch at a time; each piece is answered on its own, once; a piece that breaks its batch harms no
 * other.
 */
import { Refusal } from '../lib/refusal.ts';
import { isUnavailable } from './database.ts';

export interface BatcherOptions<Item, Result> {
  /**
   * Does the pieces together, all or none of them, and answers each in its place: with its result, or with why not. A
   * throw means that nothing was done, or, when the database did not answer, that nobody knows.
   */
  run(items: readonly Item[]): Promise<ReadonlyArray<Result | Error>>;
  /** Pieces of one batch. Fewer wait more often for the disk, more keep the first one's answer back. */
  batchMax: number;
  /** Pieces that wait. More than can be done in a time that people wait for is no help to anybody. */
  waitingMax: number;
  /** The refusal of a piece that comes when as many wait. `queued` is how many. */
  full(queued: number): Refusal;
}

export interface Batcher<Item, Result> {
  /** @throws what `run` answered for this piece; `full` at once, without having been tried */
  add(item: Item): Promise<Result>;
  /** Pieces that wait now, without those under way. */
  waiting(): number;
  /** Resolves when all that was added is answered. */
  idle(): Promise<void>;
}

interface Waiting<Item, Result> {
  item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

export function createBatcher<Item, Result>(options: BatcherOptions<Item, Result>): Batcher<Item, Result> {
  const queue: Array<Waiting<Item, Result>> = [];
  let working: Promise<void> | null = null;

  async function work(): Promise<void> {
    // Pieces that come in the same turn of the event loop, as those of one read of a socket do, share the first batch.
    await Promise.resolve();
    while (queue.length > 0) await runBatch(queue.splice(0, options.batchMax));
    working = null;
  }

  async function runBatch(batch: ReadonlyArray<Waiting<Item, Result>>): Promise<void> {
    let results: ReadonlyArray<Result | Error>;
    try {
      results = await options.run(batch.map(({ item }) => item));
      if (results.length !== batch.length) throw new Error(`${results.length} answers to ${batch.length} pieces`);
    } catch (error) {
      // A fault of one piece of work must not be the others'. Where the database is away each would fail again.
      if (batch.length === 1 || isUnavailable(error)) for (const { reject } of batch) reject(error);
      else for (const one of batch) await runBatch([one]);
      return;
    }
    for (const [at, { resolve, reject }] of batch.entries()) {
      const result = results[at] as Result | Error;
      if (result instanceof Error) reject(result);
      else resolve(result);
    }
  }

  return {
    add(item) {
      if (queue.length >= options.waitingMax) return Promise.reject(options.full(queue.length));
      return new Promise((resolve, reject) => {
        queue.push({ item, resolve, reject });
        working ??= work();
      });
    },
    waiting: () => queue.length,
    async idle() {
      await working;
    },
  };
}
