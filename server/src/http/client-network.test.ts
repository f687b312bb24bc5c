import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkOf } from './client-network.ts';

test('[H18] the addresses of one IPv6 network count as one, those of IPv4 each', () => {
  assert.equal(networkOf('2001:db8:1:2::5'), networkOf('2001:db8:1:2:ffff:1:2:3'));
  assert.notEqual(networkOf('2001:db8:1:2::5'), networkOf('2001:db8:1:3::5'));
  assert.notEqual(networkOf('192.0.2.1'), networkOf('192.0.2.2'));
  assert.equal(networkOf('::ffff:192.0.2.1'), '192.0.2.1');
  assert.equal(networkOf('192.0.2.1:50123'), '192.0.2.1');
  assert.equal(networkOf('[2001:db8:1:2::5]:50123'), networkOf('2001:db8:1:2::5'));
});
