/**
 * One purchase from the choice to the paid order. Knows no words: the sheet puts sentences to `step` and `refusal`.
 *
 * Invariants: the same contents are always sent with the same idempotency key, so a lost answer and a second tap give
 * one order; other contents get another key. An order is believed from the server only, never from the payment page.
 */
import type { Address } from '@nacre/contract/accounts';
import type { ShopPage, ShopPlace, ShopTerms } from '@nacre/contract/shops';
import type { Order, PickupAsk, ShippingOffer } from '@nacre/contract/orders';
import { api, ApiError, ask } from '#lib/api.ts';
import { FREE, sendingOf, type Sending } from '#lib/cart/sums.ts';
import type { Taken } from '#lib/coupons/choice.ts';
import type { Realtime } from '#lib/realtime.svelte.ts';
import { createAddressChoice } from './address-choice.svelte.ts';
import { sendOrder } from './send-order.ts';

export type PurchaseStep = 'choose' | 'address' | 'pay' | 'end';

export interface Wish {
  variantId: string;
  quantity: number;
  unitPriceMinor: number;
}

// The room tells at once; this is for the minutes in which its socket is gone.
const askOrderEveryMs = 3000;

export function createPurchase(options: {
  showId: string | null;
  shopSlug: string;
  realtime: () => Realtime | null;
}) {
  let step = $state<PurchaseStep>('choose');
  let order = $state.raw<Order | null>(null);
  const book = createAddressChoice();
  let offer = $state.raw<ShippingOffer | null>(null);
  let pickup = $state.raw<PickupAsk | null>(null);
  let pickupPlace = $state.raw<ShopPlace | null>(null);
  let terms = $state.raw<ShopTerms | null>(null);
  let busy = $state(false);
  let refusal = $state.raw<unknown>(null);
  let inLine = $state(false);
  let stopped = false;
  const keys = new Map<string, string>();
  let timer: ReturnType<typeof setInterval> | undefined;
  let leaveOwn: (() => void) | undefined;
  let currentId: string | null = null;

  function keyFor(wish: Wish, coupon: Taken | null): string {
    const contents = JSON.stringify([wish, pickup ?? book.address, coupon?.own.claimId]);
    const known = keys.get(contents);
    if (known) return known;
    const made = crypto.randomUUID();
    keys.set(contents, made);
    return made;
  }

  /** What sending costs this buyer now. Without an answer it stays as it was; a fee nobody saw is refused. */
  async function loadShipping(): Promise<void> {
    const { showId, shopSlug: slug } = options;
    const params = { path: { slug }, query: showId === null ? {} : { showId } };
    const found = await ask(api.GET('/api/shops/{slug}/shipping', { params })).catch(() => null);
    if (found) offer = found as ShippingOffer;
  }

  /** Null while nobody knows. */
  function sending(goodsMinor: number): Sending | null {
    return offer === null ? null : pickup ? FREE : sendingOf(offer, goodsMinor, book.address);
  }

  function take(next: Order): void {
    // Late news of an order before this one must not pass for its own, nor an old answer for the end.
    if (next.id !== currentId || step === 'end') return;
    order = next;
    if (next.state === 'held') return;
    step = 'end';
    unwatch();
    // A purchase after this one is another order, even of the same goods.
    keys.clear();
  }

  async function askOrder(): Promise<void> {
    if (!order) return;
    const path = { params: { path: { orderId: order.id } } };
    const next = await ask(api.GET('/api/orders/{orderId}', path)).catch(() => null);
    if (next) take(next as Order);
  }

  function watch(): void {
    leaveOwn = options.realtime()?.onOwn((event) => {
      if (event.type === 'own-order') take(event.order);
    });
    timer = setInterval(() => void askOrder(), askOrderEveryMs);
  }

  function unwatch(): void {
    clearInterval(timer);
    leaveOwn?.();
    leaveOwn = undefined;
  }

  return {
    get step() {
      return step;
    },
    get order() {
      return order;
    },
    get addresses() {
      return book.addresses;
    },
    get address() {
      return book.address;
    },
    /** Set: the buyer comes for it, and no address is needed. */
    get pickup() {
      return pickup;
    },
    /** Where it could be picked up; null where the shop does not offer it, or while nobody knows yet. */
    get pickupPlace() {
      return pickupPlace;
    },
    /** What the shop says of shipping and returns; null where it says nothing, or while nobody knows yet. */
    get terms() {
      return terms;
    },
    get busy() {
      return busy;
    },
    /** So many are ordering that this order waits to be taken; it is sent again by itself. */
    get inLine() {
      return inLine;
    },
    get refusal() {
      return refusal;
    },
    goTo(next: PurchaseStep): void {
      refusal = null;
      step = next;
    },
    loadAddresses: book.load,
    async loadShop(slug: string): Promise<void> {
      const found = await ask(api.GET('/api/shops/{slug}', { params: { path: { slug } } })).catch(() => null);
      const shop = found as ShopPage | null;
      pickupPlace = shop?.offersPickup ? shop.place : null;
      terms = shop && (shop.terms.shipping || shop.terms.returns) ? shop.terms : null;
    },
    usePickup(next: PickupAsk): void {
      pickup = next;
      refusal = null;
      step = 'choose';
    },
    useAddress(next: Address, save: boolean): void {
      book.use(next, save);
      pickup = null;
      refusal = null;
      step = 'choose';
    },
    /** Places the order and goes on to paying. False when it was refused: `refusal` says why. */
    async place(wish: Wish, coupon: Taken | null = null): Promise<boolean> {
      const { address, save } = book;
      if (busy || (!address && !pickup)) return false;
      busy = true;
      refusal = null;
      const body = {
        idempotencyKey: keyFor(wish, coupon),
        showId: options.showId,
        lines: [wish],
        shippingMinor: sending(wish.unitPriceMinor * wish.quantity)?.feeMinor ?? 0,
        ...(coupon ? { coupon: { claimId: coupon.own.claimId, discountMinor: coupon.discountMinor } } : {}),
        ...(pickup ? { pickup } : address ? { address, ...(save ? { saveAddress: true } : {}) } : {}),
      };
      try {
        order = null;
        currentId = null;
        const placed = await sendOrder(body, { onInLine: () => (inLine = true), isStopped: () => stopped });
        currentId = placed.id;
        step = 'pay';
        take(placed);
        if (placed.state === 'held') watch();
        return true;
      } catch (error) {
        refusal = error;
        if (error instanceof ApiError && error.code === 'orders.shipping_changed') await loadShipping();
        return false;
      } finally {
        busy = inLine = false;
      }
    },
    /** Goes on with an order that is placed and waits to be paid. */
    resume(placed: Order): void {
      currentId = placed.id;
      step = 'pay';
      take(placed);
      watch();
      void askOrder();
    },
    /** The payment page says that something was decided: ask the server what. */
    check: askOrder,
    async cancel(): Promise<void> {
      if (!order || busy) return;
      busy = true;
      try {
        const path = { params: { path: { orderId: order.id } } };
        take((await ask(api.POST('/api/orders/{orderId}/cancel', path))) as Order);
      } catch (error) {
        refusal = error;
      } finally {
        busy = false;
      }
    },
    loadShipping,
    sending,
    again(): void {
      void loadShipping();
      order = null;
      currentId = null;
      refusal = null;
      step = 'choose';
    },
    stop(): void {
      stopped = true;
      unwatch();
    },
  };
}

export type Purchase = ReturnType<typeof createPurchase>;
