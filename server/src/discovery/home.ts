/**
 * The home page's lists. The order of live shows is that of ranking.ts, by counts that are read every ten seconds
 * (sooner when a show begins or ends) and kept for minutes: a list that is paged goes on in the order it began with.
 */
import type { Home, HomeFacets, HomeLiveQuery, HomeQuery, HomeTile } from '@nacre/contract/discovery';
import type { Page } from '@nacre/contract/common';
import type { SpokenLanguage } from '@nacre/contract/languages';
import type { ShopCategory } from '@nacre/contract/shops';
import type { ShowTile } from '@nacre/contract/shows';
import { LRUCache } from 'lru-cache';
import { PAGE_LIMIT_DEFAULT } from '../lib/cursor.ts';
import { Refusal } from '../lib/refusal.ts';
import type { DiscoveryDeps } from './discovery.ts';
import { byWish, NEWCOMER_VIEWERS, rank, type LiveShow } from './ranking.ts';
import { fold } from './search-text.ts';
import * as store from './store.ts';
import type { Filters, ShowPlace } from './store.ts';

/** Live shows that are put in order. More than anybody pages through; each costs memory thirty times over. */
export const LIVE_MOST = 5_000;
/** What fits before a person scrolls twice. */
const LIVE_LIMIT = 24;
const OTHERS_LIMIT = 8;
/** Followed shows that stand first; more would leave no place for anybody else. */
export const FOLLOWED_FIRST_MOST = 24;
/** How long an order holds. Shorter costs a look at the database, longer shows old counts. */
const ORDER_MS = 10_000;
/** And when a show has begun or ended since. Shorter costs looks when thousands do, longer hides a new show. */
const CHANGED_LEAST_MS = 2_000;
/** Orders kept: two to ten minutes. Fewer, and a slow reader's next page comes from a later order. */
const ORDERS_KEPT = 60;
/** A planned show that has not begun stays for this long after its time; as in the lists of shows. */
const LATE_MAX_MS = 6 * 3600 * 1000;
/** What there is to choose from changes slowly, but for a show that has just been planned. */
const FACETS_MS = 30_000;
const FACETS_PAST_MS = 30 * 24 * 3600 * 1000;
const REGIONS_MOST = 40;

/** What all get alike is kept so long. Shorter asks the database for each guest of a rush, longer tells old counts. */
const SHARED_MS = 1_000;
const SHARED_MOST = 1_000;

type RankedShow = LiveShow & Omit<ShowPlace, 'at' | 'state'>;

interface Order {
  /** Names the order in cursors. */
  slot: number;
  shows: RankedShow[];
}

export interface HomeOf {
  home(query: HomeQuery, personId: string | null): Promise<Home>;
  /** Live shows after the first page. @throws Refusal `request.invalid` for a cursor that nobody gave */
  live(query: HomeLiveQuery, personId: string | null): Promise<Page<HomeTile>>;
  /** A show has changed: the order may be another. */
  noteChange(): void;
}

export function createHome(deps: DiscoveryDeps): HomeOf {
  const nowMs = () => deps.platform.clock.now().getTime();
  const orders = new LRUCache<number, Promise<Order>>({ max: ORDERS_KEPT });
  let latest = { slot: 0, madeMs: Number.NEGATIVE_INFINITY, isChanged: false };
  const shared = createShared(nowMs);
  let facets: { madeMs: number; isChanged: boolean; value: Promise<HomeFacets> } | null = null;

  function orderNow(): Promise<Order> {
    const ageMs = nowMs() - latest.madeMs;
    const known = ageMs < (latest.isChanged ? CHANGED_LEAST_MS : ORDER_MS) ? orders.get(latest.slot) : undefined;
    if (known !== undefined) return known;
    // By the second: after a restart no number comes again that a cursor may still hold.
    const slot = Math.max(latest.slot + 1, Math.floor(nowMs() / 1000));
    latest = { slot, madeMs: nowMs(), isChanged: false };
    const made = putInOrder(deps, slot);
    orders.set(slot, made);
    made.catch(() => orders.delete(slot));
    return made;
  }

  function facetsNow(): Promise<HomeFacets> {
    const isFresh = facets !== null
      && nowMs() - facets.madeMs < (facets.isChanged ? CHANGED_LEAST_MS : FACETS_MS);
    if (facets !== null && isFresh) return facets.value;
    const value = readFacets(deps, new Date(nowMs() - FACETS_PAST_MS));
    facets = { madeMs: nowMs(), isChanged: false, value };
    value.catch(() => { facets = null; });
    return value;
  }

  /** As `deps.shows.publicTiles`, but each asked for once a second at most. */
  async function tilesOf(ids: readonly string[]): Promise<Map<string, ShowTile>> {
    // Held on to here: what is kept may be forgotten while we wait.
    const known = ids.map((id) => ({ id, tile: shared.get<ShowTile | null>(`tile ${id}`) }));
    const missing = known.flatMap(({ id, tile }) => (tile === undefined ? [id] : []));
    const made = missing.length === 0 ? Promise.resolve(new Map<string, ShowTile>()) : deps.shows.publicTiles(missing);
    const tiles = await Promise.all(known.map(({ id, tile }) => (
      tile ?? shared.keep(`tile ${id}`, made.then((found) => found.get(id) ?? null))
    )));
    return new Map(tiles.flatMap((tile) => (tile === null ? [] : [[tile.id, tile]])));
  }

  function idsOf(wanted: store.ShowsWanted): Promise<string[]> {
    const { state, filters: { category, language, regionKey } } = wanted;
    const key = ['ids', state, category, language, regionKey].join(' ');
    return shared.get<string[]>(key) ?? shared.keep(key, store.showIds(deps.platform.database.db, wanted));
  }

  /** The next first, those of followed shops before all others. */
  async function plannedIds(filters: Filters, followed: readonly string[]): Promise<string[]> {
    const after = new Date(nowMs() - LATE_MAX_MS);
    const wanted = { state: 'planned', filters, after, limit: OTHERS_LIMIT } as const;
    const [own, all] = await Promise.all([
      followed.length === 0 ? [] : store.showIds(deps.platform.database.db, { ...wanted, shopIds: followed }),
      idsOf(wanted),
    ]);
    return [...new Set([...own, ...all])].slice(0, OTHERS_LIMIT);
  }

  return {
    noteChange() {
      shared.clear();
      latest.isChanged = true;
      if (facets !== null) facets.isChanged = true;
    },
    async home(query, personId) {
      const filters = filtersOf(query);
      const followed = personId === null ? [] : await deps.followedBy(personId);
      const isFollowed = new Set(followed);
      const turn = query.turn ?? deps.newTurn();
      const [order, planned, past, facetsThen] = await Promise.all([
        orderNow(),
        plannedIds(filters, followed),
        idsOf({ state: 'ended', filters, limit: OTHERS_LIMIT }),
        facetsNow(),
      ]);
      const first = order.shows
        .filter((show) => isFollowed.has(show.shopId) && fits(show, filters))
        .toSorted(byWish).slice(0, FOLLOWED_FIRST_MOST);
      const live = pageOfOrder(order, filters, { slot: order.slot, turn, offset: 0, first }, LIVE_LIMIT);
      const tiles = await tilesOf([...live.ids, ...planned, ...past]);
      const view = (ids: string[], isRight: (tile: ShowTile) => boolean) => tilesIn(tiles, ids, isFollowed, isRight);
      return {
        live: { items: view(live.ids, isRunning), next: live.next },
        planned: view(planned, ({ state }) => state === 'planned'),
        past: view(past, ({ state }) => state === 'ended'),
        facets: facetsThen,
        turn,
      };
    },
    async live(query, personId) {
      const followed = personId === null ? [] : await deps.followedBy(personId);
      const filters = filtersOf(query);
      const asked = query.cursor === undefined ? null : readPlace(query.cursor);
      const now = await orderNow();
      const order = asked === null ? now : (await orders.get(asked.slot)) ?? now;
      const first = asked !== null && order.slot === asked.slot
        ? asked.first.flatMap((index) => order.shows[index] ?? []) : [];
      const place = { slot: order.slot, turn: asked?.turn ?? deps.newTurn(), offset: asked?.offset ?? 0, first };
      const { ids, next } = pageOfOrder(order, filters, place, query.limit ?? PAGE_LIMIT_DEFAULT);
      return { items: tilesIn(await tilesOf(ids), ids, new Set(followed), isRunning), next };
    },
  };
}

/** Answers on their way or just given, which fail once and are forgotten. */
function createShared(nowMs: () => number) {
  const kept = new LRUCache<string, { madeMs: number; value: Promise<unknown> }>({ max: SHARED_MOST });
  const fresh = (key: string) => {
    const known = kept.get(key);
    return known !== undefined && nowMs() - known.madeMs < SHARED_MS ? known : undefined;
  };
  return {
    get: <T>(key: string) => fresh(key)?.value as Promise<T> | undefined,
    keep<T>(key: string, value: Promise<T>): Promise<T> {
      kept.set(key, { madeMs: nowMs(), value });
      value.catch(() => kept.delete(key));
      return value;
    },
    clear: () => kept.clear(),
  };
}

const isRunning = ({ state }: ShowTile) => state === 'live' || state === 'interrupted';

function tilesIn(
  tiles: ReadonlyMap<string, ShowTile>, ids: readonly string[], followed: ReadonlySet<string>,
  isRight: (tile: ShowTile) => boolean,
): HomeTile[] {
  return ids.flatMap((id) => {
    const tile = tiles.get(id);
    // The model may be a moment behind; what a show is now decides.
    return tile === undefined || !isRight(tile) ? [] : [{ ...tile, isFollowed: followed.has(tile.shop.id) }];
  });
}

async function putInOrder(deps: DiscoveryDeps, slot: number): Promise<Order> {
  const places = await store.runningShows(deps.platform.database.db, LIVE_MOST);
  const soFar = await deps.shows.viewersOfShops([...new Set(places.map(({ shopId }) => shopId))]);
  return {
    slot,
    shows: places.map(({ at, state, ...place }) => ({
      ...place,
      wentLiveAt: at,
      viewers: deps.viewersOf(place.id),
      isInterrupted: state === 'interrupted',
      isNewcomer: (soFar.get(place.shopId) ?? 0) < NEWCOMER_VIEWERS,
    })),
  };
}

interface PlaceInOrder {
  slot: number;
  turn: number;
  offset: number;
  /** Followed ones, which stand before the ranking. */
  first: RankedShow[];
}

function pageOfOrder(
  order: Order, filters: Filters, place: PlaceInOrder, limit: number,
): { ids: string[]; next: string | null } {
  const isFirst = new Set(place.first);
  const others = order.shows.filter((show) => !isFirst.has(show) && fits(show, filters));
  const all = [...place.first, ...rank(others, place.turn)];
  const end = place.offset + limit;
  const next = end < all.length ? writePlace(order, { ...place, offset: end }) : null;
  return { ids: all.slice(place.offset, end).map(({ id }) => id), next };
}

/** Slot, turn, offset, and the followed ones' numbers in the order: all short, so that an address can hold them. */
function writePlace(order: Order, place: PlaceInOrder): string {
  const first = place.first.map((show) => order.shows.indexOf(show));
  return [place.slot, place.turn, place.offset, ...first].map((number) => number.toString(36)).join('.');
}

/** @throws Refusal `request.invalid` */
function readPlace(cursor: string): { slot: number; turn: number; offset: number; first: number[] } {
  const [slot, turn, offset, ...first] = cursor.split('.').map((text) => (
    /^[0-9a-z]{1,9}$/.test(text) ? Number.parseInt(text, 36) : Number.NaN
  ));
  const isFine = slot !== undefined && turn !== undefined && offset !== undefined && first.length <= FOLLOWED_FIRST_MOST
    && [slot, turn, offset, ...first].every((number) => Number.isSafeInteger(number));
  if (!isFine) throw new Refusal('request.invalid', { details: { field: 'cursor' } });
  return { slot, turn, offset, first };
}

function filtersOf({ category, language, region }: HomeQuery): Filters {
  return {
    ...(category === undefined ? {} : { category }),
    ...(language === undefined ? {} : { language }),
    ...(region === undefined ? {} : { regionKey: fold(region.trim()) }),
  };
}

function fits(show: RankedShow, { category, language, regionKey }: Filters): boolean {
  return (category === undefined || show.category === category)
    && (language === undefined || show.language === language)
    && (regionKey === undefined || show.regionKey === regionKey);
}


/** The most frequent first. */
async function readFacets(deps: DiscoveryDeps, since: Date): Promise<HomeFacets> {
  const rows = await store.facets(deps.platform.database.db, since);
  const frequent = (key: 'category' | 'region' | 'language') => {
    const counts = new Map<string, number>();
    for (const row of rows) counts.set(row[key], (counts.get(row[key]) ?? 0) + row.shows);
    return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([value]) => value);
  };
  const regions = new Map<string, string>();
  // One spelling of each; other categories may have written it otherwise.
  for (const region of frequent('region')) if (!regions.has(fold(region))) regions.set(fold(region), region);
  return {
    categories: frequent('category') as ShopCategory[],
    regions: [...regions.values()].slice(0, REGIONS_MOST),
    languages: frequent('language') as SpokenLanguage[],
  };
}
