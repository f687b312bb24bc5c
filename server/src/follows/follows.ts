/** Following a shop, and what a show brought in followers. Rules: README.md. */
import type { Following } from '@nacre/contract/shops';
import { Refusal } from '../lib/refusal.ts';
import type { Tx } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import { FOLLOWED_TOPIC } from './events.ts';
import * as store from './store.ts';

/** Followed shops that are looked at. Fewer forgets some of whoever follows everybody, more makes lists slow. */
const SHOPS_MOST = 1_000;

export interface FollowsDeps {
  platform: Platform;
  /** The shop that holds the show; null for a show that this person may not know of. */
  shopOfShow(showId: string, personId: string): Promise<string | null>;
}

export interface Follows {
  /**
   * Following twice is following once; the first show counts.
   * @throws Refusal `shows.not_found` when `showId` is not a show of this shop
   */
  follow(personId: string, shopId: string, showId: string | null): Promise<Following>;
  unfollow(personId: string, shopId: string): Promise<Following>;
  /** The latest followed first; at most a thousand. */
  shopsOf(personId: string): Promise<string[]>;
  followers(shopId: string): Promise<number>;
  isFollowing(personId: string, shopId: string): Promise<boolean>;
  /** `personId` null for a guest, who follows nobody. */
  stateFor(shopId: string, personId: string | null): Promise<Following>;
  /** Followers whom a show brought and who still follow. */
  newFollowersOf(showId: string): Promise<number>;
  /** Ids of followers in their order, those after `after` (null: from the first), `limit` at most. */
  followersAfter(tx: Tx, shopId: string, after: string | null, limit: number): Promise<string[]>;
  /** Shops that the person follows and since when, the latest first; 1,000 at most. */
  followsOf(personId: string): Promise<Array<{ shopId: string; since: Date }>>;
}

/** Shops whose news one person hears of. More is nobody's list, and a query as long. */
const SHOPS_OF_ONE_MAX = 1_000;

export function createFollows(deps: FollowsDeps): Follows {
  const { db } = deps.platform.database;
  return {
    follow: (personId, shopId, showId) => follow(deps, personId, shopId, showId),
    unfollow: async (personId, shopId) => {
      await store.deleteFollow(db, shopId, personId);
      return stateFor(deps, shopId, personId);
    },
    shopsOf: (personId) => store.shopsOf(db, personId, SHOPS_MOST),
    followers: (shopId) => store.countFollowers(db, shopId),
    isFollowing: (personId, shopId) => store.isFollowing(db, shopId, personId),
    stateFor: (shopId, personId) => stateFor(deps, shopId, personId),
    newFollowersOf: (showId) => store.countOfShow(db, showId),
    followersAfter: (tx, shopId, after, limit) => store.followersAfter(tx, shopId, after, limit),
    followsOf: (personId) => store.followsOf(db, personId, SHOPS_OF_ONE_MAX),
  };
}

async function follow(
  deps: FollowsDeps, personId: string, shopId: string, showId: string | null,
): Promise<Following> {
  const { database, outbox, clock } = deps.platform;
  if (showId !== null && (await deps.shopOfShow(showId, personId)) !== shopId) {
    throw new Refusal('shows.not_found');
  }
  await database.transaction(async (tx) => {
    const isNew = await store.insertFollow(tx, { shopId, personId, showId, at: clock.now() });
    if (isNew) await outbox.publish(tx, { topic: FOLLOWED_TOPIC, payload: { shopId, personId, showId } });
  });
  return stateFor(deps, shopId, personId);
}

async function stateFor(deps: FollowsDeps, shopId: string, personId: string | null): Promise<Following> {
  const { db } = deps.platform.database;
  const [followers, following] = await Promise.all([
    store.countFollowers(db, shopId),
    personId === null ? false : store.isFollowing(db, shopId, personId),
  ]);
  return { followers, following };
}
