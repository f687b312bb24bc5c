/** SQL on search_entry, search_live and search_word. */
import { sql, type Insertable } from 'kysely';
import type { HomeQuery } from '@nacre/contract/discovery';
import type { Db, Tx } from '../platform/database.ts';
import type { SearchEntry } from '../platform/tables.ts';

export type Kind = 'shop' | 'show' | 'product';
export type Entry = Insertable<SearchEntry> & { kind: Kind };

export interface LiveGoods {
  showId: string;
  productId: string;
  number: number;
  onScreen: boolean;
}

/** One who writes at a time, until the transaction ends: who reads the facts after this reads the latest. */
export async function lockModel(tx: Tx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended('search_entry', 0))`.execute(tx);
}

/** These exactly for these ids: what is not among the entries is taken out. */
export async function writeEntries(tx: Tx, kind: Kind, ids: readonly string[], entries: Entry[]): Promise<void> {
  if (ids.length === 0) return;
  const kept = new Set(entries.map(({ id }) => id));
  const gone = ids.filter((id) => !kept.has(id));
  if (gone.length > 0) {
    await tx.deleteFrom('search_entry').where('kind', '=', kind).where('id', 'in', gone).execute();
  }
  if (entries.length === 0) return;
  await tx
    .insertInto('search_entry')
    .values(entries.map((entry) => ({ ...entry, words: sql<string>`${entry.words}::tsvector` })))
    .onConflict((conflict) => conflict.columns(['kind', 'id']).doUpdateSet((eb) => ({
      shop_id: eb.ref('excluded.shop_id'), state: eb.ref('excluded.state'), at: eb.ref('excluded.at'),
      category: eb.ref('excluded.category'), region: eb.ref('excluded.region'),
      region_key: eb.ref('excluded.region_key'), language: eb.ref('excluded.language'),
      words: eb.ref('excluded.words'),
    })))
    .execute();
}

/** The goods of these shows, exactly. */
export async function writeLive(tx: Tx, showIds: readonly string[], goods: LiveGoods[]): Promise<void> {
  if (showIds.length === 0) return;
  // Most of a bag stays as it is when something else comes on screen.
  await sql`delete from search_live where show_id = any(${[...showIds]}::uuid[]) and not exists (
      select from unnest(
        ${goods.map(({ showId }) => showId)}::uuid[], ${goods.map(({ productId }) => productId)}::uuid[]
      ) as kept (show_id, product_id)
      where kept.show_id = search_live.show_id and kept.product_id = search_live.product_id
    )`.execute(tx);
  if (goods.length === 0) return;
  await sql`
    insert into search_live (product_id, show_id, number, on_screen, words)
    select goods.*, entry.words
    from unnest(
      ${goods.map(({ productId }) => productId)}::uuid[], ${goods.map(({ showId }) => showId)}::uuid[],
      ${goods.map(({ number }) => number)}::integer[], ${goods.map(({ onScreen }) => onScreen)}::boolean[]
    ) as goods (product_id, show_id, number, on_screen)
    left join search_entry as entry on entry.kind = 'product' and entry.id = goods.product_id
    on conflict (product_id, show_id) do update
      set number = excluded.number, on_screen = excluded.on_screen, words = excluded.words
      where (search_live.number, search_live.on_screen, search_live.words)
        is distinct from (excluded.number, excluded.on_screen, excluded.words)`.execute(tx);
}

/** The words of these products have changed. */
export async function renewLive(tx: Tx, productIds: readonly string[]): Promise<void> {
  await sql`
    update search_live set words = (
      select words from search_entry where kind = 'product' and id = search_live.product_id
    ) where product_id = any(${[...productIds]}::uuid[])`.execute(tx);
}

export async function addWords(tx: Tx, words: ReadonlyMap<string, string[]>): Promise<void> {
  if (words.size === 0) return;
  await tx
    .insertInto('search_word')
    .values([...words].map(([word, forms]) => ({ word, forms })))
    .onConflict((conflict) => conflict.column('word').doNothing())
    .execute();
}

/** A shop's shows are found under what the shop is. */
export async function moveShows(
  tx: Tx, shopId: string, place: Pick<Entry, 'category' | 'region' | 'region_key'>,
): Promise<void> {
  await tx.updateTable('search_entry').set(place).where('kind', '=', 'show').where('shop_id', '=', shopId).execute();
}

export async function clear(tx: Tx): Promise<void> {
  await tx.deleteFrom('search_entry').execute();
  await tx.deleteFrom('search_live').execute();
  await tx.deleteFrom('search_word').execute();
}

/** Of the model that is there; null when there is none, or one that was not finished. */
export async function modelVersion(db: Db): Promise<number | null> {
  const row = await db.selectFrom('installation').select('value').where('key', '=', MODEL_KEY).executeTakeFirst();
  return typeof row?.value === 'number' ? row.value : null;
}

export async function setModelVersion(tx: Tx, version: number | null): Promise<void> {
  const value = JSON.stringify(version);
  await tx
    .insertInto('installation')
    .values({ key: MODEL_KEY, value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
    .execute();
}

const MODEL_KEY = 'search-model';

// ---- home -------------------------------------------------------------------------------------------------------

export type Filters = Pick<HomeQuery, 'category' | 'language'> & { regionKey?: string };

export interface ShowPlace {
  id: string;
  shopId: string;
  state: string;
  at: Date;
  category: string | null;
  regionKey: string | null;
  language: string | null;
}

const showColumns = [
  'id', 'shop_id as shopId', 'state', 'at', 'category', 'region_key as regionKey', 'language',
] as const;

/** The latest begun first; at most `most`. */
export async function runningShows(db: Db, most: number): Promise<ShowPlace[]> {
  const rows = await db
    .selectFrom('search_entry')
    .select(showColumns)
    .where('kind', '=', 'show')
    .where('state', 'in', ['live', 'interrupted'])
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(most)
    .execute();
  return rows as ShowPlace[];
}

export interface ShowsWanted {
  state: 'planned' | 'ended';
  filters: Filters;
  /** Planned ones that were to begin before this are left out. */
  after?: Date;
  shopIds?: readonly string[];
  limit: number;
}

/** Planned: the next first; ended: the latest first. */
export async function showIds(db: Db, wanted: ShowsWanted): Promise<string[]> {
  const { category, language, regionKey } = wanted.filters;
  const direction = wanted.state === 'planned' ? 'asc' : 'desc';
  let rows = db.selectFrom('search_entry').select('id').where('kind', '=', 'show').where('state', '=', wanted.state);
  if (wanted.after !== undefined) rows = rows.where('at', '>', wanted.after);
  if (category !== undefined) rows = rows.where('category', '=', category);
  if (language !== undefined) rows = rows.where('language', '=', language);
  if (regionKey !== undefined) rows = rows.where('region_key', '=', regionKey);
  if (wanted.shopIds !== undefined) rows = rows.where('shop_id', 'in', [...wanted.shopIds]);
  const found = await rows.orderBy('at', direction).orderBy('id', direction).limit(wanted.limit).execute();
  return found.map(({ id }) => id);
}

export interface Facet {
  category: string;
  region: string;
  language: string;
  shows: number;
}

/** What shows that run, come, or were over since are found under; regions as most write them. */
export async function facets(db: Db, since: Date): Promise<Facet[]> {
  const { rows } = await sql<Facet>`
    select category, language, mode() within group (order by region) as region, count(*)::integer as shows
    from search_entry
    where kind = 'show' and (state in ('live', 'interrupted', 'planned') or (state = 'ended' and at > ${since}))
      and category is not null and language is not null and region_key is not null
    group by category, language, region_key`.execute(db);
  return rows;
}
