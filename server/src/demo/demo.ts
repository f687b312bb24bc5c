/**
 * The demo market: made on the first start, and alive while the server runs. Its live show is published by a process of
 * its own through the public WHIP endpoint, like anybody's.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { join, resolve } from 'node:path';
import { EXIT_KEY_REFUSED } from '@nacre/media/publisher/exit-codes';
import type { DemoAccount } from '../accounts/accounts.ts';
import type { PersonActor } from '../http/actor.ts';
import { Refusal } from '../lib/refusal.ts';
import type { Modules } from '../modules.ts';
import type { Database } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import { createFilming } from './filmed.ts';
import { createLife } from './life.ts';
import { DEMO_BUYERS, DEMO_SHOPS, DEMO_SIGN_INS, type DemoShow } from './market.ts';
import { seedDemo } from './seed.ts';
import * as store from './store.ts';

const DEMO_FOLDER = resolve(import.meta.dirname, '../../demo');
const PUBLISHER = resolve(import.meta.dirname, '../../../media/src/publisher/main.ts');
/** A publisher that ends by itself (killed, a fault) is started again after this. */
const RESTART_AFTER_MS = 2_000;
/** How soon the clip comes back after a person. Shorter snatches the show away while a camera is still connecting. */
const LOOK_AGAIN_MS = 15_000;
const STOP_TIMEOUT_MS = 3_000;

export interface Demo {
  /** Lines for whoever started the server. */
  notes: string[];
  stop(): Promise<void>;
}

/** Whom the sign-in sheet offers, once the market is there. */
export function demoAccountsOf(database: Database): () => Promise<DemoAccount[]> {
  return async () => ((await store.readState(database.db)) === 'ready' ? DEMO_SIGN_INS : []);
}

/** For a first start without the demo: it is not made later either. */
export async function declineDemo(database: Database): Promise<void> {
  if ((await store.readState(database.db)) === null) await store.writeState(database.db, 'none');
}

/** Makes the market where there is none yet and nobody has signed up, and brings it to life. Null: no demo here. */
export async function createDemo(deps: {
  platform: Platform;
  modules: Modules;
  /** Of the server, as this machine reaches it. */
  address: string;
}): Promise<Demo | null> {
  const { platform, modules } = deps;
  const { db } = platform.database;
  const state = await store.readState(db);
  if (state === 'none' || (state === null && (await store.hasPeople(db)))) return null;
  if (state !== 'ready') {
    await store.writeState(db, 'seeding');
    await seedDemo({ platform, modules, artFolder: join(DEMO_FOLDER, 'art') });
    await store.writeState(db, 'ready');
  }
  const live = await liveShow(deps);
  const stops = live === null ? [] : [
    startPublisher(deps, live),
    createLife({ ...deps, ...live, random: Math.random }),
    createFilming({ ...deps, ...live, folder: DEMO_FOLDER }),
  ];
  return {
    notes: ['The demo market is there, with a show that is live. Sign in as', ...DEMO_SIGN_INS.map(
      ({ role, email, password }) => `  ${role === 'owner' ? 'shop owner' : 'buyer     '}  ${email}  ${password}`,
    )],
    async stop() {
      await Promise.all(stops.map((part) => part.stop()));
    },
  };
}

interface LiveShow {
  showId: string;
  host: PersonActor;
  people: PersonActor[];
}

async function actorOf(platform: Platform, person: { name: string; email: string }): Promise<PersonActor | null> {
  const personId = await store.personIdByEmail(platform.database.db, person.email);
  if (personId === null) return null;
  return { kind: 'person', personId, name: person.name, isOperator: false, isDemo: true, sessionId: 'demo' };
}

/** From when the show is live; set again, it takes the place of the one before. */
async function setLivePrice(modules: Modules, host: PersonActor, showId: string, plan: DemoShow): Promise<void> {
  if (plan.livePrice === undefined) return;
  const { title, ...terms } = plan.livePrice;
  const { bag } = await modules.shows.forOffice(host.personId, showId);
  const variant = bag.find(({ product }) => product.title === title)?.product.variants[0];
  if (variant === undefined) return;
  try {
    await modules.offers.set(host, showId, { variantId: variant.id, ...terms });
  } catch (error) {
    // Whoever played with the demo sold the goods out, archived them, or sells them for less.
    if (!(error instanceof Refusal)) throw error;
  }
}

/** The demo's live show; one that somebody has ended is planned anew. Null when its shop is not there any more. */
async function liveShow(deps: { platform: Platform; modules: Modules }): Promise<LiveShow | null> {
  const { platform, modules } = deps;
  const shop = DEMO_SHOPS[0];
  const plan = shop?.shows.find((show) => show.kind === 'live');
  const host = shop === undefined ? null : await actorOf(platform, shop.owner);
  if (shop === undefined || plan === undefined || host === null) return null;
  const own = (await modules.shops.membershipsOf(host.personId)).find(({ slug }) => slug === shop.slug);
  if (own === undefined) return null;
  const { items } = await modules.shows.listForOffice(host.personId, own.id, { limit: 100 });
  const ofPlan = items.filter((show) => show.title === plan.title);
  const open = ofPlan.find(({ state }) => state === 'planned' || state === 'live' || state === 'interrupted');
  const before = ofPlan[0];
  let showId = open?.id;
  if (showId === undefined && before !== undefined) {
    const { bag, cover } = await modules.shows.forOffice(host.personId, before.id);
    showId = (await modules.shows.plan(host.personId, own.id, {
      title: plan.title, description: plan.description, coverImageId: cover?.id ?? null, visibility: 'public',
      startsAt: platform.clock.now().toISOString(), productIds: bag.map(({ product }) => product.id),
    })).id;
  }
  if (showId === undefined) return null;
  if (open === undefined || open.state === 'planned') await setLivePrice(modules, host, showId, plan);
  // Whoever signs in as the demo's buyer finds only own words and own orders under that name.
  const others = DEMO_BUYERS.filter(({ email }) => DEMO_SIGN_INS.every((account) => account.email !== email));
  const people = await Promise.all(others.map((buyer) => actorOf(platform, buyer)));
  return { showId, host, people: people.filter((person) => person !== null) };
}

function startPublisher(
  deps: { platform: Platform; modules: Modules; address: string }, live: LiveShow,
): { stop(): Promise<void> } {
  const { log } = deps.platform;
  let child: ChildProcess | null = null;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  /** A person who took the show over with a camera keeps it; the clip comes back when nobody publishes any more. */
  async function start(): Promise<void> {
    const { state } = await deps.modules.shows.get(live.host, live.showId);
    if (state === 'live') return startIn(LOOK_AGAIN_MS);
    if (state === 'ended') return;
    const key = await deps.modules.shows.issueStreamKey(live.host.personId, live.showId);
    if (stopped) return;
    child = spawn(
      process.execPath,
      [PUBLISHER, '--url', `${deps.address}/whip`, '--clip', join(DEMO_FOLDER, 'show.mp4')],
      { stdio: ['pipe', 'ignore', 'inherit'] },
    );
    child.stdin?.on('error', () => {});
    child.stdin?.write(`${key}\n`);
    child.once('error', (error) => {
      child = null;
      failed(error);
    });
    child.once('exit', (code) => {
      child = null;
      log.info({ code }, 'the demo publisher ended');
      startIn(code === EXIT_KEY_REFUSED ? LOOK_AGAIN_MS : RESTART_AFTER_MS);
    });
  }
  function startIn(waitMs: number): void {
    if (!stopped) timer = setTimeout(() => void start().catch(failed), waitMs);
  }
  function failed(error: unknown): void {
    log.warn({ err: error }, 'the demo show has no picture');
    startIn(LOOK_AGAIN_MS);
  }
  void start().catch(failed);

  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      const running = child;
      if (running === null) return;
      const ended = new Promise((done) => running.once('exit', done));
      running.kill('SIGTERM');
      const kill = setTimeout(() => running.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await ended;
      clearTimeout(kill);
    },
  };
}
