/** SQL on recording, clip, poster and watch_position. */
import { sql, type Insertable, type Selectable } from 'kysely';
import type { Db, Tx } from '../platform/database.ts';
import type { Clip, Poster, Recording, WatchPosition } from '../platform/tables.ts';

export type RecordingRow = Selectable<Recording>;
export type ClipRow = Selectable<Clip>;

export async function find(db: Db | Tx, showId: string): Promise<RecordingRow | undefined> {
  return db.selectFrom('recording').selectAll().where('show_id', '=', showId).executeTakeFirst();
}

/** Of these shows, those with a replay, and how long it is in ms. */
export async function lengthsOf(db: Db, showIds: readonly string[]): Promise<Map<string, number>> {
  if (showIds.length === 0) return new Map();
  const rows = await db.selectFrom('recording').select(['show_id', 'duration_ms'])
    .where('show_id', 'in', showIds).where('state', '=', 'ready').execute();
  return new Map(rows.map(({ show_id, duration_ms }) => [show_id, Number(duration_ms)]));
}

/** @returns false when it is known already */
export async function insert(tx: Tx, row: Insertable<Recording>): Promise<boolean> {
  const inserted = await tx.insertInto('recording').values(row).onConflict((conflict) => conflict.doNothing())
    .returning('show_id').executeTakeFirst();
  return inserted !== undefined;
}

/**
 * Not of one that was taken away while it was read: it would tell of faults that are none; nor of one that was healed.
 * @param bytes what was read
 */
export async function writeReport(db: Db, showId: string, report: object, bytes: number): Promise<void> {
  await db.updateTable('recording').set({ report: JSON.stringify(report) })
    .where('show_id', '=', showId).where('state', '=', 'ready').where('bytes', '=', BigInt(bytes)).execute();
}

/** @returns false when there is none to remove */
export async function markRemoved(
  tx: Tx, showId: string, removal: { at: Date; by: string | null; why: 'shop' | 'age' },
): Promise<boolean> {
  const removed = await tx.updateTable('recording')
    .set({ state: 'removed', removed_at: removal.at, removed_by: removal.by, removed_why: removal.why })
    .where('show_id', '=', showId).where('state', '=', 'ready')
    .returning('show_id').executeTakeFirst();
  return removed !== undefined;
}

/** The longest due first. */
export async function dueToGo(db: Db, now: Date, limit: number): Promise<string[]> {
  const rows = await db.selectFrom('recording').select('show_id').where('state', '=', 'ready')
    .where('keep_until', '<=', now).orderBy('keep_until').limit(limit).execute();
  return rows.map(({ show_id }) => show_id);
}

export async function watchedUntil(db: Db, personId: string, showId: string): Promise<number | null> {
  const row = await db.selectFrom('watch_position').select('position_ms')
    .where('person_id', '=', personId).where('show_id', '=', showId).executeTakeFirst();
  return row === undefined ? null : Number(row.position_ms);
}

/** Of replays that are there, the latest watched first. */
export async function watchedOf(
  db: Db, personId: string, { shopId, limit }: { shopId?: string; limit: number },
): Promise<Array<{ showId: string; positionMs: number }>> {
  let rows = db.selectFrom('watch_position').innerJoin('recording', 'recording.show_id', 'watch_position.show_id')
    .select(['watch_position.show_id', 'position_ms']).where('person_id', '=', personId).where('state', '=', 'ready');
  if (shopId !== undefined) rows = rows.where('shop_id', '=', shopId);
  const found = await rows.orderBy('watched_at', 'desc').orderBy('watch_position.show_id').limit(limit).execute();
  return found.map(({ show_id, position_ms }) => ({ showId: show_id, positionMs: Number(position_ms) }));
}

/** Keeps the latest `most` of a person. */
export async function writeWatched(tx: Tx, row: Insertable<WatchPosition>, most: number): Promise<void> {
  await tx.insertInto('watch_position').values(row).onConflict((conflict) => (
    conflict.columns(['person_id', 'show_id'])
      .doUpdateSet({ position_ms: row.position_ms, watched_at: row.watched_at })
  )).execute();
  await sql`
    delete from watch_position where person_id = ${row.person_id} and show_id in (
      select show_id from watch_position where person_id = ${row.person_id}
       order by watched_at desc, show_id offset ${most})`.execute(tx);
}

export async function forgetWatched(tx: Tx, personId: string, showId: string): Promise<void> {
  await tx.deleteFrom('watch_position').where('person_id', '=', personId).where('show_id', '=', showId).execute();
}

/** Those that are there stay. @returns how many were not */
export async function insertClips(tx: Tx, rows: ReadonlyArray<Insertable<Clip>>): Promise<number> {
  if (rows.length === 0) return 0;
  const made = await tx.insertInto('clip').values([...rows])
    .onConflict((conflict) => conflict.columns(['show_id', 'product_id']).doNothing()).returning('id').execute();
  return made.length;
}

/** The first stays. @returns false when there is one */
export async function insertPoster(tx: Tx, row: Insertable<Poster>): Promise<boolean> {
  const inserted = await tx.insertInto('poster').values(row).onConflict((conflict) => conflict.doNothing())
    .returning('show_id').executeTakeFirst();
  return inserted !== undefined;
}

/** Image ids by show and product, `<show> <product>`. */
export async function postersOf(
  db: Db, clips: ReadonlyArray<Pick<ClipRow, 'show_id' | 'product_id'>>,
): Promise<Map<string, string>> {
  if (clips.length === 0) return new Map();
  const rows = await db.selectFrom('poster').selectAll()
    .where('show_id', 'in', clips.map(({ show_id }) => show_id))
    .where('product_id', 'in', clips.map(({ product_id }) => product_id)).execute();
  return new Map(rows.map(({ show_id, product_id, image_id }) => [`${show_id} ${product_id}`, image_id]));
}

const readyClips = (db: Db) => (
  db.selectFrom('clip').innerJoin('recording', 'recording.show_id', 'clip.show_id').selectAll('clip')
    .where('recording.state', '=', 'ready')
);

/** Of a replay that is there. */
export async function findClip(db: Db, clipId: string): Promise<ClipRow | undefined> {
  return readyClips(db).where('clip.id', '=', clipId).executeTakeFirst();
}

/** In the order of the show; none of a replay that is not there. */
export async function clipsOfShow(db: Db, showId: string): Promise<ClipRow[]> {
  return readyClips(db).where('clip.show_id', '=', showId).orderBy('clip.from_ms').execute();
}

/** Of replays that are there, the latest first. */
export async function clipsOfProduct(db: Db, productId: string, limit: number): Promise<ClipRow[]> {
  return readyClips(db).where('clip.product_id', '=', productId).orderBy('clip.created_at', 'desc').limit(limit)
    .execute();
}
