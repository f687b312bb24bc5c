/** What moderation has shows do: end them, put people out of rooms and picture. */
import { showRoom, studioRoom } from '../realtime/channel.ts';
import { take } from './lifecycle.ts';
import type { Parts } from './parts.ts';
import * as store from './store.ts';

/** Whatever state it is in: a running show ends, a planned one is cancelled, what is over stays so. */
export async function stopShow(parts: Parts, showId: string): Promise<void> {
  if ((await take(parts, showId, 'end')) === 'impossible') await take(parts, showId, 'cancel');
  await parts.video.endShow(showId);
}

/** The running ones; what is planned stays, and cannot go live while the shop may not. */
export async function stopRunning(parts: Parts, shopId: string): Promise<void> {
  for (const showId of await store.openShowsOf(parts.platform.database.db, shopId)) {
    if ((await take(parts, showId, 'end')) !== 'impossible') await parts.video.endShow(showId);
  }
}

/** Whoever of these may not be there any more leaves the rooms and the picture of the shop's open shows. */
export async function putOut(parts: Parts, shopId: string, names: readonly string[]): Promise<void> {
  for (const showId of await store.openShowsOf(parts.platform.database.db, shopId)) {
    parts.video.putOut(showId, names);
    await parts.channel.putOut(showRoom(showId), names);
    await parts.channel.putOut(studioRoom(showId), names);
  }
}
