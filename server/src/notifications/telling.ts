/**
 * From a fact to those whom it concerns: rows in the reaction, followers by pages of their keys, pushes by small jobs.
 *
 * Invariants: nothing is written per follower; the row of the news is the cursor through its followers, moved in the
 * transaction that adds the page's jobs, so that a job that runs twice takes no page twice. A push job that is cut
 * short may send some of its few pushes again; they carry the same topic and tag, so the device shows one.
 */
import type { Notification, NotificationKind } from '@nacre/contract/notifications';
import { KEPT_MS } from '@nacre/contract/waiting';
import { afterCommit, type Tx } from '../platform/database.ts';
import type { ShowFact } from '../shows/events.ts';
import { isStillNews, LIVE_NEWS_MS, type ShowNewsKind } from './freshness.ts';
import type { NotificationsDeps } from './notifications.ts';
import { showNews, viewOf } from './listing.ts';
import type { PushOptions } from './pusher.ts';
import { quietUntil } from './quiet.ts';
import { quietOf, wants } from './settings.ts';
import * as store from './store.ts';
import { pushOf, type News } from './words.ts';

export const JOB_FOLLOWERS = 'notifications.followers';
export const JOB_PUSH = 'notifications.push';

/** Goes through the followers of a show's shop. `at` names what was told: a later change has a job of its own. */
export interface FollowersJob {
  newsId: string;
  at: string;
}

export interface PushJob {
  /** Of `show_news` or, `of` own, of `notification`. */
  newsId: string;
  of: 'show' | 'own';
  at: string;
  subscriptionIds: string[];
  /** Failed so far. */
  tries: number;
}

/** Keys read at a time. Fewer ask the database more often, more hold the news' row longer. */
const FOLLOWERS_PAGE = 10_000;
/** Pages of one job, some seconds; then another worker may go on. */
const PAGES_PER_JOB = 10;
/** Pushes of one job: what is sent twice at most when the process is killed, and with a dead service still within the
 * time of a job. */
const PUSHES_PER_JOB = 25;
/** A host who corrects the time again within this tells once. */
const MOVED_WAIT_MS = 60_000;
/** 30 s, 1, 2 and 4 minutes: what a push service needs to come back; after that the news is old. */
const TRIES_MAX = 5;
const RETRY_FIRST_MS = 30_000;
/** Kept for a phone that is off. */
const PLAN_TTL_MAX_MS = 24 * 3_600_000;
const ORDER_TTL_MS = 3 * 24 * 3_600_000;

export async function noteShow(deps: NotificationsDeps, tx: Tx, kind: ShowNewsKind, fact: ShowFact): Promise<void> {
  const { clock, newId } = deps.platform;
  const id = await store.writeShowNews(tx, {
    id: newId(), show_id: fact.showId, shop_id: fact.shopId, kind, at: new Date(fact.at),
    starts_at: new Date(fact.startsAt),
  });
  if (id === null) return;
  const startAfter = kind === 'moved' ? new Date(clock.now().getTime() + MOVED_WAIT_MS) : null;
  await deps.jobs.add(tx, JOB_FOLLOWERS, { newsId: id, at: fact.at } satisfies FollowersJob, startAfter);
}

/** News of one person's own: an order, or pieces that are kept. Told of twice it is one. */
export interface OwnNews {
  personId: string;
  kind: Exclude<NotificationKind, ShowNewsKind>;
  shopId: string;
  about: { orderId: string; orderNumber: string } | { waitId: string; productId: string; title: string };
}

export async function noteOwn(deps: NotificationsDeps, tx: Tx, own: OwnNews): Promise<void> {
  const { clock, newId } = deps.platform;
  const { personId, kind, shopId, about } = own;
  const aboutRow = 'orderId' in about
    ? { order_id: about.orderId, order_number: about.orderNumber, waiting_id: null, product_id: null, title: null }
    : {
      order_id: null, order_number: null, waiting_id: about.waitId, product_id: about.productId, title: about.title,
    };
  const row = { id: newId(), person_id: personId, kind, shop_id: shopId, at: clock.now(), ...aboutRow };
  if (!(await store.insertNotification(tx, row))) return;
  const job = { newsId: row.id, of: 'own', at: row.at.toISOString(), tries: 0 } as const;
  await addPushes(deps, tx, job, await store.subscriptionsOf(tx, [personId]));
  const shop = (await deps.shopRefs([shopId])).get(shopId);
  if (shop === undefined) return;
  const news = viewOf({ ...row, show_id: null }, { shop, show: null, seenUntil: null });
  afterCommit(tx, () => deps.channel.tell(personId, { type: 'own-news', news }));
}

async function addPushes(
  deps: NotificationsDeps, tx: Tx, job: Omit<PushJob, 'subscriptionIds'>, ids: readonly string[], after?: Date,
): Promise<void> {
  for (let start = 0; start < ids.length; start += PUSHES_PER_JOB) {
    const subscriptionIds = ids.slice(start, start + PUSHES_PER_JOB);
    await deps.jobs.add(tx, JOB_PUSH, { ...job, subscriptionIds } satisfies PushJob, after ?? null);
  }
}

/** The job of a show's news. Safe to run twice, also at the same time. */
export async function tellFollowers(deps: NotificationsDeps, job: FollowersJob): Promise<void> {
  for (let page = 1; page <= PAGES_PER_JOB; page += 1) {
    if (!(await tellPage(deps, job, page === PAGES_PER_JOB))) return;
  }
}

/** @returns whether there may be more to do here */
async function tellPage(deps: NotificationsDeps, job: FollowersJob, isLastHere: boolean): Promise<boolean> {
  const { database, clock } = deps.platform;
  const before = await store.showNewsById(database.db, job.newsId);
  const tile = before && (await deps.publicShows([before.show_id])).get(before.show_id);
  return database.transaction(async (tx) => {
    const news = await store.lockShowNews(tx, job.newsId);
    if (news === undefined || news.told_all || news.at.toISOString() !== job.at) return false;
    const told = { at: news.at, startsAt: news.starts_at };
    if (tile === undefined || !isStillNews(news.kind, tile, told, clock.now())) {
      await store.noteTold(tx, news.id, null, true);
      return false;
    }
    const followers = await deps.follows.followersAfter(tx, news.shop_id, news.told_up_to, FOLLOWERS_PAGE);
    const isEnd = followers.length < FOLLOWERS_PAGE;
    await addPushes(deps, tx, { ...job, of: 'show', tries: 0 }, await store.subscriptionsOf(tx, followers));
    await store.noteTold(tx, news.id, followers.at(-1) ?? null, isEnd);
    if (!isEnd && isLastHere) await deps.jobs.add(tx, JOB_FOLLOWERS, { ...job });
    const item: Notification = showNews(news, tile, null);
    afterCommit(tx, () => deps.channel.tellAll(followers, { type: 'own-news', news: item }));
    return !isEnd;
  });
}

/** The job of some pushes. */
export async function push(deps: NotificationsDeps, job: PushJob): Promise<void> {
  const { database, clock } = deps.platform;
  const news = await (job.of === 'show' ? showToTell(deps, job) : ownToTell(deps, job));
  if (news === null) return;
  const now = clock.now();
  const targets = await store.subscriptionsById(database.db, job.subscriptionIds);
  const personIds = [...new Set(targets.map((target) => target.person_id))];
  const [settings, readers] = await Promise.all([
    store.settingsOf(database.db, personIds), deps.readersOf(personIds),
  ]);
  const gone: string[] = [];
  const failed: string[] = [];
  /** By the end of the quiet hours, in milliseconds. */
  const postponed = new Map<number, string[]>();
  await Promise.all(targets.map(async (target) => {
    const reader = readers.get(target.person_id);
    const own = settings.get(target.person_id);
    if (reader === undefined || !wants(own, news.kind)) return;
    const until = quietUntil(quietOf(own), reader.timeZone, now)?.getTime() ?? null;
    if (until !== null) {
      // Who sleeps while a show begins, or while something is kept, need not be told when it is over.
      const isPassing = news.kind === 'live' || news.kind === 'kept';
      if (!isPassing) postponed.set(until, [...(postponed.get(until) ?? []), target.id]);
      return;
    }
    const outcome = await deps.pusher.send(target, JSON.stringify(pushOf(news, reader)), optionsOf(news, now));
    if (outcome === 'gone') gone.push(target.id);
    if (outcome === 'later') failed.push(target.id);
  }));
  await database.transaction(async (tx) => {
    await store.dropSubscriptions(tx, gone);
    for (const [until, ids] of postponed) await addPushes(deps, tx, job, ids, new Date(until));
    if (failed.length === 0 || job.tries + 1 >= TRIES_MAX) return;
    const again = new Date(now.getTime() + RETRY_FIRST_MS * 2 ** job.tries);
    await addPushes(deps, tx, { ...job, tries: job.tries + 1 }, failed, again);
  });
}

async function showToTell(deps: NotificationsDeps, job: PushJob): Promise<News | null> {
  const { database, clock } = deps.platform;
  const row = await store.showNewsById(database.db, job.newsId);
  if (row === undefined || row.at.toISOString() !== job.at) return null;
  const tile = (await deps.publicShows([row.show_id])).get(row.show_id);
  const told = { at: row.at, startsAt: row.starts_at };
  if (tile === undefined || !isStillNews(row.kind, tile, told, clock.now())) return null;
  return {
    kind: row.kind, at: row.at, id: row.show_id, path: `/shows/${row.show_id}`, shopName: tile.shop.name,
    about: tile.title, startsAt: row.starts_at,
  };
}

async function ownToTell(deps: NotificationsDeps, job: PushJob): Promise<News | null> {
  const { database, clock } = deps.platform;
  const row = await store.notificationById(database.db, job.newsId);
  const shop = row && (await deps.shopRefs([row.shop_id])).get(row.shop_id);
  if (row === undefined || shop === undefined) return null;
  // What was kept has long gone to the next.
  if (row.kind === 'kept' && clock.now().getTime() - row.at.getTime() > KEPT_MS) return null;
  const kind = row.kind as OwnNews['kind'];
  const about = row.order_number ?? row.title ?? '';
  const path = row.order_id === null ? `/shops/${shop.slug}/goods/${row.product_id}` : `/orders/${row.order_id}`;
  const id = row.order_id ?? row.id;
  return { kind, at: row.at, id, path, shopName: shop.name, about, startsAt: null };
}

/** For how long the service keeps it, and in whose place it comes: the latest about one show or order is enough. */
function optionsOf(news: News, now: Date): PushOptions {
  const nowMs = now.getTime();
  const ttlMs = news.kind === 'live'
    ? news.at.getTime() + LIVE_NEWS_MS - nowMs
    : news.kind === 'kept' ? news.at.getTime() + KEPT_MS - nowMs
    : news.startsAt === null ? ORDER_TTL_MS : Math.min(PLAN_TTL_MAX_MS, news.startsAt.getTime() - nowMs);
  return {
    ttlSeconds: Math.max(0, Math.floor(ttlMs / 1000)),
    urgency: news.kind === 'live' || news.kind === 'kept' ? 'high' : 'normal',
    topic: news.id.replaceAll('-', ''),
  };
}
