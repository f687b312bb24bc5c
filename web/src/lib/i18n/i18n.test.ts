/** Languages: which one is chosen, how money and time are written, that catalogues agree. Pure. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REFUSALS } from '@nacre/contract/refusals';
import { catalogueProblems, messageArguments, refusalProblems } from './catalogue.ts';
import { createFormat, minorToDecimal } from './format.ts';
import { chooseFormatLocale, chooseLocale, isTimeZone } from './locales.ts';

test('[W1] the person’s own choice comes before the browser’s, the browser’s before English', () => {
  assert.equal(chooseLocale('ar', 'zh-CN,en;q=0.8'), 'ar');
  assert.equal(chooseLocale(undefined, 'fr-FR, zh-CN;q=0.7, en;q=0.5'), 'zh');
  assert.equal(chooseLocale('xx', 'en;q=0.3, ar;q=0.9'), 'ar');
  assert.equal(chooseLocale(undefined, 'fr'), 'en');
  assert.equal(chooseLocale(undefined, null), 'en');
  assert.equal(chooseLocale(undefined, ',;q=,'.repeat(5000)), 'en');
});

test('[W2] digits follow the region that the browser names', () => {
  const emirates = createFormat(chooseFormatLocale('ar', 'ar-AE,ar;q=0.9'), 'UTC');
  const saudi = createFormat(chooseFormatLocale('ar', 'ar'), 'UTC');
  assert.equal(emirates.number(123), '123');
  assert.equal(saudi.number(123), '١٢٣');
  assert.match(saudi.date('2026-03-14T00:00:00Z'), /٢٠٢٦/, 'the Gregorian year, not the Hijri one');
});

test('[W3] money is exact in minor units, with cents only where they say something', () => {
  assert.equal(minorToDecimal(1050, 2), '10.50');
  assert.equal(minorToDecimal(5, 2), '0.05');
  assert.equal(minorToDecimal(-7, 3), '-0.007');
  assert.equal(minorToDecimal(9_007_199_254_740_993n, 2), '90071992547409.93');
  const english = createFormat('en-US', 'UTC');
  assert.equal(english.price({ amountMinor: 4900, currency: 'USD' }), '$49');
  assert.equal(english.price({ amountMinor: 4950, currency: 'USD' }), '$49.50');
  assert.equal(english.money({ amountMinor: 4900, currency: 'USD' }), '$49.00');
  assert.equal(english.money({ amountMinor: 4900, currency: 'JPY' }), '¥4,900');
});

test('[W4] viewers are exact up to 9,999, likes up to 999', () => {
  const english = createFormat('en-US', 'UTC');
  assert.equal(english.viewers(9_999), '9,999');
  assert.equal(english.viewers(48_200), '48.2K');
  assert.equal(english.likes(999), '999');
  assert.equal(english.likes(3_420), '3.4K');
});

test('[W5] time is relative within an hour, then the clock, then the date', () => {
  const english = createFormat('en-US', 'UTC');
  const nowMs = Date.parse('2026-11-23T12:00:00Z');
  assert.equal(english.ago('2026-11-23T11:56:00Z', nowMs), '4 min. ago');
  assert.equal(english.ago('2026-11-23T08:30:00Z', nowMs).replace(/\s/g, ' '), '8:30 AM');
  assert.equal(english.ago('2026-11-20T08:30:00Z', nowMs), 'Nov 20, 2026');
  assert.equal(english.agoShort('2026-11-23T11:56:00Z', nowMs), '4 min. ago');
  assert.equal(english.agoShort('2026-11-20T08:30:00Z', nowMs), 'Nov 20');
  assert.equal(english.agoShort('2025-11-20T08:30:00Z', nowMs), 'Nov 20, 2025');
  assert.match(english.startsAt('2026-11-24T20:00:00Z', nowMs), /^Tomorrow · 8:00/);
  assert.equal(english.duration(2537), '42:17');
  assert.equal(english.duration(3723), '1:02:03');
});

test('[W66] on paper a time has its day and its zone, in the reader’s language', () => {
  const at = '2026-12-01T12:30:00Z';
  const plain = (text: string) => text.replaceAll(/\s/g, ' ');
  assert.equal(plain(createFormat('en-US', 'Asia/Shanghai').appointment(at)), 'Tuesday, December 1 at 8:30 PM GMT+8');
  assert.match(createFormat('zh-CN', 'Asia/Shanghai').appointment(at), /12月1日.*20:30/);
  assert.match(createFormat('ar-SA-u-ca-gregory', 'Asia/Riyadh').appointment(at), /ديسمبر/);
});

test('[W6] every language has every text, with the same arguments and all its plural forms', () => {
  assert.deepEqual(catalogueProblems(), []);
});

test('[W30] every refusal of the API has a text, and no text is without its refusal', () => {
  const codes = Object.keys(REFUSALS);
  assert.deepEqual(refusalProblems(codes), []);
  assert.equal(refusalProblems([...codes, 'shows.new_one']).length, 1);
  assert.equal(refusalProblems(codes.slice(1)).length, 1);
});

test('[W7] a message may hold arguments, plurals and choices only', () => {
  assert.deepEqual(messageArguments('{n, plural, one{# of {name}} other{#}}'), {
    n: { kind: 'plural' },
    name: { kind: 'text' },
  });
  assert.throws(() => messageArguments('{at, date}'), /not allowed/);
  assert.throws(() => messageArguments('{broken'));
});

test('[W8] a time zone from a cookie is believed only when it exists', () => {
  assert.equal(isTimeZone('Asia/Shanghai'), true);
  assert.equal(isTimeZone('Moon/Base'), false);
  assert.equal(isTimeZone('x'.repeat(1000)), false);
});
