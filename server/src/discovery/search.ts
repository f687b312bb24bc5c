/** Search: goods, shows and shops by the words of their texts. What is not everybody's is never found. */
import type { Page } from '@nacre/contract/common';
import type { FoundProduct, SearchAnswer, SearchPageQuery } from '@nacre/contract/discovery';
import type { Shop } from '@nacre/contract/shops';
import type { ShowTile } from '@nacre/contract/shows';
import { PAGE_LIMIT_DEFAULT } from '../lib/cursor.ts';
import { Refusal } from '../lib/refusal.ts';
import type { DiscoveryDeps } from './discovery.ts';
import * as searchStore from './search-store.ts';
import type { FoundPlace } from './search-store.ts';
import { askedParts, formsOf, isMendable, isOneSlip, queryOf } from './search-text.ts';

/** What a first look shows of each kind. */
const FIRST_LOOK = { products: 12, shows: 8, shops: 6 } as const;
/** Words that are looked for instead of one that nobody uses. More find what nobody meant. */
const MEANT_MOST = 3;

export interface Search {
  search(text: string): Promise<SearchAnswer>;
  /** One kind, on from a cursor. @throws Refusal `request.invalid` for a cursor that nobody gave */
  products(query: SearchPageQuery): Promise<Page<FoundProduct>>;
  shows(query: SearchPageQuery): Promise<Page<ShowTile>>;
  shops(query: SearchPageQuery): Promise<Page<Shop>>;
}

interface Wanted {
  /** Null: nothing to look for. */
  query: string | null;
  after: FoundPlace | null;
  limit: number;
}

export function createSearch(deps: DiscoveryDeps): Search {
  const wantedOf = async ({ q, cursor, limit }: SearchPageQuery): Promise<Wanted> => ({
    query: (await understand(deps, q)).query,
    after: cursor === undefined ? null : readPlace(cursor),
    limit: limit ?? PAGE_LIMIT_DEFAULT,
  });
  return {
    async search(text) {
      const { query, corrections } = await understand(deps, text);
      const wanted = (limit: number): Wanted => ({ query, after: null, limit });
      const [products, shows, shops] = await Promise.all([
        findProducts(deps, wanted(FIRST_LOOK.products)),
        findShows(deps, wanted(FIRST_LOOK.shows)),
        findShops(deps, wanted(FIRST_LOOK.shops)),
      ]);
      return { corrections, products, shows, shops };
    },
    products: async (query) => findProducts(deps, await wantedOf(query)),
    shows: async (query) => findShows(deps, await wantedOf(query)),
    shops: async (query) => findShops(deps, await wantedOf(query)),
  };
}

/** Mends words that nobody uses and that are one slip away from some that are used. */
async function understand(
  deps: DiscoveryDeps, text: string,
): Promise<{ query: string | null; corrections: SearchAnswer['corrections'] }> {
  const { db } = deps.platform.database;
  const parts = askedParts(text);
  const words = parts.flatMap((part) => (part.kind === 'word' && isMendable(part.text) ? [part.text] : []));
  const meant = new Map<string, string[]>();
  for (const word of await searchStore.unknownWords(db, [...new Set(words)])) {
    const near = (await searchStore.wordsNear(db, formsOf(word))).filter((known) => isOneSlip(word, known));
    if (near.length > 0) meant.set(word, near.slice(0, MEANT_MOST));
  }
  return {
    query: queryOf(parts, meant),
    corrections: [...meant].map(([written, words]) => ({ written, meant: words })),
  };
}

async function findProducts(deps: DiscoveryDeps, { query, after, limit }: Wanted): Promise<Page<FoundProduct>> {
  if (query === null) return { items: [], next: null };
  const found = await searchStore.findGoods(deps.platform.database.db, query, after, limit + 1);
  const goods = found.slice(0, limit);
  const [products, shops] = await Promise.all([
    deps.catalog.productsByIds(goods.map(({ id }) => id)), deps.shops.refs(goods.map(({ shopId }) => shopId)),
  ]);
  const items = goods.flatMap(({ id, shopId, showId, number, onScreen }): FoundProduct[] => {
    const product = products.get(id);
    const shop = shops.get(shopId);
    // The model may be a moment behind; what a product is now decides.
    if (product === undefined || shop === undefined || product.state !== 'active') return [];
    const live = showId === null || number === null ? null : { showId, number, onScreen: onScreen ?? false };
    return [{ product, shop, live }];
  });
  return { items, next: nextOf(found, limit) };
}

async function findShows(deps: DiscoveryDeps, { query, after, limit }: Wanted): Promise<Page<ShowTile>> {
  if (query === null) return { items: [], next: null };
  const found = await searchStore.findEntries(deps.platform.database.db, 'show', query, after, limit + 1);
  const shown = found.slice(0, limit);
  const tiles = await deps.shows.publicTiles(shown.map(({ id }) => id));
  const items = shown.flatMap(({ id }) => tiles.get(id) ?? []);
  // The model may be a moment behind; what is called off is found no more.
  return { items: items.filter(({ state }) => state !== 'cancelled'), next: nextOf(found, limit) };
}

async function findShops(deps: DiscoveryDeps, { query, after, limit }: Wanted): Promise<Page<Shop>> {
  if (query === null) return { items: [], next: null };
  const found = await searchStore.findEntries(deps.platform.database.db, 'shop', query, after, limit + 1);
  const shown = found.slice(0, limit);
  const shops = await deps.shops.byIds(shown.map(({ id }) => id));
  return { items: shown.flatMap(({ id }) => shops.get(id) ?? []), next: nextOf(found, limit) };
}

function nextOf(found: readonly FoundPlace[], limit: number): string | null {
  const last = found[limit - 1];
  return found.length <= limit || last === undefined ? null : writePlace(last);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function writePlace({ weight, at, id }: FoundPlace): string {
  return Buffer.from(`${weight} ${at.getTime()} ${id}`, 'utf8').toString('base64url');
}

/** @throws Refusal `request.invalid` */
function readPlace(cursor: string): FoundPlace {
  const [weight, millis, id] = Buffer.from(cursor, 'base64url').toString('utf8').split(' ');
  const place = { weight: Number(weight), at: new Date(Number(millis)), id: id ?? '' };
  if (!Number.isFinite(place.weight) || Number.isNaN(place.at.getTime()) || !UUID.test(place.id)) {
    throw new Refusal('request.invalid', { details: { field: 'cursor' } });
  }
  return place;
}
