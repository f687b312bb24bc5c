/**
 * The cart as the page knows it: the person's, the same on all devices, or that which the browser keeps for a guest.
 * Provided by the root layout. Invariant: of two answers the newer version is shown.
 */
import type { Cart, CartAsk, CartCount } from '@nacre/contract/carts';
import type { PersonalEvent } from '@nacre/contract/realtime';
import { getContext, setContext } from 'svelte';
import { keepLine, keepMore, keptKey, readKept, type Kept } from './kept.ts';

/** A line as it was, for putting it back. */
export type CartLineAsk = Omit<CartAsk, 'variantId'>;

const contextKey = Symbol('cart');
const piecesOf = (lines: readonly { quantity: number }[]) => lines.reduce((sum, { quantity }) => sum + quantity, 0);
const calls = () => import('./cart-api.ts');

export function provideCart(person: () => string | null) {
  return setContext(contextKey, createCart(person));
}

export function useCart(): CartStore {
  return getContext<CartStore>(contextKey);
}

export type CartStore = ReturnType<typeof createCart>;

function createCart(person: () => string | null) {
  let cart = $state.raw<Cart | null>(null);
  let pieces = $state(0);
  let version = 0;
  let whose = person();
  // A guest's lines change by what comes after what: the answer to an older look is not shown.
  let looks = 0;

  const kept = (): Kept => readKept(localStorage.getItem(keptKey));
  function keep(next: Kept): void {
    if (next.lines.length === 0 && next.going === null) localStorage.removeItem(keptKey);
    else localStorage.setItem(keptKey, JSON.stringify(next));
  }

  function take(next: Cart): void {
    if (next.version < version) return;
    version = next.version;
    pieces = next.pieces;
    cart = next;
  }

  function takeCount(next: CartCount): void {
    if (next.version <= version) return;
    version = next.version;
    pieces = next.pieces;
    if (cart !== null) void load().catch(() => undefined);
  }

  async function load(): Promise<void> {
    if (person() !== null) return take(await (await calls()).getCart());
    const { lines } = kept();
    pieces = piecesOf(lines);
    looks += 1;
    const own = looks;
    const seen = lines.length === 0 ? { version: 0, pieces: 0, groups: [] } : await (await calls()).lookAt(lines);
    if (own === looks && person() === null) cart = seen;
  }

  /** Guests: changes what is kept, then shows what is true of it. */
  async function change(lines: CartAsk[]): Promise<void> {
    keep({ ...kept(), lines });
    pieces = piecesOf(lines);
    if (cart !== null) await load();
  }

  /**
   * What the browser kept goes into the cart of who has signed in; what has no room there stays.
   * @returns pieces that stayed, when others went in: it is told once, not on each page
   */
  async function merge(): Promise<number> {
    const { putInto } = await calls();
    const before = kept();
    const going = before.going ?? { putId: crypto.randomUUID(), lines: before.lines };
    keep({ lines: before.going === null ? [] : before.lines, going });
    const { cart: merged, left } = await putInto(going);
    const rest = left.flatMap(({ variantId, quantity }) => {
      const line = going.lines.find((one) => one.variantId === variantId);
      return line ? [{ ...line, quantity }] : [];
    });
    keep({ lines: [...kept().lines, ...rest], going: null });
    take(merged);
    // What was kept while the other was on its way.
    if (before.going !== null && before.lines.length > 0) return merge();
    const stayed = piecesOf(rest);
    return stayed < piecesOf(going.lines) ? stayed : 0;
  }

  return {
    get cart() {
      return cart;
    },
    get pieces() {
      return pieces;
    },
    load,
    take,
    hear(event: PersonalEvent): void {
      if (event.type === 'own-cart') takeCount(event.cart);
    },
    /**
     * Whoever signs in or out has another cart.
     * @returns pieces that had no room in the person's cart and stay in the browser
     */
    async begin(): Promise<number> {
      const isShown = cart !== null;
      if (whose !== person()) {
        version = pieces = 0;
        cart = null;
      }
      whose = person();
      const { lines, going } = kept();
      if (person() === null) {
        pieces = piecesOf(lines);
        if (isShown) await load();
      } else if (lines.length > 0 || going !== null) return merge();
      else if (isShown) await load();
      else takeCount(await (await calls()).countCart());
      return 0;
    },
    /** A guest's cart was changed in another tab. */
    async keptElsewhere(): Promise<void> {
      if (person() === null) await change(kept().lines);
    },
    /** @returns pieces that had no room */
    async put(ask: CartAsk): Promise<number> {
      if (person() === null) {
        const { lines, left } = keepMore(kept().lines, ask);
        await change(lines);
        return left;
      }
      const { cart: next, left } = await (await calls()).putInto({ putId: crypto.randomUUID(), lines: [ask] });
      take(next);
      return piecesOf(left);
    },
    /** From now on so many; also puts back what was taken out. */
    async set(variantId: string, line: CartLineAsk): Promise<void> {
      if (person() !== null) return take(await (await calls()).setLine(variantId, line));
      const { lines } = kept();
      const isThere = lines.some((one) => one.variantId === variantId);
      const changed = { variantId, ...line };
      const replaced = lines.map((one) => (one.variantId === variantId ? changed : one));
      await change(isThere ? replaced : keepLine(lines, changed));
    },
    async takeAway(variantId: string): Promise<void> {
      if (person() !== null) return take(await (await calls()).takeLine(variantId));
      await change(kept().lines.filter((line) => line.variantId !== variantId));
    },
  };
}
