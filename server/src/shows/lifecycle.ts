/**
 * How a show's state moves: the host's picture, the end, the sweep of hosts who did not come back.
 *
 * Invariants: every move is one of `states.ts`, made with the show's row locked; rooms hear of it after the commit; a
 * show that is over has nothing on screen and no publisher.
 */
import { Refusal } from '../lib/refusal.ts';
import { afterCommit, type Tx } from '../platform/database.ts';
import { showRoom, studioRoom } from '../realtime/channel.ts';
import { CANCELLED_TOPIC, publishChange, STATE_TOPIC, WENT_LIVE_TOPIC, type ShowStateChanged } from './events.ts';
import { locked, publishFact, type Parts } from './parts.ts';
import { nextState, type ShowStep } from './states.ts';
import * as store from './store.ts';
import type { ShowRow } from './store.ts';

/** A host who was away for so long has gone home. Shorter ends shows over a dead battery; longer keeps empty rooms. */
export const AWAY_MAX_MS = 2 * 3600 * 1000;
/** Shows that one sweep ends. Fewer lags after an outage; more holds a connection for long. */
const SWEEP_MOST = 50;

/**
 * Takes the step if it is possible.
 * @returns whether the state changed, `repeat` when it already was so, or `impossible`
 */
export async function take(parts: Parts, showId: string, step: ShowStep): Promise<'moved' | 'repeat' | 'impossible'> {
  const outcome = await parts.platform.database.transaction(async (tx) => {
    const show = await locked(tx, showId);
    const next = nextState(show.state, step);
    if (next === null) return 'impossible';
    if (next === show.state) return 'repeat';
    await move(parts, tx, show, next);
    return 'moved';
  });
  return outcome;
}

async function move(parts: Parts, tx: Tx, show: ShowRow, next: ShowRow['state']): Promise<void> {
  const now = parts.platform.clock.now();
  await store.updateShow(tx, show.id, {
    state: next,
    updated_at: now,
    interrupted_at: next === 'interrupted' ? now : null,
    ...(next === 'live' && show.went_live_at === null ? { went_live_at: now } : {}),
    ...(next === 'ended' ? { ended_at: now } : {}),
  });
  await publishChange(parts.platform.outbox, tx, show.id);
  // A picture that comes back is no news.
  if (next === 'live' && show.went_live_at === null) await publishFact(parts, tx, WENT_LIVE_TOPIC, show);
  if (next === 'cancelled') await publishFact(parts, tx, CANCELLED_TOPIC, show);
  const cleared = next === 'ended' && (await store.closeInterval(tx, show.id, now));
  const wentLiveAt = show.went_live_at ?? (next === 'live' ? now : null);
  afterCommit(tx, () => {
    parts.platform.bus.publish(STATE_TOPIC, {
      showId: show.id, state: next, wentLiveAt: wentLiveAt?.toISOString() ?? null, at: now.toISOString(),
    } satisfies ShowStateChanged);
    for (const room of [showRoom(show.id), studioRoom(show.id)]) {
      parts.channel.publish(room, { type: 'show', state: next, at: now.toISOString() });
    }
    if (cleared) parts.channel.publish(showRoom(show.id), { type: 'on-screen', productId: null, number: null });
  });
}

/** A member ends or cancels; a repeat changes nothing. @throws Refusal `shows.wrong_state` */
export async function finish(parts: Parts, showId: string, step: 'end' | 'cancel'): Promise<void> {
  if ((await take(parts, showId, step)) === 'impossible') throw new Refusal('shows.wrong_state');
  // Also on a repeat: the first time may have been cut short between the commit and this.
  await parts.video.endShow(showId);
}

/** A picture for a show that cannot be live any more, or of a shop that may not go live, is cut. */
export async function pictureUp(parts: Parts, showId: string): Promise<void> {
  const show = await store.findShow(parts.platform.database.db, showId);
  // The key was looked at before the picture came; the shop may have been suspended in between.
  if (show !== null && await parts.guard.isSuspended(show.shop_id)) return parts.video.endShow(showId);
  if ((await take(parts, showId, 'picture-up')) === 'impossible') await parts.video.endShow(showId);
}

export async function pictureDown(parts: Parts, showId: string, reason: string): Promise<void> {
  const outcome = await take(parts, showId, 'picture-down');
  if (outcome === 'moved') parts.platform.log.info({ showId, reason }, 'a show is interrupted');
}

/** Nobody publishes to a server that has just started: what was live is interrupted until the host is back. */
export async function interruptLive(parts: Parts): Promise<void> {
  const { database, clock, log } = parts.platform;
  const shows = await database.transaction((tx) => store.interruptAllLive(tx, clock.now()));
  if (shows > 0) log.info({ shows }, 'shows that were live wait for their host to come back');
}

/** Ends shows whose host stayed away. @returns how many */
export async function sweepAway(parts: Parts): Promise<number> {
  const { database, clock } = parts.platform;
  const before = new Date(clock.now().getTime() - AWAY_MAX_MS);
  let ended = 0;
  for (const showId of await store.awaySince(database.db, before, SWEEP_MOST)) {
    // Asked again under the lock by the table: a host who is back in this moment stays live.
    if ((await take(parts, showId, 'stayed-away')) !== 'moved') continue;
    ended += 1;
    await parts.video.endShow(showId);
  }
  return ended;
}

/** Runs tasks of one show one after the other: a picture that goes and comes must not be noted the other way round. */
export function createTurns(): (showId: string, task: () => Promise<void>) => Promise<void> {
  const last = new Map<string, Promise<void>>();
  return (showId, task) => {
    const turn = (last.get(showId) ?? Promise.resolve()).then(task);
    const settled = turn.catch(() => {
      // Its caller hears of it; the next in line must not.
    });
    last.set(showId, settled);
    void settled.then(() => {
      if (last.get(showId) === settled) last.delete(showId);
    });
    return turn;
  };
}
