/** An address in one line. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressLine, addressWithName } from './address.ts';

const address = {
  name: 'Ana', phone: '1', line1: '18 Calle', line2: ' ', city: 'Sevilla', region: '', postalCode: '41001',
};

test('[W232] an address in one line has no empty parts, and the comma of its own script', () => {
  assert.equal(addressLine({ ...address, country: 'ES' }), '18 Calle, Sevilla, 41001');
  assert.equal(addressWithName({ ...address, country: 'ES' }), 'Ana, 18 Calle, Sevilla, 41001');
  const amman = { ...address, name: 'نور', line1: 'شارع الرينبو 18', city: 'عمّان', postalCode: '', country: 'JO' };
  assert.equal(addressWithName(amman), 'نور، شارع الرينبو 18، عمّان');
  const lanzhou = { ...address, name: '林小雨', line1: '南滨河路 18 号', city: '兰州', region: '甘肃', country: 'CN' };
  assert.equal(addressWithName(lanzhou), '林小雨，南滨河路 18 号，兰州，甘肃，41001');
});
