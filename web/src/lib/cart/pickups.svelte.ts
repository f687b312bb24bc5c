/** To which shops of a cart the buyer goes, instead of having the goods sent. */
import type { PickupAsk } from '@nacre/contract/orders';
import type { ShopPage, ShopPlace } from '@nacre/contract/shops';
import { api, ask } from '#lib/api.ts';

export function createPickups() {
  let places = $state.raw<ReadonlyMap<string, ShopPlace>>(new Map());
  let chosen = $state.raw<ReadonlyMap<string, PickupAsk>>(new Map());
  const asked = new Set<string>();

  function choose(slug: string, pickup: PickupAsk | null): void {
    const next = new Map(chosen);
    if (pickup) next.set(slug, pickup);
    else next.delete(slug);
    chosen = next;
  }

  async function look(slug: string): Promise<void> {
    const answer = await ask(api.GET('/api/shops/{slug}', { params: { path: { slug } } })).catch(() => null);
    // Without an answer it is asked again with the next look.
    if (answer === null) return void asked.delete(slug);
    const { offersPickup, place } = answer as ShopPage;
    if (offersPickup && place) places = new Map([...places, [slug, place]]);
  }

  return {
    /** Each shop is asked once. */
    load(slugs: readonly string[]): void {
      for (const slug of slugs) {
        if (asked.has(slug)) continue;
        asked.add(slug);
        void look(slug);
      }
    },
    /** Null where the shop does not offer it, or while nobody knows yet. */
    placeOf: (slug: string): ShopPlace | null => places.get(slug) ?? null,
    chosenOf: (slug: string): PickupAsk | null => chosen.get(slug) ?? null,
    choose,
  };
}
