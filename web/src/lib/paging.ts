/** Lists that come a page at a time. Pure: who calls brings the request. */
import type { Page } from '@nacre/contract/common';

/** The most that the API gives at once (contract/src/common.ts, whose schemas a page need not fetch). */
const pageLimitMax = 100;

export interface PageAsk {
  cursor: string;
  limit: number;
}

/** What follows `cursor`: `count` items, or all where there are fewer; `next` goes on after them. */
export async function pagesAfter<T>(
  cursor: string | null,
  count: number,
  load: (ask: PageAsk) => Promise<Page<T>>,
): Promise<Page<T>> {
  const items: T[] = [];
  let next = cursor;
  while (next !== null && items.length < count) {
    const page = await load({ cursor: next, limit: Math.min(pageLimitMax, count - items.length) });
    items.push(...page.items);
    next = page.next;
  }
  return { items, next };
}
