import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Device } from '@nacre/contract/accounts';
import {
  PASSWORD, createTestApi, sessionCookieOf, type SignedInPerson, type TestApi,
} from '../../../tests/support/api.ts';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';

const PHONE = 'Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36';
const SIGN_IN = '/api/auth/sign-in/email';
const DEVICES = '/api/me/devices';

describe('devices', () => {
  let database: TestDatabase;
  let api: TestApi;

  before(async () => {
    database = await createTestDatabase(import.meta.url);
    api = await createTestApi({ url: database.serverUrl });
  });
  after(async () => {
    await api.stop();
    await database.drop();
  });

  const isIn = async (cookie: string | undefined) => (await api.ask('/api/me', { cookie })).json['person'] !== null;
  const devicesOf = async (cookie: string | undefined) =>
    (await api.ask(DEVICES, { cookie })).json['items'] as Device[];
  const signIn = async ({ email }: SignedInPerson, userAgent: string) => sessionCookieOf(
    await api.ask(SIGN_IN, { body: { email, password: PASSWORD }, headers: { 'user-agent': userAgent } }));

  it('[A40] the list has this device first, each in known names, and nobody else\'s', async () => {
    const [mei, other] = [await api.newPerson(), await api.newPerson()];
    const phone = await signIn(mei, PHONE);
    await signIn(mei, '<script>alert(1)</script>');
    await signIn(other, PHONE);
    const devices = await devicesOf(phone);
    assert.equal(devices.length, 3);
    assert.deepEqual(devices.map(({ isThis }) => isThis), [true, false, false]);
    assert.deepEqual([devices[0]?.browser, devices[0]?.system], ['Chrome', 'Android']);
    assert.ok(!JSON.stringify(devices).includes('script'));
    assert.deepEqual((await api.ask(DEVICES)).json['code'], 'accounts.sign_in_first');
  });

  it('[A40] when one was last seen is known to within five minutes, and not written for every request', async () => {
    const mei = await api.newPerson();
    const phone = await signIn(mei, PHONE);
    const seenAt = async () => Date.parse((await devicesOf(mei.cookie))[1]?.lastSeenAt ?? '');
    const first = await seenAt();
    api.clock.advance(4 * 60_000);
    await isIn(phone);
    assert.equal(await seenAt(), first);
    api.clock.advance(2 * 60_000);
    await isIn(phone);
    const later = await seenAt();
    assert.ok(later - first >= 6 * 60_000 && later - first < 7 * 60_000, `${later - first} ms`);
    assert.equal((await devicesOf(phone)).length, 2);
  });

  it('[A40] a session that is over is not in the list', async () => {
    const mei = await api.newPerson();
    await signIn(mei, PHONE);
    const [, phone] = await devicesOf(mei.cookie);
    await api.platform.database.db.updateTable('session').set({ expires_at: new Date(Date.now() - 1000) })
      .where('id', '=', phone?.id ?? '').execute();
    assert.equal((await devicesOf(mei.cookie)).length, 1);
  });

  it('[A41] one device is signed out at once, and only it', async () => {
    const mei = await api.newPerson();
    const [phone, tablet] = [await signIn(mei, PHONE), await signIn(mei, PHONE)];
    assert.deepEqual([await isIn(phone), await isIn(tablet)], [true, true]);
    const id = (await devicesOf(phone))[0]?.id;
    const heard: unknown[] = [];
    const end = api.platform.bus.subscribe('accounts.signed-out', (message) => void heard.push(message));
    assert.equal((await api.ask(`${DEVICES}/${id}`, { method: 'DELETE', cookie: mei.cookie })).status, 204);
    end();
    assert.deepEqual([await isIn(phone), await isIn(tablet), await isIn(mei.cookie)], [false, true, true]);
    assert.deepEqual(heard, [{ personId: mei.id, sessionId: id }]);
    assert.equal((await api.ask(`${DEVICES}/${id}`, { method: 'DELETE', cookie: mei.cookie })).status, 404);
  });

  it('[A41] somebody else\'s device is not found and stays signed in', async () => {
    const [mei, other] = [await api.newPerson(), await api.newPerson()];
    const id = (await devicesOf(other.cookie))[0]?.id;
    const answer = await api.ask(`${DEVICES}/${id}`, { method: 'DELETE', cookie: mei.cookie });
    assert.equal(answer.json['code'], 'request.not_found');
    assert.equal(await isIn(other.cookie), true);
    assert.equal((await api.ask(`${DEVICES}/${id}`, { method: 'DELETE' })).status, 401);
  });

  it('[A41] all others are signed out at once; this one and other people stay', async () => {
    const [mei, other] = [await api.newPerson(), await api.newPerson()];
    const [phone, tablet] = [await signIn(mei, PHONE), await signIn(mei, PHONE)];
    assert.deepEqual([await isIn(phone), await isIn(tablet)], [true, true]);
    assert.equal((await api.ask('/api/auth/revoke-other-sessions', { method: 'POST', cookie: phone })).status, 204);
    assert.deepEqual([await isIn(phone), await isIn(tablet), await isIn(mei.cookie), await isIn(other.cookie)],
      [true, false, false, true]);
    assert.equal((await api.ask('/api/auth/revoke-other-sessions', { method: 'POST' })).status, 401);
  });
});
