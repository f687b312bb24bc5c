/** What a cart has room for. Pure. */
import {
  CART_LINES_MAX, CART_SHOP_LINES_MAX, type CartAsk, type CartPutAnswer,
} from '@nacre/contract/carts';
import { QUANTITY_MAX } from '@nacre/contract/orders';

/** A line as far as room goes. */
export interface Filled {
  variantId: string;
  shopId: string;
  quantity: number;
}

export type Asked = CartAsk & { shopId: string };

/**
 * Puts pieces to those that are there, one line after the other, as far as there is room.
 * @returns the lines that change, each as it is then; and the pieces that had no room
 */
export function putIn(
  filled: readonly Filled[], asked: readonly Asked[],
): { lines: Asked[]; left: CartPutAnswer['left'] } {
  const quantities = new Map(filled.map(({ variantId, quantity }) => [variantId, quantity]));
  const ofShops = new Map<string, number>();
  for (const { shopId } of filled) ofShops.set(shopId, (ofShops.get(shopId) ?? 0) + 1);
  const lines = new Map<string, Asked>();
  const left: CartPutAnswer['left'] = [];
  for (const ask of asked) {
    const { variantId, shopId, quantity } = ask;
    const before = quantities.get(variantId) ?? 0;
    const ofShop = ofShops.get(shopId) ?? 0;
    const hasRoom = before > 0 || (quantities.size < CART_LINES_MAX && ofShop < CART_SHOP_LINES_MAX);
    const after = hasRoom ? Math.min(QUANTITY_MAX, before + quantity) : before;
    const over = before + quantity - after;
    if (over > 0) left.push({ variantId, quantity: over });
    if (after === before) continue;
    if (before === 0) ofShops.set(shopId, ofShop + 1);
    quantities.set(variantId, after);
    lines.set(variantId, { ...ask, quantity: after });
  }
  return { lines: [...lines.values()], left };
}
