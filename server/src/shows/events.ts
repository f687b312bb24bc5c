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
