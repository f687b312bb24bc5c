/**
 * What calendars and feeds outside our pages hear of shows: what everybody may know, and nothing else.
 *
 * Invariants: a private show is in none of it, for its own shop's members neither, because a calendar is asked for
 * without a person; a show that was called off stays in calendars that had it, marked so.
 */
import type { ShopRef } from '@nacre/contract/accounts';
import type { Image } from '@nacre/contract/common';
import type { ShowState } from '@nacre/contract/shows';
import { Refusal } from '../lib/refusal.ts';
import { calendarShows, listShows } from './listing.ts';
import type { Parts } from './parts.ts';
import * as store from './store.ts';
import type { ShowRow } from './store.ts';
import { tilesOf } from './view.ts';

export interface Announcement {
  id: string;
  title: string;
  description: string;
  state: ShowState;
  startsAt: Date;
  wentLiveAt: Date | null;
  endedAt: Date | null;
  createdAt: Date;
  /** The last change of title, time, state or keys. */
  changedAt: Date;
  shop: ShopRef;
  cover: Image | null;
}

export interface Announcements {
  /** A public show in any state. @throws Refusal `shows.not_found` */
  one(showId: string): Promise<Announcement>;
  /** Of a shop, for its calendar: also what was called off, 90 days back, the latest start first; 200 at most. */
  calendar(shopId: string): Promise<Announcement[]>;
  /** Of a shop or (null) of all: what runs, comes, and is over, the latest announced first; 75 at most. */
  news(shopId: string | null): Promise<Announcement[]>;
}

/** Shows of each state in a feed. Fewer loses some between two looks of a reader; more is downloaded at each look. */
const NEWS_OF_STATE = 25;

export function createAnnouncements(parts: Parts): Announcements {
  const { database, clock } = parts.platform;
  return {
    async one(showId) {
      const row = await store.findShow(database.db, showId);
      if (row === null || row.visibility !== 'public') throw new Refusal('shows.not_found');
      const [only] = await announced(parts, [row]);
      if (only === undefined) throw new Error(`show ${showId} has no announcement`);
      return only;
    },
    calendar: async (shopId) => announced(parts, await calendarShows(database.db, shopId, clock.now())),
    async news(shopId) {
      const query = { limit: NEWS_OF_STATE - 1, ...(shopId === null ? {} : { shopId }) };
      const lists = await Promise.all((['live', 'planned', 'ended'] as const).map((state) => (
        listShows(database.db, { ...query, state }, false, clock.now())
      )));
      const news = await announced(parts, lists.flat());
      return news.toSorted((one, other) => other.createdAt.getTime() - one.createdAt.getTime());
    },
  };
}

async function announced(parts: Parts, rows: ShowRow[]): Promise<Announcement[]> {
  const tiles = new Map((await tilesOf(parts.view, rows)).map((tile) => [tile.id, tile]));
  return rows.flatMap((row) => {
    const tile = tiles.get(row.id);
    if (tile === undefined) return [];
    return {
      id: row.id, title: row.title, description: row.description, state: row.state,
      startsAt: row.starts_at, wentLiveAt: row.went_live_at, endedAt: row.ended_at,
      createdAt: row.created_at, changedAt: row.updated_at, shop: tile.shop, cover: tile.cover,
    };
  });
}
