/**
 * Amounts as people type them, to minor units and back, without a float on the way. Takes the digits of every script
 * the house speaks, and a comma or a point (or the Arabic decimal mark) before the fraction.
 */
import { minorToDecimal } from '#lib/i18n/format.ts';

// Above this the server's safe integer would lose units.
const minorMax = BigInt(Number.MAX_SAFE_INTEGER);

/** Digits after the point that the currency has: 2 for USD, 0 for JPY, 3 for KWD. */
export function currencyDigits(currency: string): number {
  return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
}

/** Arabic-Indic (٠…٩), Persian (۰…۹) and full-width digits become 0…9. */
export function latinDigits(text: string): string {
  return text.replace(/[٠-٩۰-۹０-９]/g, (digit) => {
    const code = digit.charCodeAt(0);
    const zero = code >= 0xff10 ? 0xff10 : code >= 0x6f0 ? 0x6f0 : 0x660;
    return String(code - zero);
  });
}

/** Null when the text is no amount of this currency: letters, a sign, more decimals than it has, or too large. */
export function parseAmount(text: string, digits: number): number | null {
  const plain = latinDigits(text).replace(/[\s٬'’]/g, '').replace(/[٫，。．]/g, '.');
  const match = /^(\d*)(?:[.,](\d*))?$/.exec(dropThousands(plain, digits));
  if (!match || (match[1] === '' && !match[2])) return null;
  const fraction = (match[2] ?? '').replace(/0+$/, '');
  if (fraction.length > digits) return null;
  const minor = BigInt(`${match[1] || '0'}${fraction.padEnd(digits, '0')}`);
  return minor > minorMax ? null : Number(minor);
}

/** "1,234.50" and "1.234,50" have a mark for thousands; "1,234" has one only where it can be no decimal mark. */
function dropThousands(text: string, digits: number): string {
  const groupedThenDecimal = /^\d{1,3}(?:([.,])\d{3})+(?!\1)[.,]\d*$/.exec(text);
  if (groupedThenDecimal?.[1]) return text.replaceAll(groupedThenDecimal[1], '');
  const grouped = /^\d{1,3}(?:([.,])\d{3})+$/.exec(text);
  if (grouped?.[1] && (digits < 3 || text.split(grouped[1]).length > 2)) return text.replaceAll(grouped[1], '');
  return text;
}

/** What stands in the field for an amount: "68.00", "1200", "1.500". */
export function amountText(amountMinor: number, digits: number): string {
  return minorToDecimal(amountMinor, digits);
}

/** A count of pieces; null when the text is none between 0 and `max`. */
export function parseCount(text: string, max: number): number | null {
  const plain = latinDigits(text).replace(/[\s,٬.]/g, '');
  if (!/^\d{1,9}$/.test(plain)) return null;
  const count = Number(plain);
  return count > max ? null : count;
}
