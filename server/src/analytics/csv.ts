/** A show's minutes as a file for spreadsheet programs. Pure. */
import type { FigureCounts, FigureMinute, ShowMinutes } from '@nacre/contract/analytics';
import { csvText, majorOf, type CsvLine } from '../lib/csv.ts';
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
  return csvText(lines, columnsOf(figures.currency));
}

function columnsOf(currency: string): string[] {
  const money = currency.toLowerCase();
  return [
    'minute', 'starts_at_utc', 'viewers_at_end', 'viewers_peak', 'viewers_different', 'viewers_new',
    ...COUNTS.map(([, name]) => name), `sales_${money}`, `refunded_${money}`, 'on_screen_numbers', 'on_screen_titles',
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

function outside(name: 'before' | 'after', counts: FigureCounts, currency: string): CsvLine {
  return [name, '', '', '', '', '', ...countsOf(counts, currency), '', ''];
}

function lineOf(figures: ShowMinutes, row: FigureMinute): CsvLine {
  const startMs = Date.parse(figures.wentLiveAt ?? '') + row.minute * MINUTE_MS;
  const goods = onScreenIn(figures, row.minute);
  return [
    row.minute, new Date(startMs).toISOString(), row.viewers, row.peakViewers, row.differentViewers, row.newViewers,
    ...countsOf(row, figures.currency),
    goods.map(({ number }) => number).join('; '),
    goods.map(({ title }) => title ?? '').join('; '),
  ];
}

function countsOf(counts: FigureCounts, currency: string): CsvLine {
  return [...COUNTS.map(([key]) => counts[key]), majorOf(counts.salesMinor, currency),
    majorOf(counts.refundedMinor, currency)];
}

/** Each product once, in the order in which it came on screen. */
function onScreenIn({ screens, products }: ShowMinutes, minute: number): ShowMinutes['products'] {
  const ids = new Set(screens
    .filter(({ fromSeconds, toSeconds }) => fromSeconds < (minute + 1) * 60 && (toSeconds ?? Infinity) > minute * 60)
    .map(({ productId }) => productId));
  return [...ids].flatMap((id) => products.find(({ productId }) => productId === id) ?? []);
}
