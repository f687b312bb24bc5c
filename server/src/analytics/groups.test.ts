import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countries } from './countries.ts';
import { countriesOf, sourcesOf } from './reading.ts';

test('[AN10] the country is the time zone’s; the language speaks where no zone does', async () => {
  const countryOf = await countries();
  assert.equal(countryOf('Asia/Shanghai', 'en-US'), 'CN');
  assert.equal(countryOf('Asia/Riyadh', undefined), 'SA');
  assert.equal(countryOf('Asia/Kolkata', undefined), countryOf('Asia/Calcutta', undefined));
  assert.equal(countryOf('UTC', 'ar-EG,ar'), 'EG');
  assert.equal(countryOf(undefined, 'zh-Hans-SG'), 'SG');
  assert.equal(countryOf('Mars/Base', 'xx-ZZ'), null);
  assert.equal(countryOf('x'.repeat(9_999), undefined), null);
});

test('[AN11] fewer than three of a country are not told apart', () => {
  assert.deepEqual(
    countriesOf([
      { country: 'CN', viewers: 9 }, { country: 'SA', viewers: 3 }, { country: 'DE', viewers: 2 },
      { country: null, viewers: 1 },
    ]),
    [{ country: 'CN', viewers: 9 }, { country: 'SA', viewers: 3 }, { country: null, viewers: 3 }],
  );
  assert.deepEqual(countriesOf([]), []);
});

test('[AN11] other websites: the ten with most, and no single viewer’s', () => {
  const many = Array.from({ length: 14 }, (_, index) => (
    { source: 'other-site' as const, host: `site-${index}.example`, viewers: 30 - index }
  ));
  const shown = sourcesOf([
    ...many, { source: 'other-site', host: 'one.example', viewers: 1 }, { source: 'home', host: null, viewers: 2 },
    { source: null, host: null, viewers: 4 },
  ]);
  assert.equal(shown.filter(({ host }) => host !== null).length, 10);
  const rest = shown.find(({ source, host }) => source === 'other-site' && host === null);
  assert.equal(rest?.viewers, 20 + 19 + 18 + 17 + 1);
  const home = shown.find(({ source }) => source === 'home');
  assert.equal(home?.viewers, 2, 'a way of our own is nobody’s secret');
  assert.ok(!shown.some(({ host }) => host === 'one.example'));
});
