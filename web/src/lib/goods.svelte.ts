/**
 * The goods of one show as its page sees them: the bag with stock and prices, and what is on screen. Part of the room
 * (room.svelte.ts), which hands on its events and the snapshot of joining.
 *
 * Invariant: what is told of a product last is what the page shows, also while the bag is being loaded.
 */
import type { StockLevel, Variant } from '@nacre/contract/catalog';
import type { RoomEvent } from '@nacre/contract/realtime';
import type { BagItem, Show } from '@nacre/contract/shows';
import { learn, type VariantNews } from './buy/goods-news.ts';
import { backoffMs, type Snapshot } from './realtime.svelte.ts';

/** What a screen reader is told at once. */
export type GoodsNotice =
  | { kind: 'on-screen'; item: BagItem }
  | { kind: 'price'; item: BagItem; priceMinor: number };

export interface GoodsOptions {
  /** The bag as it is now; throws when it cannot be had. */
  loadBag: () => Promise<BagItem[]>;
  onNotice: (notice: GoodsNotice) => void;
}

// A minute of trying. Fewer lose against a restarting server; a longer fault shows itself by more than an old bag.
const renewalsMax = 8;

export function createGoods(initial: Pick<Show, 'bag' | 'onScreenProductId'>, options: GoodsOptions) {
  let bag = $state<BagItem[]>(initial.bag);
  let onScreenProductId = $state<string | null>(initial.onScreenProductId);
  /** Price before the last change that was told, by variant, while the page is open. */
  const wasMinor = $state<Record<string, number>>({});
  /** Products that this page asked to have explained, until they are on screen. */
  const asked = $state<Record<string, boolean>>({});
  /** While the bag is loading: what is heard of goods, to be done again on top of it. */
  let heardMeanwhile: RoomEvent[] | null = null;
  let renewTimer: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;

  const onScreen = $derived(bag.find((item) => item.product.id === onScreenProductId) ?? null);

  function itemOf(productId: string): BagItem | undefined {
    return bag.find((item) => item.product.id === productId);
  }

  function variantOf(productId: string, variantId: string): Variant | undefined {
    return itemOf(productId)?.product.variants.find((variant) => variant.id === variantId);
  }

  function setLevels(levels: readonly StockLevel[]): void {
    for (const { productId, variantId, available, held } of levels) {
      const variant = variantOf(productId, variantId);
      if (variant) Object.assign(variant, { available, held });
    }
  }

  function setPrice(productId: string, variantId: string, priceMinor: number): void {
    const item = itemOf(productId);
    const variant = variantOf(productId, variantId);
    if (!item || !variant || variant.priceMinor === priceMinor) return;
    wasMinor[variantId] = variant.priceMinor;
    variant.priceMinor = priceMinor;
    options.onNotice({ kind: 'price', item, priceMinor });
  }

  function setBag(items: BagItem[]): void {
    const wasShown = onScreen !== null;
    bag = items;
    // Nobody waits any more: the answer was given while the page was away.
    for (const item of items) if (item.explainRequests === 0) asked[item.product.id] = false;
    // It came on screen before the page knew of it.
    if (!wasShown && onScreen) options.onNotice({ kind: 'on-screen', item: onScreen });
  }

  function setOnScreen(productId: string | null): void {
    if (productId === onScreenProductId) return;
    onScreenProductId = productId;
    if (productId !== null) asked[productId] = false;
    if (onScreen) options.onNotice({ kind: 'on-screen', item: onScreen });
  }

  function setWaiting(productId: string, count: number): void {
    const item = itemOf(productId);
    if (item) item.explainRequests = count;
    if (count === 0) asked[productId] = false;
  }

  /**
   * Loads the bag, which is not the one that the page was drawn with; where that fails, again after a pause. What is
   * heard of goods meanwhile may be older or newer than what is loaded: done again on top of it, the last is true.
   */
  async function renew(attempt = 0): Promise<void> {
    heardMeanwhile = [];
    try {
      const items = await options.loadBag();
      const heard = heardMeanwhile;
      heardMeanwhile = null;
      setBag(items);
      heard.forEach(take);
    } catch {
      if (stopped || attempt === renewalsMax) heardMeanwhile = null;
      else renewTimer = setTimeout(() => void renew(attempt + 1), backoffMs(attempt, Math.random));
    }
  }

  function take(event: RoomEvent): void {
    switch (event.type) {
      case 'on-screen':
        return setOnScreen(event.productId);
      case 'price':
        setPrice(event.productId, event.variantId, event.priceMinor);
        break;
      case 'stock':
        setLevels(event.levels);
        break;
      case 'bag':
        setBag(event.items);
        break;
      case 'explain':
        setWaiting(event.productId, event.count);
        break;
      default:
        return;
    }
    heardMeanwhile?.push(event);
  }

  /** Stock and prices as of the moment of joining: no news to anybody. */
  function join(snapshot: Snapshot): void {
    setOnScreen(snapshot.show.onScreenProductId);
    setLevels(snapshot.levels);
    for (const { productId, prices } of snapshot.bag) {
      for (const { variantId, priceMinor } of prices) {
        const variant = variantOf(productId, variantId);
        if (variant) variant.priceMinor = priceMinor;
      }
    }
    if (heardMeanwhile === null && !isSameBag(bag, snapshot.bag)) void renew();
  }

  return {
    get bag() {
      return bag;
    },
    get onScreen() {
      return onScreen;
    },
    /** What the variant cost before, when that was more than now; else null. */
    wasMinor({ id, priceMinor }: Pick<Variant, 'id' | 'priceMinor'>): number | null {
      const before = wasMinor[id];
      return before !== undefined && before > priceMinor ? before : null;
    },
    take,
    join,
    /** The whole of it, as just loaded. */
    load(show: Pick<Show, 'bag' | 'onScreenProductId'>): void {
      setOnScreen(show.onScreenProductId);
      setBag(show.bag);
    },
    /** A refused order told how a variant is: in a show that is over nothing else tells. */
    learn({ variantId, priceMinor, available }: VariantNews): void {
      const item = bag.find(({ product }) => product.variants.some(({ id }) => id === variantId));
      if (!item) return;
      if (priceMinor !== undefined) setPrice(item.product.id, variantId, priceMinor);
      if (available !== undefined) learn(item.product, { variantId, available });
    },
    /** Whether this page asked for it and waits. */
    isAsked: (productId: string) => asked[productId] === true,
    /** This page asked; `waiting` do now. None: it is on screen, which is the answer. */
    setAsked(productId: string, waiting: number): void {
      setWaiting(productId, waiting);
      asked[productId] = waiting > 0 && productId !== onScreenProductId;
    },
    stop(): void {
      stopped = true;
      clearTimeout(renewTimer);
    },
  };
}

/** The same goods under the same numbers in the same order, with the same variants; what they cost is no difference. */
function isSameBag(own: readonly BagItem[], told: Snapshot['bag']): boolean {
  const ours = own.map((item) => [item.product.id, item.number, ...item.product.variants.map(({ id }) => id)]);
  const theirs = told.map((item) => [item.productId, item.number, ...item.prices.map(({ variantId }) => variantId)]);
  return JSON.stringify(ours) === JSON.stringify(theirs);
}
