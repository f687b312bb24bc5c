/** Figures against what really happened, on a real database and over sockets. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { ShowMinutes } from '@nacre/contract/analytics';
import type { Product } from '@nacre/contract/catalog';
import type { Show } from '@nacre/contract/shows';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { asking } from '../../../tests/support/market.ts';
import { mountOrders } from '../../../tests/support/orders-api.ts';
import { createShowApi, joinShow } from '../../../tests/support/show-api.ts';
import type { OrderFact } from '../orders/events.ts';
import { createMemoryBus } from '../platform/bus.ts';
import { createAnalytics } from './analytics.ts';

const database = await createTestDatabase(import.meta.url);
const made = Promise.withResolvers<ReturnType<typeof mountOrders>>();
const api = await createShowApi(database.serverUrl, (parts) => made.resolve(mountOrders(parts)));
const { orders, payments } = await made.promise;
await api.analytics.start();
after(async () => {
  await api.stop();
  await database.drop();
});
const { owner, shop, products } = await api.newMarket(2);
const [first, second] = products as [Product, Product];
for (const { id } of [...first.variants, ...second.variants]) {
  await api.catalog.changeStock(owner.id, id, { setTo: 99 });
}
const buyer = await api.newPerson('Xiao Yu');

const figuresOf = async (show: Show, from?: number): Promise<ShowMinutes> => {
  await api.platform.outbox.drain();
  await api.analytics.flush();
  return api.analytics.minutes(owner.id, show.id, from);
};
const buy = async (show: Show, product: Product, pays: boolean, quantity = 1) => {
  const order = await orders.place(
    { personId: buyer.id, name: buyer.name }, asking(product, { showId: show.id, quantity }),
  );
  if (pays) {
    await payments.decide(buyer.id, order.paymentUrl?.split('/').at(-1) ?? '', 'succeed');
    await api.platform.outbox.drain();
  }
  return order;
};
const factOf = (order: Awaited<ReturnType<typeof buy>>): OrderFact => ({
  orderId: order.id, orderNumber: order.number, shopId: shop.id, showId: order.showId, buyerId: buyer.id,
  buyerName: buyer.name, totalMinor: order.totalMinor, currency: order.currency, placedAt: order.placedAt,
  lines: order.lines.map((line) => ({ ...line, amountMinor: line.unitPriceMinor * line.quantity })),
});

test('[AN8] orders and money are those of the orders, in their minute, after the end included', async () => {
  const show = await api.newLiveShow(owner, shop.id, products);
  const early = await buy(show, first, true, 2);
  const slow = await buy(show, second, false);
  api.clock.advance(60_000);
  await buy(show, second, true);
  api.clock.advance(60_000);
  await api.shows.end(owner.id, show.id);
  await payments.decide(buyer.id, slow.paymentUrl?.split('/').at(-1) ?? '', 'succeed');
  const figures = await figuresOf(show);
  assert.deepEqual(figures.minutes.map(({ placed, paid }) => [placed, paid]), [[2, 1], [1, 1], [0, 0]]);
  assert.equal(figures.minutes[0]?.salesMinor, early.totalMinor);
  assert.deepEqual([figures.after.placed, figures.after.paid], [0, 1]);
  const known = await api.shows.figures(owner.id, show.id);
  assert.deepEqual([figures.totals.paid, figures.totals.salesMinor], [known.orders, known.salesMinor]);
  assert.deepEqual(
    figures.products.map(({ number, placed, paid, salesMinor }) => [number, placed, paid, salesMinor]),
    [[1, 1, 1, early.totalMinor], [2, 2, 2, known.salesMinor - early.totalMinor]],
  );
});

test('[AN8] money is that of the goods; what a cancelled order gives back is told apart, when it does', async () => {
  const show = await api.newLiveShow(owner, shop.id, products);
  const kept = await buy(show, first, true);
  const given = await buy(show, first, true, 2);
  api.clock.advance(60_000);
  await orders.cancel(buyer.id, given.id);
  const fact = { ...factOf(kept), orderId: api.platform.newId(), totalMinor: kept.totalMinor + 900 };
  const sent = { ...fact, goodsMinor: kept.totalMinor, paidAt: fact.placedAt ?? null };
  const { platform } = api;
  const tell = (topic: string, payload: object) => platform.database.transaction((tx) => (
    platform.outbox.publish(tx, { topic, payload: { ...payload } })
  ));
  await tell('orders.paid', { orders: [sent] });
  // Twice, and before it was told as placed.
  for (const _ of [1, 2]) await tell('orders.cancelled', { ...sent, by: 'buyer', reason: null });
  await tell('orders.placed', { orders: [{ ...sent, paidAt: null }] });
  const figures = await figuresOf(show);
  const [one, all] = [kept.totalMinor, given.totalMinor + 2 * kept.totalMinor];
  assert.deepEqual(figures.minutes.map(({ salesMinor, refundedMinor }) => [salesMinor, refundedMinor]),
    [[all, 0], [0, given.totalMinor + one]]);
  assert.deepEqual([figures.totals.paid, figures.totals.salesMinor, figures.totals.refundedMinor],
    [3, all, given.totalMinor + one]);
  assert.deepEqual(figures.products.map(({ refundedMinor }) => refundedMinor), [given.totalMinor + one, 0]);
});

test('[AN9] a fact told twice, or paid told before placed, counts once', async () => {
  const show = await api.newLiveShow(owner, shop.id, products);
  const order = await buy(show, first, false);
  const fact = factOf(order);
  const { platform } = api;
  const tell = (topic: string, payload: OrderFact) => platform.database.transaction((tx) => (
    platform.outbox.publish(tx, { topic, payload: { ...payload } })
  ));
  const paid = { ...fact, orderId: platform.newId(), paidAt: fact.placedAt ?? null };
  for (const repeat of [1, 2]) {
    await tell('orders.placed', fact);
    await tell('orders.paid', paid);
    assert.ok(repeat);
  }
  await tell('orders.placed', paid);
  const { totals, products: [product] } = await figuresOf(show);
  assert.deepEqual([totals.placed, totals.paid, totals.salesMinor], [2, 1, order.totalMinor]);
  assert.deepEqual([product?.placed, product?.paid, product?.salesMinor], [2, 1, order.totalMinor]);
});

test('[AN9] a new follower counts once for a show, also after leaving and coming back', async () => {
  const show = await api.newLiveShow(owner, shop.id, products);
  const fan = await api.newPerson('Tao');
  for (const method of ['PUT', 'DELETE', 'PUT'] as const) {
    await api.ask(`/api/shops/${shop.slug}/follow`, { method, body: { showId: show.id }, cookie: fan.cookie });
  }
  assert.equal((await figuresOf(show)).totals.followers, 1);
});

test('[AN2][AN3] one viewer with two tabs is one; the studio is none; a page’s word changes no count', async () => {
  const show = await api.newLiveShow(owner, shop.id, products);
  const room = `show/${show.id}`;
  const guest = api.newGuest();
  const tabs = [await api.enter(guest), await api.enter(guest)];
  for (const tab of tabs) await joinShow(tab, room);
  const host = await api.enter(owner.cookie);
  await host.join(`studio/${show.id}`);
  await joinShow(host, room);
  await api.ask(`/api/shows/${show.id}/visit`, { body: { source: 'poster' }, cookie: api.newGuest() });
  api.clock.advance(90_000);
  await tabs[0]?.close();
  api.clock.advance(30_000);
  const during = await figuresOf(show);
  assert.equal(during.totals.differentViewers, 1);
  // The clock goes on by itself too, and how long this takes is the machine's affair.
  const median = during.totals.medianWatchedSeconds ?? 0;
  assert.ok(median >= 120 && median < 150, `${median} s`);
  const came = during.minutes.slice(0, 2).map(({ viewers, newViewers }) => [viewers, newViewers]);
  assert.deepEqual(came, [[1, 1], [1, 0]]);
  assert.ok(during.minutes.every(({ watchedSeconds }) => watchedSeconds <= 60), 'two tabs are one');
  assert.equal((await figuresOf(show, 2)).minutes[0]?.minute, 2);
  await tabs[1]?.close();
  await host.close();
});

test('[AN12] talk, wishes, likes, cards, sheets count in their minute, the last two once per viewer', async () => {
  const show = await api.newLiveShow(owner, shop.id, products);
  const guest = api.newGuest();
  const tell = (path: string, body: object, cookie: string) => (
    api.ask(`/api/shows/${show.id}/${path}`, { body, cookie })
  );
  for (const kind of ['card_opened', 'card_opened', 'sheet_opened', 'sheet_opened']) {
    assert.equal((await tell('interest', { productId: first.id, kind }, guest)).status, 204);
  }
  await tell('interest', { productId: first.id, kind: 'card_opened' }, buyer.cookie);
  api.clock.advance(60_000);
  await tell('explain', { productId: second.id }, guest);
  await tell('likes', { count: 7 }, guest);
  await tell('chat', { clientId: 'c-12345678', text: 'Which sizes?' }, buyer.cookie);
  await api.shows.end(owner.id, show.id);
  const figures = await figuresOf(show);
  assert.deepEqual(figures.minutes.map((row) => (
    [row.cardsOpened, row.sheetsOpened, row.explains, row.likes, row.chats]
  )), [[2, 1, 0, 0, 0], [0, 0, 1, 7, 1]]);
  const goods = figures.products.map(({ cardsOpened, sheetsOpened }) => [cardsOpened, sheetsOpened]);
  assert.deepEqual(goods, [[2, 1], [0, 0]]);
});

test('[AN10][AN11] how viewers came: the first telling counts, small countries are one', async () => {
  const show = await api.newLiveShow(owner, shop.id, products);
  const ways = [
    ['poster', 'Asia/Shanghai'], ['poster', 'Asia/Shanghai'], ['other-site', 'Asia/Urumqi'],
    ['home', 'Europe/Berlin'],
  ] as const;
  for (const [source, zone] of ways) {
    const cookie = `${api.newGuest()}; nacre_tz=${encodeURIComponent(zone)}`;
    const client = await api.enter(cookie);
    await joinShow(client, `show/${show.id}`);
    const body = { source, ...(source === 'other-site' ? { host: 'blog.example' } : {}) };
    assert.equal((await api.ask(`/api/shows/${show.id}/visit`, { body, cookie })).status, 204);
    await api.ask(`/api/shows/${show.id}/visit`, { body: { source: 'direct' }, cookie });
    await client.close();
  }
  const { sources, countries } = await figuresOf(show);
  assert.deepEqual(sources, [
    { source: 'poster', host: null, viewers: 2 }, { source: 'home', host: null, viewers: 1 },
    { source: 'other-site', host: null, viewers: 1 },
  ]);
  assert.deepEqual(countries, [{ country: 'CN', viewers: 3 }, { country: null, viewers: 1 }]);
  const wrong = [{ source: 'me' }, { source: 'other-site', host: 'https://x/' }, { source: 'home', more: 1 }, {}];
  for (const body of wrong) {
    assert.equal((await api.ask(`/api/shows/${show.id}/visit`, { body, cookie: api.newGuest() })).status, 400);
  }
  await api.shows.end(owner.id, show.id);
  const late = await api.ask(`/api/shows/${show.id}/visit`, { body: { source: 'home' }, cookie: api.newGuest() });
  assert.equal(late.json['code'], 'shows.not_live');
});

test('[AN13] after a kill a visit ends when the server last wrote, and the show goes on being counted', async () => {
  const show = await api.newLiveShow(owner, shop.id, products);
  await api.analytics.flush();
  const { platform, clock } = api;
  const parts = {
    showFor: api.shows.figuresOf, stateFor: api.shows.brief, productsByIds: api.catalog.productsByIds,
    runningShows: async () => [{ showId: show.id, wentLiveAt: new Date(show.wentLiveAt ?? '') }],
  };
  const bus = () => createMemoryBus({ log: platform.log });
  const killed = createAnalytics({ ...parts, platform: { ...platform, bus: bus() }, viewersIn: () => ['guest/a'] });
  await killed.start();
  clock.advance(60_000);
  // It writes and does no more; that its viewer has left it never hears.
  await killed.stop();
  clock.advance(3_600_000);
  const next = createAnalytics({ ...parts, platform: { ...platform, bus: bus() }, viewersIn: () => ['guest/b'] });
  await next.start();
  clock.advance(10_000);
  await next.flush();
  const { totals, minutes } = await api.analytics.minutes(owner.id, show.id);
  assert.equal(totals.differentViewers, 2);
  assert.ok(Math.abs((totals.meanWatchedSeconds ?? 0) - 35) <= 2, `${totals.meanWatchedSeconds} s`);
  assert.deepEqual([minutes[1]?.viewers, minutes[30]?.viewers, minutes[61]?.viewers], [1, 0, 1]);
  await next.stop();
});

test('[AN14] who may not see figures gets none; a show that never was live has no rows', async () => {
  const planned = await api.newShow(owner, shop.id, { visibility: 'private' });
  await assert.rejects(api.analytics.minutes(buyer.id, planned.id), { code: 'shows.not_found' });
  const { minutes, totals } = await api.analytics.minutes(owner.id, planned.id);
  assert.deepEqual([minutes, totals.differentViewers, totals.medianWatchedSeconds], [[], 0, null]);
});

test('[AN15] the file has the rows of the page', async () => {
  const show = await api.newLiveShow(owner, shop.id, products);
  await api.shows.putOnScreen(owner.id, show.id, first.id);
  await buy(show, first, true);
  const figures = await figuresOf(show);
  const answer = await api.ask(`/api/office/shows/${show.id}/figures/minutes.csv`, { cookie: owner.cookie });
  assert.match(String(answer.headers['content-type']), /^text\/csv; charset=utf-8/);
  const name = /^attachment; filename="show-\d{4}-\d\d-\d\d-minutes\.csv"$/;
  assert.match(String(answer.headers['content-disposition']), name);
  assert.deepEqual([...answer.bytes.subarray(0, 3)], [0xef, 0xbb, 0xbf]);
  const [, row] = answer.bytes.toString().split('\r\n');
  const [minute] = figures.minutes;
  const sales = `${(minute?.salesMinor ?? 0) / 100}.00`;
  assert.ok(row?.endsWith(`,${minute?.placed},${minute?.paid},${sales},0.00,1,${first.title}`), row);
});

test('[AN17] a visit holds neither the viewer’s name nor one that another show has', async () => {
  const shows = [await api.newLiveShow(owner, shop.id, products), await api.newLiveShow(owner, shop.id, products)];
  for (const { id } of shows) api.analytics.notePresence(`show/${id}`, `person/${buyer.id}`, true);
  await api.analytics.flush();
  const visits = await api.platform.database.db.selectFrom('show_visit').selectAll()
    .where('show_id', 'in', shows.map(({ id }) => id)).execute();
  assert.equal(visits.length, 2);
  assert.equal(new Set(visits.map(({ viewer }) => viewer.toString('hex'))).size, 2);
  assert.ok(!JSON.stringify(visits.map((visit) => ({ ...visit, watched_ms: 0 }))).includes(buyer.id));
});
