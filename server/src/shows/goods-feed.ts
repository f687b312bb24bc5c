/**
 * Brings changes of the catalogue into the rooms of the shows that have the goods in their bag.
 *
 * Invariant: the last thing a room hears of a variant is what the database says. Notices of two commits can arrive in
 * the wrong order, so a notice only says what to look at, and one look at a time tells what is found.
 */
import type { Product } from '@nacre/contract/catalog';
import type { BagItem } from '@nacre/contract/shows';
import {
  PRICE_TOPIC, PRODUCT_TOPIC, STOCK_TOPIC, type PriceChanged, type ProductChanged, type StockChanged,
} from '../catalog/events.ts';
import type { Bus } from '../platform/bus.ts';
import type { Log } from '../platform/log.ts';
import { showRoom, type Channel } from '../realtime/channel.ts';

/** From the first notice to the look. Shorter is a query per order in a rush, longer is felt as delay. */
const LOOK_AFTER_MS = 50;
/** After a look. Shorter tells a room more often than anybody can read, longer sells what is gone. */
const REST_MS = 200;
/** Pause after a look that failed. Shorter asks a restarting database in vain, longer shows sold pieces for longer. */
const LOOK_AGAIN_MS = 1_000;
/** Looks that fail in a row before what they looked for is dropped: two minutes. More keeps a fault busy for ever. */
const FAILURES_MAX = 120;

interface Changes {
  stock: Set<string>;
  prices: Set<string>;
  /** Texts, pictures, variants or the state: the whole bag is told. */
  product: boolean;
}

export interface GoodsFeed {
  /** The bag itself changed: the room is told the whole of it. */
  markBag(showId: string): void;
  stop(): Promise<void>;
}

export interface GoodsFeedDeps {
  bus: Bus;
  channel: Pick<Channel, 'publish'>;
  log: Log;
  openShowsWith(productIds: readonly string[]): Promise<Array<{ showId: string; productId: string }>>;
  productsByIds(ids: readonly string[]): Promise<Map<string, Product>>;
  bagOfShow(showId: string): Promise<BagItem[]>;
  /** For tests. Default: `LOOK_AGAIN_MS`. */
  lookAgainMs?: number;
}

export function createGoodsFeed(deps: GoodsFeedDeps): GoodsFeed {
  let changed = new Map<string, Changes>();
  let changedBags = new Set<string>();
  let timer: NodeJS.Timeout | null = null;
  let looking: Promise<void> = Promise.resolve();
  let stopped = false;
  /** Looks that failed in a row. */
  let failures = 0;

  function changesOf(productId: string): Changes {
    const known = changed.get(productId) ?? { stock: new Set<string>(), prices: new Set<string>(), product: false };
    changed.set(productId, known);
    wake();
    return known;
  }

  function wake(): void {
    if (stopped) return;
    timer ??= setTimeout(lookNow, failures === 0 ? LOOK_AFTER_MS : deps.lookAgainMs ?? LOOK_AGAIN_MS);
  }

  /** While a look, and the rest after it, last, what is marked waits for the next one. */
  function lookNow(): void {
    looking = look().finally(() => {
      timer = null;
      if (stopped) return;
      if (failures > 0) wake();
      else timer = setTimeout(rested, REST_MS);
    });
  }

  function rested(): void {
    timer = null;
    if (changed.size + changedBags.size > 0) lookNow();
  }

  async function look(): Promise<void> {
    const due = changed;
    const wholeBags = changedBags;
    changed = new Map();
    changedBags = new Set();
    try {
      const found = due.size === 0 ? [] : await deps.openShowsWith([...due.keys()]);
      const productIds = [...new Set(found.map((row) => row.productId))];
      const products = productIds.length === 0 ? new Map<string, Product>() : await deps.productsByIds(productIds);
      for (const { showId, productId } of found) {
        const product = products.get(productId);
        const changes = due.get(productId);
        if (product === undefined || changes === undefined) continue;
        tell(showId, product, changes);
        if (changes.product) wholeBags.add(showId);
      }
      for (const showId of wholeBags) {
        deps.channel.publish(showRoom(showId), { type: 'bag', items: await deps.bagOfShow(showId) });
      }
      failures = 0;
    } catch (error) {
      deps.log.warn({ err: error }, 'changed goods could not be told to the rooms');
      failures += 1;
      if (failures > FAILURES_MAX) failures = 0;
      else putBack(due, wholeBags);
    }
  }

  /** What was looked for in vain is looked for again, with what has changed since. */
  function putBack(due: ReadonlyMap<string, Changes>, bags: ReadonlySet<string>): void {
    for (const [productId, before] of due) {
      const changes = changed.get(productId) ?? { stock: new Set<string>(), prices: new Set<string>(), product: false };
      changed.set(productId, changes);
      for (const id of before.stock) changes.stock.add(id);
      for (const id of before.prices) changes.prices.add(id);
      changes.product ||= before.product;
    }
    for (const showId of bags) changedBags.add(showId);
  }

  function tell(showId: string, product: Product, changes: Changes): void {
    const room = showRoom(showId);
    for (const { id, priceMinor } of product.variants) {
      if (!changes.prices.has(id)) continue;
      deps.channel.publish(room, { type: 'price', productId: product.id, variantId: id, priceMinor });
    }
    const levels = product.variants
      .filter((variant) => changes.stock.has(variant.id))
      .map(({ id, available, held }) => ({ productId: product.id, variantId: id, available, held }));
    if (levels.length > 0) deps.channel.publish(room, { type: 'stock', levels });
  }

  const unsubscribe = [
    deps.bus.subscribe(STOCK_TOPIC, (told) => {
      for (const level of (told as StockChanged).levels) changesOf(level.productId).stock.add(level.variantId);
    }),
    deps.bus.subscribe(PRICE_TOPIC, (told) => {
      const { productId, prices } = told as PriceChanged;
      for (const { variantId } of prices) changesOf(productId).prices.add(variantId);
    }),
    deps.bus.subscribe(PRODUCT_TOPIC, (told) => {
      changesOf((told as ProductChanged).productId).product = true;
    }),
  ];

  return {
    markBag(showId) {
      changedBags.add(showId);
      wake();
    },
    async stop() {
      stopped = true;
      for (const end of unsubscribe) end();
      if (timer !== null) clearTimeout(timer);
      await looking;
    },
  };
}
