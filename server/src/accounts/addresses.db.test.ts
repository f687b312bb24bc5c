import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Address, SavedAddress } from '@nacre/contract/accounts';
import { createTestApi, type TestApi } from '../../../tests/support/api.ts';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { ADDRESSES_MAX } from './accounts.ts';

const PATH = '/api/me/addresses';

function address(line1: string): Address {
  return {
    name: 'Mei Lin', phone: '+86 10 1234 5678', line1, line2: '', city: 'Lanzhou', region: 'Gansu',
    postalCode: '730000', country: 'CN',
  };
}

describe('address book', () => {
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

  const listOf = async (cookie: string) => (await api.ask(PATH, { cookie })).json['items'] as SavedAddress[];

  it('[A12] an address is kept once, newest first, and can be forgotten', async () => {
    const { cookie } = await api.newPerson();
    const first = await api.ask(PATH, { body: address('1 Road'), cookie });
    assert.equal(first.status, 201);
    await api.ask(PATH, { body: address('2 Road'), cookie });
    const again = await api.ask(PATH, { body: address('1 Road'), cookie });
    assert.deepEqual(again.json, first.json);
    assert.deepEqual((await listOf(cookie)).map((saved) => saved.address.line1), ['2 Road', '1 Road']);
    const id = String(first.json['id']);
    assert.equal((await api.ask(`${PATH}/${id}`, { method: 'DELETE', cookie })).status, 204);
    assert.equal((await api.ask(`${PATH}/${id}`, { method: 'DELETE', cookie })).status, 404);
    assert.equal((await listOf(cookie)).length, 1);
  });

  it('[A12] it holds 20 addresses, also when they are added at once', async () => {
    const { cookie } = await api.newPerson();
    const answers = await Promise.all(Array.from({ length: ADDRESSES_MAX + 5 }, (_, n) =>
      api.ask(PATH, { body: address(`${n} Road`), cookie })));
    assert.equal(answers.filter(({ status }) => status === 201).length, ADDRESSES_MAX);
    assert.ok(answers.every(({ status, json }) => status === 201 || json['code'] === 'accounts.too_many_addresses'));
    assert.equal((await listOf(cookie)).length, ADDRESSES_MAX);
  });

  it('[A12] it is its owner\'s alone', async () => {
    const [mei, lin] = [await api.newPerson(), await api.newPerson()];
    const saved = await api.ask(PATH, { body: address('1 Road'), cookie: mei.cookie });
    const theft = await api.ask(`${PATH}/${String(saved.json['id'])}`, { method: 'DELETE', cookie: lin.cookie });
    assert.equal(theft.status, 404);
    assert.deepEqual(await listOf(lin.cookie), []);
    assert.equal((await listOf(mei.cookie)).length, 1);
  });

  it('[A12] what is no address is refused', async () => {
    const { cookie } = await api.newPerson();
    const bad: unknown[] = [
      {}, { ...address('x'), country: 'China' }, { ...address('x'), phone: 'call me' }, { ...address('x'), name: ' ' },
      { ...address('x'), line1: 'x'.repeat(121) }, { ...address('x'), more: 1 }, { ...address('nul \u0000') },
      'text', [],
    ];
    for (const body of bad) {
      const answer = await api.ask(PATH, { body, cookie });
      assert.equal(answer.status, 400, JSON.stringify(body));
      assert.equal(answer.json['code'], 'request.invalid');
    }
    assert.equal((await api.ask(`${PATH}/urn:uuid:${'0'.repeat(8)}`, { method: 'DELETE', cookie })).status, 400);
  });
});
