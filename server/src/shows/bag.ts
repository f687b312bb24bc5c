/** Numbers of the goods in a bag. Pure. */

/** A number once given stays with its product; after this the host could not say it and the card not show it. */
export const NUMBER_MAX = 999;

export interface Numbered {
  productId: string;
  number: number;
  removed: boolean;
}

/**
 * The bag in its new order: goods that ever were in it keep their number, new ones get the next that was never used.
 * @returns null when the numbers are used up
 */
export function numberBag(known: readonly Numbered[], productIds: readonly string[]): Numbered[] | null {
  const numbers = new Map(known.map((item) => [item.productId, item.number]));
  let last = Math.max(0, ...numbers.values());
  const bag = productIds.map((productId) => {
    const number = numbers.get(productId) ?? (last += 1);
    return { productId, number, removed: false };
  });
  return last > NUMBER_MAX ? null : bag;
}
