/** The order of goods in a bag, as the planner and the studio change it. Pure. */
import type { Product } from '@nacre/contract/catalog';

/** As the contract bounds it. */
export const bagMax = 200;

/** Adds behind what is there, each once, as many as fit. */
export function addToBag(bag: readonly Product[], more: readonly Product[]): Product[] {
  const known = new Set(bag.map((product) => product.id));
  return [...bag, ...more.filter((product) => !known.has(product.id))].slice(0, bagMax);
}

/** Whether a product answers to what was typed: in its title or in a code of its variants. */
export function matches(product: Product, search: string): boolean {
  const words = search.trim().toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const text = `${product.title} ${product.variants.map((variant) => variant.sku).join(' ')}`.toLocaleLowerCase();
  return words.every((word) => text.includes(word));
}
