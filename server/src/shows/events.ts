/**
 * What shows publishes: facts through the outbox; and over the bus after a commit, at most once, what is for those who
 * count as it happens.
 */
import type { ShowState } from '@nacre/contract/shows';
import type { Tx } from '../platform/database.ts';
import type { Outbox } from '../platform/outbox.ts';

/** Outbox topic `shows.changed`: a show was planned, or its plan, bag, state or screen changed. */
export interface ShowsChanged {
  showId: string;
}

export const SHOWS_CHANGED_TOPIC = 'shows.changed';

export async function publishChange(outbox: Outbox, tx: Tx, showId: string): Promise<void> {
  const payload: ShowsChanged = { showId };
  await outbox.publish(tx, { topic: SHOWS_CHANGED_TOPIC, payload: { ...payload } });
}

/** Bus topic `shows.state-changed`. */
export interface ShowStateChanged {
  showId: string;
  state: ShowState;
  /** RFC 3339; null when it never was live. */
  wentLiveAt: string | null;
  /** When it moved, RFC 3339. */
  at: string;
}

/**
 * Bus topic `shows.counted`: something of viewers was counted, that is not a repeat. `explained` also when a wish is
 * made again after it was answered.
 */
export interface ShowCounted {
  showId: string;
  what: 'card_opened' | 'sheet_opened' | 'bagged' | 'explained' | 'liked';
  count: number;
}

export const STATE_TOPIC = 'shows.state-changed';
export const COUNTED_TOPIC = 'shows.counted';
/**
 * Of public shows only. `shows.went-live`: everybody can see it now, for the first time. `shows.moved`: a planned show
 * has another start. `shows.cancelled`: a planned show will not be.
 */
export interface ShowFact {
  showId: string;
  shopId: string;
  /** Instant; the new one when it moved. */
  startsAt: string;
  /** Instant at which it became true. */
  at: string;
}

export const WENT_LIVE_TOPIC = 'shows.went-live';
export const MOVED_TOPIC = 'shows.moved';
export const CANCELLED_TOPIC = 'shows.cancelled';
export type ShowTopic = typeof WENT_LIVE_TOPIC | typeof MOVED_TOPIC | typeof CANCELLED_TOPIC;
