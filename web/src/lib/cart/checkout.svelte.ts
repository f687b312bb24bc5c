/**
 * Buying from a cart: an order a shop, each placed, paid and answered on its own. Knows no words.
 *
 * Invariants: what is sent for a shop has the cart's own key of that shop, so that a lost answer and a second tap give
 * one order; an order is believed from the server only.
 */
import type { Order, PickupAsk } from '@nacre/contract/orders';
import { api, ApiError, ask } from '#lib/api.ts';
import { createAddressChoice } from '#lib/buy/address-choice.svelte.ts';
import { sendOrder } from '#lib/buy/send-order.ts';
import type { PersonalEvent } from '@nacre/contract/realtime';
import type { GroupSum } from './sums.ts';

export type CheckoutStep = 'cart' | 'address' | 'orders';

/** What is bought of one shop; `pickup` null: it is sent. */
export type Part = GroupSum & { pickup: PickupAsk | null };

/** What became of one shop's part. */
export interface Outcome {
  sum: GroupSum;
  order: Order | null;
  /** Why there is no order. */
  refusal: unknown;
}

// The socket tells at once; this is for the minutes in which it is gone.
const askOrdersEveryMs = 3000;

export function createCheckout(options: { reload: () => Promise<void> }) {
  const book = createAddressChoice();
  let step = $state<CheckoutStep>('cart');
  let outcomes = $state.raw<Outcome[]>([]);
  let busy = $state(false);
  let inLine = $state(false);
  let stopped = false;
  let timer: ReturnType<typeof setInterval> | undefined;
  const held = $derived(outcomes.find(({ order }) => order?.state === 'held')?.order ?? null);

  function take(next: Order): void {
    outcomes = outcomes.map((outcome) => {
      // Late news of a held order must not undo its end.
      const isNews = outcome.order?.id === next.id && outcome.order.state === 'held';
      return isNews ? { ...outcome, order: next } : outcome;
    });
    if (held === null) clearInterval(timer);
  }

  async function check(): Promise<void> {
    for (const { order } of outcomes) {
      if (order?.state !== 'held') continue;
      const path = { params: { path: { orderId: order.id } } };
      const next = await ask(api.GET('/api/orders/{orderId}', path)).catch(() => null);
      if (next) take(next as Order);
    }
  }

  async function place(sum: Part, index: number): Promise<Outcome> {
    const { group, lines, sending, coupon, pickup } = sum;
    const { address, save } = book;
    if (pickup === null && address === null) throw new Error('an order without an address');
    const body = {
      idempotencyKey: group.idempotencyKey,
      showId: group.showId,
      fromCart: true,
      lines: lines.map(({ variantId, quantity, priceMinor }) => ({ variantId, quantity, unitPriceMinor: priceMinor })),
      shippingMinor: sending.feeMinor,
      ...(coupon ? { coupon: { claimId: coupon.own.claimId, discountMinor: coupon.discountMinor } } : {}),
      // One of them keeps it in the address book.
      ...(pickup ? { pickup } : address ? { address, ...(save && index === 0 ? { saveAddress: true } : {}) } : {}),
    };
    try {
      const order = await sendOrder(body, { onInLine: () => (inLine = true), isStopped: () => stopped });
      return { sum, order, refusal: null };
    } catch (refusal) {
      return { sum, order: null, refusal };
    }
  }

  return {
    book,
    get step() {
      return step;
    },
    get outcomes() {
      return outcomes;
    },
    /** The order that is to be paid now; null when none is left. */
    get held() {
      return held;
    },
    get busy() {
      return busy;
    },
    /** So many are ordering that it takes a while; it goes on by itself. */
    get inLine() {
      return inLine;
    },
    goTo(next: CheckoutStep): void {
      step = next;
    },
    /** Places what was chosen of each shop. One that is refused holds up no other. */
    async buy(parts: readonly Part[]): Promise<void> {
      if (busy) return;
      busy = true;
      // Those that are sent first: the first keeps the address.
      const sorted = parts.toSorted((a, b) => Number(a.pickup !== null) - Number(b.pickup !== null));
      outcomes = await Promise.all(sorted.filter(({ lines }) => lines.length > 0).map(place));
      busy = inLine = false;
      // What the refusals are about is told anew.
      await options.reload().catch(() => undefined);
      step = 'orders';
      clearInterval(timer);
      if (held !== null) timer = setInterval(() => void check(), askOrdersEveryMs);
    },
    check,
    hear(event: PersonalEvent): void {
      if (event.type === 'own-order') take(event.order);
    },
    async cancel(order: Order): Promise<void> {
      if (busy) return;
      busy = true;
      const path = { params: { path: { orderId: order.id } } };
      try {
        take((await ask(api.POST('/api/orders/{orderId}/cancel', path))) as Order);
      } catch (error) {
        // It was paid or ended meanwhile: ask which.
        if (error instanceof ApiError) await check();
      } finally {
        busy = false;
      }
    },
    stop(): void {
      stopped = true;
      clearInterval(timer);
    },
  };
}

export type Checkout = ReturnType<typeof createCheckout>;
