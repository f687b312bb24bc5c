/**
 * A show of the demo that is over: planned, held before a few dozen invented guests, and ended, by the verbs that every
 * show goes through, at the clock of that time. The same guests every time.
 */
import { createAnalytics } from '../analytics/analytics.ts';
import { createChat } from '../chat/chat.ts';
import { viewerOf, type Actor } from '../http/actor.ts';
import type { Modules } from '../modules.ts';
import { createMemoryBus } from '../platform/bus.ts';
import type { Clock } from '../platform/clock.ts';
import type { Platform } from '../platform/platform.ts';
import { showRoom, type Channel } from '../realtime/channel.ts';
import { createShows, type Shows } from '../shows/shows.ts';

/** How long each product was on screen. */
const SHOWN_MINUTES = 7;
const MINUTE_MS = 60_000;
/** Guests who come in each minute while a product is new, and later. More makes every first start wait. */
const COMING = [4, 3, 2, 2, 1, 1, 1];

export interface PastShow {
  startsAt: Date;
  bag: readonly string[];
  hostId: string;
  plan(shows: Shows): Promise<{ id: string }>;
}

export async function holdPastShow(
  deps: { platform: Platform; modules: Modules }, { startsAt, bag, hostId, plan }: PastShow,
): Promise<void> {
  let nowMs = startsAt.getTime();
  const { shows, analytics } = partsAt(deps, { now: () => new Date(nowMs) });
  const { id } = await plan(shows);
  const room = showRoom(id);
  await analytics.start();
  await shows.pictureUp(id);
  const here: Array<{ actor: Actor; untilMs: number }> = [];
  let guests = 0;
  for (const productId of bag) {
    await shows.putOnScreen(hostId, id, productId);
    for (let minute = 0; minute < SHOWN_MINUTES; minute += 1) {
      for (const gone of here.filter(({ untilMs }) => untilMs <= nowMs)) {
        here.splice(here.indexOf(gone), 1);
        analytics.notePresence(room, viewerOf(gone.actor), false);
      }
      for (let index = 0; index < (COMING[minute] ?? 0); index += 1) {
        guests += 1;
        const actor: Actor = { kind: 'guest', guestId: `demo-${guests}` };
        here.push({ actor, untilMs: nowMs + (2 + (guests * 7) % 19) * MINUTE_MS });
        analytics.notePresence(room, viewerOf(actor), true);
        await analytics.noteVisit(actor, id, { source: SOURCES[guests % SOURCES.length] ?? 'home' }, browserOf(guests));
        if (guests % 2 === 0) await shows.noteInterest(actor, id, productId, 'card_opened');
        if (guests % 6 === 0) await shows.noteInterest(actor, id, productId, 'sheet_opened');
        if (guests % 9 === 0) await shows.explain(actor, id, bag.at(-1) ?? productId);
      }
      shows.noteViewers(id, here.length);
      nowMs += MINUTE_MS;
    }
  }
  await shows.end(hostId, id);
  await shows.stop();
  await analytics.stop();
}

const SOURCES = ['home', 'share', 'shop', 'home', 'poster', 'direct', 'share', 'product', 'calendar'] as const;
const ZONES = ['Asia/Shanghai', 'Asia/Shanghai', 'Asia/Shanghai', 'Asia/Riyadh', 'America/Los_Angeles'];

function browserOf(guest: number) {
  return { timeZone: ZONES[guest % ZONES.length], acceptLanguage: undefined };
}

/** On a bus of its own: what listens to the running server must not take that evening for now. */
export function partsAt(deps: { platform: Platform; modules: Modules }, clock: Clock) {
  const { shops, catalog, images, follows, moderation } = deps.modules;
  const platform: Platform = { ...deps.platform, clock, bus: createMemoryBus({ log: deps.platform.log }) };
  const channel: Channel = {
    publish: () => {}, tell: () => {}, tellAll: () => {}, viewers: () => 0, recheck: async () => {},
    putOut: async () => {},
  };
  const shows = createShows({
    platform,
    channel,
    shops, catalog, images,
    video: { endShow: async () => {}, dropPublisher: async () => {}, dismissViewers: () => {}, putOut: () => {} },
    newFollowersOf: follows.newFollowersOf,
    livePricesOf: async () => [],
    couponsOf: async () => [],
    replayLengthsOf: async () => new Map(),
    guard: moderation,
  });
  const analytics = createAnalytics({
    platform, showFor: shows.figuresOf, stateFor: shows.brief, productsByIds: catalog.productsByIds,
    runningShows: async () => [], viewersIn: () => [],
  });
  const chat = createChat({ platform, shows, moderation, channel });
  return { shows, analytics, chat };
}
