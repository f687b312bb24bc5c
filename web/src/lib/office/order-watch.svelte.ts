/**
 * Notices that the orders of a shop have changed: at once through the studio's rooms of its shows on air, else by
 * asking for the counts now and then. The office's navigation shows the counts; the orders page loads anew on `turn`.
 */
import type { ShopRight } from '@nacre/contract/team';
import { getContext, setContext } from 'svelte';
import { createRealtime, type Realtime } from '#lib/realtime.svelte.ts';
import { countOrders, listShows } from './office-api.ts';

// Outside a show orders are rare; more often is a request for nothing, later and the owner reloads by hand.
const askEveryMs = 15_000;
// A burst of orders in one second becomes one request.
const gatherMs = 400;
// More shows than this are not on air at once in one shop.
const roomsMax = 5;

export interface OrderWatch {
  /** By state; empty until the first answer. */
  readonly counts: Record<string, number>;
  /** Grows whenever something may have changed. */
  readonly turn: number;
  /** Asks at once, after an action of one's own. */
  renew: () => void;
}

const contextKey = Symbol('order-watch');

/** Asks for nothing that the reader's role does not include; without orders there is nothing to watch. */
export function provideOrderWatch(
  shopId: string,
  may: (right: ShopRight) => boolean,
): OrderWatch & { start: () => () => void } {
  let counts = $state.raw<Record<string, number>>({});
  let turn = $state(0);
  let gather: ReturnType<typeof setTimeout> | undefined;

  async function ask(): Promise<void> {
    if (document.hidden || !navigator.onLine || !may('orders.see')) return;
    try {
      const next = await countOrders(shopId);
      if (JSON.stringify(next) === JSON.stringify(counts)) return;
      counts = next;
      turn += 1;
    } catch {
      // The next time will tell; the page itself says when it cannot load.
    }
  }

  function soon(): void {
    gather ??= setTimeout(() => {
      gather = undefined;
      void ask();
    }, gatherMs);
  }

  async function joinStudios(realtime: Realtime): Promise<void> {
    if (!may('show.run') || !may('orders.see')) return;
    const page = await listShows(shopId).catch(() => null);
    const onAir = page?.items.filter((show) => show.state === 'live' || show.state === 'interrupted') ?? [];
    for (const show of onAir.slice(0, roomsMax)) {
      realtime.join(`studio/${show.id}`, {
        snapshot: soon,
        events: (events) => events.some((event) => event.type === 'order') && soon(),
        reload: async () => soon(),
      });
    }
  }

  const watch = {
    get counts() {
      return counts;
    },
    get turn() {
      return turn;
    },
    renew: () => void ask(),
    /** In the browser only; returns the way out. */
    start() {
      const realtime = createRealtime();
      void ask();
      void joinStudios(realtime);
      const timer = setInterval(ask, askEveryMs);
      const visible = (): void => void ask();
      document.addEventListener('visibilitychange', visible);
      return () => {
        clearInterval(timer);
        clearTimeout(gather);
        document.removeEventListener('visibilitychange', visible);
        realtime.stop();
      };
    },
  };
  return setContext(contextKey, watch);
}

export function useOrderWatch(): OrderWatch {
  return getContext<OrderWatch>(contextKey);
}
