/** The orders that are selected on the list, and what is done to all of them. */
import { BULK_MAX, type BulkResult, type OfficeOrderFilter } from '@nacre/contract/orders';
import { SvelteSet } from 'svelte/reactivity';
import type { I18n } from '#lib/i18n/i18n.svelte.ts';
import { errorFrom, sayError } from '#lib/problem.ts';
import { selectOrders } from './office-api.ts';

export interface Failure {
  number: string;
  text: string;
}

export function createBulk(shopId: string, i18n: I18n) {
  const selected = new SvelteSet<string>();
  let isLimited = $state(false);
  let progress = $state.raw<{ done: number; total: number } | null>(null);
  let failures = $state.raw<Failure[]>([]);
  let last: string | null = null;

  function pick(number: string, isOn: boolean): void {
    if (isOn) selected.add(number);
    else selected.delete(number);
    last = number;
  }

  return {
    selected,
    /** There are more of the filter than one selection takes. */
    get isLimited() {
      return isLimited;
    },
    /** While something is under way. */
    get progress() {
      return progress;
    },
    /** What the last action could not do; they stay selected. */
    get failures() {
      return failures;
    },
    /** As listed: the newest first. */
    get numbers(): string[] {
      return [...selected].sort((one, other) => Number(other.slice(2)) - Number(one.slice(2)));
    },
    /** With `isRange`, everything between this one and the one before, as the list has them. */
    pick(number: string, isOn: boolean, isRange: boolean, listed: readonly string[]): void {
      const [from, to] = [listed.indexOf(last ?? ''), listed.indexOf(number)].sort((one, other) => one - other);
      if (isRange && from !== undefined && to !== undefined && from >= 0) {
        listed.slice(from, to + 1).forEach((one) => pick(one, isOn));
      }
      pick(number, isOn);
    },
    /** All of the filter, also those that the list has not loaded yet. */
    async pickAll(filter: OfficeOrderFilter): Promise<void> {
      const { numbers, isAll } = await selectOrders(shopId, filter);
      numbers.forEach((number) => selected.add(number));
      isLimited = !isAll;
    },
    clear(): void {
      selected.clear();
      isLimited = false;
      failures = [];
    },
    /**
     * Does it to all `tasks`, as many a request as it takes. When a request fails as a whole, what was in it and what
     * comes after are told as not done.
     * @returns how many were done
     */
    async run<Task extends { number: string }>(
      tasks: readonly Task[], work: (part: Task[]) => Promise<BulkResult>,
    ): Promise<number> {
      const failed: Failure[] = [];
      let done = 0;
      failures = [];
      progress = { done: 0, total: tasks.length };
      for (let from = 0; from < tasks.length; from += BULK_MAX) {
        const part = tasks.slice(from, from + BULK_MAX);
        try {
          for (const { number, problem } of (await work(part)).results) {
            if (problem) {
              failed.push({ number, text: await sayError(errorFrom(problem, problem.status), i18n) });
              continue;
            }
            done += 1;
            selected.delete(number);
          }
        } catch (error) {
          const text = await sayError(error, i18n);
          failed.push(...tasks.slice(from).map(({ number }) => ({ number, text })));
          break;
        }
        progress = { done: Math.min(from + BULK_MAX, tasks.length), total: tasks.length };
      }
      progress = null;
      failures = failed;
      return done;
    },
  };
}

export type Bulk = ReturnType<typeof createBulk>;
