/** Puts pieces into the cart and says so; over a show's picture nothing leads away. */
import type { CartAsk } from '@nacre/contract/carts';
import type { I18n } from '#lib/i18n/i18n.svelte.ts';
import { loadMessages } from '#lib/i18n/load.ts';
import { sayError } from '#lib/problem.ts';
import { say } from '#lib/toast.svelte.ts';
import type { CartStore } from './cart.svelte.ts';

/** So many pieces did not fit. */
export async function sayNoRoom(count: number, i18n: I18n): Promise<void> {
  await loadMessages(i18n.locale, 'cart');
  say(i18n.t('cart.no_room', { count }), '/cart');
}

/** @returns whether it is in, some of it at least */
export async function putIntoCart(cart: CartStore, ask: CartAsk, i18n: I18n, inShow = false): Promise<boolean> {
  try {
    const left = await cart.put(ask);
    await loadMessages(i18n.locale, 'cart');
    const words = left === 0 ? i18n.t('cart.is_in') : i18n.t('cart.no_room', { count: left });
    say(words, inShow ? null : '/cart');
    return left < ask.quantity;
  } catch (error) {
    say(await sayError(error, i18n));
    return false;
  }
}
