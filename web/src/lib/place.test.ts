import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hoursRows, mapUrl, placeLines } from './place.ts';

const address = {
  phone: '', line1: 'Zhangye Road 1', line2: ' ', city: 'Lanzhou', region: 'Gansu', postalCode: '730000',
  country: 'CN',
};
const day = { opens: '10:00', closes: '19:30' };

test('[W110] an address has no empty lines and its country by name', () => {
  assert.deepEqual(placeLines(address, 'en-GB'), ['Zhangye Road 1', '730000 Lanzhou Gansu', 'China']);
  const query = new URL(mapUrl({ ...address, line1: 'A & B / 1' })).searchParams.get('query');
  assert.equal(query, 'A & B / 1, 730000, Lanzhou, Gansu, CN');
});

test('[W110] days with the same hours stand together, and a closed day says nothing of hours', () => {
  const late = { opens: '18:00', closes: '02:00' };
  assert.deepEqual(hoursRows([day, day, day, day, day, late, null], 'en-GB'), [
    { days: 'Mon – Fri', times: '10:00 – 19:30' },
    { days: 'Sat', times: '18:00 – 02:00' },
    { days: 'Sun', times: null },
  ]);
  const closed = Array.from({ length: 7 }, () => null);
  assert.deepEqual(hoursRows(closed, 'en-GB'), [{ days: 'Mon – Sun', times: null }]);
});
