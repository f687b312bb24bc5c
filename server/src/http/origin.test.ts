/** Where addresses that leave the server lead. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { originOf } from './origin.ts';

test('[W60] addresses lead to the public URL, else to the host that was asked, and never to what is no host', () => {
  assert.equal(originOf({ protocol: 'http', host: 'inside:3000' }, 'https://live.example.org'), 'https://live.example.org');
  assert.equal(originOf({ protocol: 'https', host: 'Live.example.org' }, null), 'https://live.example.org');
  assert.equal(originOf({ protocol: 'http', host: '[::1]:3000' }, null), 'http://[::1]:3000');
  for (const host of ['', 'a b', 'a"<b>', 'good.example/evil', 'user@evil.example', 'a:b:c']) {
    assert.equal(originOf({ protocol: 'http', host }, null), 'http://localhost', host);
  }
});
