/**
 * What is wrong with a form: one sentence per field, shown beside it, and together above for more than one. A field's
 * sentence leaves as soon as the field changes.
 */
import { tick } from 'svelte';
import { sayError, wrongField } from '#lib/api.ts';
import type { I18n } from '#lib/i18n/i18n.svelte.ts';

export interface FormProblems {
  /** By the field's element id, in the order found. */
  readonly byField: Record<string, string>;
  /** About the whole; null when there is nothing to say. */
  readonly general: string | null;
  of: (field: string) => string | null;
  /** Takes the place of all before; puts the focus on the first field that has one. True when there is none. */
  set: (problems: Record<string, string | null>) => Promise<boolean>;
  clear: (field?: string) => void;
  /** A refusal of the server: beside `fields[code]` where the code is about one field, else above the form. */
  refused: (error: unknown, i18n: I18n, fields?: Record<string, string>) => Promise<void>;
}

export function createFormProblems(): FormProblems {
  let byField = $state<Record<string, string>>({});
  let general = $state<string | null>(null);

  async function focusFirst(): Promise<void> {
    await tick();
    const first = Object.keys(byField)[0];
    const element = first ? document.getElementById(first) : null;
    element?.focus({ preventScroll: true });
    element?.scrollIntoView({ block: 'center' });
  }

  return {
    get byField() {
      return byField;
    },
    get general() {
      return general;
    },
    of: (field) => byField[field] ?? null,
    async set(problems) {
      general = null;
      byField = Object.fromEntries(Object.entries(problems).filter((entry): entry is [string, string] => !!entry[1]));
      const fine = Object.keys(byField).length === 0;
      if (!fine) await focusFirst();
      return fine;
    },
    clear(field) {
      if (field !== undefined) delete byField[field];
      else byField = {};
      general = null;
    },
    async refused(error, i18n, fields = {}) {
      const sentence = await sayError(error, i18n);
      const code = error instanceof Error ? error.message : '';
      const field = fields[code] ?? fields[wrongField(error) ?? ''];
      if (!field) {
        general = sentence;
        return;
      }
      byField = { [field]: sentence };
      await focusFirst();
    },
  };
}
