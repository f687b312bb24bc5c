/** The viewer's own order of this show that waits to be paid, while it waits; the newest, if there are several. */
import type { Order } from '@nacre/contract/orders';

export interface Held {
  readonly order: Order | null;
  /** News of an own order. */
  take: (order: Order) => void;
  /** What was placed before the page was open. An answer that does not come is no harm: the orders' page has it. */
  load: () => Promise<void>;
}

export function createHeld(showId: string, newest: () => Promise<Order[]>): Held {
  let held = $state.raw<Order | null>(null);
  return {
    get order() {
      return held;
    },
    take(order) {
      if (order.showId !== showId) return;
      if (order.state === 'held') {
        if (!held || order.placedAt >= held.placedAt) held = order;
      } else if (held?.id === order.id) held = null;
    },
    async load() {
      const orders = await newest().catch(() => []);
      held = orders.find((order) => order.showId === showId && order.state === 'held') ?? null;
    },
  };
}
