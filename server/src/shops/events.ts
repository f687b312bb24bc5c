/** What shops publishes through the outbox. */

/** Outbox topic `shops.team-changed`: the person has another role in the shop, or works there no more. */
export interface TeamChanged {
  shopId: string;
  personId: string;
  /** Whether the person may run shows there now. */
  mayRunShows: boolean;
}

export const TEAM_CHANGED_TOPIC = 'shops.team-changed';
