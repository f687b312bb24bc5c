/** The list behind the bell, put together when it is read: the own news, and that of shows of followed shops. */
import type { ShopRef } from '@nacre/contract/accounts';
import type { Page, PageQuery } from '@nacre/contract/common';
import { UNREAD_MAX, type Notification } from '@nacre/contract/notifications';
import type { ShowTile } from '@nacre/contract/shows';
import { pageOf, PAGE_LIMIT_DEFAULT, readCursor } from '../lib/cursor.ts';
import { isListed, type ShowNewsKind } from './freshness.ts';
import type { NotificationsDeps } from './notifications.ts';
import * as store from './store.ts';
import type { ListedRow, ShowNewsRow } from './store.ts';

/** What news of shows is not about. */
export const ABOUT_NOTHING_OWN = { order_id: null, order_number: null, product_id: null, title: null } as const;

interface Around {
  shop: ShopRef;
  /** Null when it is about something else. */
  show: ShowTile | null;
  seenUntil: Date | null;
}

export function viewOf(row: ListedRow, { shop, show, seenUntil }: Around): Notification {
  return {
    id: row.id,
    kind: row.kind,
    at: row.at.toISOString(),
    isNew: seenUntil === null || row.at > seenUntil,
    shop,
    show: show && { id: show.id, title: show.title, state: show.state, startsAt: show.startsAt, cover: show.cover },
    order: row.order_id === null ? null : { id: row.order_id, number: row.order_number ?? '' },
    goods: row.product_id === null ? null : { productId: row.product_id, title: row.title ?? '' },
  };
}

export function showNews(row: ShowNewsRow, show: ShowTile, seenUntil: Date | null): Notification {
  return viewOf({ ...row, ...ABOUT_NOTHING_OWN }, { shop: show.shop, show, seenUntil });
}

/** Without what is private or no longer so: a page may be shorter than asked for, and the list still goes on. */
export async function list(deps: NotificationsDeps, personId: string, query: PageQuery): Promise<Page<Notification>> {
  const { db } = deps.platform.database;
  const limit = query.limit ?? PAGE_LIMIT_DEFAULT;
  const [follows, settings] = await Promise.all([
    deps.follows.followsOf(personId), store.settingsOf(db, [personId]),
  ]);
  const before = readCursor(query.cursor);
  const rows = await store.listNews(db, { personId, follows, before, after: null, limit: limit + 1 });
  const seenUntil = settings.get(personId)?.seen_until ?? null;
  const page = pageOf(rows, limit, (row) => row, (row) => row);
  return { items: await viewsOf(deps, page.items, seenUntil), next: page.next };
}

/** @returns how many are new, `UNREAD_MAX` at most */
export async function unread(deps: NotificationsDeps, personId: string): Promise<number> {
  const { db } = deps.platform.database;
  const [follows, settings] = await Promise.all([
    deps.follows.followsOf(personId), store.settingsOf(db, [personId]),
  ]);
  const after = settings.get(personId)?.seen_until ?? null;
  const rows = await store.listNews(db, { personId, follows, before: null, after, limit: UNREAD_MAX });
  return (await viewsOf(deps, rows, after)).length;
}

async function viewsOf(deps: NotificationsDeps, rows: ListedRow[], seenUntil: Date | null): Promise<Notification[]> {
  const showIds = [...new Set(rows.flatMap((row) => row.show_id ?? []))];
  const shopIds = [...new Set(rows.filter((row) => row.show_id === null).map((row) => row.shop_id))];
  const [shows, shops] = await Promise.all([deps.publicShows(showIds), deps.shopRefs(shopIds)]);
  return rows.flatMap((row) => {
    const show = row.show_id === null ? null : shows.get(row.show_id);
    if (show === undefined) return [];
    if (show !== null && !isListed(row.kind as ShowNewsKind, show.state)) return [];
    const shop = show?.shop ?? shops.get(row.shop_id);
    return shop === undefined ? [] : viewOf(row, { shop, show, seenUntil });
  });
}
