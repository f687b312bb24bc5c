/** What the host sees beside the picture: interest per product, new followers, sales, at most once a second. */
import type { ProductInterest, ShowSales } from '@nacre/contract/shows';
import type { Log } from '../platform/log.ts';
import { createPaced } from '../platform/paced.ts';
import { studioRoom, type Channel } from '../realtime/channel.ts';

/** Shorter is a query per tap of a viewer, longer feels dead to the host. */
const TELL_EVERY_MS = 1_000;

export interface StudioFeed {
  /** Something about this product changed. */
  mark(showId: string, productId: string): void;
  markFollowers(showId: string): void;
  /** Orders of the show were placed or paid. */
  markSales(showId: string): void;
  stop(): Promise<void>;
}

/** What has changed of a show. */
interface Marks {
  productIds: Set<string>;
  followers: boolean;
  sales: boolean;
}

export function createStudioFeed(deps: {
  channel: Pick<Channel, 'publish'>;
  log: Log;
  interest(showId: string, productIds: ReadonlySet<string>): Promise<ProductInterest[]>;
  newFollowers(showId: string): Promise<number>;
  sales(showId: string): Promise<ShowSales>;
}): StudioFeed {
  let marked = new Map<string, Marks>();
  const telling = createPaced({ pauseMs: () => TELL_EVERY_MS, work: tellAll, isDue: () => marked.size > 0 });

  function entry(showId: string): Marks {
    const known = marked.get(showId) ?? { productIds: new Set<string>(), followers: false, sales: false };
    marked.set(showId, known);
    telling.wake();
    return known;
  }

  async function tellAll(): Promise<void> {
    const due = marked;
    marked = new Map();
    for (const [showId, { productIds, followers, sales: sold }] of due) {
      try {
        const items = productIds.size === 0 ? [] : await deps.interest(showId, productIds);
        const newFollowers = followers ? { newFollowers: await deps.newFollowers(showId) } : {};
        const sales = sold ? { sales: await deps.sales(showId) } : {};
        deps.channel.publish(studioRoom(showId), { type: 'interest', items, ...newFollowers, ...sales });
      } catch (error) {
        deps.log.warn({ err: error, showId }, 'interest could not be told to the studio yet');
        const back = entry(showId);
        for (const productId of productIds) back.productIds.add(productId);
        back.followers ||= followers;
        back.sales ||= sold;
      }
    }
  }

  return {
    mark: (showId, productId) => void entry(showId).productIds.add(productId),
    markFollowers(showId) {
      entry(showId).followers = true;
    },
    markSales(showId) {
      entry(showId).sales = true;
    },
    stop: telling.stop,
  };
}
