/** The cart's calls. Loaded when something is done with the cart. */
import type { Cart, CartAsk, CartCount, CartLineSet, CartPut, CartPutAnswer } from '@nacre/contract/carts';
import { api, ApiError, ask } from '#lib/api.ts';

const lineOf = (variantId: string) => ({ params: { path: { variantId } } });

export const getCart = async (): Promise<Cart> => (await ask(api.GET('/api/cart'))) as Cart;

export const countCart = async (): Promise<CartCount> => ask(api.GET('/api/cart/count'));

export const lookAt = async (lines: CartAsk[]): Promise<Cart> =>
  (await ask(api.POST('/api/cart/look', { body: { lines } }))) as Cart;

/** An answer that was lost is asked for once more: the same putting puts nothing in twice. */
export async function putInto(body: CartPut): Promise<CartPutAnswer> {
  const send = async () => (await ask(api.POST('/api/cart/put', { body }))) as CartPutAnswer;
  try {
    return await send();
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'network') throw error;
    return send();
  }
}

export const setLine = async (variantId: string, body: CartLineSet): Promise<Cart> =>
  (await ask(api.PUT('/api/cart/lines/{variantId}', { ...lineOf(variantId), body }))) as Cart;

export const takeLine = async (variantId: string): Promise<Cart> =>
  (await ask(api.DELETE('/api/cart/lines/{variantId}', lineOf(variantId)))) as Cart;
