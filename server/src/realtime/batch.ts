/**
 * What one room hears in the next frame. Pure: no clock, no sockets.
 *
 * Invariants: state (show, on screen, how the talk is held, prices, stock, bag, interest) is merged to its latest value
 * and never lost, and stands before talk; talk keeps its order, waits in a bounded queue, and is thinned only when
 * that is full. A removed message that still waits is never sent.
 */
import type { StockLevel } from '@nacre/contract/catalog';
import type { RoomEvent } from '@nacre/contract/realtime';
import type { ProductInterest, ShowSales } from '@nacre/contract/shows';

type Kind<K extends RoomEvent['type']> = Extract<RoomEvent, { type: K }>;

export interface Batch {
  add(event: RoomEvent): void;
  /** Takes what the next frame holds; empty when there is nothing. */
  take(): RoomEvent[];
  isEmpty(): boolean;
  /** Lines of talk and orders that were thinned so far. */
  thinned(): number;
}

export interface BatchLimits {
  chatterPerTick: number;
  chatterBacklog: number;
  ordersPerTick: number;
  ordersBacklog: number;
}

export function createBatch(limits: BatchLimits): Batch {
  /** Latest of each, by kind or by kind and product; in the order of the frame. */
  const latest = { show: new Map<string, RoomEvent>(), counts: new Map<string, RoomEvent>() };
  const prices = new Map<string, Kind<'price'>>();
  const levels = new Map<string, StockLevel>();
  let livePrices: Kind<'live-prices'> | null = null;
  let coupons: Kind<'coupons'> | null = null;
  let bag: Kind<'bag'> | null = null;
  let orders: Kind<'order'>[] = [];
  const interest = new Map<string, ProductInterest>();
  let newFollowers: number | undefined;
  let sales: ShowSales | undefined;
  let removals: Kind<'chat-removed'>[] = [];
  let talk: Array<Kind<'chat'> | Kind<'bought'>> = [];
  let came: Kind<'came'> | null = null;
  let thinned = 0;

  function queue<T>(list: T[], item: T, most: number): T[] {
    list.push(item);
    if (list.length <= most) return list;
    thinned += 1;
    return list.slice(1);
  }

  function add(event: RoomEvent): void {
    switch (event.type) {
      case 'show':
      case 'on-screen':
      case 'talk':
        latest.show.set(event.type, event);
        break;
      case 'live-prices':
        livePrices = event;
        break;
      case 'coupons':
        coupons = event;
        break;
      case 'price':
        prices.set(event.variantId, event);
        break;
      case 'stock':
        for (const level of event.levels) levels.set(level.variantId, level);
        break;
      case 'bag':
        bag = event;
        break;
      case 'order':
        orders = queue(orders, event, limits.ordersBacklog);
        break;
      case 'interest':
        for (const item of event.items) interest.set(item.productId, item);
        newFollowers = event.newFollowers ?? newFollowers;
        sales = event.sales ?? sales;
        break;
      case 'chat-removed':
        talk = talk.filter((waiting) => waiting.type !== 'chat' || waiting.message.id !== event.messageId);
        removals.push(event);
        break;
      case 'chat':
      case 'bought':
        talk = queue(talk, event, limits.chatterBacklog);
        break;
      case 'came':
        if (came !== null) thinned += 1;
        came = event;
        break;
      case 'explain':
        latest.counts.set(`explain ${event.productId}`, event);
        break;
      case 'delay':
      case 'encoder':
      case 'likes':
      case 'viewers':
        latest.counts.set(event.type, event);
        break;
    }
  }

  function takeInterest(): RoomEvent[] {
    if (interest.size === 0 && newFollowers === undefined && sales === undefined) return [];
    const items = [...interest.values()];
    const event: RoomEvent = {
      type: 'interest', items,
      ...(newFollowers === undefined ? {} : { newFollowers }),
      ...(sales === undefined ? {} : { sales }),
    };
    interest.clear();
    newFollowers = sales = undefined;
    return [event];
  }

  function take(): RoomEvent[] {
    const events: RoomEvent[] = [...latest.show.values(), ...prices.values()];
    if (livePrices !== null) events.push(livePrices);
    if (coupons !== null) events.push(coupons);
    if (levels.size > 0) events.push({ type: 'stock', levels: [...levels.values()] });
    if (bag !== null) events.push(bag);
    events.push(...orders.splice(0, limits.ordersPerTick), ...takeInterest());
    events.push(...removals, ...talk.splice(0, limits.chatterPerTick), ...latest.counts.values());
    if (came !== null) events.push(came);
    latest.show.clear();
    latest.counts.clear();
    prices.clear();
    levels.clear();
    livePrices = coupons = null;
    bag = null;
    removals = [];
    came = null;
    return events;
  }

  return {
    add,
    take,
    isEmpty: () =>
      latest.show.size + latest.counts.size + prices.size + levels.size + interest.size === 0 &&
      orders.length + removals.length + talk.length === 0 &&
      livePrices === null && coupons === null && bag === null && came === null &&
      newFollowers === undefined && sales === undefined,
    thinned: () => thinned,
  };
}
