/** What shows publishes through the outbox. */
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

/**
 * Of public shows only. `shows.went-live`: everybody can see it now, for the first time. `shows.moved`: a planned show has another start.
 * `shows.cancelled`: a planned show will not be.
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
