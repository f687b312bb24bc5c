import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ShowMinutes } from '@nacre/contract/analytics';
import { csvOf } from './csv.ts';
import { noCounts } from './minutes.ts';

const id = (number: number) => `00000000-0000-4000-8000-00000000000${number}`;
const product = (number: number, title: string | null) => ({
  productId: id(number), number, title, image: null, cardsOpened: 0, sheetsOpened: 0, placed: 0, paid: 0, salesMinor: 0,
  refundedMinor: 0,
});
const minute = (at: number) => (
  { minute: at, viewers: 1, peakViewers: 2, differentViewers: 2, newViewers: 1, ...noCounts() }
);
const figures = (changes: Partial<ShowMinutes> = {}): ShowMinutes => ({
  showId: id(9), title: 'Evening', state: 'ended', wentLiveAt: '2026-03-28T23:59:30.000Z', endedAt: null,
  currency: 'CNY', from: 0, minutes: [minute(0), { ...minute(1), paid: 1, salesMinor: 12_905 }],
  before: noCounts(), after: noCounts(),
  totals: {
    ...noCounts(), viewers: 0, peakViewers: 2, differentViewers: 2, medianWatchedSeconds: 3, meanWatchedSeconds: 3,
  },
  screens: [], products: [], sources: [], countries: [], ...changes,
});
const linesOf = (text: string) => text.split('\r\n');

test('[AN15] the file is UTF-8 with a byte order mark, lines end in CRLF, the head says the units', () => {
  const text = csvOf(figures());
  assert.equal(text.charCodeAt(0), 0xfeff);
  assert.equal(linesOf(text)[0]?.slice(1), 'minute,starts_at_utc,viewers_at_end,viewers_peak,viewers_different,'
    + 'viewers_new,watched_seconds,chat_messages,explain_requests,likes,new_followers,cards_opened,buy_sheets_opened,'
    + 'orders_placed,orders_paid,sales_cny,refunded_cny,on_screen_numbers,on_screen_titles');
  assert.equal(linesOf(text)[2], '1,2026-03-29T00:00:30.000Z,1,2,2,1,0,0,0,0,0,0,0,0,1,129.05,0.00,,');
  assert.equal(linesOf(text).length, 4, 'two minutes, the head, and an end of line');
});

test('[AN15] money is exact in the currency’s own digits', () => {
  const sales = (currency: string, salesMinor: number) => (
    linesOf(csvOf(figures({ currency, minutes: [{ ...minute(0), salesMinor }] })))[1]?.split(',')[15]
  );
  assert.equal(sales('CNY', 5), '0.05');
  assert.equal(sales('JPY', 1_500), '1500');
  assert.equal(sales('KWD', 1_234), '1.234');
  assert.equal(sales('CNY', Number.MAX_SAFE_INTEGER), '90071992547409.91');
});

test('[AN16] quotes and commas of people are quoted, formulas are text', () => {
  const screens = [
    { productId: id(1), fromSeconds: 0, toSeconds: 10 }, { productId: id(2), fromSeconds: 60, toSeconds: null },
  ];
  const text = csvOf(figures({
    screens, products: [product(1, '=HYPERLINK("http://x.example","发财")'), product(2, 'Silk, "long"')],
  }));
  assert.ok(linesOf(text)[1]?.endsWith(`1,"'=HYPERLINK(""http://x.example"",""发财"")"`), linesOf(text)[1]);
  assert.ok(linesOf(text)[2]?.endsWith('2,"Silk, ""long"""'), linesOf(text)[2]);
  for (const sign of ['+', '-', '@', '\t', '\r']) {
    const line = csvOf(figures({ screens, products: [product(1, `${sign}1+1`)] }));
    assert.match(line, new RegExp(`['"]'\\${sign}|,'\\${sign}`), JSON.stringify(sign));
  }
});

test('[AN15] what came before and after the show has a line of its own when there is any', () => {
  const text = csvOf(figures({ after: { ...noCounts(), paid: 2, salesMinor: 100 } }));
  const last = linesOf(text).at(-2);
  assert.equal(last, 'after,,,,,,0,0,0,0,0,0,0,0,2,1.00,0.00,,');
});

test('[AN15] a product twice on screen in a minute is named once', () => {
  const screens = [
    { productId: id(1), fromSeconds: 0, toSeconds: 10 }, { productId: id(2), fromSeconds: 10, toSeconds: 20 },
    { productId: id(1), fromSeconds: 20, toSeconds: 60 },
  ];
  const text = csvOf(figures({ screens, products: [product(1, 'A'), product(2, 'B')] }));
  assert.ok(linesOf(text)[1]?.endsWith(',1; 2,A; B'));
  assert.ok(linesOf(text)[2]?.endsWith(',,'), 'off at the minute’s end is not on in the next');
});
