/**
 * A list whose first page came with the page's data and which goes on by "Show more". Renewed, it keeps its length.
 */
import type { Page } from '@nacre/contract/common';
import { untrack } from 'svelte';
import { steady } from './home/steady.ts';
import { pagesAfter, type PageAsk } from './paging.ts';

export interface PartListOptions<T> {
  /** How many one tap brings. */
  pageSize: number;
  load: (ask: PageAsk) => Promise<Page<T>>;
  /** Whether what is shown must keep its place when the list is renewed. */
  isHeld?: () => boolean;
}

export function createPartList<T extends { id: string }>(first: Page<T>, options: PartListOptions<T>) {
  let items = $state<T[]>(first.items);
  let next = $state(first.next);
  let busy = $state(false);
  let firstLength = first.items.length;
  // An answer counts only when nothing was asked after it.
  let turn = 0;

  /** Without what is there already: the list may have grown at its head between two pages. */
  function joined(head: readonly T[], tail: readonly T[]): T[] {
    const known = new Set(head.map(({ id }) => id));
    return [...head, ...tail.filter(({ id }) => !known.has(id))];
  }

  return {
    /** May be written to: they are the page's own. */
    get items() {
      return items;
    },
    /** Null at the end of the list. */
    get next() {
      return next;
    },
    get busy() {
      return busy;
    },
    /** Throws when it could not be had. */
    async showMore(): Promise<void> {
      if (busy || next === null) return;
      turn += 1;
      busy = true;
      try {
        const page = await options.load({ cursor: next, limit: options.pageSize });
        items = joined(items, page.items);
        next = page.next;
      } finally {
        busy = false;
      }
    },
    /** The first page has come anew; what was shown behind it is asked for again. Failing that, all stays as it is. */
    async renew(page: Page<T>): Promise<void> {
      if (busy) return;
      turn += 1;
      const mine = turn;
      const behind = items.length - firstLength;
      try {
        // At once where nothing is behind it.
        const rest = behind > 0 ? await pagesAfter(page.next, behind, options.load) : { items: [], next: page.next };
        if (mine !== turn) return;
        firstLength = page.items.length;
        items = steady(items, joined(page.items, rest.items), options.isHeld?.() ?? false);
        next = rest.next;
      } catch {
        // No network: the next time brings it.
      }
    },
  };
}

/**
 * The same for a page whose data may come anew: then the list is renewed, and not when other data of the page comes.
 * Call it while the component is made.
 */
export function createPageList<T extends { id: string }>(first: () => Page<T>, options: PartListOptions<T>) {
  const list = createPartList(untrack(first), options);
  const page = $derived(first());
  $effect.pre(() => {
    const now = page;
    untrack(() => list.renew(now));
  });
  return list;
}

/** What the way on at its end needs to know. */
export type PartList = Pick<ReturnType<typeof createPartList>, 'next' | 'busy' | 'showMore'>;
