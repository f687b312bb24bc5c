import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceOf } from './source.ts';

const came = (changes: { before?: string; query?: string; referrer?: string }) =>
  sourceOf({
    before: changes.before ?? null,
    url: new URL(`https://live.example/shows/1${changes.query ?? ''}`),
    referrer: changes.referrer ?? '',
  });

test('[W90] a link that says what it is comes before the page that it stands on', () => {
  assert.deepEqual(came({ query: '?from=poster' }), { source: 'poster' });
  assert.deepEqual(came({ query: '?from=share', referrer: 'https://chat.example/a' }), { source: 'share' });
  // No page of ours makes such a link.
  assert.deepEqual(came({ query: '?from=direct', before: '/' }), { source: 'home' });
  assert.deepEqual(came({ query: '?from=<script>', before: '/shops/silk' }), { source: 'shop' });
});

test('[W90] pages of ours are told apart; of another website only its host', () => {
  assert.deepEqual(came({ before: '/' }), { source: 'home' });
  assert.deepEqual(came({ before: '/search' }), { source: 'search' });
  assert.deepEqual(came({ before: '/shops/silk/goods/7' }), { source: 'product' });
  assert.deepEqual(came({ before: '/orders' }), { source: 'here' });
  assert.deepEqual(came({ referrer: 'https://live.example/shops/silk' }), { source: 'shop' });
  const site = came({ referrer: 'https://Blog.Example:8443/secret?q=1' });
  assert.deepEqual(site, { source: 'other-site', host: 'blog.example' });
  assert.deepEqual(came({ referrer: 'http://[::1]/x' }), { source: 'other-site' });
  assert.deepEqual(came({ referrer: 'android-app://com.example/' }), { source: 'direct' });
  assert.deepEqual(came({}), { source: 'direct' });
});
