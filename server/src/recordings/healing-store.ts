/** SQL on recording_part, and on what moves when a replay is healed. */
import { sql, type Insertable } from 'kysely';
import type { Db, Tx } from '../platform/database.ts';
import type { RecordingPart } from '../platform/tables.ts';

export interface Part {
  /** Unix epoch, ms. */
  startedAtMs: number;
  endedAtMs: number;
  bytes: number;
}

/** A place p with `fromMs` ≤ p < `toMs` becomes p + `byMs`. */
export interface Move {
  fromMs: number;
  toMs: number;
  byMs: number;
}

/** In order. */
export async function partsOf(db: Db | Tx, showId: string): Promise<Part[]> {
  const rows = await db.selectFrom('recording_part').select(['started_at_ms', 'ended_at_ms', 'bytes'])
    .where('show_id', '=', showId).orderBy('started_at_ms').execute();
  return rows.map(({ started_at_ms, ended_at_ms, bytes }) => (
    { startedAtMs: Number(started_at_ms), endedAtMs: Number(ended_at_ms), bytes: Number(bytes) }
  ));
}

/** @returns false when parts are not taken any more */
export async function lockOpen(tx: Tx, showId: string): Promise<boolean> {
  const row = await tx.selectFrom('recording').select('show_id').where('show_id', '=', showId)
    .where('state', '=', 'ready').where('healing_since', 'is', null).forUpdate().executeTakeFirst();
  return row !== undefined;
}

export async function insertPart(tx: Tx, row: Insertable<RecordingPart>): Promise<void> {
  await tx.insertInto('recording_part').values(row).onConflict((conflict) => conflict.doNothing()).execute();
}

export async function deletePart(db: Db, showId: string, startedAtMs: number): Promise<void> {
  await db.deleteFrom('recording_part').where('show_id', '=', showId)
    .where('started_at_ms', '=', BigInt(startedAtMs)).execute();
}

/** Shows that ended before then and still have parts that nobody asked to be added. */
export async function showsTooLate(db: Db, endedBefore: Date, limit: number): Promise<string[]> {
  const rows = await db.selectFrom('recording').select('show_id')
    .where('finished_at', '<', endedBefore).where('healing_since', 'is', null)
    .where((is) => is.exists(
      is.selectFrom('recording_part').select('show_id').whereRef('recording_part.show_id', '=', 'recording.show_id'),
    )).limit(limit).execute();
  return rows.map(({ show_id }) => show_id);
}

/** @returns false when it began already, or there is nothing to heal any more */
export async function beginHealing(tx: Tx, showId: string, at: Date): Promise<boolean> {
  const begun = await tx.updateTable('recording').set({ healing_since: at }).where('show_id', '=', showId)
    .where('state', '=', 'ready').where('healing_since', 'is', null).returning('show_id').executeTakeFirst();
  return begun !== undefined;
}

/** Shows whose healing was begun before then and did not come to its end: it begins anew. */
export async function beginAnew(tx: Tx, begunBefore: Date, at: Date, limit: number): Promise<string[]> {
  const stuck = tx.selectFrom('recording').select('show_id').where('state', '=', 'ready')
    .where('healing_since', '<', begunBefore).limit(limit);
  const rows = await tx.updateTable('recording').set({ healing_since: at }).where('show_id', 'in', stuck)
    .returning('show_id').execute();
  return rows.map(({ show_id }) => show_id);
}

/** It is as long as this now, and has to be read through again. @returns false when it was taken away meanwhile */
export async function endHealing(
  tx: Tx, showId: string, { durationMs, bytes, stretches }: { durationMs: number; bytes: number; stretches: object[] },
): Promise<boolean> {
  const ended = await tx.updateTable('recording')
    .set({
      healing_since: null, report: null, duration_ms: BigInt(durationMs), bytes: BigInt(bytes),
      stretches: JSON.stringify(stretches),
    })
    .where('show_id', '=', showId).where('state', '=', 'ready').where('healing_since', 'is not', null)
    .returning('show_id').executeTakeFirst();
  return ended !== undefined;
}

export async function placesOfClips(
  tx: Tx, showId: string,
): Promise<Array<{ id: string; from_ms: bigint; to_ms: bigint }>> {
  return tx.selectFrom('clip').select(['id', 'from_ms', 'to_ms']).where('show_id', '=', showId).execute();
}

export async function cutClip(tx: Tx, id: string, { fromMs, toMs }: { fromMs: number; toMs: number }): Promise<void> {
  await tx.updateTable('clip').set({ from_ms: BigInt(fromMs), to_ms: BigInt(toMs) }).where('id', '=', id).execute();
}

/** Where people stopped watching, and clips. What is in none of the moves stays. */
export async function movePlaces(tx: Tx, showId: string, moves: readonly Move[]): Promise<void> {
  if (moves.length === 0) return;
  const from = moves.map(({ fromMs }) => fromMs);
  const to = moves.map(({ toMs }) => toMs);
  const by = moves.map(({ byMs }) => byMs);
  const moved = sql`unnest(${from}::bigint[], ${to}::bigint[], ${by}::bigint[]) as move (from_ms, to_ms, by_ms)`;
  await sql`
    update watch_position set position_ms = position_ms + by_ms from ${moved}
     where show_id = ${showId} and position_ms >= move.from_ms and position_ms < move.to_ms`.execute(tx);
  // A clip lies in one stretch: its end goes with its beginning.
  await sql`
    update clip set from_ms = clip.from_ms + by_ms, to_ms = clip.to_ms + by_ms from ${moved}
     where show_id = ${showId} and clip.from_ms >= move.from_ms and clip.from_ms < move.to_ms`.execute(tx);
}
