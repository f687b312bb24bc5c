import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Shop } from '@nacre/contract/shops';
import { createTestApi, type SignedInPerson, type TestApi } from '../../../tests/support/api.ts';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import type { Followed } from './events.ts';

describe('follows', () => {
  let database: TestDatabase;
  let api: TestApi;
  let shop: Shop;
  let mei: SignedInPerson;
  const heard: Followed[] = [];

  before(async () => {
    database = await createTestDatabase(import.meta.url);
    api = await createTestApi({ url: database.serverUrl });
    api.platform.outbox.on('follows.followed', async (_tx, fact: Followed) => void heard.push(fact));
    mei = await api.newPerson();
    shop = await api.newShop(mei.cookie);
  });
  after(async () => {
    await api.stop();
    await database.drop();
  });

  const follow = (cookie: string, body?: object) =>
    api.ask(`/api/shops/${shop.slug}/follow`, { method: 'PUT', cookie, ...(body === undefined ? {} : { body }) });
  const unfollow = (cookie: string) => api.ask(`/api/shops/${shop.slug}/follow`, { method: 'DELETE', cookie });

  it('[F1] following twice is following once, unfollowing twice nothing', async () => {
    const { cookie } = await api.newPerson();
    assert.deepEqual((await follow(cookie)).json, { following: true, followers: 1 });
    assert.deepEqual((await follow(cookie, {})).json, { following: true, followers: 1 });
    assert.deepEqual((await unfollow(cookie)).json, { following: false, followers: 0 });
    assert.deepEqual((await unfollow(cookie)).json, { following: false, followers: 0 });
  });

  it('[F2] the first show in which Follow was pressed counts', async () => {
    const [first, second] = [api.platform.newId(), api.platform.newId()];
    api.showShops.set(first, shop.id).set(second, shop.id);
    const people = await Promise.all(Array.from({ length: 3 }, () => api.newPerson()));
    for (const { cookie } of people) await follow(cookie, { showId: first });
    await follow(people[0]?.cookie ?? '', { showId: second });
    assert.equal(await api.follows.newFollowersOf(first), 3);
    assert.equal(await api.follows.newFollowersOf(second), 0);
    await unfollow(people[0]?.cookie ?? '');
    assert.equal(await api.follows.newFollowersOf(first), 2);
    assert.equal(await api.follows.followers(shop.id), 2);
  });

  it('[F2] a show of another shop, or none at all, is refused', async () => {
    const other = await api.newShop(mei.cookie);
    const foreign = api.platform.newId();
    api.showShops.set(foreign, other.id);
    const { cookie, id } = await api.newPerson();
    for (const showId of [foreign, api.platform.newId()]) {
      const answer = await follow(cookie, { showId });
      assert.equal(answer.json['code'], 'shows.not_found');
    }
    assert.equal((await follow(cookie, { showId: 'x' })).json['code'], 'request.invalid');
    assert.equal(await api.follows.isFollowing(id, shop.id), false);
  });

  it('[F3] others hear of a new follower once', async () => {
    const { cookie, id } = await api.newPerson();
    await Promise.all([follow(cookie), follow(cookie), follow(cookie)]);
    await api.platform.outbox.drain();
    const ofThisOne = heard.filter(({ personId }) => personId === id);
    assert.deepEqual(ofThisOne, [{ shopId: shop.id, personId: id, showId: null }]);
  });

  it('[F4] guests follow nobody', async () => {
    const answer = await api.ask(`/api/shops/${shop.slug}/follow`, { method: 'PUT' });
    assert.equal(answer.json['code'], 'accounts.sign_in_first');
    assert.deepEqual((await api.follows.stateFor(shop.id, null)).following, false);
    const { cookie } = await api.newPerson();
    const nowhere = await api.ask('/api/shops/nowhere/follow', { method: 'PUT', cookie });
    assert.equal(nowhere.json['code'], 'shops.not_found');
  });
});
