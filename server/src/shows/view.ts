/** Shows as they cross the wire, put together from rows and from what the other modules know. */
import type { ShopRef } from '@nacre/contract/accounts';
import type { Product } from '@nacre/contract/catalog';
import type { Image } from '@nacre/contract/common';
import type { RoomCoupon } from '@nacre/contract/coupons';
import type { SpokenLanguage } from '@nacre/contract/languages';
import type { LivePrice } from '@nacre/contract/offers';
import type { BagItem, ProductInterest, Show, ShowTile } from '@nacre/contract/shows';
import type { Db } from '../platform/database.ts';
import { showRoom, type Channel } from '../realtime/channel.ts';
import { likesNow, type Pending } from './counts.ts';
import { isRunning } from './states.ts';
import * as store from './store.ts';
import type { ItemRow, ShowRow } from './store.ts';

export interface ViewDeps {
  db: Db;
  channel: Pick<Channel, 'viewers'>;
  shops: { refs(ids: readonly string[]): Promise<Map<string, ShopRef>> };
  catalog: { productsByIds(ids: readonly string[]): Promise<Map<string, Product>> };
  images: { describe(ids: readonly string[]): Promise<Map<string, Image>> };
  livePricesOf(showId: string): Promise<LivePrice[]>;
  couponsOf(showId: string): Promise<RoomCoupon[]>;
  /** Of shows that are over, in ms; one without a replay is missing. */
  replayLengthsOf(showIds: readonly string[]): Promise<Map<string, number>>;
  /** Likes and viewers that are not in the database yet. */
  pending(showId: string): Readonly<Pending>;
}

export async function tilesOf(deps: ViewDeps, rows: readonly ShowRow[]): Promise<ShowTile[]> {
  if (rows.length === 0) return [];
  const screens = await store.screensOf(deps.db, rows.filter((row) => isRunning(row.state)).map((row) => row.id));
  const overIds = rows.filter(({ state }) => state === 'ended').map(({ id }) => id);
  const [shops, covers, products, replays] = await Promise.all([
    deps.shops.refs(rows.map((row) => row.shop_id)),
    deps.images.describe(rows.flatMap((row) => row.cover_image_id ?? [])),
    screens.length === 0 ? new Map<string, Product>() : deps.catalog.productsByIds(screens.map((on) => on.productId)),
    overIds.length === 0 ? new Map<string, number>() : deps.replayLengthsOf(overIds),
  ]);
  return rows.map((row) => {
    const shop = shops.get(row.shop_id);
    if (shop === undefined) throw new Error(`show ${row.id} has no shop`);
    const screen = screens.find((on) => on.showId === row.id);
    const product = screen === undefined ? undefined : products.get(screen.productId);
    return {
      id: row.id,
      title: row.title,
      state: row.state,
      visibility: row.visibility,
      language: row.language as SpokenLanguage,
      startsAt: row.starts_at.toISOString(),
      wentLiveAt: row.went_live_at?.toISOString() ?? null,
      endedAt: row.ended_at?.toISOString() ?? null,
      cover: row.cover_image_id === null ? null : covers.get(row.cover_image_id) ?? null,
      shop,
      viewers: isRunning(row.state) ? deps.channel.viewers(showRoom(row.id)) : 0,
      isDemo: row.is_demo,
      onScreen: screen && product ? { number: screen.number, title: product.title } : null,
      replayMs: replays.get(row.id) ?? null,
    };
  });
}

export async function showOf(deps: ViewDeps, row: ShowRow): Promise<Show> {
  const [tiles, bag, onScreenProductId, livePrices, coupons] = await Promise.all([
    tilesOf(deps, [row]),
    bagOf(deps, row),
    store.onScreenNow(deps.db, row.id),
    deps.livePricesOf(row.id),
    deps.couponsOf(row.id),
  ]);
  const [tile] = tiles;
  if (tile === undefined) throw new Error(`show ${row.id} has no tile`);
  return {
    ...tile,
    description: row.description,
    likes: likesNow(row.likes, deps.pending(row.id)),
    interruptedAt: row.interrupted_at?.toISOString() ?? null,
    onScreenProductId,
    bag,
    livePrices,
    coupons,
  };
}

/** The goods of the show in the host's order; a product that is gone from the catalogue is left out. */
export async function bagOf(deps: ViewDeps, row: Pick<ShowRow, 'id' | 'went_live_at'>): Promise<BagItem[]> {
  const items = (await store.itemsOf(deps.db, row.id)).filter((item) => !item.removed);
  if (items.length === 0) return [];
  const [products, shown] = await Promise.all([
    deps.catalog.productsByIds(items.map((item) => item.product_id)),
    store.lastShown(deps.db, row.id),
  ]);
  return items.flatMap((item) => {
    const product = products.get(item.product_id);
    if (product === undefined) return [];
    const at = shown.get(item.product_id);
    const offsetMs = at === undefined || row.went_live_at === null ? null : at.getTime() - row.went_live_at.getTime();
    return {
      number: item.number,
      product,
      explainRequests: item.explain_open,
      lastShownAtSeconds: offsetMs === null ? null : Math.max(0, Math.floor(offsetMs / 1000)),
    };
  });
}

export function interestOf(item: ItemRow): ProductInterest {
  return {
    productId: item.product_id,
    number: item.number,
    cardOpened: item.card_opened,
    sheetOpened: item.sheet_opened,
    bagged: item.bagged,
    bought: item.bought,
    explainRequests: item.explain_asked,
  };
}
