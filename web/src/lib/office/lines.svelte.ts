/** How many people wait in line for a shop's goods. A page is worth showing without it. */
import type { LineLength } from '@nacre/contract/waiting';
import { listLines } from './office-api.ts';

/** People who join tell nobody: a host who looks reads a figure so old at most. */
const askEveryMs = 15_000;

export function createLines(shopId: () => string) {
  let items = $state.raw<LineLength[]>([]);
  const byProduct = $derived.by(() => {
    const people = new Map<string, number>();
    for (const line of items) people.set(line.productId, (people.get(line.productId) ?? 0) + line.people);
    return people;
  });

  async function load(): Promise<void> {
    const answer = await listLines(shopId()).catch(() => null);
    if (answer) items = answer.items;
  }

  return {
    get items() {
      return items;
    },
    /** People, by product. */
    get byProduct() {
      return byProduct;
    },
    load,
    /** Asks again and again. Returns the way out. */
    start(): () => void {
      void load();
      const timer = setInterval(() => void load(), askEveryMs);
      return () => clearInterval(timer);
    },
  };
}
