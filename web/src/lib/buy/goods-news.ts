/** What a refused order says about the goods as they are now, for the page to show before the next tap. Pure. */
import type { Product } from '@nacre/contract/catalog';

export interface VariantNews {
  variantId: string;
  priceMinor?: number;
  available?: number;
}

/** Null when the refusal is about something else. `details` are those of contract/src/refusals.ts. */
export function newsOf(code: string, details: Readonly<Record<string, unknown>>): VariantNews | null {
  const { variantId, priceMinor, available } = details;
  if (typeof variantId !== 'string') return null;
  if (code === 'orders.price_changed' && typeof priceMinor === 'number') return { variantId, priceMinor };
  if (code === 'orders.sold_out' && typeof available === 'number') return { variantId, available };
  // Withdrawn or taken out of the shop: nothing of it can be bought.
  if (code === 'orders.not_for_sale') return { variantId, available: 0 };
  return null;
}

/** Writes the news into the product, if it is about one of its variants. */
export function learn(product: Product, news: VariantNews): void {
  const { variantId, ...changes } = news;
  const variant = product.variants.find((entry) => entry.id === variantId);
  if (variant) Object.assign(variant, changes);
}
