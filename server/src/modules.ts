/**
 * The business, wired by hand. Rooms, shows and video need each other; what is needed before it is made is handed over
 * as a function that is called only later, when everything is there.
 */
import type { IncomingMessage } from 'node:http';
import type { MediaEvent, MediaSupervisor } from '@nacre/media/hooks';
import { createRecorder, recordingMostMs } from '@nacre/media/recording/recorder';
import { createAccounts, type AccountsDeps } from './accounts/accounts.ts';
import { SCRYPT } from './accounts/auth.ts';
import { accountsReactions } from './accounts/reactions.ts';
import { createAnalytics } from './analytics/analytics.ts';
import { analyticsReactions } from './analytics/reactions.ts';
import { createCarts } from './carts/carts.ts';
import { createCatalog } from './catalog/catalog.ts';
import { createLineSweep } from './catalog/reactions.ts';
import { createChat } from './chat/chat.ts';
import type { Config } from './config.ts';
import { createDiscovery } from './discovery/discovery.ts';
import { discoveryReactions } from './discovery/reactions.ts';
import { createFollows } from './follows/follows.ts';
import { namesOf, type Actor } from './http/actor.ts';
import type { Guests } from './http/guest.ts';
import { createSharedAccess } from './http/shared-access.ts';
import { createImages } from './images/images.ts';
import { moderationDeps } from './moderation-deps.ts';
import { createModeration } from './moderation/moderation.ts';
import { createNotifications } from './notifications/notifications.ts';
import type { Pusher } from './notifications/pusher.ts';
import { notificationsReactions } from './notifications/reactions.ts';
import { createOffers } from './offers/offers.ts';
import { createCouponsFeed, createOffersFeed, offersReactions } from './offers/reactions.ts';
import { createOrders } from './orders/orders.ts';
import { createOrderSweep, createWaitingSweep, ordersReactions } from './orders/reactions.ts';
import { createPayments } from './payments/payments.ts';
import { paymentsReactions } from './payments/reactions.ts';
import { createSandbox } from './payments/sandbox.ts';
import type { Blobs } from './platform/blobs.ts';
import type { Jobs } from './platform/jobs.ts';
import type { Mailer } from './platform/mailer.ts';
import { newNumber } from './platform/ids.ts';
import type { Platform } from './platform/platform.ts';
import type { Texter } from './platform/texter.ts';
import { showRoom, studioRoom } from './realtime/channel.ts';
import { createRealtime } from './realtime/realtime.ts';
import { createClips } from './recordings/clips.ts';
import { createHealing } from './recordings/healing.ts';
import { createRecordingsSweep, recordingsReactions } from './recordings/reactions.ts';
import { createRecordings, type Recordings } from './recordings/recordings.ts';
import { createReplayAac } from './recordings/replay-aac.ts';
import type { Room } from './recordings/room.ts';
import { createShelf } from './recordings/shelf.ts';
import { teamReactions } from './shops/reactions.ts';
import { createShops } from './shops/shops.ts';
import { createTeam } from './shops/team.ts';
import { createShowRooms } from './shows/channel.ts';
import { showsReactions } from './shows/reactions.ts';
import { createShows, type ShowsDeps } from './shows/shows.ts';
import { createVideo, type VideoDeps } from './video/video.ts';

const DAY_MS = 24 * 3_600_000;
/** 200 MB or so: enough to seek back in, of a show that runs for as long as the server. */
const DEMO_RECORDING_MS = 15 * 60_000;

export interface ModulesDeps {
  platform: Platform;
  blobs: Blobs;
  jobs: Jobs;
  guests: Guests;
  secret: string;
  mailer: Mailer;
  texter: Texter;
  pusher: Pusher;
  pagesAt: AccountsDeps['pagesAt'];
  origins: AccountsDeps['origins'];
  demoAccounts: AccountsDeps['demoAccounts'];
  startMedia(onEvent: (event: MediaEvent) => void): MediaSupervisor;
  /** Where shows are recorded on this machine, and whether there is room. */
  recording: Pick<Room, 'folder' | 'hasRoom'>;
  keepRecordingsDays: number;
  turn: VideoDeps['turn'];
}

export type Modules = ReturnType<typeof createModules>;

export function createModules(deps: ModulesDeps) {
  const stage = createStage(deps, {
    livePricesOf: (showId) => sales.offers.liveIn(showId),
    couponsOf: (showId) => sales.offers.coupons.inShow(showId),
    replayLengthsOf: (showIds) => readers.recordings.lengthsOf(showIds),
  });
  const sales = createSales(deps, stage);
  const trade = { ...stage, ...sales };
  const readers: ReturnType<typeof createReaders> = createReaders(deps, trade);
  return { ...trade, ...readers };
}

/** People, shops with their goods, and shows: the modules that need each other while they decide. */
function createStage(deps: ModulesDeps, offered: Pick<ShowsDeps, 'livePricesOf' | 'couponsOf' | 'replayLengthsOf'>) {
  const { platform, guests, secret, demoAccounts, jobs, mailer, texter, pagesAt, origins } = deps;
  const accounts = createAccounts({
    platform, secret, passwords: SCRYPT, demoAccounts, jobs, mailer, texter, pagesAt, origins,
  });
  const images = createImages({ platform, blobs: deps.blobs });
  const shops = createShops({ platform, images });
  const { namesOf: personNamesOf, readersOf } = accounts;
  const team = createTeam({ platform, shops, jobs, mailer, pagesAt, readersOf, namesOf: personNamesOf });
  const catalog = createCatalog({
    platform, images, shops, tell: (personId, event) => realtime.tell(personId, event),
  });
  const follows = createFollows({ platform, shopOfShow: (showId, personId) => shows.shopOf(showId, personId) });

  const personOf = (request: IncomingMessage) =>
    accounts.findPersonByHeaders(request.headers, request.socket.remoteAddress);
  /** Who opens a socket; a browser without our cookies is a guest that nobody knows. */
  const actorOf = async (request: IncomingMessage): Promise<Actor> => {
    const person = await personOf(request);
    const known = guests.read(request.headers.cookie);
    if (person === null) return { kind: 'guest', guestId: known ?? 'unknown' };
    return known === null ? person : { ...person, guestId: known };
  };
  const moderation = createModeration(moderationDeps({
    platform, accounts, shops, catalog, realtime: () => realtime, shows: () => shows, chat: () => chat,
  }));

  const realtime = createRealtime({
    platform,
    guests,
    findPerson: personOf,
    mayJoin: (room, actor) => rooms.mayJoin(room, actor),
    snapshot: (room) => rooms.snapshot(room),
  });
  const recorder = createRecorder({
    ...deps.recording, store: deps.blobs, log: platform.log,
    limitMsOf: async (showId) => ((await shows.standing(showId))?.isDemo ? DEMO_RECORDING_MS : recordingMostMs),
  });
  const video = createVideo({
    startMedia: deps.startMedia,
    recorder,
    turn: deps.turn ?? null,
    authorizeStreamKey: (key) => shows.authorizeStreamKey(key),
    mayWatch: async (showId, request) => {
      const actor = await actorOf(request);
      return (await shows.mayWatch(showId, actor)) ? namesOf(actor) : null;
    },
    hasBans: (showId) => shows.hasBans(showId),
    isPublic: (showId) => shows.mayWatch(showId, { kind: 'guest', guestId: 'anybody' }),
    onPictureUp: (showId) => shows.pictureUp(showId),
    onPictureDown: (showId, reason) => shows.pictureDown(showId, reason),
    onDelay: (showId, delay) => realtime.publish(studioRoom(showId), { type: 'delay', ...delay }),
    onEncoderProblem: (showId, problem) => realtime.publish(studioRoom(showId), { type: 'encoder', problem }),
    log: platform.log,
    now: () => platform.clock.now().getTime(),
  });
  const shows = createShows({
    platform, channel: realtime, shops, catalog, images, video, newFollowersOf: follows.newFollowersOf,
    ...offered, guard: moderation,
  });
  const chat = createChat({ platform, shows, moderation, channel: realtime });
  const rooms = createShowRooms({ shows, channel: realtime, recentChat: chat.recent, talkOf: chat.settingOf });
  realtime.onViewers(rooms.noteViewers);
  realtime.onCame(rooms.noteCame);

  accountsReactions(jobs, { accounts });
  teamReactions(jobs, { team });
  showsReactions(platform.outbox, { shows });
  const replayAccess = createSharedAccess({
    mayFetch: async (showId, request) => shows.mayReplay(showId, await actorOf(request)),
    isPublic: (showId) => shows.mayReplay(showId, { kind: 'guest', guestId: 'anybody' }),
    hasBans: (showId) => shows.hasBans(showId),
  });
  return {
    accounts, images, shops, team, catalog, follows, moderation, realtime, video, shows, chat, recorder, replayAccess,
  };
}

/** What is sold in them. */
function createSales({ platform, jobs }: ModulesDeps, stage: ReturnType<typeof createStage>) {
  const { accounts, catalog, images, realtime, shops, shows } = stage;
  const payments = createPayments({ platform, jobs, provider: createSandbox() });
  const offers = createOffers({ platform, jobs, shops, shows, catalog });
  const orders = createOrders({
    platform, catalog, offers, payments, shops, images,
    bagOf: shows.bagNumbers,
    screensNow: shows.screensNow,
    people: { keepAddress: accounts.addAddress, namesOf: accounts.namesOf },
    tell: realtime.tell,
    takeFromCarts: (tx, bought) => carts.takeOut(tx, bought),
  });
  const carts = createCarts({
    platform, catalog, images, shops, offers, orders, shopOfShow: shows.shopOf, tell: realtime.tell,
  });

  paymentsReactions(jobs, { payments });
  offersReactions(platform, jobs, { offers });
  ordersReactions(platform.outbox, { orders });
  return { payments, offers, orders, carts };
}

/** What only hears of it: lists, figures and news are made from what the others publish. */
function createReaders(
  { platform, jobs, pusher, blobs, recording, keepRecordingsDays }: ModulesDeps,
  trade: ReturnType<typeof createStage>,
) {
  const { accounts, catalog, follows, images, realtime, recorder, shops, shows, video } = trade;
  const discovery = createDiscovery({
    platform, shops, catalog, shows,
    followedBy: follows.shopsOf,
    viewersOf: (showId) => realtime.viewers(showRoom(showId)),
    newTurn: newNumber,
  });

  const analytics = createAnalytics({
    platform,
    showFor: shows.figuresOf,
    stateFor: shows.brief,
    runningShows: shows.running,
    productsByIds: catalog.productsByIds,
    viewersIn: realtime.viewersIn,
  });
  realtime.onPresence(analytics.notePresence);
  const notifications = createNotifications({
    platform, jobs, follows, channel: realtime, pusher,
    readersOf: accounts.readersOf, publicShows: shows.publicTiles, shopRefs: shops.refs,
  });
  const shelf = createShelf({
    blobs, recorder, isReady: async (showId) => (await recordings.lengthsOf([showId])).size > 0,
  });
  const replayAac = createReplayAac({ shelf });
  const recordings: Recordings = createRecordings({
    platform, jobs, shows, shops, recorder, shelf, endPicture: video.endShow,
    likesByMinute: analytics.likesByMinute, keepMs: keepRecordingsDays * DAY_MS,
  });
  const clips = createClips({ platform, shows, shops, catalog, images, shelf });
  const healing = createHealing({ platform, jobs, shows, shops, shelf, blobs, hasRoom: recording.hasRoom });
  recordingsReactions(platform.outbox, jobs, { recordings, healing });
  discoveryReactions(platform.outbox, { discovery });
  analyticsReactions(platform.outbox, { analytics });
  notificationsReactions(platform.outbox, jobs, { notifications });
  return { discovery, analytics, notifications, recordings, healing, clips, shelf, replayAac };
}

/** Sweeps and feeds that run as long as the server does. Ended before the modules they work for. */
export async function startModules(
  modules: Modules, platform: Platform, config: Pick<Config, 'deliveredAfterDays' | 'completedAfterDays'>,
): Promise<{ stop(): Promise<void> }> {
  await modules.shows.start();
  await modules.discovery.start();
  await modules.analytics.start();
  const told = { bus: platform.bus, channel: modules.realtime, log: platform.log };
  const offers = createOffersFeed({ ...told, liveIn: modules.offers.liveIn });
  const coupons = createCouponsFeed({
    ...told, inShow: modules.offers.coupons.inShow, openShowsOf: modules.shows.openOf,
  });
  const holds = createOrderSweep({ orders: modules.orders, log: platform.log });
  const waits = {
    deliveredMs: config.deliveredAfterDays * DAY_MS, completedMs: config.completedAfterDays * DAY_MS,
  };
  const waiting = createWaitingSweep({ orders: modules.orders, waits, log: platform.log });
  const lines = createLineSweep({ catalog: modules.catalog, log: platform.log });
  const recordings = createRecordingsSweep({
    recordings: modules.recordings, healing: modules.healing, log: platform.log,
  });
  return {
    async stop() {
      await holds.stop();
      await offers.stop();
      await coupons.stop();
      await waiting.stop();
      await lines.stop();
      await recordings.stop();
      await modules.replayAac.stop();
      await modules.discovery.stop();
      await modules.shows.stop();
      // After shows, whose last likes it counts.
      await modules.analytics.stop();
      await modules.accounts.stop();
    },
  };
}
