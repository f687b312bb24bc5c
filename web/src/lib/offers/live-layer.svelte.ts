/**
 * Live prices laid over the goods of a show. What is under them is kept: it shows again when they are over.
 */
import type { Product, Variant } from '@nacre/contract/catalog';
import type { LivePrice } from '@nacre/contract/offers';
import type { BagItem } from '@nacre/contract/shows';
import { SvelteMap } from 'svelte/reactivity';

/** A variant without what a live price puts on top. */
export type OnShelf = Pick<Variant, 'priceMinor' | 'available' | 'held'>;

export function createLiveLayer(initial: readonly LivePrice[]) {
  const shelf = new SvelteMap<string, OnShelf>();
  let live = $state.raw(byVariant(initial));

  /** As it is shown: with its live price, if there is one that can be had. */
  function shownOf(variantId: string, { priceMinor, available, held }: OnShelf): OnShelf {
    const own = live.get(variantId);
    if (!own) return { priceMinor, available, held };
    return { priceMinor: own.priceMinor, available: available + own.left, held: Math.max(0, held - own.left) };
  }

  return {
    /** The bag as it is shown; what is in it is taken for what is on the shelf. */
    layOut(items: readonly BagItem[]): BagItem[] {
      return items.map((item) => {
        const variants = item.product.variants.map((variant) => {
          const { priceMinor, available, held } = variant;
          shelf.set(variant.id, { priceMinor, available, held });
          return { ...variant, ...shownOf(variant.id, variant) };
        });
        return { ...item, product: { ...item.product, variants } };
      });
    },
    /** What is on the shelf has changed. @returns how it is shown now; null for a variant that nobody knows */
    put(variantId: string, change: Partial<OnShelf>): OnShelf | null {
      const known = shelf.get(variantId);
      if (!known) return null;
      const { priceMinor, available, held } = { ...known, ...change };
      shelf.set(variantId, { priceMinor, available, held });
      return shownOf(variantId, { priceMinor, available, held });
    },
    /** These are all there are. @returns those that were there or are, to be shown anew */
    set(items: readonly LivePrice[]): LivePrice[] {
      const touched = new Map([...live.values(), ...items].map((one) => [one.variantId, one]));
      live = byVariant(items);
      return [...touched.values()];
    },
    drop(variantId: string): void {
      live = new Map([...live].filter(([id]) => id !== variantId));
    },
    of: (variantId: string): LivePrice | null => live.get(variantId) ?? null,
    onShelf: (variant: Variant): OnShelf => shelf.get(variant.id) ?? variant,
    /** Pieces of the product that are left at live prices; null when none of it has one. */
    pieces(product: Product): number | null {
      const own = product.variants.flatMap(({ id }) => live.get(id) ?? []);
      return own.length === 0 ? null : own.reduce((sum, { left }) => sum + left, 0);
    },
  };
}

/** Those that can be had. */
function byVariant(items: readonly LivePrice[]): ReadonlyMap<string, LivePrice> {
  return new Map(items.filter(({ left }) => left > 0).map((one) => [one.variantId, one]));
}
