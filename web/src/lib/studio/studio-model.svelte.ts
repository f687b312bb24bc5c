/**
 * The studio's side of a show: the room as viewers have it, what only the host sees (orders, figures, interest), and
 * what the host does. The picture is the broadcaster's business (`air.svelte.ts`).
 *
 * Invariant: what is shown follows the server. A tap shows at once (`wanted`) and falls back when it is refused.
 */
import type { EncoderProblem } from '@nacre/contract/encoder';
import type { RoomEvent } from '@nacre/contract/realtime';
import type { Order } from '@nacre/contract/orders';
import type { ProductInterest, Show, ShowFigures, ShowSales } from '@nacre/contract/shows';
import {
  listShowOrders, loadFigures, loadShow, putOnScreen, sendChat, setBag,
} from '#lib/office/office-api.ts';
import { createRealtime, type Realtime } from '#lib/realtime.svelte.ts';
import { createRush } from './rush.ts';
import { createRoom } from '#lib/room.svelte.ts';

/** A paid order as the studio shows it: told by the room, or read from the shop's orders. */
export type StudioOrder = Omit<Extract<RoomEvent, { type: 'order' }>, 'type'>;

// More than one evening brings is in the office; a longer list only fills the phone's memory.
const ordersKept = 200;
// Figures are counted along by events; asking the server again corrects what was missed.
const figuresEveryMs = 30_000;

export interface StudioHooks {
  /** Whether the reader's role includes orders: else only those that the room tells of are shown. */
  seesOrders: () => boolean;
  onOrder: (order: StudioOrder) => void;
  onState: (state: Show['state']) => void;
}

export function createStudioModel(initial: Show, hooks: StudioHooks) {
  const showId = initial.id;
  let wentLiveAt = $state(initial.wentLiveAt);
  let figures = $state.raw<ShowFigures | null>(null);
  let delayMs = $state<number | null>(null);
  let encoderProblem = $state.raw<EncoderProblem | null>(null);
  /** The last time that figures were asked for there was no answer. */
  let figuresFailed = $state(false);
  let orders = $state.raw<StudioOrder[]>([]);
  const rush = createRush();
  let connection = $state.raw<Realtime | null>(null);
  /** What was tapped and is not answered yet; undefined when nothing is. */
  let wanted = $state<string | null | undefined>(undefined);

  const room = createRoom(initial, {
    sendChat: (clientId, text) => sendChat(showId, clientId, text),
    sendLikes: async () => undefined,
    loadShow: () => loadShow(showId),
    onEvent: (event) => {
      if (event.type !== 'show') return;
      if (event.state === 'live') wentLiveAt ??= event.at;
      hooks.onState(event.state);
    },
  });

  const onScreenId = $derived(wanted === undefined ? (room.onScreen?.product.id ?? null) : wanted);
  /** What most people ask for and is not on screen; null when nobody asks. */
  const mostAsked = $derived.by(() => {
    const open = room.bag.filter((item) => item.explainRequests > 0 && item.product.id !== onScreenId);
    return open.sort((a, b) => b.explainRequests - a.explainRequests)[0] ?? null;
  });

  async function renewFigures(): Promise<void> {
    try {
      figures = await loadFigures(showId);
      rush.note(figures.placed, Date.now());
      figuresFailed = false;
    } catch {
      // Events go on counting; the next time corrects.
      figuresFailed = true;
    }
  }

  /** What was paid before this page was open, or while it heard nothing. */
  async function renewOrders(): Promise<void> {
    if (!hooks.seesOrders()) return;
    try {
      const { items } = await listShowOrders(initial.shop.id, showId);
      const paid = items.filter((order) => order.paidAt !== null).map(asStudioOrder);
      const read = new Set(paid.map((order) => order.orderId));
      orders = [...orders.filter((order) => !read.has(order.orderId)), ...paid].slice(0, ordersKept);
    } catch {
      // The list in the office has them all; the next join asks again.
    }
  }

  async function renew(): Promise<void> {
    await Promise.all([renewFigures(), renewOrders()]);
  }

  function takeInterest(items: readonly ProductInterest[], newFollowers: number | undefined): void {
    if (!figures) return;
    const changed = new Map(items.map((item) => [item.productId, item]));
    const known = new Set(figures.interest.map((item) => item.productId));
    const interest = figures.interest.map((item) => changed.get(item.productId) ?? item);
    interest.push(...items.filter((item) => !known.has(item.productId)));
    figures = { ...figures, interest, newFollowers: newFollowers ?? figures.newFollowers };
  }

  /** Totals, so that what was missed is in them; an older answer is not taken for the newer one. */
  function takeSales({ placed, paid, salesMinor, refundedMinor }: ShowSales): void {
    rush.note(placed, Date.now());
    if (figures && placed + paid >= figures.placed + figures.orders)
      figures = { ...figures, placed, orders: paid, salesMinor, refundedMinor };
  }

  function takeStudio(events: RoomEvent[]): void {
    for (const event of events) {
      if (event.type === 'interest') takeInterest(event.items, event.newFollowers);
      if (event.type === 'delay') delayMs = event.medianMs;
      if (event.type === 'encoder') encoderProblem = event.problem;
      if (event.type === 'interest' && event.sales) takeSales(event.sales);
      if (event.type !== 'order' || orders.some((order) => order.orderId === event.orderId)) continue;
      orders = [event, ...orders].slice(0, ordersKept);
      hooks.onOrder(event);
    }
  }

  function take(show: Show): void {
    room.handlers.events([{ type: 'bag', items: show.bag }]);
    const item = show.bag.find((entry) => entry.product.id === show.onScreenProductId);
    room.handlers.events([{ type: 'on-screen', productId: show.onScreenProductId, number: item?.number ?? null }]);
  }

  return {
    room,
    /** How far behind half of the viewers are at most, in ms; null while none has measured it. */
    get delayMs() {
      return delayMs;
    },
    /** What is wrong with the stream of an encoder; null while none is told. */
    get encoderProblem() {
      return encoderProblem;
    },
    get wentLiveAt() {
      return wentLiveAt;
    },
    get figures() {
      return figures;
    },
    /** Orders placed a second, by the totals told. Not reactive: it falls by itself as time goes on. */
    ordersPerSecond: rush.perSecond,
    get figuresFailed() {
      return figuresFailed;
    },
    get orders() {
      return orders;
    },
    /** Whether events arrive; false while the socket is coming back. */
    get connected() {
      return connection === null || connection.connection !== 'lost';
    },
    get onScreenId() {
      return onScreenId;
    },
    get mostAsked() {
      return mostAsked;
    },
    /** One tap: on screen, or off when it is there already. Throws when refused. */
    async toggleOnScreen(productId: string): Promise<void> {
      const next = onScreenId === productId ? null : productId;
      wanted = next;
      try {
        const show = await putOnScreen(showId, next);
        // A later tap has its own answer coming.
        if (wanted === next) take(show);
      } finally {
        if (wanted === next) wanted = undefined;
      }
    },
    async changeBag(productIds: string[]): Promise<void> {
      take(await setBag(showId, productIds));
    },
    renewFigures,
    /** In the browser only; returns the way out. */
    start(): () => void {
      const realtime = createRealtime();
      connection = realtime;
      realtime.join(`show/${showId}`, room.handlers);
      realtime.join(`studio/${showId}`, {
        snapshot: () => void renew(),
        events: takeStudio,
        reload: renew,
      });
      void renewFigures();
      const timer = setInterval(renewFigures, figuresEveryMs);
      return () => {
        clearInterval(timer);
        realtime.stop();
        room.stop();
      };
    },
  };
}

function asStudioOrder(order: Order): StudioOrder {
  const { id: orderId, number: orderNumber, buyerName, lines, totalMinor, currency } = order;
  return { orderId, orderNumber, buyerName, lines, totalMinor, currency };
}

export type StudioModel = ReturnType<typeof createStudioModel>;
