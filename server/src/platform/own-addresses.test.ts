import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { test } from 'node:test';
import { everyAddress, lastingAddresses, ownAddresses } from './own-addresses.ts';

function entry(address: string, internal = false): NetworkInterfaceInfo {
  const rest = { netmask: '', mac: '', internal, cidr: null };
  if (address.includes(':')) return { ...rest, address, family: 'IPv6', scopeid: 0 };
  return { ...rest, address, family: 'IPv4' };
}

const laptop = {
  lo: [entry('127.0.0.1', true), entry('::1', true)],
  docker0: [entry('172.17.0.1')],
  wlan0: [entry('2001:db8::7'), entry('192.0.2.7'), entry('fe80::1'), entry('169.254.3.4')],
};

test('[P83] the address that a phone most likely reaches comes first; what it cannot reach is left out', () => {
  assert.deepEqual(ownAddresses(laptop), ['192.0.2.7', '172.17.0.1', '2001:db8::7']);
  assert.deepEqual(lastingAddresses(laptop), ['192.0.2.7']);
});

test('[P83] without IPv6 only IPv4 is listened on', () => {
  assert.equal(everyAddress(laptop), '::');
  assert.equal(everyAddress({ lo: [entry('127.0.0.1', true)], eth0: [entry('192.0.2.7')] }), '0.0.0.0');
});
