import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Shop, ShopCreate, ShopPlace } from '@nacre/contract/shops';
import { createTestApi, unique, type TestApi } from '../../../tests/support/api.ts';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { rightsOf } from './rights.ts';
import { SHOPS_PER_PERSON } from './shops.ts';

describe('shops', () => {
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

  const body = (changes: Partial<ShopCreate> = {}): ShopCreate => ({
    name: 'Pearl House', slug: unique('pearl-house'), story: '', imageId: null, region: 'Hainan', category: 'jewellery',
    currency: 'CNY', ...changes,
  });

  it('[SP1] whoever is signed in opens a shop and is its owner', async () => {
    const { cookie } = await api.newPerson();
    const answer = await api.ask('/api/shops', { body: body({ name: '  Pearl House ' }), cookie });
    assert.equal(answer.status, 201);
    const shop = answer.json as unknown as Shop;
    assert.equal(shop.name, 'Pearl House');
    assert.equal(shop.isDemo, false);
    const me = await api.ask('/api/me', { cookie });
    const ref = { id: shop.id, slug: shop.slug, name: 'Pearl House', image: null };
    assert.deepEqual(me.json['shops'], [{ ...ref, role: 'owner', rights: rightsOf('owner') }]);
    assert.equal((await api.ask('/api/shops', { body: body() })).json['code'], 'accounts.sign_in_first');
  });

  it('[SP2] a slug belongs to one shop', async () => {
    const [mei, lin] = [await api.newPerson(), await api.newPerson()];
    const shop = await api.newShop(mei.cookie);
    const taken = await api.ask('/api/shops', { body: body({ slug: shop.slug }), cookie: lin.cookie });
    assert.equal(taken.status, 409);
    assert.equal(taken.json['code'], 'shops.slug_taken');
    assert.deepEqual(taken.json['details'], { slug: shop.slug });
    const other = await api.newShop(lin.cookie);
    const path = `/api/office/shops/${other.id}`;
    const patched = await api.ask(path, { method: 'PATCH', body: { slug: shop.slug }, cookie: lin.cookie });
    assert.equal(patched.json['code'], 'shops.slug_taken');
    const same = await api.ask(path, { method: 'PATCH', body: { slug: other.slug }, cookie: lin.cookie });
    assert.equal(same.status, 200);
  });

  it('[SP2] of ten who want a slug at once exactly one gets it', async () => {
    const { cookie } = await api.newPerson();
    const slug = unique('wanted');
    const answers = await Promise.all(Array.from({ length: 10 }, () =>
      api.ask('/api/shops', { body: body({ slug }), cookie })));
    assert.equal(answers.filter(({ status }) => status === 201).length, 1);
    assert.equal(answers.filter(({ json }) => json['code'] === 'shops.slug_taken').length, 9);
  });

  it('[SP2] what is no slug is refused, as is all else that is not as it should be', async () => {
    const { cookie } = await api.newPerson();
    const bad: Record<string, unknown>[] = [
      { slug: 'Pearl' }, { slug: 'a' }, { slug: '-pearl' }, { slug: 'pearl--house' }, { slug: 'pearl/house' },
      { slug: '珍珠屋' }, { slug: 'x'.repeat(41) }, { name: ' ' }, { name: 'x'.repeat(61) }, { story: 'x'.repeat(2001) },
      { category: 'cars' }, { currency: 'yuan' }, { currency: 'ABC' }, { imageId: 'x' }, { name: 'nul \u0000' },
      { isDemo: true },
    ];
    for (const changes of bad) {
      const answer = await api.ask('/api/shops', { body: { ...body(), ...changes }, cookie });
      assert.equal(answer.json['code'], 'request.invalid', JSON.stringify(changes));
    }
    const unknown = { imageId: api.platform.newId() };
    assert.equal((await api.ask('/api/shops', { body: body(unknown), cookie })).json['code'], 'images.unknown');
  });

  it('[SP3] only members change a shop', async () => {
    const [mei, lin] = [await api.newPerson(), await api.newPerson()];
    const shop = await api.newShop(mei.cookie);
    const path = `/api/office/shops/${shop.id}`;
    const change = { method: 'PATCH', body: { story: 'Mine now' } } as const;
    assert.equal((await api.ask(path, { ...change, cookie: lin.cookie })).json['code'], 'shops.not_a_member');
    assert.equal((await api.ask(path, { cookie: lin.cookie })).status, 403);
    assert.equal((await api.ask(path, change)).status, 401);
    const nowhere = `/api/office/shops/${api.platform.newId()}`;
    assert.equal((await api.ask(nowhere, { ...change, cookie: lin.cookie })).json['code'], 'shops.not_found');
    const patched = await api.ask(path, { ...change, body: { story: ' New ' }, cookie: mei.cookie });
    assert.deepEqual(patched.json, { ...shop, story: 'New' });
    assert.equal((await api.ask(path, { method: 'PATCH', body: {}, cookie: mei.cookie })).status, 400);
  });

  it('[SP4] the currency does not change', async () => {
    const { cookie } = await api.newPerson();
    const shop = await api.newShop(cookie, { currency: 'SAR' });
    const path = `/api/office/shops/${shop.id}`;
    const answer = await api.ask(path, { method: 'PATCH', body: { currency: 'EUR' }, cookie });
    assert.equal(answer.json['code'], 'request.invalid');
    assert.equal((await api.ask(path, { cookie })).json['currency'], 'SAR');
  });

  it('[SP5] one person works in at most 20 shops, also when opened at once', async () => {
    const { cookie, id } = await api.newPerson();
    const answers = await Promise.all(Array.from({ length: SHOPS_PER_PERSON + 4 }, () =>
      api.ask('/api/shops', { body: body(), cookie })));
    assert.equal(answers.filter(({ status }) => status === 201).length, SHOPS_PER_PERSON);
    assert.equal(answers.filter(({ json }) => json['code'] === 'shops.too_many').length, 4);
    assert.equal((await api.shops.membershipsOf(id)).length, SHOPS_PER_PERSON);
  });

  it('[SP6] pages of the list neither lose nor repeat a shop, also of one moment', async () => {
    const { cookie } = await api.newPerson();
    const made = await Promise.all(Array.from({ length: 7 }, () => api.newShop(cookie)));
    const { db } = api.platform.database;
    const at = new Date(Date.now() + 60_000);
    await db.updateTable('shop').set({ created_at: at }).where('id', 'in', made.map(({ id }) => id)).execute();
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = await api.ask(`/api/shops?limit=3${cursor}`);
      seen.push(...(page.json['items'] as Shop[]).map(({ id }) => id));
      cursor = page.json['next'] === null ? '' : `&cursor=${String(page.json['next'])}`;
    } while (cursor !== '');
    assert.deepEqual(seen.slice(0, 7), made.map(({ id }) => id).toSorted().toReversed());
    const { count } = await db.selectFrom('shop').select((eb) => eb.fn.countAll<bigint>().as('count'))
      .executeTakeFirstOrThrow();
    assert.equal(new Set(seen).size, seen.length);
    assert.equal(BigInt(seen.length), count);
  });

  it('[SP6] asked for an address, the list gives the shop there or nobody', async () => {
    const { cookie } = await api.newPerson();
    const shop = await api.newShop(cookie);
    assert.deepEqual((await api.ask(`/api/shops?slug=${shop.slug}`)).json, { items: [shop], next: null });
    assert.deepEqual((await api.ask('/api/shops?slug=nobody-has-this')).json, { items: [], next: null });
  });

  it('[SP6] a cursor that no list gave and a page too large are refused', async () => {
    const long = `cursor=${'x'.repeat(300)}`;
    for (const query of ['cursor=x', 'cursor=MTIzIHg', 'limit=0', 'limit=101', 'limit=x', long]) {
      assert.equal((await api.ask(`/api/shops?${query}`)).json['code'], 'request.invalid', query);
    }
  });

  it('[SP7] the page of a shop tells its followers, and whether the one who asks is one', async () => {
    const [mei, lin] = [await api.newPerson(), await api.newPerson()];
    const shop = await api.newShop(mei.cookie);
    await api.follows.follow(lin.id, shop.id, null);
    const path = `/api/shops/${shop.slug}`;
    assert.deepEqual((await api.ask(path, { cookie: lin.cookie })).json, { ...shop, followers: 1, following: true });
    assert.deepEqual((await api.ask(path)).json, { ...shop, followers: 1, following: false });
    for (const slug of ['nobody', '%00', 'A B', '..', 'x'.repeat(199)]) {
      const { status } = await api.ask(`/api/shops/${slug}`);
      assert.ok(status === 404 || status === 400, `${slug}: ${status}`);
    }
  });

  const PLACE: ShopPlace = {
    address: {
      phone: '+86 898 1234', line1: ' Pearl Road 1 ', line2: '', city: 'Sanya', region: 'Hainan', postalCode: '',
      country: 'CN',
    },
    hours: [null, ...Array.from({ length: 6 }, () => ({ opens: '18:00', closes: '02:00' }))],
  };
  const change = async (shopId: string, cookie: string, patch: unknown) =>
    api.ask(`/api/office/shops/${shopId}`, { method: 'PATCH', body: patch, cookie });

  it('[SP40] a shop may be a place, which everybody reads on its page, and may stop being one', async () => {
    const { cookie } = await api.newPerson();
    const shop = await api.newShop(cookie);
    assert.equal(shop.place, null);
    const told = (await change(shop.id, cookie, { place: PLACE })).json as unknown as Shop;
    assert.deepEqual(told.place, { ...PLACE, address: { ...PLACE.address, line1: 'Pearl Road 1' } });
    assert.deepEqual((await api.ask(`/api/shops/${shop.slug}`)).json['place'], told.place);
    assert.equal((await change(shop.id, cookie, { place: null })).json['place'], null);
  });

  it('[SP40] half an address, a country that is none and hours that are none are refused', async () => {
    const { cookie } = await api.newPerson();
    const shop = await api.newShop(cookie);
    const { address, hours } = PLACE;
    const wrong = [
      { address }, { address: { ...address, line1: ' ' }, hours }, { address: { ...address, country: 'China' }, hours },
      { address, hours: hours?.slice(1) },
      { address, hours: [...(hours ?? []).slice(1), { opens: '9', closes: '10' }] },
      { address, hours: [...(hours ?? []).slice(1), { opens: '09:00', closes: '09:00' }] },
      { address: { ...address, phone: 'call me' }, hours },
    ];
    for (const place of wrong) {
      const { status, json } = await change(shop.id, cookie, { place });
      assert.deepEqual([status, json['code']], [400, 'request.invalid'], JSON.stringify(place));
    }
  });

  it('[SP41] pick-up needs a place, and ends with it', async () => {
    const { cookie } = await api.newPerson();
    const shop = await api.newShop(cookie);
    assert.equal((await change(shop.id, cookie, { offersPickup: true })).json['code'], 'shops.no_place');
    assert.equal((await change(shop.id, cookie, { place: PLACE, offersPickup: true })).json['offersPickup'], true);
    const gone = (await change(shop.id, cookie, { place: null })).json as unknown as Shop;
    assert.deepEqual([gone.place, gone.offersPickup], [null, false]);
  });

  it('[SP60] [SP61] what sending costs is told to everybody and changed by who may change the shop', async () => {
    const { cookie } = await api.newPerson();
    const shop = await api.newShop(cookie);
    const free = { feeMinor: 0, freeFromMinor: null };
    assert.deepEqual((await api.ask(`/api/shops/${shop.slug}`)).json['shipping'], free);
    const shipping = { feeMinor: 800, freeFromMinor: 20_000 };
    assert.deepEqual((await change(shop.id, cookie, { shipping })).json['shipping'], shipping);
    assert.deepEqual((await change(shop.id, cookie, { name: 'Tea' })).json['shipping'], shipping);
    const stranger = await api.newPerson();
    assert.equal((await change(shop.id, stranger.cookie, { shipping: free })).json['code'], 'shops.not_a_member');
    for (const wrong of [{ feeMinor: -1 }, { feeMinor: 0.5 }, { freeFromMinor: 0 }, { feeMinor: 100_000_000_001 }]) {
      const answer = await change(shop.id, cookie, { shipping: { ...shipping, ...wrong } });
      assert.deepEqual([answer.status, answer.json['code']], [400, 'request.invalid'], JSON.stringify(wrong));
    }
    assert.deepEqual((await api.ask(`/api/shops/${shop.slug}`)).json['shipping'], shipping);
  });
});
