import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isPublicAddress, isPushEndpoint } from './endpoint.ts';

it('[N12] addresses of push services are taken', () => {
  for (const endpoint of [
    'https://fcm.googleapis.com/fcm/send/abc:def', 'https://updates.push.services.mozilla.com/wpush/v2/gAAA',
    'https://web.push.apple.com/QA', 'https://wns2-par02p.notify.windows.com/w/?token=x',
  ]) assert.ok(isPushEndpoint(endpoint), endpoint);
});

it('[N12] what leads to machines of the house is not', () => {
  for (const endpoint of [
    'http://fcm.googleapis.com/x', 'https://127.0.0.1/x', 'https://[::1]/x', 'https://2130706433/x', 'https://0x7f.1/x',
    'https://localhost/x', 'https://db/x', 'https://nas.local/x', 'https://vault.internal/x', 'https://router.lan/x',
    'https://push.example.org:6379/x', 'https://a:b@push.example.org/x', 'https://169.254.169.254/latest', 'file:///etc',
    'javascript:1', '', 'https://10.0.0.1.', 'https://foo.localhost/x',
  ]) assert.ok(!isPushEndpoint(endpoint), endpoint);
});

it('[N12] a name that leads to an address of the house is found out', () => {
  for (const address of [
    '127.0.0.1', '10.1.2.3', '172.16.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0', '::1', 'fe80::1',
    'fd00::1', '::ffff:127.0.0.1', '::ffff:10.0.0.1', '64:ff9b::a00:1', '2002:a00:1::', '2001:db8::1', 'ff02::1', 'x',
  ]) assert.ok(!isPublicAddress(address), address);
  for (const address of ['142.250.74.10', '17.188.143.1', '2a00:1450:4001:81c::200a', '2606:4700::1111']) {
    assert.ok(isPublicAddress(address), address);
  }
});
