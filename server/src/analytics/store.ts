/** SQL on show_minute, show_visit, show_order and show_order_product. */
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { VisitSource } from '@nacre/contract/analytics';
import type { Db, Tx } from '../platform/database.ts';
import { relationOf } from '../platform/relation.ts';
import type { OrderFact } from '../orders/events.ts';
import { AFTER, BEFORE, MINUTE_MS, type Span } from './minutes.ts';
import type { MinuteChange, VisitMove } from './tracker.ts';

/** What a page told of how its viewer came. */
export interface VisitTold {
  showId: string;
  /** As `viewerOf` names it. */
  viewer: string;
  source: VisitSource;
  host: string | null;
  country: string | null;
}

/** The viewer's name in this show only. */
function keyOf(showId: string, viewer: string): string {
  return createHash('sha256').update(`${showId} ${viewer}`).digest('hex').slice(0, 32);
}

const dateOf = (ms: number | null): Date | null => (ms === null ? null : new Date(ms));

// ---- writing ----------------------------------------------------------------------------------------------------

/** Adds what the minutes have grown by, in one statement. Heights of a minute never sink. */
export async function addMinutes(tx: Tx, changes: readonly MinuteChange[], at: Date): Promise<void> {
  if (changes.length === 0) return;
  const rows = JSON.stringify(changes);
  await sql`
    insert into show_minute (show_id, minute, viewers, peak_viewers, different_viewers, watched_ms, chats, explains,
      likes, cards_opened, sheets_opened, written_at)
    select "showId", minute, viewers, "peakViewers", "differentViewers", "watchedMs", chats, explains, likes,
      "cardsOpened", "sheetsOpened", ${at}
    from jsonb_to_recordset(${rows}::jsonb) as change("showId" uuid, minute int, viewers int, "peakViewers" int,
      "differentViewers" int, "watchedMs" bigint, chats int, explains int, likes bigint, "cardsOpened" int,
      "sheetsOpened" int)
    order by 1, 2
    on conflict (show_id, minute) do update set
      viewers = excluded.viewers,
      peak_viewers = greatest(show_minute.peak_viewers, excluded.peak_viewers),
      different_viewers = greatest(show_minute.different_viewers, excluded.different_viewers),
      watched_ms = show_minute.watched_ms + excluded.watched_ms,
      chats = show_minute.chats + excluded.chats,
      explains = show_minute.explains + excluded.explains,
      likes = show_minute.likes + excluded.likes,
      cards_opened = show_minute.cards_opened + excluded.cards_opened,
      sheets_opened = show_minute.sheets_opened + excluded.sheets_opened,
      written_at = excluded.written_at`.execute(tx);
}

/** Notes who has come and gone, in one statement. */
export async function addMoves(tx: Tx, moves: readonly VisitMove[]): Promise<void> {
  if (moves.length === 0) return;
  const rows = JSON.stringify(moves.map((move) => ({
    show: move.showId, key: keyOf(move.showId, move.viewer), first: dateOf(move.firstAtMs),
    here: dateOf(move.hereSinceMs), watched: move.watchedMs,
  })));
  await sql`
    insert into show_visit (show_id, viewer, first_at, here_since, watched_ms)
    select show, decode(key, 'hex'), first, here, watched
    from jsonb_to_recordset(${rows}::jsonb) as move(show uuid, key text, first timestamptz, here timestamptz,
      watched bigint)
    order by 1, 2
    on conflict (show_id, viewer) do update set
      first_at = coalesce(show_visit.first_at, excluded.first_at),
      here_since = excluded.here_since,
      watched_ms = show_visit.watched_ms + excluded.watched_ms`.execute(tx);
}

/** Notes how viewers came; what is known of a viewer already stays. */
export async function addTold(tx: Tx, told: readonly VisitTold[]): Promise<void> {
  if (told.length === 0) return;
  const rows = JSON.stringify(told.map(({ showId, viewer, source, host, country }) => (
    { show: showId, key: keyOf(showId, viewer), source, host, country }
  )));
  await sql`
    insert into show_visit (show_id, viewer, source, host, country)
    select show, decode(key, 'hex'), source, host, country
    from jsonb_to_recordset(${rows}::jsonb) as told(show uuid, key text, source text, host text, country text)
    order by 1, 2
    on conflict (show_id, viewer) do update set
      source = coalesce(show_visit.source, excluded.source),
      host = case when show_visit.source is null then excluded.host else show_visit.host end,
      country = coalesce(show_visit.country, excluded.country)`.execute(tx);
}

/** Whoever was here when the server was killed has gone when it last wrote. */
export async function closeLeftOpen(db: Db): Promise<void> {
  await sql`
    update show_visit as visit
    set watched_ms = watched_ms + greatest(0, extract(epoch from last.at - visit.here_since) * 1000)::bigint,
      here_since = null
    from (
      select show_id, max(written_at) as at from show_minute
      where show_id in (select show_id from show_visit where here_since is not null) group by show_id
    ) as last
    where last.show_id = visit.show_id and visit.here_since is not null`.execute(db);
}

export interface NotedOrder extends Pick<OrderFact, 'orderId' | 'lines'> {
  showId: string;
  /** What the goods cost, without sending. */
  goodsMinor: number;
  placedAt: Date;
  paidAt: Date | null;
  /** When it was cancelled after it was paid. */
  takenBackAt: Date | null;
}

/** Of an order, what its facts say; told twice, or paid before placed, it is the same. */
export async function noteOrders(tx: Tx, orders: readonly NotedOrder[]): Promise<void> {
  if (orders.length === 0) return;
  const rows = orders.map(({ orderId, showId, goodsMinor, placedAt, paidAt, takenBackAt }) => ({
    order_id: orderId, show_id: showId, goods_minor: goodsMinor, placed_at: placedAt, paid_at: paidAt,
    taken_back_at: takenBackAt,
  }));
  await sql`
    insert into show_order (order_id, show_id, goods_minor, placed_at, paid_at, taken_back_at)
    select * from ${relationOf(rows, {
      order_id: 'uuid', show_id: 'uuid', goods_minor: 'bigint', placed_at: 'timestamptz', paid_at: 'timestamptz',
      taken_back_at: 'timestamptz',
    })}
    on conflict (order_id) do update set
      placed_at = least(show_order.placed_at, excluded.placed_at),
      paid_at = least(show_order.paid_at, excluded.paid_at),
      taken_back_at = least(show_order.taken_back_at, excluded.taken_back_at)`.execute(tx);
  const lines = orders.flatMap(({ orderId, lines: all }) => all.map(({ productId, amountMinor = 0 }) => (
    { order_id: orderId, product_id: productId, amount_minor: amountMinor }
  )));
  await sql`
    insert into show_order_product (order_id, product_id, amount_minor)
    select order_id, product_id, sum(amount_minor)
      from ${relationOf(lines, { order_id: 'uuid', product_id: 'uuid', amount_minor: 'bigint' })}
     group by order_id, product_id
    on conflict do nothing`.execute(tx);
}

/** Each viewer once per show, also when told twice. */
export async function noteFollowed(tx: Tx, showId: string, viewer: string, at: Date): Promise<void> {
  await sql`
    insert into show_visit (show_id, viewer, followed_at)
    values (${showId}, decode(${keyOf(showId, viewer)}, 'hex'), ${at})
    on conflict (show_id, viewer) do update
      set followed_at = coalesce(show_visit.followed_at, excluded.followed_at)`.execute(tx);
}

// ---- reading ----------------------------------------------------------------------------------------------------

/** The minute that a moment falls into, as `bucketOf` says it. */
function bucket(column: string, { startMs, endMs }: Span) {
  const at = sql.ref(column);
  if (startMs === null) return sql<number>`${sql.lit(BEFORE)}::int`;
  const start = new Date(startMs);
  const ended = endMs === null ? sql`` : sql`when ${at} >= ${new Date(endMs)}::timestamptz then ${sql.lit(AFTER)}`;
  return sql<number>`(case when ${at} < ${start}::timestamptz then ${sql.lit(BEFORE)} ${ended}
    else least(${sql.lit(AFTER)}, floor(extract(epoch from ${at} - ${start}::timestamptz) * 1000
      / ${sql.lit(MINUTE_MS)})) end)::int`;
}

/** Likes by minute of the show, from 0; one without is missing. */
export async function likesOf(db: Db, showId: string): Promise<Map<number, number>> {
  const rows = await db.selectFrom('show_minute').select(['minute', 'likes']).where('show_id', '=', showId)
    .where('likes', '>', 0n).execute();
  return new Map(rows.map(({ minute, likes }) => [minute, Number(likes)]));
}

export async function minutesOf(db: Db, showId: string) {
  return db.selectFrom('show_minute').selectAll().where('show_id', '=', showId).orderBy('minute').execute();
}

/** How many, and what their goods cost, by the minute in which it happened. */
export interface Bucketed {
  minute: number;
  count: bigint;
  /** Minor units. */
  total: bigint;
}

export async function ordersBy(
  db: Db, showId: string, column: 'placed_at' | 'paid_at' | 'taken_back_at', span: Span,
): Promise<Bucketed[]> {
  const { rows } = await sql<Bucketed>`
    select ${bucket(column, span)} as minute, count(*) as count, sum(goods_minor)::bigint as total
    from show_order where show_id = ${showId} and ${sql.ref(column)} is not null group by 1`.execute(db);
  return rows;
}

export async function visitsBy(
  db: Db, showId: string, column: 'first_at' | 'followed_at', span: Span,
): Promise<Array<Pick<Bucketed, 'minute' | 'count'>>> {
  const { rows } = await sql<Pick<Bucketed, 'minute' | 'count'>>`
    select ${bucket(column, span)} as minute, count(*) as count
    from show_visit where show_id = ${showId} and ${sql.ref(column)} is not null group by 1`.execute(db);
  return rows;
}

/** Different viewers, and how long they watched so far; of whoever is here, until `at`. */
export async function watchedBy(
  db: Db, showId: string, at: Date,
): Promise<{ viewers: number; medianMs: number | null; meanMs: number | null }> {
  const { rows } = await sql<{ viewers: bigint; median: number | null; mean: number | null }>`
    with watched as (
      select watched_ms + case when here_since is null then 0
        else greatest(0, extract(epoch from ${at}::timestamptz - here_since) * 1000) end as ms
      from show_visit where show_id = ${showId} and first_at is not null
    )
    select count(*) as viewers, percentile_cont(0.5) within group (order by ms::float8) as median,
      avg(ms)::float8 as mean from watched`.execute(db);
  const row = rows[0];
  return { viewers: Number(row?.viewers ?? 0), medianMs: row?.median ?? null, meanMs: row?.mean ?? null };
}

export async function sourcesOf(db: Db, showId: string) {
  const { rows } = await sql<{ source: VisitSource | null; host: string | null; viewers: bigint }>`
    select source, host, count(*) as viewers from show_visit
    where show_id = ${showId} and first_at is not null group by 1, 2 order by 3 desc, 1, 2 limit 200`.execute(db);
  return rows;
}

export async function countriesOf(db: Db, showId: string) {
  const { rows } = await sql<{ country: string | null; viewers: bigint }>`
    select country, count(*) as viewers from show_visit
    where show_id = ${showId} and first_at is not null group by 1 order by 2 desc, 1`.execute(db);
  return rows;
}

export async function productsOf(db: Db, showId: string) {
  const { rows } = await sql<{ productId: string; placed: bigint; paid: bigint; sales: bigint; refunded: bigint }>`
    select product_id as "productId", count(*) as placed, count(*) filter (where paid_at is not null) as paid,
      coalesce(sum(amount_minor) filter (where paid_at is not null), 0)::bigint as sales,
      coalesce(sum(amount_minor) filter (where taken_back_at is not null), 0)::bigint as refunded
    from show_order join show_order_product using (order_id) where show_id = ${showId} group by 1`.execute(db);
  return rows;
}
