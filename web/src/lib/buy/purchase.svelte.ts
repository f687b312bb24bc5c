/**
 * One purchase from the choice to the paid order. Knows no words: the sheet puts sentences to `step` and `refusal`.
 *
 * Invariants: the same contents are always sent with the same idempotency key, so a lost answer and a second tap give
 * one order; other contents get another key. An order is believed from the server only, never from the payment page.
 */
import type { Address, SavedAddress } from '@nacre/contract/accounts';
import type { Page } from '@nacre/contract/common';
import type { Order } from '@nacre/contract/orders';
import { api, ask } from '#lib/api.ts';
import type { Realtime } from '#lib/realtime.svelte.ts';

export type PurchaseStep = 'choose' | 'address' | 'pay' | 'end';

export interface Wish {
  variantId: string;
  quantity: number;
  unitPriceMinor: number;
}

// The room tells at once; this is for the minutes in which its socket is gone.
const askOrderEveryMs = 3000;

export function createPurchase(options: { showId: string | null; realtime: () => Realtime | null }) {
  let step = $state<PurchaseStep>('choose');
  let order = $state.raw<Order | null>(null);
  let addresses = $state.raw<SavedAddress[]>([]);
  let address = $state.raw<Address | null>(null);
  let saveAddress = $state(true);
  let busy = $state(false);
  let refusal = $state.raw<unknown>(null);
  const keys = new Map<string, string>();
  let timer: ReturnType<typeof setInterval> | undefined;
  let leaveOwn: (() => void) | undefined;
  let currentId: string | null = null;
  let addressesKnown = false;

  function keyFor(wish: Wish): string {
    const contents = JSON.stringify([wish, address]);
    const known = keys.get(contents);
    if (known) return known;
    const made = crypto.randomUUID();
    keys.set(contents, made);
    return made;
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
    leaveOwn = options.realtime()?.onOwn((event) => event.type === 'own-order' && take(event.order));
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
      return addresses;
    },
    get address() {
      return address;
    },
    get busy() {
      return busy;
    },
    get refusal() {
      return refusal;
    },
    goTo(next: PurchaseStep): void {
      refusal = null;
      step = next;
    },
    /**
     * Takes the address book of the person, once it could be had; the newest is used unless another was chosen.
     */
    async loadAddresses(): Promise<void> {
      if (addressesKnown) return;
      const page = await ask(api.GET('/api/me/addresses')).catch(() => null);
      if (!page) return;
      addressesKnown = true;
      addresses = (page as Page<SavedAddress>).items;
      address ??= addresses[0]?.address ?? null;
      if (address === addresses[0]?.address) saveAddress = false;
    },
    useAddress(next: Address, save: boolean): void {
      address = next;
      saveAddress = save;
      refusal = null;
      step = 'choose';
    },
    /** Places the order and goes on to paying. False when it was refused: `refusal` says why. */
    async place(wish: Wish): Promise<boolean> {
      if (busy || !address) return false;
      busy = true;
      refusal = null;
      const body = {
        idempotencyKey: keyFor(wish),
        showId: options.showId,
        lines: [wish],
        address,
        ...(saveAddress ? { saveAddress } : {}),
      };
      try {
        order = null;
        currentId = null;
        const placed = (await ask(api.POST('/api/orders', { body }))) as Order;
        currentId = placed.id;
        step = 'pay';
        take(placed);
        if (placed.state === 'held') watch();
        return true;
      } catch (error) {
        refusal = error;
        return false;
      } finally {
        busy = false;
      }
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
    again(): void {
      order = null;
      currentId = null;
      refusal = null;
      step = 'choose';
    },
    stop: unwatch,
  };
}

export type Purchase = ReturnType<typeof createPurchase>;
