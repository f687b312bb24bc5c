/**
 * Shop and numbers of a show's goods, for orders. In a rush thousands ask for one bag at the same time: they share a
 * look at it. Nothing is kept: who asks while a look is under way gets the next one, so that nobody is told what was
 * true before they asked.
 */
import { Refusal } from '../lib/refusal.ts';
import { createBatcher } from '../platform/batcher.ts';
import type { ItemRow, ShowRow } from './store.ts';

/** Who shares one look, and who waits for it: as many as wait to place an order. */
const BATCH_MAX = 1_000;
const WAITING_MAX = 8_000;

export interface NumberedBag {
  show: Pick<ShowRow, 'shop_id' | 'visibility'>;
  /** By product, removed ones included. */
  numbers: ReadonlyMap<string, number>;
}

export interface BagReads {
  shows(showIds: readonly string[]): Promise<ShowRow[]>;
  items(showIds: readonly string[]): Promise<ItemRow[]>;
}

/** @returns what reads the bag of a show; null when there is no such show */
export function createBagReader(read: BagReads): (showId: string) => Promise<NumberedBag | null> {
  const looks = createBatcher<string, NumberedBag | null>({
    async run(asked) {
      const showIds = [...new Set(asked)];
      const [shows, items] = await Promise.all([read.shows(showIds), read.items(showIds)]);
      const itemsOf = Map.groupBy(items, (item) => item.show_id);
      const bags = new Map(shows.map((show): [string, NumberedBag] => [show.id, {
        show, numbers: new Map((itemsOf.get(show.id) ?? []).map((item) => [item.product_id, item.number])),
      }]));
      return asked.map((showId) => bags.get(showId) ?? null);
    },
    batchMax: BATCH_MAX,
    waitingMax: WAITING_MAX,
    full: () => new Refusal('server.busy', { retryAfterSeconds: 1 }),
  });
  return (showId) => looks.add(showId);
}
