/** A show's minutes as a file for spreadsheet programs: RFC 4180, UTF-8 with a byte order mark. Pure. */
import type { FigureCounts, FigureMinute, ShowMinutes } from '@nacre/contract/analytics';
import { stringify } from 'csv-stringify/sync';
import { MINUTE_MS } from './minutes.ts';

/**
 * One line per minute with what was on screen, and a line each for what came before and after when anything did. The
 * names in the head are for programs and do not change with the language; each says its unit.
 */
export function csvOf(figures: ShowMinutes): string {
  const { before, after, minutes } = figures;
  const lines = [
    ...(isEmpty(before) ? [] : [outside('before', before, figures.currency)]),
    ...minutes.map((minute) => lineOf(figures, minute)),
    ...(isEmpty(after) ? [] : [outside('after', after, figures.currency)]),
  ];
  return stringify(lines, {
    bom: true,
    header: true,
    columns: columnsOf(figures.currency),
    record_delimiter: 'windows',
    // A title that begins with `=` must not become a formula on the shop owner's machine.
    escape_formulas: true,
  });
}

type Line = Array<string | number>;

function columnsOf(currency: string): string[] {
  return [
    'minute', 'starts_at_utc', 'viewers_at_end', 'viewers_peak', 'viewers_different', 'viewers_new',
    ...COUNTS.map(([, name]) => name), `sales_${currency.toLowerCase()}`, 'on_screen_numbers', 'on_screen_titles',
  ];
}

const COUNTS = [
  ['watchedSeconds', 'watched_seconds'], ['chats', 'chat_messages'], ['explains', 'explain_requests'],
  ['likes', 'likes'], ['followers', 'new_followers'], ['cardsOpened', 'cards_opened'],
  ['sheetsOpened', 'buy_sheets_opened'], ['placed', 'orders_placed'], ['paid', 'orders_paid'],
] as const satisfies ReadonlyArray<readonly [keyof FigureCounts, string]>;

function isEmpty(counts: FigureCounts): boolean {
  return Object.values(counts).every((count) => count === 0);
}

function outside(name: 'before' | 'after', counts: FigureCounts, currency: string): Line {
  return [name, '', '', '', '', '', ...countsOf(counts, currency), '', ''];
}

function lineOf(figures: ShowMinutes, row: FigureMinute): Line {
  const startMs = Date.parse(figures.wentLiveAt ?? '') + row.minute * MINUTE_MS;
  const goods = onScreenIn(figures, row.minute);
  return [
    row.minute, new Date(startMs).toISOString(), row.viewers, row.peakViewers, row.differentViewers, row.newViewers,
    ...countsOf(row, figures.currency),
    goods.map(({ number }) => number).join('; '),
    goods.map(({ title }) => title ?? '').join('; '),
  ];
}

function countsOf(counts: FigureCounts, currency: string): Line {
  return [...COUNTS.map(([key]) => counts[key]), majorOf(counts.salesMinor, currency)];
}

/** Each product once, in the order in which it came on screen. */
function onScreenIn({ screens, products }: ShowMinutes, minute: number): ShowMinutes['products'] {
  const ids = new Set(screens
    .filter(({ fromSeconds, toSeconds }) => fromSeconds < (minute + 1) * 60 && (toSeconds ?? Infinity) > minute * 60)
    .map(({ productId }) => productId));
  return [...ids].flatMap((id) => products.find(({ productId }) => productId === id) ?? []);
}

/** Exact, with a point: `129.00`. */
function majorOf(amountMinor: number, currency: string): string {
  const { maximumFractionDigits: digits = 2 } = new Intl.NumberFormat('en', { style: 'currency', currency })
    .resolvedOptions();
  if (digits === 0) return String(amountMinor);
  const text = String(amountMinor).padStart(digits + 1, '0');
  return `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}
