/**
 * The grid of variants that follows from a product's options. Pure: rows that the owner has filled in survive every
 * change of the options that leaves their values together.
 */
import type { ProductOption } from '@nacre/contract/catalog';

/** One row as it stands in the editor; texts as typed. */
export interface VariantRow {
  /** Of a saved variant; absent for a new one. */
  id?: string;
  optionValues: string[];
  price: string;
  /** For a new variant only; a saved one's stock changes by its own way. */
  stock: string;
  sku: string;
  /** The owner wrote the code; the rule leaves it alone. */
  skuOwn: boolean;
}

export interface RowDefaults {
  price: string;
  stock: string;
}

/** One value of each option, in the order shown. One empty combination for a product without options. */
export function combinations(options: readonly ProductOption[]): string[][] {
  return options.reduce<string[][]>(
    (rows, option) => rows.flatMap((row) => option.values.map((entry) => [...row, entry.value])),
    [[]],
  );
}

const keyOf = (values: readonly string[]): string => JSON.stringify(values);

/**
 * The rows for `options`. A row whose combination exists keeps everything. A new one takes price and stock of the
 * nearest row (most values in common), else the defaults.
 */
export function rowsFor(
  options: readonly ProductOption[],
  before: readonly VariantRow[],
  title: string,
  defaults: RowDefaults,
): VariantRow[] {
  const known = new Map(before.map((row) => [keyOf(row.optionValues), row]));
  const rows = combinations(options).map((optionValues): VariantRow => {
    const kept = known.get(keyOf(optionValues));
    if (kept) return kept;
    const near = nearest(optionValues, before);
    return {
      optionValues,
      price: near?.price ?? defaults.price,
      stock: near && near.id === undefined ? near.stock : defaults.stock,
      sku: '',
      skuOwn: false,
    };
  });
  return withSkus(rows, title);
}

function nearest(values: readonly string[], rows: readonly VariantRow[]): VariantRow | undefined {
  let best: VariantRow | undefined;
  let bestCount = -1;
  for (const row of rows) {
    const count = row.optionValues.filter((value) => values.includes(value)).length;
    if (count > bestCount) [best, bestCount] = [row, count];
  }
  return best;
}

/** Renames a value in all rows, so that "Red" written over by "Coral" keeps its prices and pieces. */
export function renameValue(rows: readonly VariantRow[], option: number, from: string, to: string): VariantRow[] {
  return rows.map((row) =>
    row.optionValues[option] === from
      ? { ...row, optionValues: row.optionValues.map((value, index) => (index === option ? to : value)) }
      : row,
  );
}

const latinLetters = (text: string): string =>
  text.normalize('NFKD').replace(/\p{M}/gu, '').toUpperCase().replace(/[^A-Z0-9 ]+/g, ' ').trim();

/** Initials of the title's words, or what there is of Latin letters; empty for a title in another script. */
export function skuStem(title: string): string {
  const words = latinLetters(title).split(/ +/).filter(Boolean);
  if (words.length === 0) return '';
  if (words.length === 1) return (words[0] ?? '').slice(0, 4);
  return words.map((word) => word[0]).join('').slice(0, 4);
}

function skuPart(value: string, position: number): string {
  const letters = latinLetters(value).replace(/ /g, '');
  return letters === '' ? String(position + 1) : letters.slice(0, 3);
}

/** Fills the codes that the owner has not written: stem, then a part per value, each code once. */
export function withSkus(rows: readonly VariantRow[], title: string): VariantRow[] {
  const stem = skuStem(title) || 'ART';
  const used = new Set(rows.filter((row) => row.skuOwn).map((row) => row.sku));
  const positions = rows[0]?.optionValues.map((_, option) => [...new Set(rows.map((row) => row.optionValues[option]))]);
  return rows.map((row) => {
    if (row.skuOwn) return row;
    const parts = row.optionValues.map((value, option) => skuPart(value, positions?.[option]?.indexOf(value) ?? 0));
    const plain = [stem, ...parts].join('-');
    let sku = plain;
    for (let count = 2; used.has(sku); count++) sku = `${plain}-${count}`;
    used.add(sku);
    return { ...row, sku };
  });
}
