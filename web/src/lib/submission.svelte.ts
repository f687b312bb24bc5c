/**
 * What a form sends: one thing at a time, and in words what was refused of it. A form of many fields, each with a
 * sentence of its own, has `office/form-problems` instead.
 */
import { tick } from 'svelte';
import type { I18n } from '#lib/i18n/i18n.svelte.ts';
import { ApiError, sayError } from './problem.ts';

export interface Submission<What extends string> {
  /** What is under way. */
  readonly busy: What | null;
  /** `code` is empty when no answer was understood. */
  readonly refused: { what: What; code: string; text: string } | null;
  /** The sentence, where it is about one of these codes; what stands beside a field leaves with `clear`. */
  textOf: (...codes: string[]) => string | null;
  clear: () => void;
  /**
   * Does nothing while something is under way. What `work` throws becomes `refused`, and the focus goes to the field
   * that shows it.
   */
  run: (what: What, work: () => Promise<void>) => Promise<void>;
}

/** @param form where the fields are */
export function createSubmission<What extends string = 'send'>(
  i18n: I18n, form: () => HTMLElement | undefined = () => undefined,
): Submission<What> {
  let busy = $state<What | null>(null);
  let refused = $state.raw<Submission<What>['refused']>(null);
  return {
    get busy() {
      return busy;
    },
    get refused() {
      return refused;
    },
    textOf: (...codes) => (refused && codes.includes(refused.code) ? refused.text : null),
    clear: () => (refused = null),
    async run(what, work) {
      if (busy) return;
      busy = what;
      refused = null;
      try {
        await work();
      } catch (error) {
        refused = { what, code: error instanceof ApiError ? error.code : '', text: await sayError(error, i18n) };
        await tick();
        form()?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
      } finally {
        busy = null;
      }
    },
  };
}
