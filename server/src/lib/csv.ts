/** Tables as files for spreadsheet programs: RFC 4180, UTF-8 with a byte order mark. Pure. */
import { stringify } from 'csv-stringify/sync';

export type CsvLine = ReadonlyArray<string | number>;

/** A head and lines, or, without a head, lines that go on from the ones before. */
export function csvText(lines: readonly CsvLine[], head: readonly string[] | null): string {
  return stringify([...lines], {
    ...(head === null ? {} : { bom: true, header: true, columns: [...head] }),
    record_delimiter: 'windows',
    // A text of people that begins with `=` must not become a formula on the shop owner's machine.
    escape_formulas: true,
  });
}

/** Money, exact, with a point: `129.00`. */
export function majorOf(amountMinor: number, currency: string): string {
  const { maximumFractionDigits: digits = 2 } = new Intl.NumberFormat('en', { style: 'currency', currency })
    .resolvedOptions();
  if (digits === 0) return String(amountMinor);
  const text = String(amountMinor).padStart(digits + 1, '0');
  return `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}
