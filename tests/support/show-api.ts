/**
 * The HTTP application of `api.ts` with shows, chat and the room, wired as the server wires them, on a real port: for
 * tests that go live. Video is what the tests say it is.
 */
import type { AddressInfo } from 'node:net';
import type { Product } from '@nacre/contract/catalog';
import type { RoomEvent, ServerMessage } from '@nacre/contract/realtime';
import type { Shop } from '@nacre/contract/shops';
import type { Show, ShowCreate } from '@nacre/contract/shows';
import { createAnalytics, type Analytics } from '../../server/src/analytics/analytics.ts';
import { analyticsReactions } from '../../server/src/analytics/reactions.ts';
import { analyticsRoutes } from '../../server/src/analytics/routes.ts';
import { moderationDeps } from '../../server/src/moderation-deps.ts';
import { createModeration, type Moderation } from '../../server/src/moderation/moderation.ts';
import { moderationRoutes } from '../../server/src/moderation/routes.ts';
import { createChat, type Chat } from '../../server/src/chat/chat.ts';
import { chatRoutes } from '../../server/src/chat/routes.ts';
import { createDiscovery, type Discovery } from '../../server/src/discovery/discovery.ts';
import { discoveryReactions } from '../../server/src/discovery/reactions.ts';
import { discoveryRoutes } from '../../server/src/discovery/routes.ts';
import { createGuests } from '../../server/src/http/guest.ts';
import { createUpgrades } from '../../server/src/http/upgrade.ts';
import { newNumber } from '../../server/src/platform/ids.ts';
import { lengthsOf } from '../../server/src/recordings/store.ts';
import { showRoom } from '../../server/src/realtime/channel.ts';
import { createRealtime, type Realtime } from '../../server/src/realtime/realtime.ts';
import { createShowRooms } from '../../server/src/shows/channel.ts';
import { foundRoutes } from '../../server/src/shows/found-routes.ts';
import { mapRoutes } from '../../server/src/shows/map-routes.ts';
import { officeShowsRoutes } from '../../server/src/shows/office-routes.ts';
import { showsReactions } from '../../server/src/shows/reactions.ts';
import { createCrowd } from '../../server/src/shows/crowd.ts';
import { showsRoutes } from '../../server/src/shows/routes.ts';
import { createShows, type Shows, type ShowsDeps } from '../../server/src/shows/shows.ts';
import { showBytesPerHour } from '../../server/src/platform/disk-space.ts';
import { examinationRoutes } from '../../server/src/video/examination-routes.ts';
import { createTestApi, SECRET, type SignedInPerson, type TestApi } from './api.ts';
import { connectRoom, type RoomClient } from './rooms.ts';

export interface ShowApi extends TestApi {
  shows: Shows;
  chat: Chat;
  moderation: Moderation;
  realtime: Realtime;
  discovery: Discovery;
  analytics: Analytics;
  /** What video was told, e.g. `end <showId>`, `drop <showId>`, `dismiss <showId>`. */
  video: string[];
  deps: ShowsDeps;
  /** A socket to the room, as a person's or a guest's browser opens it. */
  enter(cookie?: string): Promise<RoomClient>;
  /** A shop with its owner and some goods. */
  newMarket(goods?: number): Promise<{ owner: SignedInPerson; shop: Shop; products: Product[] }>;
  newShow(owner: SignedInPerson, shopId: string, changes?: Partial<ShowCreate>): Promise<Show>;
  /** A show with these goods that has its picture. */
  newLiveShow(owner: SignedInPerson, shopId: string, products: Product[]): Promise<Show>;
  /** A cookie of a guest that nobody else is. */
  newGuest(): string;
}

/** @param mountMore adds routes of further modules before the port is open */
export async function createShowApi(
  url: string, mountMore: (parts: TestApi & Pick<ShowApi, 'shows' | 'realtime'>) => void = () => {},
): Promise<ShowApi> {
  const api = await createTestApi({ url, shopOfShow: (showId, personId) => shows.shopOf(showId, personId) });
  const { platform } = api;
  const guests = createGuests({ secret: SECRET });
  const video: string[] = [];

  const realtime = createRealtime({
    platform,
    guests,
    findPerson: (request) => api.accounts.findPersonByHeaders(request.headers, request.socket.remoteAddress),
    mayJoin: (room, actor) => rooms.mayJoin(room, actor),
    snapshot: (room) => rooms.snapshot(room),
    limits: { viewersEveryMs: 50, snapshotReuseMs: 0 },
  });
  const moderation = createModeration(moderationDeps({
    ...api, realtime: () => realtime, shows: () => shows, chat: () => chat,
  }));
  const deps: ShowsDeps = {
    platform,
    channel: realtime,
    shops: api.shops,
    catalog: api.catalog,
    images: api.images,
    video: {
      endShow: async (showId) => void video.push(`end ${showId}`),
      dropPublisher: async (showId) => void video.push(`drop ${showId}`),
      dismissViewers: (showId) => void video.push(`dismiss ${showId}`),
      putOut: (showId, names) => void video.push(`out ${showId} ${names.join(' ')}`),
    },
    newFollowersOf: (showId) => api.follows.newFollowersOf(showId),
    livePricesOf: async () => [],
    couponsOf: async () => [],
    replayLengthsOf: (showIds) => lengthsOf(platform.database.db, showIds),
    guard: moderation,
  };
  const shows = createShows(deps);
  const chat = createChat({ platform, channel: realtime, shows, moderation });
  const rooms = createShowRooms({
    shows, channel: realtime, recentChat: (showId) => chat.recent(showId), talkOf: chat.settingOf,
  });
  realtime.onViewers(rooms.noteViewers);
  realtime.onCame(rooms.noteCame);
  const analytics = createAnalytics({
    platform, showFor: shows.figuresOf, stateFor: shows.brief, runningShows: shows.running,
    productsByIds: api.catalog.productsByIds, viewersIn: realtime.viewersIn,
  });
  realtime.onPresence(analytics.notePresence);
  showsReactions(platform.outbox, { shows });
  const discovery = createDiscovery({
    platform, shops: api.shops, catalog: api.catalog, shows, followedBy: api.follows.shopsOf,
    viewersOf: (showId) => realtime.viewers(showRoom(showId)), newTurn: newNumber,
  });
  discoveryReactions(platform.outbox, { discovery });
  analyticsReactions(platform.outbox, { analytics });
  const { counted } = createCrowd({ nowMs: () => performance.now() });
  showsRoutes(api.app, { shows, counted });
  officeShowsRoutes(api.app, { shows, publicUrl: null, rtmpPort: () => 1936 });
  await examinationRoutes(api.app, {
    assertRuns: shows.assertRuns, iceServers: () => [], freeBytes: async () => 10 * showBytesPerHour,
    tryConnection: async (offer) => `answer to ${offer}`, now: () => platform.clock.now(),
  });
  foundRoutes(api.app, { shows, shopBySlug: api.shops.bySlug, publicUrl: null, clock: platform.clock });
  mapRoutes(api.app, {
    shows, listShops: api.shops.list, shopBySlug: api.shops.bySlug, listProducts: api.catalog.listForVisitor,
    publicUrl: null,
  });
  chatRoutes(api.app, { chat });
  discoveryRoutes(api.app, { discovery });
  analyticsRoutes(api.app, { analytics, counted: (actor) => actor });
  await moderationRoutes(api.app, { moderation });
  mountMore({ ...api, shows, realtime });

  await api.app.listen({ port: 0, host: '127.0.0.1' });
  const upgrades = createUpgrades({ log: platform.log });
  realtime.attach(upgrades);
  upgrades.listenOn(api.app.server);
  const { port } = api.app.server.address() as AddressInfo;

  const showApi: ShowApi = {
    ...api, shows, chat, moderation, realtime, discovery, analytics, video, deps,
    enter: (cookie) => connectRoom(`ws://127.0.0.1:${port}/realtime?v=1`, cookie === undefined ? {} : { cookie }),
    newGuest: () => guests.create(false).setCookie.split(';')[0] ?? '',
    async newMarket(goods = 2) {
      const owner = await api.newPerson('Liu Mei');
      const shop = await api.newShop(owner.cookie);
      const products: Product[] = [];
      for (let index = 1; index <= goods; index += 1) {
        products.push(await api.newProduct(owner.cookie, shop.id, { title: `Dress ${index}` }));
      }
      return { owner, shop, products };
    },
    async newShow(owner, shopId, changes = {}) {
      const body: ShowCreate = {
        title: 'Summer dresses', description: '', coverImageId: null, visibility: 'public', productIds: [],
        startsAt: new Date(platform.clock.now().getTime() + 3_600_000).toISOString(), ...changes,
      };
      const answer = await api.ask(`/api/office/shops/${shopId}/shows`, { body, cookie: owner.cookie });
      if (answer.status !== 201) throw new Error(`planning failed: ${JSON.stringify(answer.json)}`);
      return answer.json as unknown as Show;
    },
    async newLiveShow(owner, shopId, products) {
      const show = await showApi.newShow(owner, shopId, { productIds: products.map((product) => product.id) });
      await shows.pictureUp(show.id);
      return shows.forOffice(owner.id, show.id);
    },
    async stop() {
      await shows.stop();
      await analytics.stop();
      await realtime.stop();
      upgrades.stop();
      await api.stop();
    },
  };
  return showApi;
}

/** What a client heard in a room, one kind of it. */
export function heardOf<T extends RoomEvent['type']>(
  client: RoomClient, room: string, type: T,
): Array<Extract<RoomEvent, { type: T }>> {
  return client.events(room).filter((event): event is Extract<RoomEvent, { type: T }> => event.type === type);
}

/** Resolves with the first event of this kind that is so. */
export async function untilHeard<T extends RoomEvent['type']>(
  client: RoomClient, room: string, type: T, isSo: (event: Extract<RoomEvent, { type: T }>) => boolean = () => true,
): Promise<Extract<RoomEvent, { type: T }>> {
  await client.untilTrue(() => heardOf(client, room, type).some(isSo), `${type} in ${room}`);
  const event = heardOf(client, room, type).find(isSo);
  if (event === undefined) throw new Error('not heard');
  return event;
}

/** The answer to a first join, with its snapshot. */
export async function joinShow(
  client: RoomClient, room: string,
): Promise<Extract<ServerMessage, { type: 'joined' }>> {
  const answer = await client.join(room);
  if (answer.type !== 'joined') throw new Error(`not joined: ${JSON.stringify(answer)}`);
  return answer;
}
