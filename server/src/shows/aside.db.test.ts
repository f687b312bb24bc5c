/** What viewers put aside, over HTTP, on a real database. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { createShowApi } from '../../../tests/support/show-api.ts';

const database = await createTestDatabase(import.meta.url);
const api = await createShowApi(database.serverUrl);
after(async () => {
  await api.stop();
  await database.drop();
});
const { owner, shop, products } = await api.newMarket(3);
const [first, second, third] = products.map((product) => product.id) as [string, string, string];
const stranger = await api.newPerson('Tao');

const put = (showId: string, productId: string, cookie: string) =>
  api.ask(`/api/shows/${showId}/interest`, { body: { productId, kind: 'bagged' }, cookie });

test('[S20] what a viewer puts aside is theirs until they take it back; the count stays', async () => {
  const show = await api.newLiveShow(owner, shop.id, products);
  const [a, b] = [api.newGuest(), api.newGuest()];
  const path = `/api/shows/${show.id}/aside`;
  const asideOf = async (cookie: string) => (await api.ask(path, { cookie })).json['productIds'];
  const takeBack = (productId: string, cookie: string) => api.ask(`${path}/${productId}`, { method: 'DELETE', cookie });
  const counts = async () => (await api.shows.figures(owner.id, show.id)).interest.map(({ bagged }) => bagged);
  for (const productId of [second, first, second]) assert.equal((await put(show.id, productId, a)).status, 204);
  await put(show.id, first, b);
  assert.deepEqual([await asideOf(a), await asideOf(b)], [[second, first], [first]]);
  assert.deepEqual(await asideOf(stranger.cookie), []);
  assert.deepEqual(await counts(), [2, 1, 0]);
  for (const repeat of [1, 2]) assert.equal((await takeBack(second, a)).status, 204, `time ${repeat}`);
  assert.deepEqual([await asideOf(a), await asideOf(b)], [[first], [first]]);
  await put(show.id, second, a);
  assert.deepEqual([await asideOf(a), await counts()], [[first, second], [2, 1, 0]]);
  await api.shows.end(owner.id, show.id);
  assert.equal((await put(show.id, third, a)).json['code'], 'shows.not_live');
  await takeBack(first, a);
  assert.deepEqual(await asideOf(a), [second]);
});

test('[S20] what a guest put aside is there when they sign in, and gone for good when they take it back', async () => {
  const show = await api.newLiveShow(owner, shop.id, products);
  const guest = api.newGuest();
  const signedIn = `${stranger.cookie}; ${guest}`;
  const path = `/api/shows/${show.id}/aside`;
  const asideOf = async (cookie: string) => (await api.ask(path, { cookie })).json['productIds'];
  await put(show.id, first, guest);
  await put(show.id, second, signedIn);
  assert.deepEqual(await asideOf(signedIn), [first, second]);
  assert.deepEqual([await asideOf(guest), await asideOf(stranger.cookie)], [[first], [second]]);
  for (const id of [first, second]) {
    await api.ask(`${path}/${id}`, { method: 'DELETE', cookie: signedIn });
  }
  assert.deepEqual([await asideOf(guest), await asideOf(stranger.cookie)], [[], []]);
});

test('[S8] what was put aside in a private show is no more to be asked for than the show', async () => {
  const show = await api.newShow(owner, shop.id, { visibility: 'private', productIds: [first] });
  for (const [path, method] of [['aside', 'GET'], [`aside/${first}`, 'DELETE']] as const) {
    const answer = await api.ask(`/api/shows/${show.id}/${path}`, { method, cookie: stranger.cookie });
    assert.equal(answer.json['code'], 'shows.not_found');
  }
});
