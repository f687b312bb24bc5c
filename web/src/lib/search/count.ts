/** How much was found, as far as it is known. Pure. */
import type { SearchAnswer } from '@nacre/contract/discovery';

export function countOf({ products, shows, shops }: SearchAnswer): { shown: number; isAll: boolean } {
  const lists = [products, shows, shops];
  return {
    shown: lists.reduce((sum, { items }) => sum + items.length, 0),
    isAll: lists.every(({ next }) => next === null),
  };
}
