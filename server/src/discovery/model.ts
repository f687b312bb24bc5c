/**
 * The read model: what is found of shops, shows and goods, made from what their modules say now.
 *
 * Invariants: an entry is always written from facts that were read after the model was locked, so whoever writes last
 * has read the latest; writing twice is writing once; what not everybody may see has no entry. A model of another
 * version, or one that was not finished, is made anew.
 */
import type { Product } from '@nacre/contract/catalog';
import type { Shop } from '@nacre/contract/shops';
import type { Tx } from '../platform/database.ts';
import type { DiscoveryDeps } from './discovery.ts';
import { fold, formsOf, isMendable, vectorOf, wordsOf, type Weight } from './search-text.ts';
import * as store from './store.ts';
import type { Entry, Kind } from './store.ts';

/** One more whenever what is written into the model, or the way texts are folded, changes. */
export const MODEL_VERSION = 1;
/** Things written at a time while it is made anew. Fewer takes longer, more holds up what changes meanwhile. */
const BATCH = 200;
/** Letters of a text that are looked into. More makes each entry large for words that say little. */
const TEXT_MAX = 1_000;

/** Writes what is true of these things now. */
export async function refresh(deps: DiscoveryDeps, tx: Tx, kind: Kind, ids: readonly string[]): Promise<void> {
  await store.lockModel(tx);
  if (kind === 'shop') await refreshShops(deps, tx, ids);
  else if (kind === 'show') await refreshShows(deps, tx, ids);
  else await refreshProducts(deps, tx, ids);
}

interface Text {
  text: string;
  weight: Weight;
}

/** Titles and names; their words are what a slip of the finger may be mended to. */
async function addWords(tx: Tx, texts: readonly string[]): Promise<void> {
  const words = texts.flatMap(wordsOf).filter(isMendable);
  await store.addWords(tx, new Map(words.map((word) => [word, formsOf(word)])));
}

const wordsIn = (...texts: Text[]) => vectorOf(texts.map(({ text, weight }) => (
  { text: text.slice(0, TEXT_MAX), weight }
)));
const placeOf = (shop: Shop) => ({ category: shop.category, region: shop.region, region_key: fold(shop.region) });

async function refreshShops(deps: DiscoveryDeps, tx: Tx, ids: readonly string[]): Promise<void> {
  const shops = [...(await deps.shops.byIds(ids)).values()];
  await store.writeEntries(tx, 'shop', ids, shops.map((shop): Entry => ({
    kind: 'shop', id: shop.id, shop_id: shop.id, state: null, at: new Date(shop.createdAt), language: shop.language,
    ...placeOf(shop),
    words: wordsIn(
      { text: shop.name, weight: 'A' }, { text: shop.slug, weight: 'B' }, { text: shop.region, weight: 'C' },
      { text: shop.story, weight: 'D' },
    ),
  })));
  await addWords(tx, shops.map(({ name }) => name));
  for (const shop of shops) await store.moveShows(tx, shop.id, placeOf(shop));
}

async function refreshShows(deps: DiscoveryDeps, tx: Tx, ids: readonly string[]): Promise<void> {
  const facts = await deps.shows.factsOf(ids);
  const shops = await deps.shops.byIds([...new Set(facts.map(({ shopId }) => shopId))]);
  await store.writeEntries(tx, 'show', ids, facts.flatMap((show): Entry[] => {
    const shop = shops.get(show.shopId);
    if (shop === undefined) return [];
    const texts = wordsIn(
      { text: show.title, weight: 'A' }, { text: shop.name, weight: 'C' }, { text: show.description, weight: 'D' },
    );
    return [{
      kind: 'show', id: show.id, shop_id: show.shopId, state: show.state, at: show.at, language: show.language,
      ...placeOf(shop), words: texts,
    }];
  }));
  await store.writeLive(tx, ids, facts.flatMap((show) => show.goods.map(({ productId, number }) => (
    { showId: show.id, productId, number, onScreen: productId === show.onScreenProductId }
  ))));
  await addWords(tx, facts.map(({ title }) => title));
}

async function refreshProducts(deps: DiscoveryDeps, tx: Tx, ids: readonly string[]): Promise<void> {
  const products = [...(await deps.catalog.productsByIds(ids)).values()].filter(({ state }) => state === 'active');
  await store.writeEntries(tx, 'product', ids, products.map((product): Entry => ({
    kind: 'product', id: product.id, shop_id: product.shopId, state: null, at: new Date(product.createdAt),
    category: null, region: null, region_key: null, language: null,
    words: wordsIn(
      { text: product.title, weight: 'A' }, { text: valuesOf(product), weight: 'C' },
      { text: product.description, weight: 'D' },
    ),
  })));
  await store.renewLive(tx, ids);
  await addWords(tx, products.map(({ title }) => title));
}

/** Colours and sizes. */
function valuesOf(product: Product): string {
  return product.options.flatMap(({ values }) => values.map(({ value }) => value)).join(' ');
}

/** Whether the model must be made anew before it can be trusted. */
export async function isStale(deps: DiscoveryDeps): Promise<boolean> {
  return (await store.modelVersion(deps.platform.database.db)) !== MODEL_VERSION;
}

/**
 * Makes it anew from everything there is, in batches; what changes meanwhile is taken over as always. Cut short, it is
 * begun again at the next start.
 * @param goesOn asked before each batch
 */
export async function rebuild(deps: DiscoveryDeps, goesOn: () => boolean): Promise<void> {
  const { database, log } = deps.platform;
  await database.transaction(async (tx) => {
    await store.lockModel(tx);
    await store.setModelVersion(tx, null);
    await store.clear(tx);
  });
  let written = 0;
  for (const [kind, idsAfter] of [
    ['shop', deps.shops.idsAfter], ['product', deps.catalog.idsAfter], ['show', deps.shows.idsAfter],
  ] as const) {
    for (let last: string | null = null; ;) {
      if (!goesOn()) return;
      const ids: string[] = await idsAfter(last, BATCH);
      if (ids.length === 0) break;
      await database.transaction((tx) => refresh(deps, tx, kind, ids));
      written += ids.length;
      last = ids.at(-1) ?? null;
    }
  }
  await database.transaction((tx) => store.setModelVersion(tx, MODEL_VERSION));
  log.info({ things: written, version: MODEL_VERSION }, 'what people search in is made anew');
}

/** After a restart: what the model says of running shows is what was true at the stop. */
export async function refreshRunning(deps: DiscoveryDeps, most: number): Promise<void> {
  const { database } = deps.platform;
  const running = await store.runningShows(database.db, most);
  for (let index = 0; index < running.length; index += BATCH) {
    const ids = running.slice(index, index + BATCH).map(({ id }) => id);
    await database.transaction((tx) => refresh(deps, tx, 'show', ids));
  }
}
