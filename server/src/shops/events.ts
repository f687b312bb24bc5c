/** What shops publishes through the outbox. */

/** Outbox topic `shops.team-changed`: the person has another role in the shop, or works there no more. */
export interface TeamChanged {
  shopId: string;
  personId: string;
  /** Whether the person may run shows there now. */
  mayRunShows: boolean;
}

/** Outbox topic `shops.changed`: a shop was opened, or what everybody sees of it changed. */
export interface ShopsChanged {
  shopId: string;
}

export const SHOPS_CHANGED_TOPIC = 'shops.changed';
export const TEAM_CHANGED_TOPIC = 'shops.team-changed';
