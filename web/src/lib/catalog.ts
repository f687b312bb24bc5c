/** Small pure questions about a product: what it costs, what is left. */
import type { Product, Variant } from '@nacre/contract/catalog';
import type { I18n } from '#lib/i18n/i18n.svelte.ts';

// Above this the exact number says nothing to a buyer.
const exactStockLimit = 10;
// More sizes than this do not fit on the card.
const sizesOnCard = 3;

export function totalAvailable(product: Product): number {
  return product.variants.reduce((sum, variant) => sum + variant.available, 0);
}

export function totalHeld(product: Product): number {
  return product.variants.reduce((sum, variant) => sum + variant.held, 0);
}

/** Prices of what can be bought; of all variants when nothing can. */
export function priceRange(product: Product): { fromMinor: number; toMinor: number } {
  const open = product.variants.filter((variant) => variant.available > 0);
  const prices = (open.length > 0 ? open : product.variants).map((variant) => variant.priceMinor);
  if (prices.length === 0) return { fromMinor: 0, toMinor: 0 };
  return { fromMinor: Math.min(...prices), toMinor: Math.max(...prices) };
}

/** "$49", or "from $49" where what can be bought has several prices. */
export function priceWords(product: Product, i18n: I18n): string {
  const { fromMinor, toMinor } = priceRange(product);
  const price = i18n.format.price({ amountMinor: fromMinor, currency: product.currency });
  return fromMinor === toMinor ? price : i18n.t('viewer.price_from', { price });
}

/** What a variant cost before, when that was more than now; else null. */
export type WasMinor = (variant: Variant) => number | null;

/**
 * What may stand struck out beside the one price of a product: null unless everything that can be bought costs the
 * same now and all of it was dearer before; then the lowest of the former prices.
 */
export function formerPrice(product: Product, wasMinor: WasMinor): number | null {
  const { fromMinor, toMinor } = priceRange(product);
  const open = product.variants.filter((variant) => variant.available > 0);
  if (open.length === 0 || fromMinor !== toMinor) return null;
  const former = open.map(wasMinor).filter((minor) => minor !== null);
  return former.length === open.length ? Math.min(...former) : null;
}

export function stockWord(count: number, i18n: I18n): string {
  return count > exactStockLimit ? i18n.t('common.more_than_ten_left') : i18n.t('common.left', { count });
}

/** "4 left in M, 3 in L" where that is short and true; else the sum, or "more than 10 left". */
export function stockSentence(product: Product, i18n: I18n): string {
  const total = totalAvailable(product);
  if (product.variants.length < 2) return stockWord(total, i18n);
  const sizeOption = product.options.findIndex((option) => option.values.every((value) => !value.swatch));
  const scarce = new Map<string, number>();
  if (sizeOption >= 0) {
    for (const variant of product.variants) {
      const size = variant.optionValues[sizeOption];
      if (size !== undefined) scarce.set(size, (scarce.get(size) ?? 0) + variant.available);
    }
  }
  const few = [...scarce].filter(([, count]) => count > 0 && count <= exactStockLimit);
  const open = [...scarce].filter(([, count]) => count > 0);
  if (few.length === 0 || few.length !== open.length || few.length > sizesOnCard) return stockWord(total, i18n);
  const parts = few.map(([size, count], index) =>
    index === 0
      ? i18n.t('common.left_in_size', { count, size })
      : i18n.t('common.left_in_size_more', { count, size }),
  );
  return parts.join(i18n.t('common.list_comma'));
}

export function findVariant(product: Product, chosen: readonly (string | null)[]): Variant | undefined {
  return product.variants.find((variant) => variant.optionValues.every((value, index) => value === chosen[index]));
}

/** Whether there is a variant with this value together with what else is chosen, sold out or not. */
export function isMade(product: Product, chosen: readonly (string | null)[], option: number, value: string): boolean {
  return product.variants.some((variant) => fits(variant, chosen, option, value));
}

/** Whether some variant with this value, together with what else is chosen, can still be bought. */
export function canChoose(
  product: Product,
  chosen: readonly (string | null)[],
  option: number,
  value: string,
): boolean {
  return product.variants.some(
    (variant) => variant.available > 0 && fits(variant, chosen, option, value),
  );
}

function fits(variant: Variant, chosen: readonly (string | null)[], option: number, value: string): boolean {
  return variant.optionValues.every((own, index) => {
    if (index === option) return own === value;
    const other = chosen[index];
    return other === null || other === undefined || own === other;
  });
}
