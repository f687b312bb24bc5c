import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEconomy } from '../broadcast/economy.ts';
import { nameDevices } from './device-names.ts';
import { helpFor, outsideUrl } from './permission-help.ts';

const iphone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)';
const android = 'Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 (KHTML, like Gecko)';
const mac = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)';

for (const [browser, userAgent, touchPoints] of [
  ['safari_ios', `${iphone} Version/18.1 Mobile/15E148 Safari/604.1`, 5],
  ['safari_ios', `${mac} Version/18.1 Safari/605.1.15`, 5],
  ['safari', `${mac} Version/18.1 Safari/605.1.15`, 0],
  ['chrome_ios', `${iphone} CriOS/131.0 Mobile/15E148 Safari/604.1`, 5],
  ['chrome_android', `${android} Chrome/131.0.0.0 Mobile Safari/537.36`, 5],
  ['samsung', `${android} SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36`, 5],
  ['firefox_android', 'Mozilla/5.0 (Android 14; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0', 5],
  ['firefox', 'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0', 0],
  ['chrome', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36', 0],
  ['in_app', `${iphone} Mobile/15E148 MicroMessenger/8.0.54(0x18003637) NetType/WIFI`, 5],
  ['in_app', `${iphone} Mobile/15E148 Instagram 354.0.0.29.90`, 5],
  ['in_app', `${android} Version/4.0 Chrome/131.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/489.0;]`, 5],
  ['in_app', 'Mozilla/5.0 (Linux; Android 14; K; wv) AppleWebKit/537.36 Version/4.0 Chrome/131.0 Mobile', 5],
  ['other', '', 0],
] as const) {
  test(`[S68] ${userAgent.slice(-42)} is told what to tap in ${browser}`, () => {
    assert.equal(helpFor(userAgent, touchPoints), browser);
  });
}

test('[S68] the way out of another app keeps the page, and is offered only where it works', () => {
  const page = 'https://shop.example/studio/1?from=wx';
  assert.equal(outsideUrl(page, android), 'intent://shop.example/studio/1?from=wx#Intent;scheme=https;end');
  assert.equal(outsideUrl(page, iphone), 'x-safari-https://shop.example/studio/1?from=wx');
  assert.equal(outsideUrl(page, mac), null);
  assert.equal(outsideUrl('http://localhost:8080/', android), null);
});

test('[S71] cameras are called as people call them, and counted where several are alike', () => {
  const named = nameDevices([
    { id: '1', label: 'camera2 1, facing front' }, { id: '2', label: 'camera2 0, facing back' },
    { id: '3', label: 'camera2 2, facing back' }, { id: '4', label: 'HD Webcam (046d:0825)' }, { id: '5', label: '' },
  ]);
  assert.deepEqual(named.map(({ kind, number, label }) => [kind, number, kind === 'other' ? label : '']), [
    ['front', null, ''], ['back', 1, ''], ['back', 2, ''], ['other', null, 'HD Webcam'], ['other', null, ''],
  ]);
});

test('[S69] a hot phone makes fewer pictures, a hotter one fewer yet, and a cooled one all again', () => {
  const { step } = createEconomy();
  const at = (seconds: number, limitedByCpu: boolean) => step({ nowMs: seconds * 1_000, limitedByCpu, battery: null });
  assert.deepEqual(at(0, true), { frameRate: 30, saving: null });
  assert.equal(at(4, true).frameRate, 30, 'a moment is no heat');
  assert.deepEqual(at(5, true), { frameRate: 20, saving: 'heat' });
  assert.equal(at(19, true).frameRate, 20);
  assert.equal(at(20, true).frameRate, 12);
  assert.equal(at(21, false).frameRate, 12);
  assert.equal(at(80, false).frameRate, 12);
  assert.equal(at(81, false).frameRate, 20);
  assert.deepEqual(at(141, false), { frameRate: 30, saving: null });
});

test('[S69] a battery that runs out makes fewer pictures and says so; one on the charger does not', () => {
  const { step } = createEconomy();
  const at = (level: number, charging = false) => step({ nowMs: 0, limitedByCpu: false, battery: { level, charging } });
  assert.deepEqual(at(0.21), { frameRate: 30, saving: null });
  assert.deepEqual(at(0.2), { frameRate: 20, saving: 'battery' });
  assert.deepEqual(at(0.1), { frameRate: 12, saving: 'battery' });
  assert.deepEqual(at(0.1, true), { frameRate: 30, saving: null });
});
