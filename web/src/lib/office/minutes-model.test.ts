import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FigureMinute, ShowMinutes } from '@nacre/contract/analytics';
import { bandsOf, nextFrom, onScreenIn, renewed, startOf } from './minutes-model.ts';

const row = (minute: number, viewers = 0) => ({ minute, viewers }) as FigureMinute;
const figures = (from: number, minutes: FigureMinute[], more: Partial<ShowMinutes> = {}) =>
  ({
    showId: 's', from, minutes, screens: [], products: [], wentLiveAt: '2026-03-28T23:59:30Z', ...more,
  }) as unknown as ShowMinutes;

test('[W91] what comes renews the minutes that it has and keeps those before', () => {
  const known = renewed(null, figures(0, [row(0, 1), row(1, 2), row(2, 3)]));
  assert.equal(nextFrom(known), 1);
  const next = renewed(known, figures(1, [row(1, 5), row(2, 6), row(3, 7)]));
  assert.deepEqual(next.minutes.map(({ viewers }) => viewers), [1, 5, 6, 7]);
  assert.equal(next.from, 0);
  assert.equal(nextFrom(null), 0);
  const other = figures(4, [row(4, 9)]);
  assert.equal(renewed(known, { ...other, showId: 't' }).from, 4, 'another show is nothing to be joined to');
  assert.equal(renewed(known, other).from, 4, 'nor is a gap filled with nothing');
});

test('[W92] bands lie where the product was on screen, the last up to now', () => {
  const more = {
    products: [{ productId: 'a', number: 1 }, { productId: 'b', number: 2 }] as ShowMinutes['products'],
    screens: [
      { productId: 'a', fromSeconds: 30, toSeconds: 60 }, { productId: 'gone', fromSeconds: 60, toSeconds: 70 },
      { productId: 'b', fromSeconds: 90, toSeconds: null }, { productId: 'b', fromSeconds: 500, toSeconds: null },
    ],
  };
  const shown = figures(0, [row(0), row(1)], more);
  const bands = bandsOf(shown).map(({ product, start, width }) => [product.number, start, width]);
  assert.deepEqual(bands, [[1, 0.25, 0.25], [2, 0.75, 0.25]]);
  assert.deepEqual(onScreenIn(shown.screens, 0), ['a']);
  assert.deepEqual(onScreenIn(shown.screens, 1), ['gone', 'b']);
  assert.equal(startOf(shown, 1).toISOString(), '2026-03-29T00:00:30.000Z');
  assert.deepEqual(bandsOf(figures(0, [], more)), []);
});
