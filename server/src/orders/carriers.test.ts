import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trackingUrlOf } from './carriers.ts';

test('[O54] a carrier that is known leads to its page about the parcel, however its name is written', () => {
  for (const name of ['SF Express', 'sf-express', ' 顺丰速运 ', '顺丰']) {
    assert.equal(trackingUrlOf(name, 'SF 1234 5678'), 'https://www.kuaidi100.com/chaxun?com=shunfeng&nu=SF12345678');
  }
  assert.equal(trackingUrlOf('أرامكس', '42'), 'https://www.aramex.com/track/results?ShipmentNumber=42');
  assert.equal(trackingUrlOf('D.H.L.', '1/2?a=b'), 'https://www.dhl.com/global-en/home/tracking.html?tracking-id=1%2F2%3Fa%3Db');
  for (const name of ['My cousin’s van', '', '–', 'constructor']) assert.equal(trackingUrlOf(name, '1'), null);
});
