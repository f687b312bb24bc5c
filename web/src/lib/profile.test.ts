/** Whose language the page takes. Pure: the page's own language is played here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Person } from '@nacre/contract/accounts';
import type { Locale } from './i18n/locales.ts';
import { followProfile, ownProfile } from './profile.ts';

const mei: Person = {
  id: '1', name: 'Mei', email: 'mei@example.test', phone: null, locale: 'ar', timeZone: 'Asia/Riyadh',
  isOperator: false,
  isDemo: false,
};

test('[W31] the page follows the profile; a guest’s and a demo account’s is left alone', async () => {
  const changes: Locale[] = [];
  const page = (locale: Locale) => ({ locale, change: async (next: Locale) => void changes.push(next) });
  await followProfile(page('en'), mei);
  assert.deepEqual(changes, ['ar']);
  await followProfile(page('ar'), mei);
  await followProfile(page('en'), null);
  await followProfile(page('en'), { ...mei, isDemo: true });
  assert.deepEqual(changes, ['ar']);
  assert.deepEqual([ownProfile(mei), ownProfile(null), ownProfile({ ...mei, isDemo: true })], [mei, null, null]);
});
