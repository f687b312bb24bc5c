/** Whether options and variants fit together. Pure. */
import type { ProductOption, VariantInput } from '@nacre/contract/catalog';

/** Names and values that differ only in case or outer space look the same to a buyer. */
function sameText(text: string): string {
  return text.trim().normalize('NFC').toLocaleLowerCase('en');
}

function repeated(texts: string[]): string | null {
  const seen = new Set<string>();
  for (const text of texts) {
    if (seen.has(sameText(text))) return text;
    seen.add(sameText(text));
  }
  return null;
}

/** What is wrong, for the refusal's details; null when all fits. */
export type Mismatch =
  | { reason: 'option_twice' | 'value_twice' | 'sku_twice' | 'variant_id_twice'; value: string }
  | { reason: 'values_missing' | 'variant_twice'; variant: number }
  | { reason: 'value_unknown'; variant: number; value: string };

/** `variant` in the answer is the index of the one at fault. */
export function mismatchOf(options: ProductOption[], variants: VariantInput[]): Mismatch | null {
  const optionTwice = repeated(options.map(({ name }) => name));
  if (optionTwice !== null) return { reason: 'option_twice', value: optionTwice };
  for (const { values } of options) {
    const valueTwice = repeated(values.map(({ value }) => value));
    if (valueTwice !== null) return { reason: 'value_twice', value: valueTwice };
  }
  const combinations = new Set<string>();
  for (const [index, { optionValues }] of variants.entries()) {
    if (optionValues.length !== options.length) return { reason: 'values_missing', variant: index };
    for (const [place, value] of optionValues.entries()) {
      const isKnown = options[place]?.values.some((known) => known.value === value) ?? false;
      if (!isKnown) return { reason: 'value_unknown', variant: index, value };
    }
    const combination = JSON.stringify(optionValues);
    if (combinations.has(combination)) return { reason: 'variant_twice', variant: index };
    combinations.add(combination);
  }
  const skuTwice = repeated(variants.map(({ sku }) => sku));
  if (skuTwice !== null) return { reason: 'sku_twice', value: skuTwice };
  const idTwice = repeated(variants.flatMap(({ id }) => (id === undefined ? [] : [id])));
  return idTwice === null ? null : { reason: 'variant_id_twice', value: idTwice };
}
