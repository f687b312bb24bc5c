/** Planning and running a show, over HTTP and sockets, on a real database. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Product } from '@nacre/contract/catalog';
import type { BagItem, Show, ShowFigures, ShowTile } from '@nacre/contract/shows';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { deadlocksDuring } from '../../../tests/support/deadlocks.ts';
import { heardOf, joinShow, createShowApi, untilHeard } from '../../../tests/support/show-api.ts';
import type { OrderFact } from '../orders/events.ts';
import { createShows } from './shows.ts';

const database = await createTestDatabase(import.meta.url);
const api = await createShowApi(database.serverUrl);
after(async () => {
  await api.stop();
  await database.drop();
});
const { db } = api.platform.database;
const { owner, shop, products } = await api.newMarket(3);
const [first, second, third] = products.map((product) => product.id) as [string, string, string];
const stranger = await api.newPerson('Tao');

const office = (showId: string, what: string, method: 'GET' | 'PUT' | 'POST', body?: unknown, cookie = owner.cookie) =>
  api.ask(`/api/office/shows/${showId}/${what}`, { method, body, cookie });
const numbers = (bag: BagItem[]) => bag.map((item) => [item.product.id, item.number]);
let visits = 0;
/** From an address of its own, because of one address only so many guests count. */
const guestAsks = (showId: string, what: string, body: unknown, cookie = api.newGuest()) =>
  api.ask(`/api/shows/${showId}/${what}`, { body, cookie, remoteAddress: `10.0.${visits >> 8}.${visits++ & 255}` });
const intervals = (showId: string) =>
  db.selectFrom('on_screen_interval').selectAll().where('show_id', '=', showId).orderBy('started_at').execute();

test('[S13] planning: a member’s bag is numbered; strangers, guests and bad input are refused', async () => {
  const show = await api.newShow(owner, shop.id, { productIds: [second, first], title: '  Evening ' });
  assert.deepEqual([show.state, show.title, show.viewers, show.likes], ['planned', 'Evening', 0, 0]);
  assert.deepEqual(numbers(show.bag), [[second, 1], [first, 2]]);
  assert.equal(show.bag[0]?.lastShownAtSeconds, null);
  const path = `/api/office/shops/${shop.id}/shows`;
  const body = {
    title: 'x', description: '', coverImageId: null, visibility: 'public', productIds: [],
    startsAt: new Date(Date.now() + 60_000).toISOString(),
  };
  assert.equal((await api.ask(path, { body })).json['code'], 'accounts.sign_in_first');
  assert.equal((await api.ask(path, { body, cookie: stranger.cookie })).json['code'], 'shops.not_a_member');
  const code = async (changes: object) => (
    await api.ask(path, { body: { ...body, ...changes }, cookie: owner.cookie })
  ).json['code'];
  assert.equal(await code({ title: '   ' }), 'request.invalid');
  assert.equal(await code({ title: 'x'.repeat(121) }), 'request.invalid');
  assert.equal(await code({ startsAt: 'tomorrow' }), 'request.invalid');
  assert.equal(await code({ startsAt: '2001-01-01T00:00:00Z' }), 'request.invalid');
  assert.equal(await code({ visibility: 'secret' }), 'request.invalid');
  assert.equal(await code({ more: 1 }), 'request.invalid');
  assert.equal(await code({ coverImageId: first }), 'images.unknown');
  assert.equal(await code({ productIds: [first, first] }), 'request.invalid');
  for (const what of ['bag', 'on-screen'] as const) {
    const bodyOf = what === 'bag' ? { productIds: [] } : { productId: null };
    assert.equal((await office(show.id, what, 'PUT', bodyOf, stranger.cookie)).json['code'], 'shops.not_a_member');
  }
  const figures = await office(show.id, 'figures', 'GET', undefined, stranger.cookie);
  assert.equal(figures.json['code'], 'shops.not_a_member');
  assert.equal((await office(show.id, 'stream-key', 'POST', undefined, stranger.cookie)).status, 403);
});

test('[S5] the bag is reordered live, numbers stay, and the room hears of it', async () => {
  const show = await api.newLiveShow(owner, shop.id, products);
  const viewer = await api.enter();
  await joinShow(viewer, `show/${show.id}`);
  const changed = await office(show.id, 'bag', 'PUT', { productIds: [third, first] });
  assert.deepEqual(numbers((changed.json as unknown as Show).bag), [[third, 3], [first, 1]]);
  const told = await untilHeard(viewer, `show/${show.id}`, 'bag');
  assert.deepEqual(numbers(told.items), [[third, 3], [first, 1]]);
  const back = await office(show.id, 'bag', 'PUT', { productIds: [second, third, first] });
  assert.deepEqual(numbers((back.json as unknown as Show).bag), [[second, 2], [third, 3], [first, 1]]);
  await viewer.close();
});

test('[S6] goods of another shop, drafts and unknown goods are refused; the bag stays as it was', async () => {
  const show = await api.newShow(owner, shop.id, { productIds: [first] });
  const other = await api.newMarket(1);
  const draft = await api.newProduct(owner.cookie, shop.id, { state: 'draft' });
  for (const id of [other.products[0]?.id, draft.id, show.id]) {
    const refused = await office(show.id, 'bag', 'PUT', { productIds: [first, id] });
    assert.deepEqual([refused.json['code'], refused.json['details']], ['shows.foreign_product', { productId: id }]);
  }
  assert.deepEqual(numbers((await api.shows.forOffice(owner.id, show.id)).bag), [[first, 1]]);
});

test('[S2] up, down, up, end: the state follows the picture and the room hears each step', async () => {
  const show = await api.newShow(owner, shop.id);
  const viewer = await api.enter();
  const { snapshot } = await joinShow(viewer, `show/${show.id}`);
  assert.equal(snapshot?.show.state, 'planned');
  const steps: string[] = [];
  const step = async (work: Promise<unknown>) => {
    await work;
    const { state } = await api.shows.forOffice(owner.id, show.id);
    await untilHeard(viewer, `show/${show.id}`, 'show', (event) => event.state === state);
    steps.push(state);
  };
  await step(api.shows.pictureUp(show.id));
  await step(api.shows.pictureDown(show.id, 'lost'));
  await step(api.shows.pictureUp(show.id));
  assert.equal((await office(show.id, 'cancel', 'POST')).json['code'], 'shows.wrong_state');
  await step(office(show.id, 'end', 'POST'));
  assert.deepEqual(steps, ['live', 'interrupted', 'live', 'ended']);
  assert.equal((await office(show.id, 'end', 'POST')).status, 200);
  assert.ok(api.video.includes(`end ${show.id}`));
  api.video.length = 0;
  await api.shows.pictureUp(show.id);
  assert.deepEqual(api.video, [`end ${show.id}`]);
  assert.equal((await api.shows.forOffice(owner.id, show.id)).state, 'ended');
  await viewer.close();
});

test('[S2] pictures that come and go at once are noted in their order', async () => {
  const show = await api.newShow(owner, shop.id);
  const work: Promise<void>[] = [];
  for (let round = 0; round < 10; round += 1) {
    work.push(api.shows.pictureUp(show.id), api.shows.pictureDown(show.id, 'lost'));
  }
  await Promise.all(work);
  assert.equal((await api.shows.forOffice(owner.id, show.id)).state, 'interrupted');
});

test('[S3] after a restart a live show is interrupted; two hours away end it', async () => {
  const own = await api.newMarket(1);
  const show = await api.newLiveShow(own.owner, own.shop.id, own.products);
  const restarted = createShows(api.deps);
  await restarted.start();
  assert.equal((await restarted.forOffice(own.owner.id, show.id)).state, 'interrupted');
  const live = (await api.ask(`/api/shows?state=live&shopId=${own.shop.id}`)).json['items'] as ShowTile[];
  assert.deepEqual(live.map((tile) => tile.state), ['interrupted']);
  await restarted.sweep();
  assert.equal((await restarted.forOffice(own.owner.id, show.id)).state, 'interrupted');
  const later = createShows({
    ...api.deps,
    platform: { ...api.platform, clock: { now: () => new Date(Date.now() + 2 * 3_600_000 + 1_000) } },
  });
  assert.ok((await later.sweep()) >= 1);
  const ended = await restarted.forOffice(own.owner.id, show.id);
  assert.deepEqual([ended.state, ended.endedAt === null], ['ended', false]);
  await Promise.all([restarted.stop(), later.stop()]);
});

test('[S7] one product on screen at a time, from the bag, intervals kept, everybody told', async () => {
  const show = await api.newLiveShow(owner, shop.id, products.slice(0, 2));
  const viewer = await api.enter();
  await joinShow(viewer, `show/${show.id}`);
  const put = (productId: string | null) => office(show.id, 'on-screen', 'PUT', { productId });
  assert.equal((await put(third)).json['code'], 'shows.not_in_bag');
  assert.equal((await put(second)).json['onScreenProductId'], second);
  await untilHeard(viewer, `show/${show.id}`, 'on-screen', (event) => event.productId === second && event.number === 2);
  await put(second);
  await Promise.all([put(first), put(second), put(first), put(second), put(null), put(first)]);
  const open = (await intervals(show.id)).filter((interval) => interval.ended_at === null);
  assert.ok(open.length <= 1);
  await put(first);
  const tile = ((await api.ask('/api/shows?state=live&limit=100')).json['items'] as ShowTile[])
    .find((item) => item.id === show.id);
  assert.deepEqual(tile?.onScreen, { number: 1, title: 'Dress 1' });
  await office(show.id, 'bag', 'PUT', { productIds: [second] });
  assert.ok((await intervals(show.id)).every((interval) => interval.ended_at !== null));
  await put(second);
  await office(show.id, 'end', 'POST');
  assert.ok((await intervals(show.id)).every((interval) => interval.ended_at !== null));
  assert.equal((await put(second)).json['code'], 'shows.not_live');
  await viewer.close();
});

test('[S8] a private show is there for members only: page, list, picture, room', async () => {
  const show = await api.newShow(owner, shop.id, { visibility: 'private', productIds: [first] });
  await api.shows.pictureUp(show.id);
  for (const cookie of [undefined, stranger.cookie]) {
    assert.equal((await api.ask(`/api/shows/${show.id}`, { cookie })).json['code'], 'shows.not_found');
    const client = await api.enter(cookie);
    assert.equal((await client.join(`show/${show.id}`)).type, 'refused');
    assert.equal((await client.join(`studio/${show.id}`)).type, 'refused');
    await client.close();
  }
  assert.equal((await guestAsks(show.id, 'likes', { count: 1 })).json['code'], 'shows.not_found');
  const listed = (await api.ask('/api/shows?limit=100')).json['items'] as ShowTile[];
  assert.equal(listed.some((tile) => tile.id === show.id), false);
  assert.equal((await api.ask(`/api/shows/${show.id}`, { cookie: owner.cookie })).status, 200);
  const host = await api.enter(owner.cookie);
  assert.equal((await host.join(`show/${show.id}`)).type, 'joined');
  assert.equal((await host.join(`studio/${show.id}`)).type, 'joined');
  assert.equal(await api.shows.mayWatch(show.id, { kind: 'guest', guestId: 'g' }), false);
  assert.equal(await api.shows.mayWatch('no id at all', { kind: 'guest', guestId: 'g' }), false);
  await host.close();
});

test('[S8] a planned show made private puts strangers out of its room and has viewers ask anew', async () => {
  const show = await api.newShow(owner, shop.id);
  const client = await api.enter();
  await joinShow(client, `show/${show.id}`);
  api.video.length = 0;
  await api.shows.patch(owner.id, show.id, { visibility: 'private' });
  assert.deepEqual(api.video, [`dismiss ${show.id}`]);
  await client.untilTrue(() => client.messages.some((message) => message.type === 'refused'), 'the refusal');
  await client.close();
});

test('[S9] a stream key opens its show until it is rotated or the show is over; only its hash is kept', async () => {
  const show = await api.newShow(owner, shop.id);
  api.video.length = 0;
  const answer = await office(show.id, 'stream-key', 'POST');
  const key = answer.json['key'] as string;
  assert.equal(answer.headers['cache-control'], 'no-store');
  assert.match(String(answer.json['whipUrl']), /^http:\/\/.+\/whip$/);
  assert.deepEqual(await api.shows.authorizeStreamKey(key), { showId: show.id });
  assert.deepEqual(api.video, []);
  const row = await db.selectFrom('show').selectAll().where('id', '=', show.id).executeTakeFirstOrThrow();
  assert.equal(JSON.stringify(row, (_name, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
    .includes(key), false);
  const next = (await office(show.id, 'stream-key', 'POST')).json['key'] as string;
  assert.deepEqual(api.video, [`drop ${show.id}`]);
  assert.equal(await api.shows.authorizeStreamKey(key), null);
  assert.deepEqual(await api.shows.authorizeStreamKey(next), { showId: show.id });
  assert.equal(await api.shows.authorizeStreamKey('wrong'), null);
  await api.shows.cancel(owner.id, show.id);
  assert.equal(await api.shows.authorizeStreamKey(next), null);
  assert.equal((await office(show.id, 'stream-key', 'POST')).json['code'], 'shows.wrong_state');
});

test('[S60] a device that takes over leaves the other on air until it is connected', async () => {
  const show = await api.newShow(owner, shop.id);
  await office(show.id, 'stream-key', 'POST');
  api.video.length = 0;
  await office(show.id, 'stream-key?takeOver=true', 'POST');
  assert.deepEqual(api.video, []);
});

test('[S10] wishes count once per viewer, are answered on screen, and can be made again', async () => {
  const show = await api.newLiveShow(owner, shop.id, products);
  const [a, b] = [api.newGuest(), api.newGuest()];
  const ask = async (cookie: string, productId = second) => (
    await guestAsks(show.id, 'explain', { productId }, cookie)
  ).json['explainRequests'];
  const viewer = await api.enter();
  await joinShow(viewer, `show/${show.id}`);
  assert.deepEqual([await ask(a), await ask(a), await ask(b)], [1, 1, 2]);
  await untilHeard(viewer, `show/${show.id}`, 'explain', (event) => event.count === 2 && event.productId === second);
  await office(show.id, 'on-screen', 'PUT', { productId: second });
  await untilHeard(viewer, `show/${show.id}`, 'explain', (event) => event.count === 0);
  assert.deepEqual([await ask(a), await ask(stranger.cookie)], [0, 0]);
  await office(show.id, 'on-screen', 'PUT', { productId: first });
  assert.deepEqual([await ask(a), await ask(a)], [1, 1]);
  const figures = (await office(show.id, 'figures', 'GET')).json as unknown as ShowFigures;
  assert.equal(figures.interest.find((item) => item.productId === second)?.explainRequests, 3);
  assert.equal((await guestAsks(show.id, 'explain', { productId: show.id })).json['code'], 'shows.not_in_bag');
  assert.equal((await guestAsks(show.id, 'explain', { productId: 'x' })).json['code'], 'request.invalid');
  await viewer.close();
});

test('[S10] thirty viewers who ask at once, while it comes on screen, leave no wish uncounted or open', async () => {
  const show = await api.newLiveShow(owner, shop.id, products);
  await Promise.all([
    ...Array.from({ length: 30 }, () => guestAsks(show.id, 'explain', { productId: first })),
    office(show.id, 'on-screen', 'PUT', { productId: first }),
  ]);
  const item = await db.selectFrom('show_item').selectAll()
    .where('show_id', '=', show.id).where('product_id', '=', first).executeTakeFirstOrThrow();
  assert.deepEqual([item.explain_asked, item.explain_open], [30, 0]);
  const open = await db.selectFrom('explain_request').select('viewer')
    .where('show_id', '=', show.id).where('answered_at', 'is', null).execute();
  assert.deepEqual(open, []);
});

test('[S11] opening a card ten times counts once; the studio hears the counts', async () => {
  const show = await api.newLiveShow(owner, shop.id, products);
  const host = await api.enter(owner.cookie);
  await host.join(`studio/${show.id}`);
  const guest = api.newGuest();
  const answers = await Promise.all(Array.from({ length: 10 }, () => (
    guestAsks(show.id, 'interest', { productId: first, kind: 'card_opened' }, guest)
  )));
  assert.ok(answers.every((answer) => answer.status === 204));
  await guestAsks(show.id, 'interest', { productId: first, kind: 'card_opened' });
  await guestAsks(show.id, 'interest', { productId: first, kind: 'bagged' });
  const told = await untilHeard(host, `studio/${show.id}`, 'interest', (event) => event.items[0]?.bagged === 1);
  assert.deepEqual(told.items, [
    { productId: first, number: 1, cardOpened: 2, sheetOpened: 0, bagged: 1, bought: 0, explainRequests: 0 },
  ]);
  assert.equal((await guestAsks(show.id, 'interest', { productId: first, kind: 'bought' })).status, 400);
  await host.close();
});

test('[S12] wishes, interest, likes and the screen need a running show', async () => {
  const show = await api.newShow(owner, shop.id, { productIds: [first] });
  for (const [what, body] of [
    ['explain', { productId: first }], ['interest', { productId: first, kind: 'bagged' }], ['likes', { count: 1 }],
  ] as const) {
    assert.equal((await guestAsks(show.id, what, body)).json['code'], 'shows.not_live');
  }
  assert.equal((await office(show.id, 'on-screen', 'PUT', { productId: first })).json['code'], 'shows.not_live');
});

test('[S14] likes of many are summed, told and written; bad counts refused', async () => {
  const show = await api.newLiveShow(owner, shop.id, products);
  const viewer = await api.enter();
  await joinShow(viewer, `show/${show.id}`);
  await Promise.all(Array.from({ length: 20 }, () => guestAsks(show.id, 'likes', { count: 7 })));
  await untilHeard(viewer, `show/${show.id}`, 'likes', (event) => event.total === 140);
  const row = await db.selectFrom('show').select('likes').where('id', '=', show.id).executeTakeFirstOrThrow();
  assert.equal(row.likes, 140n);
  const totals = heardOf(viewer, `show/${show.id}`, 'likes').map((event) => event.total);
  assert.deepEqual(totals, [...totals].sort((a, b) => a - b));
  for (const count of [0, -1, 51, 1.5, 'many']) {
    assert.equal((await guestAsks(show.id, 'likes', { count })).json['code'], 'request.invalid');
  }
  await viewer.close();
});

test('[S19] who sends no cookie along is not counted; with the cookie of the refusal it is', async () => {
  const show = await api.newLiveShow(owner, shop.id, products);
  for (const [what, body, status] of [
    ['explain', { productId: first }, 200], ['interest', { productId: first, kind: 'bagged' }, 204],
    ['likes', { count: 3 }, 200],
  ] as const) {
    const path = `/api/shows/${show.id}/${what}`;
    const refused = await api.ask(path, { body });
    assert.deepEqual([refused.status, refused.json['code']], [403, 'shows.not_counted'], what);
    const forged = await api.ask(path, { body, cookie: `nacre_guest=${'a'.repeat(22)}.${'b'.repeat(22)}` });
    assert.equal(forged.json['code'], 'shows.not_counted', what);
    const cookie = refused.cookies[0]?.split(';')[0];
    assert.equal((await api.ask(path, { body, cookie })).status, status, what);
  }
  const { interest, likes } = await api.shows.figures(owner.id, show.id);
  assert.deepEqual([interest[0]?.explainRequests, interest[0]?.bagged, likes], [1, 1, 3]);
});

test('[S19] a heap of cookies behind one address is no crowd', async () => {
  const show = await api.newLiveShow(owner, shop.id, products);
  const from = (address: string) => api.ask(`/api/shows/${show.id}/explain`, {
    body: { productId: first }, cookie: api.newGuest(), remoteAddress: address,
  });
  const statuses: number[] = [];
  for (let asker = 0; asker < 70; asker += 1) statuses.push((await from('192.0.2.7')).status);
  assert.deepEqual([statuses.filter((status) => status === 200).length, statuses.at(-1)], [60, 429]);
  assert.equal((await from('192.0.2.8')).status, 200);
});

test('[S15] viewers of the tile are counted now, the peak stays', async () => {
  const show = await api.newLiveShow(owner, shop.id, products);
  const clients = await Promise.all([1, 2, 3].map(() => api.enter()));
  for (const client of clients) await joinShow(client, `show/${show.id}`);
  assert.equal(((await api.ask(`/api/shows/${show.id}`)).json as unknown as Show).viewers, 3);
  await clients[0]?.untilTrue(
    () => heardOf(clients[0]!, `show/${show.id}`, 'viewers').some((event) => event.count === 3), 'three viewers',
  );
  await Promise.all(clients.map((client) => client.close()));
  const figures = await api.shows.figures(owner.id, show.id);
  assert.equal(figures.peakViewers, 3);
});

test('[S15] the figures hold likes, written or not, and who began to follow through this show', async () => {
  const own = await api.newMarket(1);
  const show = await api.newLiveShow(own.owner, own.shop.id, own.products);
  const figures = () => api.shows.figures(own.owner.id, show.id);
  const parts = async () => {
    const { likes, newFollowers } = await figures();
    return [likes, newFollowers];
  };
  assert.deepEqual(await parts(), [0, 0]);
  assert.equal((await guestAsks(show.id, 'likes', { count: 5 })).json['likes'], 5);
  assert.deepEqual(await parts(), [5, 0]);
  const follow = (cookie: string, body: object) => (
    api.ask(`/api/shops/${own.shop.slug}/follow`, { method: 'PUT', body, cookie })
  );
  const elsewhere = await api.newPerson('Bo');
  assert.equal((await follow(stranger.cookie, { showId: show.id })).status, 200);
  assert.equal((await follow(stranger.cookie, { showId: show.id })).status, 200);
  assert.equal((await follow(elsewhere.cookie, {})).status, 200);
  await guestAsks(show.id, 'likes', { count: 2 });
  await api.shows.end(own.owner.id, show.id);
  const row = await db.selectFrom('show').select('likes').where('id', '=', show.id).executeTakeFirstOrThrow();
  assert.equal(row.likes, 7n);
  assert.deepEqual(await parts(), [7, 1]);
});

test('[S16] a paid order is told to room and studio and counted once per buyer and product', async () => {
  const show = await api.newLiveShow(owner, shop.id, products);
  const [viewer, host] = [await api.enter(), await api.enter(owner.cookie)];
  await joinShow(viewer, `show/${show.id}`);
  await host.join(`studio/${show.id}`);
  const fact = (orderId: string): OrderFact => ({
    orderId, orderNumber: 'N-1001', shopId: shop.id, showId: show.id, buyerId: stranger.id, buyerName: 'Tao Chen',
    lines: [{ variantId: first, productId: first, title: 'Dress 1', optionValues: ['S'], quantity: 2, number: 1 }],
    totalMinor: 25_800, currency: 'CNY',
  });
  for (const id of [first, second]) {
    await api.platform.database.transaction((tx) => (
      api.platform.outbox.publish(tx, { topic: 'orders.paid', payload: { ...fact(id) } })
    ));
  }
  assert.deepEqual(await untilHeard(viewer, `show/${show.id}`, 'bought'), { type: 'bought', name: 'Tao', number: 1 });
  const order = await untilHeard(host, `studio/${show.id}`, 'order');
  assert.deepEqual([order.buyerName, order.totalMinor, order.lines[0]?.quantity], ['Tao Chen', 25_800, 2]);
  assert.deepEqual(heardOf(viewer, `show/${show.id}`, 'order'), []);
  await untilHeard(host, `studio/${show.id}`, 'interest', (event) => event.items[0]?.bought === 1);
  await api.platform.outbox.drain();
  const figures = await api.shows.figures(owner.id, show.id);
  assert.deepEqual([figures.orders, figures.salesMinor, figures.interest[0]?.bought], [2, 51_600, 1]);
  await Promise.all([viewer.close(), host.close()]);
});

test('[S16] goods are put on screen while they are paid for, and neither waits for the other in a circle', async () => {
  const show = await api.newLiveShow(owner, shop.id, products);
  const buy = (productId: string) => api.platform.database.transaction((tx) => api.shows.noteBought(tx, [{
    orderId: api.platform.newId(), orderNumber: 'N-1001', shopId: shop.id, showId: show.id,
    buyerId: api.platform.newId(), buyerName: 'Tao Chen', totalMinor: 12_900, currency: 'CNY',
    lines: [{ variantId: productId, productId, title: 'Dress', optionValues: [], quantity: 1, number: 1 }],
  }]));
  const put = (productId: string | null) => api.shows.putOnScreen(owner.id, show.id, productId);
  const all = () => Promise.all(Array.from({ length: 60 }, (_, n) => (
    n % 3 === 0 ? put(n % 2 === 0 ? first : second) : buy(n % 2 === 0 ? first : second)
  )));
  assert.equal(await deadlocksDuring(api.platform.database.db, all), 0);
  assert.equal((await api.shows.figures(owner.id, show.id)).orders, 40);
});

test('[S17] stock and price changes reach the rooms that have the goods, and only those', async () => {
  const show = await api.newLiveShow(owner, shop.id, [products[0]!]);
  const elsewhere = await api.newLiveShow(owner, shop.id, [products[1]!]);
  const viewer = await api.enter();
  await joinShow(viewer, `show/${show.id}`);
  await joinShow(viewer, `show/${elsewhere.id}`);
  const variantId = products[0]?.variants[0]?.id ?? '';
  await Promise.all([1, 1, 1].map((change) => api.catalog.changeStock(owner.id, variantId, { change })));
  const told = await untilHeard(viewer, `show/${show.id}`, 'stock', (event) => event.levels[0]?.available === 8);
  assert.deepEqual(told.levels, [{ productId: first, variantId, available: 8, held: 0 }]);
  const late = await api.enter();
  const { snapshot } = await joinShow(late, `show/${show.id}`);
  assert.equal(snapshot?.levels.find((level) => level.variantId === variantId)?.available, 8);
  assert.deepEqual(heardOf(viewer, `show/${elsewhere.id}`, 'stock'), []);
  await Promise.all([viewer.close(), late.close()]);
});

test('[S17] who joins gets the bag and the prices of now, whatever the page had loaded before', async () => {
  const own = await api.newMarket(2);
  const [coat, scarf] = own.products as [Product, Product];
  const show = await api.newLiveShow(own.owner, own.shop.id, [coat]);
  const [cheaper, ...others] = coat.variants;
  assert.ok(cheaper);
  const variants = [{ ...cheaper, priceMinor: 9_900 }, ...others]
    .map(({ id, optionValues, sku, priceMinor }) => ({ id, optionValues, sku, priceMinor }));
  const changed = await api.ask(`/api/office/products/${coat.id}`, {
    method: 'PATCH', body: { options: coat.options, variants }, cookie: own.owner.cookie,
  });
  assert.equal(changed.status, 200);
  await office(show.id, 'bag', 'PUT', { productIds: [scarf.id, coat.id] }, own.owner.cookie);
  const viewer = await api.enter();
  const { snapshot } = await joinShow(viewer, `show/${show.id}`);
  assert.deepEqual(snapshot?.bag.map(({ productId, number }) => [productId, number]), [[scarf.id, 2], [coat.id, 1]]);
  assert.deepEqual(snapshot?.bag[1]?.prices, [
    { variantId: cheaper.id, priceMinor: 9_900 },
    ...others.map(({ id, priceMinor }) => ({ variantId: id, priceMinor })),
  ]);
  await viewer.close();
});

test('[S18] lists are paged in their order without loss or repeat', async () => {
  const own = await api.newMarket(0);
  const at = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
  for (const hours of [3, 1, 2, 2]) {
    await api.newShow(own.owner, own.shop.id, { startsAt: at(hours), title: `In ${hours}` });
  }
  await api.newShow(own.owner, own.shop.id, { visibility: 'private', title: 'Hidden', startsAt: at(1) });
  const cancelled = await api.newShow(own.owner, own.shop.id, { title: 'Off', startsAt: at(1) });
  await api.shows.cancel(own.owner.id, cancelled.id);
  const titles: string[] = [];
  let cursor: string | null = '';
  for (let pages = 0; cursor !== null && pages < 10; pages += 1) {
    const query = `state=planned&shopId=${own.shop.id}&limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`;
    const page = await api.ask(`/api/shows?${query}`);
    titles.push(...(page.json['items'] as ShowTile[]).map((tile) => tile.title));
    cursor = page.json['next'] as string | null;
  }
  assert.deepEqual(titles, ['In 1', 'In 2', 'In 2', 'In 3']);
  const all = await api.ask(`/api/office/shops/${own.shop.id}/shows`, { cookie: own.owner.cookie });
  assert.equal((all.json['items'] as ShowTile[]).length, 6);
  assert.equal((await api.ask(`/api/office/shops/${own.shop.id}/shows`, { cookie: stranger.cookie })).status, 403);
  for (const query of ['state=over', 'limit=0', 'limit=1000', 'cursor=zzz', 'shopId=1']) {
    assert.equal((await api.ask(`/api/shows?${query}`)).json['code'], 'request.invalid', query);
  }
});

test('[S4] a show is changed as its state allows', async () => {
  const show = await api.newShow(owner, shop.id);
  const change = (body: unknown) => (
    api.ask(`/api/office/shows/${show.id}`, { method: 'PATCH', body, cookie: owner.cookie })
  );
  assert.equal((await change({ title: 'New' })).json['title'], 'New');
  assert.equal((await change({})).json['code'], 'request.invalid');
  await api.shows.pictureUp(show.id);
  assert.equal((await change({ startsAt: new Date().toISOString() })).json['code'], 'shows.wrong_state');
  assert.equal((await change({ visibility: 'private' })).json['code'], 'shows.wrong_state');
  assert.equal((await change({ description: 'Live now' })).json['description'], 'Live now');
});
