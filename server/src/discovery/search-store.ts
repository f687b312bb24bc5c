/** SQL that looks things up in search_entry, search_live and search_word. */
import { sql } from 'kysely';
import type { Db } from '../platform/database.ts';
import type { Kind } from './store.ts';

/**
 * Entries that are weighed against each other. Fewer, and of a word that stands in everything the best may be missed;
 * more makes such a word slow.
 */
const WEIGHED_MOST = 500;
/** And goods of running shows, which come first. */
const WEIGHED_LIVE_MOST = 300;
/** What a word weighs by where it stands: D (texts), C (options, region), B, A (titles and names). */
const WEIGHTS = '{0.05, 0.2, 0.4, 1}';
/** Weighs more than any words do. */
const FIRST = 20;
const SECOND = 10;
/** Words near one that nobody uses. More say less. */
const NEAR_MOST = 50;

/** A find's place in its list, the highest first. */
export interface FoundPlace {
  id: string;
  weight: number;
  at: Date;
}

export interface FoundGoods extends FoundPlace {
  shopId: string;
  showId: string | null;
  number: number | null;
  onScreen: boolean | null;
}

/** Shows or shops after a place; running shows before those to come, and these before those that are over. */
export async function findEntries(
  db: Db, kind: Exclude<Kind, 'product'>, query: string, after: FoundPlace | null, limit: number,
): Promise<FoundPlace[]> {
  const { rows } = await sql<FoundPlace>`
    select id, at, weight from (
      select id, at, ts_rank(${WEIGHTS}, words, ${query}::tsquery)::float8
        + case when state in ('live', 'interrupted') then ${sql.lit(FIRST)}
          when state = 'planned' then ${sql.lit(SECOND)} else 0 end as weight
      from search_entry where kind = ${sql.lit(kind)} and words @@ ${query}::tsquery limit ${sql.lit(WEIGHED_MOST)}
    ) as found
    where ${isAfter(after)}
    order by weight desc, at desc, id desc limit ${limit}`.execute(db);
  return rows;
}

/** Goods after a place: what is on screen now, what else is in the bag of a running show, then all others. */
export async function findGoods(
  db: Db, query: string, after: FoundPlace | null, limit: number,
): Promise<FoundGoods[]> {
  const { rows } = await sql<FoundGoods>`
    with live as materialized (
      select product_id, show_id, number, on_screen from search_live where words @@ ${query}::tsquery
      limit ${sql.lit(WEIGHED_LIVE_MOST)}
    ), other as materialized (
      select id, shop_id, at, words from search_entry where kind = 'product' and words @@ ${query}::tsquery
      limit ${sql.lit(WEIGHED_MOST)}
    ), found as (
      select entry.id, entry.shop_id, entry.at, entry.words, show_id, number, on_screen
      from live join search_entry as entry on entry.kind = 'product' and entry.id = live.product_id
      union all
      select id, shop_id, at, words, null, null, null from other
    ), weighed as (
      select distinct on (id) id, at, shop_id as "shopId", show_id as "showId", number, on_screen as "onScreen",
        ts_rank(${WEIGHTS}, words, ${query}::tsquery)::float8
          + case when on_screen then ${sql.lit(FIRST)} when show_id is not null then ${sql.lit(SECOND)} else 0 end
          as weight
      from found order by id, on_screen desc nulls last, show_id desc nulls last
    )
    select * from weighed where ${isAfter(after)} order by weight desc, at desc, id desc limit ${limit}`.execute(db);
  return rows;
}

function isAfter(place: FoundPlace | null) {
  if (place === null) return sql<boolean>`true`;
  return sql<boolean>`(weight, at, id) < (${place.weight}::float8, ${place.at}::timestamptz, ${place.id}::uuid)`;
}

/** Of these words, those with which no known word begins. */
export async function unknownWords(db: Db, words: readonly string[]): Promise<string[]> {
  if (words.length === 0) return [];
  const { rows } = await sql<{ word: string }>`
    select asked.word from unnest(${[...words]}::text[]) as asked(word)
    where not exists (
      select from search_word where word >= asked.word collate "C" and word < asked.word || chr(1114109) collate "C"
    )`.execute(db);
  return rows.map(({ word }) => word);
}

/** Known words that share one of the forms. */
export async function wordsNear(db: Db, forms: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ word: string }>`
    select word from search_word where forms && ${[...forms]}::text[] order by word limit ${sql.lit(NEAR_MOST)}`
    .execute(db);
  return rows.map(({ word }) => word);
}
