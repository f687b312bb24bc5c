/** Calendars, feeds and the list of shows with a product, over HTTP on a real database. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { ShowTile } from '@nacre/contract/shows';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { createShowApi } from '../../../tests/support/show-api.ts';
import { CANCELLED_TOPIC, MOVED_TOPIC, WENT_LIVE_TOPIC, type ShowFact } from './events.ts';

const database = await createTestDatabase(import.meta.url);
const api = await createShowApi(database.serverUrl);
after(async () => {
  await api.stop();
  await database.drop();
});
const { owner, shop, products } = await api.newMarket(2);
const [first, second] = products.map((product) => product.id) as [string, string];

const get = (url: string, headers: Record<string, string> = {}) => api.app.inject({ method: 'GET', url, headers });
const change = (showId: string, body: object) =>
  api.ask(`/api/office/shows/${showId}`, { method: 'PATCH', body, cookie: owner.cookie });
const heard: string[] = [];
for (const topic of [WENT_LIVE_TOPIC, MOVED_TOPIC, CANCELLED_TOPIC]) {
  api.platform.outbox.on(topic, async (_tx, fact: ShowFact) => void heard.push(`${topic} ${fact.showId}`));
}
/** What others have heard of the show since the last time. */
async function heardOf(showId: string): Promise<string[]> {
  await api.platform.outbox.drain();
  return heard.splice(0).filter((fact) => fact.endsWith(showId)).map((fact) => fact.split(' ')[0] ?? '');
}
const uidsOf = (file: string) => [...file.matchAll(/^UID:(.*)\r$/gm)].map((match) => match[1]);

test('[S30] shows are listed by what is in their bag; what was taken out and what is private is not', async () => {
  const both = await api.newShow(owner, shop.id, { productIds: [first, second] });
  const hidden = await api.newShow(owner, shop.id, { productIds: [first], visibility: 'private' });
  const live = await api.newLiveShow(owner, shop.id, products);
  const ids = async (state: string, productId: string) => (
    (await api.ask(`/api/shows?state=${state}&productId=${productId}`, { method: 'GET' })).json['items'] as ShowTile[]
  ).map(({ id }) => id);
  assert.deepEqual(await ids('planned', first), [both.id]);
  assert.deepEqual(await ids('live', first), [live.id]);
  const bag = { method: 'PUT' as const, body: { productIds: [second] }, cookie: owner.cookie };
  assert.equal((await api.ask(`/api/office/shows/${both.id}/bag`, bag)).status, 200);
  assert.deepEqual(await ids('planned', first), []);
  assert.deepEqual(await ids('planned', second), [both.id]);
  assert.ok(!(await ids('planned', first)).includes(hidden.id));
});

test('[S33] calendars and feeds hold public shows only, for members of the shop too', async () => {
  const open = await api.newShow(owner, shop.id, { title: 'Open' });
  const hidden = await api.newShow(owner, shop.id, { title: 'Hidden rehearsal', visibility: 'private' });
  const cookie = { cookie: owner.cookie };
  assert.equal((await get(`/api/shows/${hidden.id}/calendar.ics`, cookie)).statusCode, 404);
  assert.equal((await get(`/api/shows/${open.id}/calendar.ics`)).statusCode, 200);
  const calendar = (await get(`/api/shops/${shop.slug}/calendar.ics`, cookie)).body;
  assert.ok(uidsOf(calendar).includes(open.id));
  for (const path of [`/api/shops/${shop.slug}/calendar.ics`, `/api/shops/${shop.slug}/shows.rss`, '/api/shows.rss']) {
    const { body } = await get(path, cookie);
    assert.ok(body.includes(open.id), path);
    assert.ok(!body.includes(hidden.id) && !body.includes('rehearsal'), path);
  }
  assert.equal((await get('/api/shops/nobody/calendar.ics')).statusCode, 404);
});

test('[S32] moved and called off: same UID, higher SEQUENCE, still in the shop’s calendar', async () => {
  const show = await api.newShow(owner, shop.id, { title: 'To move' });
  const path = `/api/shows/${show.id}/calendar.ics`;
  const sequence = (body: string) => Number(/^SEQUENCE:(\d+)\r$/m.exec(body)?.[1]);
  const before = (await get(path)).body;
  const startsAt = new Date(Date.now() + 48 * 3_600_000).toISOString();
  assert.equal((await change(show.id, { startsAt })).status, 200);
  const moved = (await get(path)).body;
  assert.ok(sequence(moved) > sequence(before), `${sequence(moved)} after ${sequence(before)}`);
  assert.ok(moved.includes(`DTSTART:${startsAt.replaceAll(/[-:]|\.\d+/g, '')}`));
  const cancel = { method: 'POST' as const, cookie: owner.cookie };
  assert.equal((await api.ask(`/api/office/shows/${show.id}/cancel`, cancel)).status, 200);
  const calendar = (await get(`/api/shops/${shop.slug}/calendar.ics`)).body;
  const event = calendar.split('BEGIN:VEVENT').find((part) => part.includes(`UID:${show.id}`)) ?? '';
  assert.match(event, /STATUS:CANCELLED/);
  assert.ok(sequence(event) >= sequence(moved));
});

test('[S34] no cookie goes with a calendar or feed, caches may keep it, and the same is not sent twice', async () => {
  const show = await api.newShow(owner, shop.id);
  const types = new Map([
    [`/api/shows/${show.id}/calendar.ics`, 'text/calendar; charset=utf-8'],
    [`/api/shops/${shop.slug}/calendar.ics`, 'text/calendar; charset=utf-8'],
    [`/api/shops/${shop.slug}/shows.rss`, 'application/rss+xml; charset=utf-8'],
    ['/api/shows.rss', 'application/rss+xml; charset=utf-8'],
  ]);
  for (const [path, type] of types) {
    const answer = await get(path);
    assert.equal(answer.statusCode, 200, path);
    assert.equal(answer.headers['content-type'], type);
    assert.equal(answer.headers['set-cookie'], undefined, path);
    assert.equal(answer.headers['cache-control'], 'public, max-age=300');
    const again = await get(path, { 'if-none-match': String(answer.headers.etag) });
    assert.deepEqual([again.statusCode, again.body], [304, ''], path);
  }
  assert.notEqual((await get('/api/shows')).headers['set-cookie'], undefined);
});

test('[S35] the map leads from robots.txt to every public page, and to no other', async () => {
  const open = await api.newShow(owner, shop.id);
  const hidden = await api.newShow(owner, shop.id, { visibility: 'private' });
  const draft = await api.newProduct(owner.cookie, shop.id, { title: 'Draft', state: 'draft' });
  const pathsOf = (xml: string) => (
    [...xml.matchAll(/<loc>([^<]*)<\/loc>/g)].map((match) => new URL(match[1] ?? '').pathname)
  );
  const robots = await get('/robots.txt');
  assert.match(robots.body, /^Disallow: \/office$/m);
  const index = /^Sitemap: (.*)$/m.exec(robots.body)?.[1] ?? assert.fail('no map');
  const maps = pathsOf((await get(new URL(index).pathname)).body);
  assert.deepEqual(maps, [`/sitemap/${shop.slug}.xml`]);
  const map = await get(maps[0] ?? '');
  assert.equal(map.headers['set-cookie'], undefined);
  const paths = pathsOf(map.body);
  for (const path of [
    `/shops/${shop.slug}`, `/shows/${open.id}`, ...[first, second].map((id) => `/shops/${shop.slug}/goods/${id}`),
  ]) assert.ok(paths.includes(path), path);
  assert.ok(!map.body.includes(hidden.id) && !map.body.includes(draft.id));
  assert.equal((await get('/sitemap/nobody.xml')).statusCode, 404);
});

test('[S40] others hear once that a show went live, and not when its picture comes back', async () => {
  const show = await api.newLiveShow(owner, shop.id, products);
  assert.deepEqual(await heardOf(show.id), [WENT_LIVE_TOPIC]);
  await api.shows.pictureDown(show.id, 'a test');
  await api.shows.pictureUp(show.id);
  assert.deepEqual(await heardOf(show.id), []);
});

test('[S41] others hear that a show has another start, and that it was called off', async () => {
  const show = await api.newShow(owner, shop.id);
  await change(show.id, { startsAt: show.startsAt, title: 'Others' });
  assert.deepEqual(await heardOf(show.id), []);
  await change(show.id, { startsAt: new Date(Date.now() + 9_000_000).toISOString() });
  assert.deepEqual(await heardOf(show.id), [MOVED_TOPIC]);
  await api.shows.cancel(owner.id, show.id);
  await api.shows.cancel(owner.id, show.id);
  assert.deepEqual(await heardOf(show.id), [CANCELLED_TOPIC]);
});

test('[S42] of a private show others hear nothing until it is opened, then that it is live', async () => {
  const show = await api.newShow(owner, shop.id, { visibility: 'private' });
  await change(show.id, { startsAt: new Date(Date.now() + 9_000_000).toISOString() });
  await api.shows.pictureUp(show.id);
  assert.deepEqual(await heardOf(show.id), []);
  await change(show.id, { visibility: 'public' });
  await change(show.id, { title: 'Open now' });
  assert.deepEqual(await heardOf(show.id), [WENT_LIVE_TOPIC]);
  const plan = await api.newShow(owner, shop.id, { visibility: 'private' });
  await change(plan.id, { visibility: 'public', startsAt: new Date(Date.now() + 9_000_000).toISOString() });
  const hidden = await api.newShow(owner, shop.id, { visibility: 'private' });
  await api.shows.cancel(owner.id, hidden.id);
  assert.deepEqual([...await heardOf(plan.id), ...await heardOf(hidden.id)], []);
});
