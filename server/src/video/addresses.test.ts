import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressesToOffer } from './addresses.ts';

const own = ['192.168.1.7', 'fd00::7'];
const offered = (host: string, publicAddresses: string[] = [], isPublic = false) => (
  addressesToOffer(host, { isPublic, publicAddresses, ownAddresses: own })
);

test('[V40] who listens on this machine alone offers loopback, who listens everywhere all of the machine’s', () => {
  assert.deepEqual(offered('localhost'), ['127.0.0.1']);
  assert.deepEqual(offered('192.168.1.7'), ['192.168.1.7']);
  assert.deepEqual(offered('0.0.0.0'), [...own, '127.0.0.1']);
  assert.deepEqual(offered('::'), [...own, '127.0.0.1']);
});

test('[V40] behind a proxy on this machine, publishers come by the machine’s addresses', () => {
  assert.deepEqual(offered('localhost', [], true), [...own, '127.0.0.1']);
  assert.deepEqual(offered('127.0.0.1', ['203.0.113.7'], true), ['203.0.113.7', ...own, '127.0.0.1']);
});

test('[V40] public addresses come first, and once', () => {
  assert.deepEqual(offered('localhost', ['203.0.113.7']), ['203.0.113.7', '127.0.0.1']);
  assert.deepEqual(offered('::', ['203.0.113.7', 'fd00::7']), ['203.0.113.7', 'fd00::7', '192.168.1.7', '127.0.0.1']);
});
