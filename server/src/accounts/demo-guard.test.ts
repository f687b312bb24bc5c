import assert from 'node:assert/strict';
import { it } from 'node:test';
import { mayUseDemo } from './demo-guard.ts';

const host = 'localhost:3000';

it('[A10] only a direct request from this machine under its own name may use the demo', () => {
  for (const remoteAddress of ['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1']) {
    assert.equal(mayUseDemo(true, { headers: { host }, remoteAddress }), true, remoteAddress);
  }
  for (const remoteAddress of [undefined, '', '10.0.0.1', '::ffff:10.0.0.1', '::', '1127.0.0.1', '127.0.0.1.evil']) {
    assert.equal(mayUseDemo(true, { headers: { host }, remoteAddress }), false, String(remoteAddress));
  }
});

it('[A10] a request without a host name, or with one that only begins like ours, may not', () => {
  const remoteAddress = '127.0.0.1';
  for (const name of ['', 'localhost.', 'localhost:', 'xlocalhost', 'localhost:3000:1', '127.0.0.2', '[::1', '::1']) {
    assert.equal(mayUseDemo(true, { headers: { host: name }, remoteAddress }), false, name);
  }
  assert.equal(mayUseDemo(true, { headers: {}, remoteAddress }), false);
});

it('[A10] whatever a proxy adds closes the demo', () => {
  const names = ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded', 'forwarded', 'via', 'x-real-ip', 'cf-ray'];
  for (const name of names) {
    assert.equal(mayUseDemo(true, { headers: { host, [name]: '' }, remoteAddress: '127.0.0.1' }), false, name);
  }
  assert.equal(mayUseDemo(false, { headers: { host }, remoteAddress: '127.0.0.1' }), false);
});

it('[A10] a proxy that only shows by its old HTTP closes the demo', () => {
  const direct = { headers: { host }, remoteAddress: '127.0.0.1' };
  assert.equal(mayUseDemo(true, { ...direct, httpVersion: '1.1' }), true);
  assert.equal(mayUseDemo(true, { ...direct, httpVersion: '1.0' }), false);
});
