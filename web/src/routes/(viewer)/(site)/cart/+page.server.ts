import type { Cart } from '@nacre/contract/carts';
import { apiOf } from '#lib/server/load.ts';
import type { PageServerLoad } from './$types';

/** A guest's cart is in the browser; a person's stands in the first drawing. */
export const load: PageServerLoad = async (event) => {
  const { me } = await event.parent();
  if (me.person === null) return { cart: null };
  const answer = await apiOf(event).GET('/api/cart').catch(() => null);
  return { cart: (answer?.data ?? null) as Cart | null };
};
