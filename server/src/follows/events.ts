/** What follows publishes through the outbox. */

/** Outbox topic `follows.followed`: somebody who did not follow the shop does now. */
export interface Followed {
  shopId: string;
  personId: string;
  /** The show in which Follow was pressed, or null. */
  showId: string | null;
}

export const FOLLOWED_TOPIC = 'follows.followed';
