/**
 * The goods of one show as its page sees them: the bag with stock and prices, and what is on screen. Part of the room
 * (room.svelte.ts), which hands on its events and the snapshot of joining.
 *
 * Invariants: what is told of a product last is what the page shows, also while the bag is being loaded. While a
 * variant has a live price that can be had, it shows that price, and its pieces count as there to be bought.
 */
import type { StockLevel, Variant } from '@nacre/contract/catalog';
import type { LivePrice } from '@nacre/contract/offers';
import type { RoomEvent } from '@nacre/contract/realtime';
import type { BagItem, Show } from '@nacre/contract/shows';
import { learn, type VariantNews } from './buy/goods-news.ts';
import { createLiveLayer, type OnShelf } from './offers/live-layer.svelte.ts';
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

export function createGoods(
  initial: Pick<Show, 'bag' | 'onScreenProductId' | 'livePrices' | 'coupons'>,
  options: GoodsOptions,
) {
  const layer = createLiveLayer(initial.livePrices);
  let bag = $state<BagItem[]>(layer.layOut(initial.bag));
  let coupons = $state.raw(initial.coupons);
  let onScreenProductId = $state<string | null>(initial.onScreenProductId);
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

  /** What is on the shelf has changed, or the live price has; a change of the price that is shown is told. */
  function change(productId: string, variantId: string, change: Partial<OnShelf>, quiet = false): void {
    const item = itemOf(productId);
    const variant = variantOf(productId, variantId);
    const shown = layer.put(variantId, change);
    if (!item || !variant || !shown) return;
    const before = variant.priceMinor;
    Object.assign(variant, shown);
    if (variant.priceMinor !== before && !quiet) {
      options.onNotice({ kind: 'price', item, priceMinor: variant.priceMinor });
    }
  }

  function setLevels(levels: readonly StockLevel[]): void {
    for (const { productId, variantId, available, held } of levels) {
      change(productId, variantId, { available, held });
    }
  }

  function setLivePrices(items: readonly LivePrice[], quiet = false): void {
    for (const { productId, variantId } of layer.set(items)) change(productId, variantId, {}, quiet);
  }

  function setBag(items: BagItem[]): void {
    const wasShown = onScreen !== null;
    bag = layer.layOut(items);
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
        change(event.productId, event.variantId, { priceMinor: event.priceMinor });
        break;
      case 'live-prices':
        setLivePrices(event.items);
        break;
      case 'coupons':
        coupons = event.items;
        return;
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
    for (const { productId, variantId, available, held } of snapshot.levels) {
      change(productId, variantId, { available, held }, true);
    }
    for (const { productId, prices } of snapshot.bag) {
      for (const { variantId, priceMinor } of prices) change(productId, variantId, { priceMinor }, true);
    }
    setLivePrices(snapshot.livePrices, true);
    coupons = snapshot.coupons;
    if (heardMeanwhile === null && !isSameBag(bag, snapshot.bag)) void renew();
  }

  return {
    get bag() {
      return bag;
    },
    get onScreen() {
      return onScreen;
    },
    /** Those that can be claimed here. */
    get coupons() {
      return coupons;
    },
    /** The former price that may stand beside a live price, as the server has found it; else null. */
    wasMinor: ({ id }: Pick<Variant, 'id'>): number | null => layer.of(id)?.formerMinor ?? null,
    /** The live price at which the variant can be had; null without one. */
    liveOf: layer.of,
    livePieces: layer.pieces,
    /** What the variant is without a live price. */
    onShelf: layer.onShelf,
    take,
    join,
    /** The whole of it, as just loaded. */
    load(show: Pick<Show, 'bag' | 'onScreenProductId' | 'livePrices' | 'coupons'>): void {
      setOnScreen(show.onScreenProductId);
      layer.set(show.livePrices);
      coupons = show.coupons;
      setBag(show.bag);
    },
    /** A refused order told how a variant is: in a show that is over nothing else tells. */
    learn({ variantId, priceMinor, available }: VariantNews): void {
      const item = bag.find(({ product }) => product.variants.some(({ id }) => id === variantId));
      if (!item) return;
      if (priceMinor !== undefined) {
        // What it costs this buyer now: no live price, or none that this page has heard of yet.
        if (layer.of(variantId)?.priceMinor !== priceMinor) layer.drop(variantId);
        change(item.product.id, variantId, { priceMinor });
      }
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
