/**
 * The show of the demo that is over and can be seen again, with chapters, talk and clips. Held once, behind the back
 * of a start that nobody wants to wait for, by the verbs that every show goes through; its picture is the clip of the
 * live show, kept by the recorder as every show's.
 */
import { join } from 'node:path';
import { loadClip, type Clip } from '@nacre/media/publisher/clip';
import { viewerOf, type PersonActor } from '../http/actor.ts';
import type { Modules } from '../modules.ts';
import type { Platform } from '../platform/platform.ts';
import { showRoom } from '../realtime/channel.ts';
import { recordFootage } from './footage.ts';
import { DEMO_FILMED_TALK, DEMO_SHOPS, type DemoShop, type DemoShow } from './market.ts';
import { partsAt } from './past.ts';

/** Each product for half a minute: a chapter worth going to, a clip worth looking at, and eleven megabytes in all. */
const SHOWN_MS = 30_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

export interface FilmedDeps {
  platform: Platform;
  modules: Modules;
  folder: string;
  host: PersonActor;
  people: PersonActor[];
}

/** At once; what goes wrong is logged, and the next start tries again. */
export function createFilming(deps: FilmedDeps): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const filming = hold(deps, stopping.signal).catch((error: unknown) => {
    if (!stopping.signal.aborted) deps.platform.log.warn({ err: error }, 'the demo has no show to see again');
  });
  return {
    async stop() {
      stopping.abort();
      await filming;
    },
  };
}

async function hold(deps: FilmedDeps, signal: AbortSignal): Promise<void> {
  const { modules: { shops, shows, catalog }, host } = deps;
  const shop = DEMO_SHOPS[0];
  const plan = shop?.shows.find(({ kind }) => kind === 'filmed');
  const own = (await shops.membershipsOf(host.personId)).find(({ slug }) => slug === shop?.slug);
  if (shop === undefined || plan === undefined || own === undefined) return;
  const { items } = await shows.listForOffice(host.personId, own.id, { limit: 100 });
  const before = items.filter(({ title }) => title === plan.title);
  if (before.some(({ state }) => state === 'ended')) return;
  // Left by a process that was killed. On air its recording was whole: it ends here. Before that half of one is none.
  const left = before.filter(({ state }) => state !== 'cancelled');
  for (const { id } of left) await shows.stopShow(id);
  if (left.some(({ state }) => state !== 'planned')) return;
  const goods = await catalog.listForOffice(host.personId, own.id, { limit: 100 });
  const bag = plan.bag.flatMap((at) => goods.items.find(({ title }) => title === shop.products[at]?.title)?.id ?? []);
  const cover = items.find(({ title }) => title === liveTitle(shop))?.cover?.id ?? null;
  await film(deps, { shopId: own.id, plan, bag, cover }, signal);
}

const liveTitle = (shop: DemoShop): string | undefined => shop.shows.find(({ kind }) => kind === 'live')?.title;

async function film(
  deps: FilmedDeps,
  show: { shopId: string; plan: DemoShow; bag: string[]; cover: string | null },
  signal: AbortSignal,
): Promise<void> {
  const { platform, modules: { recorder }, host } = deps;
  const startedAtMs = platform.clock.now().getTime() + show.plan.startsInHours * HOUR_MS;
  let nowMs = startedAtMs;
  const parts = partsAt(deps, { now: () => new Date(nowMs) });
  const clip = await loadClip(join(deps.folder, 'show.mp4'));
  const { id } = await parts.shows.plan(host.personId, show.shopId, {
    title: show.plan.title, description: show.plan.description, coverImageId: show.cover, visibility: 'public',
    startsAt: new Date(startedAtMs).toISOString(), productIds: show.bag,
  });
  // Before it is on air, which takes no time then: nobody finds it among the running ones.
  await recordFootage(recorder, { streamId: id, clip, times: timesOf(clip, show.bag), startedAtMs }, signal);
  await parts.analytics.start();
  await parts.shows.pictureUp(id);
  for (const { atMs, happens } of happenings(deps, parts, id, show.bag)) {
    nowMs = startedAtMs + atMs;
    await happens();
  }
  nowMs = startedAtMs + show.bag.length * SHOWN_MS;
  await parts.shows.end(host.personId, id);
  await parts.shows.stop();
  await parts.analytics.stop();
}

const timesOf = ({ durationMs }: Clip, bag: readonly string[]): number => (
  Math.ceil((bag.length * SHOWN_MS) / durationMs)
);

/** In order of time. */
function happenings(
  { host, people, platform }: FilmedDeps, { shows, analytics, chat }: ReturnType<typeof partsAt>, showId: string,
  bag: readonly string[],
): Array<{ atMs: number; happens(): Promise<unknown> }> {
  const room = showRoom(showId);
  const speakers = new Map(people.map((person) => [person.name, person]));
  const coming = people.map((person, index) => ({
    atMs: (index + 1) * 1_000,
    async happens() {
      analytics.notePresence(room, viewerOf(person), true);
      await analytics.noteVisit(person, showId, { source: 'shop' }, { timeZone: undefined, acceptLanguage: undefined });
      shows.noteViewers(showId, index + 1);
    },
  }));
  const shown = bag.map((productId, index) => ({
    atMs: index * SHOWN_MS, happens: () => shows.putOnScreen(host.personId, showId, productId),
  }));
  const said = DEMO_FILMED_TALK.flatMap(({ at, by, say }) => {
    const person = by === undefined ? host : speakers.get(by);
    return person === undefined ? [] : [{
      atMs: at * 1_000, happens: () => chat.send(person, showId, { clientId: platform.newId(), text: say }),
    }];
  });
  const liked = people.flatMap((person, index) => bag.map((_, at) => ({
    atMs: at * SHOWN_MS + (index + 2) * 4_000, happens: () => shows.like(person, showId, 3 + ((index + at) % 4)),
  })));
  const wanted = people.flatMap((person, index) => bag.map((productId, at) => ({
    atMs: at * SHOWN_MS + (index + 2) * 3_000,
    async happens() {
      if ((index + at) % 3 === 2) return;
      await shows.noteInterest(person, showId, productId, 'card_opened');
      if ((index + at) % 3 === 0) await shows.noteInterest(person, showId, productId, 'bagged');
    },
  })));
  // Likes count in the minute in which they are written, and that is what a stop does.
  const minutes = Array.from({ length: Math.ceil((bag.length * SHOWN_MS) / MINUTE_MS) }, (_, minute) => ({
    atMs: (minute + 1) * MINUTE_MS - 1, happens: () => shows.stop(),
  }));
  return [...coming, ...shown, ...said, ...liked, ...wanted, ...minutes].toSorted((a, b) => a.atMs - b.atMs);
}
