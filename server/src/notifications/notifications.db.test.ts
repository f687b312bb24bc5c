/** News on a real database and over HTTP, with a push service that decrypts what it gets. Jobs are done by hand. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Notification } from '@nacre/contract/notifications';
import type { Shop } from '@nacre/contract/shops';
import type { Show } from '@nacre/contract/shows';
import { sql } from 'kysely';
import type { SignedInPerson } from '../../../tests/support/api.ts';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { createPushService, type PushService, type TestBrowser } from '../../../tests/support/push-service.ts';
import { createShowApi, type ShowApi } from '../../../tests/support/show-api.ts';
import { afterCommit } from '../platform/database.ts';
import { createNotifications, SUBSCRIPTIONS_MAX, type Notifications } from './notifications.ts';
import { createPusher, type Pusher } from './pusher.ts';
import { notificationsReactions } from './reactions.ts';
import { notificationsRoutes } from './routes.ts';
import { JOB_FOLLOWERS, type FollowersJob, type PushJob } from './telling.ts';

interface Added {
  name: string;
  data: Record<string, unknown>;
  startAfter: Date | null;
}

describe('notifications', () => {
  let database: TestDatabase;
  let api: ShowApi;
  let notifications: Notifications;
  let pusher: Pusher;
  let service: PushService;
  let owner: SignedInPerson;
  let shop: Shop;
  /** What was added in transactions that were committed. */
  const jobs: Added[] = [];

  before(async () => {
    database = await createTestDatabase(import.meta.url);
    service = await createPushService();
    const made = Promise.withResolvers<Notifications>();
    api = await createShowApi(database.serverUrl, (parts) => {
      const { platform, follows, accounts, shows, shops, realtime } = parts;
      pusher = createPusher({
        secret: Buffer.alloc(32, 9).toString('base64url'), contact: 'https://nacre.test', log: platform.log,
        allowsLoopback: true,
      });
      const facts = createNotifications({
        platform, follows, pusher, channel: realtime,
        readersOf: accounts.readersOf, publicShows: shows.publicTiles, shopRefs: shops.refs,
        jobs: {
          add: async (tx, name, data, startAfter = null) => {
            afterCommit(tx, () => jobs.push({ name, data, startAfter }));
          },
        },
      });
      notificationsReactions(platform.outbox, { on: () => {} }, { notifications: facts });
      void notificationsRoutes(parts.app, { notifications: facts });
      made.resolve(facts);
    });
    notifications = await made.promise;
    ({ owner, shop } = await api.newMarket(0));
  });
  after(async () => {
    await api.stop();
    pusher.stop();
    await service.stop();
    await database.drop();
  });

  type Method = 'GET' | 'PUT' | 'PATCH' | 'DELETE';
  const me = (path: string, person: { cookie: string }, method: Method = 'GET', body?: object) =>
    api.ask(`/api/me/${path}`, { method, cookie: person.cookie, ...(body === undefined ? {} : { body }) });
  const listOf = async (person: { cookie: string }) =>
    (await me('notifications?limit=50', person)).json['items'] as Notification[];
  const unreadOf = async (person: { cookie: string }) => (await me('notifications/unread', person)).json['unread'];
  const settle = () => api.platform.outbox.drain();

  async function newFollower(name = 'Mei'): Promise<SignedInPerson> {
    const person = await api.newPerson(name);
    await api.ask(`/api/shops/${shop.slug}/follow`, { method: 'PUT', cookie: person.cookie });
    return person;
  }

  async function subscribed(person: SignedInPerson): Promise<TestBrowser> {
    const browser = service.newBrowser(pusher.publicKey);
    const answer = await me('push-subscription', person, 'PUT', browser.subscription);
    assert.equal(answer.status, 204, JSON.stringify(answer.json));
    return browser;
  }

  /** Does what is due, jobs of jobs too, until nothing is; what is for later stays and is given back. */
  async function work(): Promise<Added[]> {
    await settle();
    const later: Added[] = [];
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      const isLater = job.name !== JOB_FOLLOWERS && (job.startAfter ?? 0) > api.platform.clock.now();
      if (isLater) later.push(job);
      else await run(job);
    }
    return later;
  }

  const run = ({ name, data }: Added) => (name === JOB_FOLLOWERS
    ? notifications.tellFollowers(data as unknown as FollowersJob)
    : notifications.push(data as unknown as PushJob));

  async function goLive(changes: Parameters<ShowApi['newShow']>[2] = {}): Promise<Show> {
    const show = await api.newShow(owner, shop.id, changes);
    await api.shows.pictureUp(show.id);
    return show;
  }

  async function tell(topic: string, ...payloads: object[]): Promise<void> {
    await api.platform.database.transaction(async (tx) => {
      for (const payload of payloads) await api.platform.outbox.publish(tx, { topic, payload: { ...payload } });
    });
    await settle();
  }

  /** Of an order that was made by hand. */
  async function factFor(person: SignedInPerson) {
    const { newId, clock, database: { db } } = api.platform;
    const orderId = newId();
    await sql`insert into "order" (id, shop_id, buyer_id, buyer_name, idempotency_key, request_hash, state, currency,
      channel, delivery, total_minor, address, hold_expires_at, placed_at) values (${orderId}, ${shop.id},
      ${person.id}, 'Mei', ${orderId}, ${Buffer.alloc(32)}, 'held', 'CNY', 'online', 'parcel', 1, '{}',
      ${clock.now()}, ${clock.now()})`.execute(db);
    return {
      orderId, orderNumber: 'N-1042', shopId: shop.id, showId: null, buyerId: person.id, buyerName: 'Mei', lines: [],
      totalMinor: 1, currency: 'CNY',
    };
  }

  async function shipTo(person: SignedInPerson): Promise<string> {
    const fact = await factFor(person);
    await tell('orders.shipped', fact, fact);
    return fact.orderId;
  }

  it('[N1] followers read that a show went live; others, and those who follow later, do not', async () => {
    const mei = await newFollower();
    const stranger = await api.newPerson();
    const show = await goLive({ title: 'Silk tonight' });
    await settle();
    const late = await newFollower();
    const [news, ...more] = await listOf(mei);
    assert.equal(more.length, 0);
    assert.equal(news?.kind, 'live');
    assert.equal(news.show?.id, show.id);
    assert.equal(news.shop.name, shop.name);
    assert.equal(news.isNew, true);
    assert.deepEqual(await listOf(stranger), []);
    assert.deepEqual(await listOf(late), []);
    await work();
  });

  it('[N9] a push arrives encrypted for the browser and signed, with its time, urgency and topic', async () => {
    const mei = await newFollower();
    await api.accounts.patchMe(mei.id, { locale: 'zh' });
    const browser = await subscribed(mei);
    const show = await goLive({ title: '今晚丝绸' });
    await work();
    const [pushed, ...more] = browser.pushed;
    assert.equal(more.length, 0);
    assert.match(pushed?.message.title ?? '', /开播/);
    assert.match(pushed?.message.body ?? '', /今晚丝绸/);
    assert.equal(pushed?.message.url, `/shows/${show.id}`);
    assert.equal(pushed?.headers.topic, show.id.replaceAll('-', ''));
    assert.equal(pushed?.headers.urgency, 'high');
    const ttl = Number(pushed?.headers.ttl);
    assert.ok(ttl > 800 && ttl <= 900, String(ttl));
    assert.ok((pushed?.bytes ?? 9_999) < 1_000);
  });

  it('[N3] a fact that is delivered again, and a job that runs again, tell nobody twice', async () => {
    const mei = await newFollower();
    const browser = await subscribed(mei);
    const show = await goLive();
    await settle();
    const followersJob = jobs.find(({ name }) => name === JOB_FOLLOWERS);
    assert.ok(followersJob);
    const row = await api.platform.database.db.selectFrom('show_news').selectAll().where('show_id', '=', show.id)
      .executeTakeFirstOrThrow();
    const fact = { showId: show.id, shopId: shop.id, startsAt: show.startsAt, at: row.at.toISOString() };
    await api.platform.database.transaction((tx) => notifications.noteShow(tx, 'live', fact));
    await work();
    await Promise.all([run(followersJob), run(followersJob)]);
    await work();
    assert.equal(browser.pushed.length, 1);
    await api.shows.pictureDown(show.id, 'a test');
    await api.shows.pictureUp(show.id);
    await work();
    assert.equal(browser.pushed.length, 1, 'back after an interruption is no news');
  });

  it('[N2] 25,000 followers are gone through by pages of keys, and nothing is written per follower', async () => {
    const crowded = await api.newShop(owner.cookie);
    const { db } = api.platform.database;
    await sql`insert into person (id, name, email, created_at, updated_at)
      select ('019a0000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'F', 'f' || n || '@crowd.test',
      ${new Date()}, ${new Date()} from generate_series(1, 25000) n`.execute(db);
    await sql`insert into follow (shop_id, person_id, created_at) select ${crowded.id}, id, ${new Date()} from person
      where email like '%@crowd.test'`.execute(db);
    await sql`insert into session (id, expires_at, token, created_at, updated_at, person_id) select id, ${new Date()},
      id::text, ${new Date()}, ${new Date()}, id from person where email like '%00@crowd.test'`.execute(db);
    await sql`insert into push_subscription (id, person_id, session_id, endpoint, p256dh, auth, created_at)
      select id, id, id, 'https://push.example.org/' || id, 'k', 'k', ${new Date()} from person
      where email like '%00@crowd.test'`.execute(db);
    const show = await api.newShow(owner, crowded.id);
    await api.shows.pictureUp(show.id);
    await settle();
    const [job] = jobs.splice(0);
    assert.ok(job);
    const began = performance.now();
    await run(job);
    const tookMs = performance.now() - began;
    const pushes = jobs.splice(0);
    const ids = pushes.flatMap(({ data }) => data['subscriptionIds'] as string[]);
    assert.equal(ids.length, 250);
    assert.equal(new Set(ids).size, 250);
    assert.ok(pushes.every(({ data }) => (data['subscriptionIds'] as string[]).length <= 25));
    const rows = await db.selectFrom('show_news').selectAll().where('show_id', '=', show.id).execute();
    assert.equal(rows.length, 1);
    assert.equal(rows[0]?.told_all, true);
    assert.ok(tookMs < 5_000, `${tookMs} ms`);
    await run(job);
    assert.deepEqual(jobs, []);
  });

  it('[N4] a show that is over when its turn comes is told by no push; the last of several times is', async () => {
    const mei = await newFollower();
    const browser = await subscribed(mei);
    const over = await goLive();
    await settle();
    await api.shows.end(owner.id, over.id);
    await work();
    assert.equal(browser.pushed.length, 0);
    const plan = await api.newShow(owner, shop.id, { title: 'Coats' });
    for (const hours of [5, 6]) {
      const startsAt = new Date(Date.now() + hours * 3_600_000).toISOString();
      await api.shows.patch(owner.id, plan.id, { startsAt });
      await settle();
    }
    assert.ok(jobs.every(({ startAfter }) => startAfter !== null), 'a host may correct the time');
    await work();
    assert.equal(browser.pushed.length, 1);
    await api.shows.cancel(owner.id, plan.id);
    await work();
    assert.match(browser.pushed[1]?.message.title ?? '', /called a show off/);
    assert.equal(browser.pushed[1]?.message.tag, browser.pushed[0]?.message.tag);
  });

  it('[N5] the list has no private show and no plan that is void, and comes in pages', async () => {
    const mei = await newFollower();
    const moved = await api.newShow(owner, shop.id, { title: 'Moved' });
    const hidden = await api.newShow(owner, shop.id, { title: 'Hidden' });
    for (const show of [moved, hidden]) {
      await api.shows.patch(owner.id, show.id, { startsAt: new Date(Date.now() + 9_000_000).toISOString() });
    }
    for (let index = 0; index < 3; index += 1) await goLive({ title: `Show ${index}` });
    await settle();
    assert.equal((await listOf(mei)).length, 5);
    await api.shows.patch(owner.id, hidden.id, { visibility: 'private' });
    await api.shows.cancel(owner.id, moved.id);
    await settle();
    const all = await listOf(mei);
    assert.deepEqual(all.map(({ kind }) => kind), ['cancelled', 'live', 'live', 'live']);
    const paged: Notification[] = [];
    let next: string | null = '';
    while (next !== null) {
      const { json } = await me(`notifications?limit=2${next === '' ? '' : `&cursor=${next}`}`, mei);
      paged.push(...json['items'] as Notification[]);
      next = json['next'] as string | null;
    }
    assert.deepEqual(paged, all);
    jobs.splice(0);
  });

  it('[N6] what is new is counted up to ten, and seen stays seen', async () => {
    const mei = await newFollower();
    for (let index = 0; index < 12; index += 1) await goLive();
    await settle();
    assert.equal(await unreadOf(mei), 10);
    const list = await listOf(mei);
    const seen = (until: string | undefined) => me('notifications/seen', mei, 'PUT', { until });
    await seen(list[1]?.at);
    assert.equal(await unreadOf(mei), 1);
    await seen(list[0]?.at);
    await seen(list[5]?.at);
    assert.equal(await unreadOf(mei), 0);
    assert.ok((await listOf(mei)).every(({ isNew }) => !isNew));
    await seen('2099-01-01T00:00:00.000Z');
    await new Promise((go) => setTimeout(go, 5));
    await goLive();
    await settle();
    assert.equal(await unreadOf(mei), 1, 'nobody has seen what is to come');
    assert.equal((await seen('yesterday')).status, 400);
    jobs.splice(0);
  });

  it('[N7] what is switched off is not pushed, but listed', async () => {
    const mei = await newFollower();
    const browser = await subscribed(mei);
    const { json } = await me('notification-settings', mei, 'PATCH', { live: false });
    assert.deepEqual(
      json, { live: false, plans: true, orders: true, quiet: null, pushHere: true, pushKey: pusher.publicKey },
    );
    await goLive();
    const orderId = await shipTo(mei);
    await work();
    assert.deepEqual(browser.pushed.map(({ message }) => message.url), [`/orders/${orderId}`]);
    assert.deepEqual((await listOf(mei)).map(({ kind }) => kind), ['order_shipped', 'live']);
    assert.equal((await me('notification-settings', mei, 'PATCH', {})).status, 400);
    assert.equal((await me('notification-settings', mei, 'PATCH', { live: 'no' })).status, 400);
  });

  it('[N20] a buyer is told once when the shop cancels an order, and not of what they cancelled', async () => {
    const mei = await newFollower();
    const browser = await subscribed(mei);
    const [byShop, byBuyer] = [await factFor(mei), await factFor(mei)];
    const { database, outbox } = api.platform;
    await database.transaction(async (tx) => {
      const told = { ...byShop, by: 'shop', reason: 'damaged' };
      for (const payload of [told, told, { ...byBuyer, by: 'buyer', reason: null }]) {
        await outbox.publish(tx, { topic: 'orders.cancelled', payload });
      }
    });
    await work();
    const [news, ...more] = await listOf(mei);
    assert.deepEqual([more.length, news?.kind, news?.order?.id], [0, 'order_cancelled', byShop.orderId]);
    assert.deepEqual(browser.pushed.map(({ message }) => message.url), [`/orders/${byShop.orderId}`]);
    assert.match(browser.pushed[0]?.message.title ?? '', /cancelled your order/);
  });

  it('[O81] [WL10] money that came late, and pieces that are kept, are told once, and pushed as long as it is of use',
    async () => {
      const mei = await api.newPerson('Mei');
      const browser = await subscribed(mei);
      const [one, two] = [await shipTo(mei), await shipTo(mei)];
      const product = await api.newProduct(owner.cookie, shop.id);
      const { newId, clock, database: { db } } = api.platform;
      const waitId = newId();
      await sql`insert into waiting (id, variant_id, person_id, quantity, state, created_at, updated_at)
        values (${waitId}, ${product.variants[0]?.id}, ${mei.id}, 1, 'waiting', ${clock.now()}, ${clock.now()})`
        .execute(db);
      const fact = (orderId: string, late: string) => ({
        orderId, orderNumber: 'N-1042', shopId: shop.id, showId: null, buyerId: mei.id, buyerName: 'Mei', lines: [],
        totalMinor: 1, currency: 'CNY', late,
      });
      const late = { orders: [fact(one, 'kept'), fact(two, 'returned')] };
      const kept = { kept: [{
        waitId, personId: mei.id, variantId: product.variants[0]?.id, productId: product.id, shopId: shop.id,
        title: 'Dress', kept: 1, until: clock.now().toISOString(),
      }] };
      await tell('orders.paid_late', late, late);
      await tell('catalog.kept', kept, kept);
      await work();
      const listed = (await listOf(mei)).map(({ kind, order, goods }) => [kind, order?.id ?? goods?.title]);
      assert.deepEqual(new Set(listed.map(String)), new Set([
        ['kept', 'Dress'], ['order_too_late', two], ['order_paid_late', one], ['order_shipped', one],
        ['order_shipped', two],
      ].map(String)));
      assert.equal(listed.length, 5);
      const urls = browser.pushed.map(({ message }) => message.url);
      assert.deepEqual(urls.filter((url) => url === `/shops/${shop.slug}/goods/${product.id}`).length, 1);
      assert.deepEqual(urls.length, 5);
    });

  it('[N8] in quiet hours a beginning is not pushed, and an order waits for their end', async () => {
    const mei = await newFollower();
    const browser = await subscribed(mei);
    const now = api.platform.clock.now();
    const clock = (ms: number) => new Date(now.getTime() + ms).toISOString().slice(11, 16);
    const quiet = { from: clock(-3_600_000), to: clock(2 * 3_600_000) };
    await api.accounts.patchMe(mei.id, { timeZone: 'UTC' });
    assert.deepEqual((await me('notification-settings', mei, 'PATCH', { quiet })).json['quiet'], quiet);
    await goLive();
    await shipTo(mei);
    const later = await work();
    assert.deepEqual(browser.pushed, []);
    assert.equal(later.length, 1);
    const waitMs = (later[0]?.startAfter?.getTime() ?? 0) - now.getTime();
    assert.ok(Math.abs(waitMs - 2 * 3_600_000) <= 60_000, String(waitMs));
    api.clock.advance(waitMs);
    if (later[0]) await run(later[0]);
    assert.equal(browser.pushed.length, 1);
    for (const from of ['08:00', '24:00']) {
      const wrong = { quiet: { from, to: '08:00' } };
      assert.equal((await me('notification-settings', mei, 'PATCH', wrong)).status, 400);
    }
  });

  it('[N10] who signs out, here or from afar, gets no more pushes; a browser is of whoever used it last', async () => {
    const [mei, afar] = [await newFollower(), await newFollower()];
    const browser = await subscribed(mei);
    const browserAfar = await subscribed(afar);
    await api.ask('/api/auth/sign-out', { method: 'POST', cookie: mei.cookie, body: {} });
    await api.ask('/api/auth/revoke-sessions', { method: 'POST', cookie: afar.cookie, body: {} });
    await goLive();
    await work();
    assert.equal(browser.pushed.length + browserAfar.pushed.length, 0);
    const other = await newFollower('Li');
    const second = await subscribed(other);
    assert.equal((await me('push-subscription', other, 'PUT', browser.subscription)).status, 204);
    await goLive();
    await work();
    assert.equal(browser.pushed.length, 1, 'the other person’s');
    assert.deepEqual(second.pushed, [], 'one browser of a session');
    await me('push-subscription', other, 'DELETE');
    assert.equal((await me('push-subscription', other, 'DELETE')).status, 204);
    await goLive();
    await work();
    assert.equal(browser.pushed.length, 1);
    assert.equal((await me('notification-settings', other)).json['pushHere'], false);
  });

  it('[N11] a browser that is gone is forgotten; a service that is away is tried five times', async () => {
    const [gone, away, wrong] = [await newFollower(), await newFollower(), await newFollower()];
    const browsers = [await subscribed(gone), await subscribed(away), await subscribed(wrong)];
    [410, 503, 400].forEach((status, index) => Object.assign(browsers[index] ?? {}, { answer: status }));
    await goLive();
    let later = await work();
    assert.equal((await me('notification-settings', gone)).json['pushHere'], false);
    assert.equal((await me('notification-settings', wrong)).json['pushHere'], true);
    const waits: number[] = [];
    while (later.length > 0) {
      assert.equal(later.length, 1);
      const [again] = later;
      const waitMs = (again?.startAfter?.getTime() ?? 0) - api.platform.clock.now().getTime();
      waits.push(Math.round(waitMs / 1_000));
      api.clock.advance(waitMs + 1);
      if (again) jobs.push(again);
      later = await work();
    }
    assert.deepEqual(waits, [30, 60, 120, 240]);
    for (const person of [away, wrong]) await me('push-subscription', person, 'DELETE');
  });

  it('[N12] addresses that are none of a push service are refused', async () => {
    const mei = await newFollower();
    const { subscription } = service.newBrowser(pusher.publicKey);
    for (const endpoint of ['https://127.0.0.1/x', 'http://example.org/x', 'https://db.internal/', 'x']) {
      const answer = await me('push-subscription', mei, 'PUT', { ...subscription, endpoint });
      assert.equal(answer.json['code'], 'notifications.endpoint', endpoint);
    }
    const bad = await me('push-subscription', mei, 'PUT', { ...subscription, keys: { p256dh: 'x', auth: 'y' } });
    assert.equal(bad.json['code'], 'request.invalid');
  });

  it('[N13] of one person the newest ten browsers get pushes', async () => {
    const mei = await newFollower();
    const { newId, clock, database: { db } } = api.platform;
    const isHere: boolean[] = [];
    const actors = Array.from({ length: SUBSCRIPTIONS_MAX + 1 }, () => ({
      kind: 'person' as const, personId: mei.id, name: 'Mei', isOperator: false, isDemo: false, sessionId: newId(),
    }));
    for (const actor of actors) {
      const now = clock.now();
      await db.insertInto('session').values({
        id: actor.sessionId, person_id: mei.id, token: actor.sessionId, expires_at: now,
        created_at: now, updated_at: now,
      }).execute();
      await notifications.subscribe(actor, service.newBrowser(pusher.publicKey).subscription);
      api.clock.advance(1);
    }
    for (const actor of actors) isHere.push((await notifications.settings(actor)).pushHere);
    assert.deepEqual(isHere, [false, ...Array.from({ length: SUBSCRIPTIONS_MAX }, () => true)]);
    await assert.rejects(
      notifications.subscribe({ ...mei, ...actors[0], sessionId: newId() } as typeof actors[0] & object,
        service.newBrowser(pusher.publicKey).subscription),
      { code: 'accounts.sign_in_first' },
    );
  });

  it('[N14] open pages of followers are told at once', async () => {
    const mei = await newFollower();
    const socket = await api.enter(mei.cookie);
    const show = await goLive();
    await work();
    await socket.untilTrue(() => socket.messages.some((message) => (
      message.type === 'own' && message.event.type === 'own-news' && message.event.news.show?.id === show.id
    )), 'news on the socket');
    await socket.close();
  });
});
