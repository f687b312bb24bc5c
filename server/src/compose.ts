/**
 * The composition root: every part is made here, by hand, from what it needs, and stopped in reverse order.
 * The only place that knows which implementation stands behind a port.
 */
import { join } from 'node:path';
import { createMediaSupervisor } from '@nacre/media/supervisor';
import { accountsRoutes } from './accounts/routes.ts';
import { analyticsRoutes } from './analytics/routes.ts';
import { cartsRoutes } from './carts/routes.ts';
import { catalogRoutes } from './catalog/routes.ts';
import { waitingRoutes } from './catalog/waiting-routes.ts';
import { chatRoutes } from './chat/routes.ts';
import { rtmpPortOf, turnOf, type Config } from './config.ts';
import { createDemo, declineDemo, demoAccountsOf } from './demo/demo.ts';
import { discoveryRoutes } from './discovery/routes.ts';
import { addFigures } from './figures.ts';
import { followsRoutes } from './follows/routes.ts';
import { createApp, type App } from './http/app.ts';
import { closeApp } from './http/closing.ts';
import { createGuests } from './http/guest.ts';
import { healthRoutes } from './http/health.ts';
import { loadPages } from './http/kit-handler.ts';
import { pageRoutes } from './http/pages.ts';
import { createFastPath } from './http/fast-path.ts';
import { createUpgrades } from './http/upgrade.ts';
import { imagesRoutes } from './images/routes.ts';
import { createModules, startModules, type Modules } from './modules.ts';
import { moderationRoutes } from './moderation/routes.ts';
import { createPusher, pushContact, type Pusher } from './notifications/pusher.ts';
import { notificationsRoutes } from './notifications/routes.ts';
import { couponRoutes } from './offers/coupon-routes.ts';
import { offersRoutes } from './offers/routes.ts';
import { ordersRoutes } from './orders/routes.ts';
import { paymentsRoutes } from './payments/routes.ts';
import { bucketTrouble, createS3Blobs, s3SettingsOf } from './platform/blobs-s3.ts';
import { createDiskBlobs, type Blobs } from './platform/blobs.ts';
import { createMemoryBus } from './platform/bus.ts';
import { systemClock } from './platform/clock.ts';
import type { DataFolder } from './platform/data-folder.ts';
import { createDatabase } from './platform/database.ts';
import { freeBytesOf } from './platform/disk-space.ts';
import { newId } from './platform/ids.ts';
import { createJobs } from './platform/jobs.ts';
import type { Log } from './platform/log.ts';
import { createLogMailer, createSmtpMailer, type Mailer } from './platform/mailer.ts';
import { createMetrics } from './platform/metrics.ts';
import { createOutbox } from './platform/outbox.ts';
import type { Platform } from './platform/platform.ts';
import { createGatewayTexter, createLogTexter, type Texter } from './platform/texter.ts';
import { isOnlyHere, localUrl, type Reach } from './reach.ts';
import { clipRoutes } from './recordings/clip-routes.ts';
import { replayRoutes } from './recordings/replay-routes.ts';
import { healingRoutes } from './recordings/healing-routes.ts';
import { createRoom } from './recordings/room.ts';
import { recordingsRoutes } from './recordings/routes.ts';
import { shopsRoutes } from './shops/routes.ts';
import { createCrowd } from './shows/crowd.ts';
import { foundRoutes } from './shows/found-routes.ts';
import { mapRoutes } from './shows/map-routes.ts';
import { teamRoutes } from './shops/team-routes.ts';
import { officeShowsRoutes } from './shows/office-routes.ts';
import { showsRoutes } from './shows/routes.ts';
import { addressesToOffer, isLoopback } from './video/addresses.ts';
import { examinationRoutes } from './video/examination-routes.ts';

export interface ComposeDeps {
  config: Config;
  reach: Reach;
  log: Log;
  folder: DataFolder;
  /** As the working role. */
  databaseUrl: string;
  isEmbedded: boolean;
  version: string;
  /** As `createApp` takes it. */
  compilesSchemas?: boolean;
}

/** Said where somebody may miss it. */
const NO_DEMO = 'The demo market is left out, because everybody knows its passwords. npm start alone has it, on '
  + 'this machine only.';

export interface Composed {
  /** Where browsers go. */
  address: string;
  /** Where else they may go. */
  others: string[];
  /** Lines for whoever started it. */
  notes: string[];
  stop(): Promise<void>;
}

/** What was started, to be stopped backwards. A part that fails to stop does not keep the others running. */
function createStack(log: Log) {
  const parts: Array<{ name: string; stop(): Promise<void> | void }> = [];
  return {
    add(name: string, stop: () => Promise<void> | void) {
      parts.push({ name, stop });
    },
    async stop() {
      for (const part of parts.splice(0).reverse()) {
        try {
          await part.stop();
        } catch (error) {
          log.error({ err: error, part: part.name }, 'could not be stopped');
        }
      }
    },
  };
}

export async function compose(deps: ComposeDeps): Promise<Composed> {
  const stack = createStack(deps.log);
  try {
    return await start(deps, stack);
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

async function start(deps: ComposeDeps, stack: ReturnType<typeof createStack>): Promise<Composed> {
  const { config, log, folder, reach } = deps;
  const pages = await loadPages();
  const metrics = createMetrics({ log });
  const platform = addPlatform(deps, stack);
  const { database, outbox } = platform;
  const jobs = createJobs({ url: deps.databaseUrl, log });
  const guests = createGuests({ secret: folder.secret('guests') });
  const { blobs, recording } = await addKeeping(deps, stack);
  // Everybody knows its passwords.
  const hasDemo = deps.isEmbedded && !config.empty && isLoopback(reach.host) && reach.tls === null;
  const posts = addPosts(deps, stack, hasDemo);

  const modules = createModules({
    platform, blobs, jobs, guests,
    secret: folder.secret('accounts'),
    ...posts,
    // A mail that is due before the port is bound is tried again.
    pagesAt: () => config.publicUrl ?? reach.urls(portOf(app))[0],
    origins: () => reach.urls(portOf(app)),
    demoAccounts: hasDemo ? demoAccountsOf(database) : null,
    recording,
    keepRecordingsDays: config.keepRecordingsDays,
    startMedia: (onEvent) => createMediaSupervisor({
      udpPort: config.udpPort ?? config.port,
      addresses: addressesToOffer(reach.host, { ...reach, isPublic: config.publicUrl !== null }),
      log, onEvent,
    }),
    turn: turnOf(config),
  });
  addFigures(metrics, { ...modules, outbox, pool: database.pool });
  stack.add('rooms', modules.realtime.stop);
  stack.add('recorder', modules.recorder.stop);
  stack.add('video', modules.video.stop);
  const running = await startModules(modules, platform, config);
  stack.add('modules', running.stop);
  // Reactions add jobs, so the queues are there first.
  await jobs.start();
  stack.add('jobs', jobs.stop);
  // Before anybody publishes.
  await modules.recordings.start();
  outbox.start();
  stack.add('outbox', outbox.stop);
  const { udpPort } = await modules.video.ready();

  const app = await createApp({
    log, guests, findPerson: modules.accounts.findPerson, trustProxy: config.trustedProxies ?? false,
    tls: reach.tls, compilesSchemas: deps.compilesSchemas ?? false,
  });
  const { fastPath, upgrades } = addFront(app, modules, deps);
  // Sockets are connections too: the port is closed only when they are, and nothing behind them before.
  const closeSockets = () => Promise.all([fastPath.stop(), modules.realtime.stop(), modules.video.stop()]);
  stack.add('http', () => closeApp(app, { timeoutMs: config.stopTimeoutMs, closeSockets }));
  stack.add('upgrades', upgrades.stop);
  healthRoutes(app, {
    database, metrics, metricsToken: config.metricsToken,
    mediaTrouble: () => (modules.video.mediaPid() === null ? 'is restarting' : null),
  });
  await mountRoutes(app, modules, { blobs, config, reach, texter: posts.texter, folder });
  await pageRoutes(app, { handler: pages, publicUrl: config.publicUrl });

  await app.listen({ port: config.port, host: reach.host });
  const notes = await listenRtmp(deps, modules);
  const [address, ...others] = reach.urls(portOf(app));
  log.info({ address, udpPort, rtmpPort: modules.video.rtmpPort(), version: deps.version }, 'listening');
  if (deps.isEmbedded && config.empty) await declineDemo(database);
  const demo = hasDemo ? await createDemo({ platform, modules, address: localUrl(reach, portOf(app)) }) : null;
  if (demo !== null) stack.add('demo', demo.stop);
  if (deps.isEmbedded && !config.empty && reach.tls !== null) notes.push(NO_DEMO);
  return { address, others, notes: [...notes, ...(demo?.notes ?? [])], stop: stack.stop };
}

/** Encoders by RTMP. Who asked for a port gets it or no start; the usual one may be another program's. */
async function listenRtmp({ config, log, reach }: ComposeDeps, { video }: Modules): Promise<string[]> {
  const port = rtmpPortOf(config);
  if (port === null) return [];
  try {
    // The name may be two addresses, of which a listener gets one; encoders try this one.
    await video.listenRtmp(port, reach.host === 'localhost' ? '127.0.0.1' : reach.host);
    return [];
  } catch (error) {
    if (config.rtmpPort !== null) throw error;
    log.warn({ err: error, port }, 'encoders are not taken by RTMP');
    return [`TCP port ${port} is taken by another program, so encoders come by WHIP only, not by RTMP. `
      + 'Another port: --rtmp-port'];
  }
}

/** What has the port's connections before the application: live video for everybody, and WebSockets. */
function addFront(app: App, modules: Modules, { config, log }: ComposeDeps) {
  const fastPath = createFastPath({ handler: modules.video.fastPath, now: () => systemClock.now().getTime(), log });
  fastPath.listenOn(app.server);
  const upgrades = createUpgrades({ log, trustProxy: config.trustedProxies ?? false });
  modules.realtime.attach(upgrades);
  modules.video.attach(upgrades);
  upgrades.listenOn(app.server);
  return { fastPath, upgrades };
}

function addPlatform({ config, databaseUrl, log }: ComposeDeps, stack: ReturnType<typeof createStack>): Platform {
  const database = createDatabase({ url: databaseUrl, log, poolSize: config.databasePoolSize });
  stack.add('database pool', database.stop);
  const bus = createMemoryBus({ log });
  stack.add('bus', bus.stop);
  const outbox = createOutbox({ database, clock: systemClock, log });
  return { database, outbox, bus, clock: systemClock, newId, log };
}

/** Where pictures and recordings are kept. */
async function addKeeping({ config, folder, log }: ComposeDeps, stack: ReturnType<typeof createStack>) {
  const recording = createRoom({
    folder: join(folder.path, 'recording'), reserveBytes: config.keepFreeMb * 1e6, log,
  });
  stack.add('room', recording.stop);
  const settings = s3SettingsOf(config);
  if (settings === null) return { blobs: createDiskBlobs({ folder: join(folder.path, 'blobs') }), recording };
  const trouble = await bucketTrouble({ settings });
  // Shows go on without it: recordings wait on this machine.
  if (trouble !== null) log.error({ trouble }, 'the object store does not answer: pictures are missing until it does');
  return { blobs: createS3Blobs({ settings }), recording };
}

/** What carries words away from here: mail, text messages, pushes. */
function addPosts(
  { config, folder, log }: ComposeDeps, stack: ReturnType<typeof createStack>, hasDemo: boolean,
): { mailer: Mailer; texter: Texter; pusher: Pusher } {
  const mailer = createMailer(config, log, hasDemo);
  stack.add('mailer', mailer.stop);
  const texter = createTexter(config, log, hasDemo);
  stack.add('texter', texter.stop);
  const pusher = createPusher({ secret: folder.secret('push'), contact: pushContact(config), log });
  stack.add('pusher', pusher.stop);
  return { mailer, texter, pusher };
}

async function mountRoutes(
  app: App, modules: Modules,
  { blobs, config, reach, texter, folder }:
    { blobs: Blobs; config: Config; reach: Reach; texter: Texter; folder: DataFolder },
): Promise<void> {
  const {
    accounts, shops, team, follows, catalog, shows, offers, orders, payments, images, video, realtime, notifications,
    recordings, healing, clips, shelf, replayAac, replayAccess,
  } = modules;
  const languageOf = async (personId: string) => (await accounts.person(personId))?.locale ?? 'en';
  // Without a gateway only whoever runs the server reads codes, in its log: a visitor would wait for ever.
  const offersPhone = texter.reaches || isOnlyHere(config, reach);
  await accountsRoutes(app, { accounts, membershipsOf: shops.membershipsOf, offersPhone });
  await imagesRoutes(app, { images, blobs });
  shopsRoutes(app, { shops, followingOf: follows.stateFor, languageOf });
  await teamRoutes(app, { team, publicUrl: config.publicUrl });
  followsRoutes(app, { follows, shopBySlug: shops.bySlug });
  catalogRoutes(app, { catalog });
  waitingRoutes(app, { catalog, clock: systemClock });
  // One crowd: of one address so many guests count, whatever they do.
  const { counted } = createCrowd({ nowMs: () => performance.now() });
  showsRoutes(app, { shows, counted });
  officeShowsRoutes(app, { shows, publicUrl: config.publicUrl, rtmpPort: video.rtmpPort });
  await examinationRoutes(app, {
    assertRuns: shows.assertRuns, tryConnection: video.tryConnection, iceServers: video.iceServers,
    freeBytes: () => freeBytesOf(folder.path), now: () => systemClock.now(),
  });
  foundRoutes(app, { shows, shopBySlug: shops.bySlug, publicUrl: config.publicUrl, clock: systemClock });
  mapRoutes(app, {
    shows, listShops: shops.list, shopBySlug: shops.bySlug, listProducts: catalog.listForVisitor,
    publicUrl: config.publicUrl,
  });
  analyticsRoutes(app, { analytics: modules.analytics, counted });
  chatRoutes(app, { chat: modules.chat });
  await moderationRoutes(app, { moderation: modules.moderation });
  paymentsRoutes(app, { payments });
  offersRoutes(app, { offers });
  couponRoutes(app, { coupons: offers.coupons, shopBySlug: shops.bySlug });
  ordersRoutes(app, { orders });
  cartsRoutes(app, { carts: modules.carts });
  discoveryRoutes(app, { discovery: modules.discovery });
  await notificationsRoutes(app, { notifications });
  recordingsRoutes(app, { recordings });
  await healingRoutes(app, { healing });
  clipRoutes(app, { clips });
  await app.register(video.routes);
  await app.register(replayRoutes({ shelf, aac: replayAac, access: replayAccess }));
  await app.register(realtime.routes);
}

/** `readConfig` has seen to it that a server for mail comes with a sender. */
function createMailer({ smtpUrl, mailFrom }: Config, log: Log, hasDemo: boolean): Mailer {
  if (smtpUrl === null || mailFrom === null) return createLogMailer({ log, keeps: hasDemo });
  return createSmtpMailer({ url: smtpUrl, from: mailFrom, log });
}

function createTexter({ smsUrl, smsBody, smsAuthorization, smsPerDay }: Config, log: Log, hasDemo: boolean): Texter {
  if (smsUrl === null) return createLogTexter({ log, keeps: hasDemo, perDay: smsPerDay });
  return createGatewayTexter({
    url: smsUrl, authorization: smsAuthorization, body: smsBody, perDay: smsPerDay, log,
  });
}

function portOf(app: App): number {
  const bound = app.server.address();
  if (typeof bound !== 'object' || bound === null) throw new Error('the server listens on no port');
  return bound.port;
}
