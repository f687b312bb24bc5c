/** SQL on the tables of moderation. */
import { sql, type ExpressionBuilder, type Insertable, type Selectable } from 'kysely';
import type { Cursor } from '../lib/cursor.ts';
import type { Db, Tx } from '../platform/database.ts';
import type {
  DB, ModerationAppeal, ModerationDecision, ModerationMeasure, ModerationReport,
} from '../platform/tables.ts';

export type MeasureRow = Selectable<ModerationMeasure>;
export type ReportRow = Selectable<ModerationReport>;
export type AppealRow = Selectable<ModerationAppeal>;
export type DecisionRow = Selectable<ModerationDecision>;

/** Of a shop's measures those that hold. A mute ends with its show at the latest. */
function isInForce(openShowIds: readonly string[], at: Date) {
  return (is: ExpressionBuilder<DB, 'moderation_measure'>) => is.and([
    is('lifted_at', 'is', null),
    is.or([is('until', 'is', null), is('until', '>', at)]),
    is.or([
      is('kind', 'in', ['ban', 'live']),
      is.and([is('kind', '=', 'mute'), is('show_id', '=', is.fn.any(is.val([...openShowIds])))]),
    ]),
  ]);
}

export async function openOfShop(
  db: Db | Tx, shopId: string, openShowIds: readonly string[], at: Date,
): Promise<MeasureRow[]> {
  return db.selectFrom('moderation_measure').selectAll().where('shop_id', '=', shopId)
    .where(isInForce(openShowIds, at)).execute();
}

export async function openTalk(db: Db, at: Date): Promise<MeasureRow[]> {
  return db.selectFrom('moderation_measure').selectAll()
    .where('kind', '=', 'talk').where('lifted_at', 'is', null)
    .where((is) => is.or([is('until', 'is', null), is('until', '>', at)]))
    .execute();
}

export async function wordsOf(db: Db, shopId: string): Promise<string[]> {
  const row = await db.selectFrom('moderation_word_list').select('words').where('shop_id', '=', shopId)
    .executeTakeFirst();
  return row?.words ?? [];
}

export async function writeWords(tx: Tx, shopId: string, words: string[], at: Date): Promise<void> {
  await tx.insertInto('moderation_word_list').values({ shop_id: shopId, words, updated_at: at })
    .onConflict((conflict) => conflict.column('shop_id').doUpdateSet({ words, updated_at: at })).execute();
}

/** Measures of one shop, or against one person, are decided one after the other. */
export async function lockFor(tx: Tx, key: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`moderation ${key}`}, 0))`.execute(tx);
}

export async function insertMeasure(tx: Tx, row: Insertable<ModerationMeasure>): Promise<MeasureRow> {
  return tx.insertInto('moderation_measure').values(row).returningAll().executeTakeFirstOrThrow();
}

export async function measureById(db: Db | Tx, id: string): Promise<MeasureRow | undefined> {
  return db.selectFrom('moderation_measure').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function measuresById(db: Db, ids: readonly string[]): Promise<Map<string, MeasureRow>> {
  if (ids.length === 0) return new Map();
  const rows = await db.selectFrom('moderation_measure').selectAll().where('id', 'in', [...ids]).execute();
  return new Map(rows.map((row) => [row.id, row]));
}

export async function removalOf(db: Db | Tx, messageId: string): Promise<MeasureRow | undefined> {
  return db.selectFrom('moderation_measure').selectAll()
    .where('message_id', '=', messageId).where('kind', '=', 'removal').where('lifted_at', 'is', null)
    .executeTakeFirst();
}

/** That an operator ended the show: there is one at most, lifted or not. */
export async function endOf(db: Db | Tx, showId: string): Promise<MeasureRow | undefined> {
  return db.selectFrom('moderation_measure').selectAll().where('show_id', '=', showId).where('kind', '=', 'end')
    .executeTakeFirst();
}

/** @returns the row as it is now; undefined when it was lifted before */
export async function lift(tx: Tx, id: string, at: Date): Promise<MeasureRow | undefined> {
  return tx.updateTable('moderation_measure').set({ lifted_at: at })
    .where('id', '=', id).where('lifted_at', 'is', null).returningAll().executeTakeFirst();
}

export async function measuresOf(
  db: Db, of: { shopId: string; showId: string | undefined; inForce: { openShowIds: string[]; at: Date } | null },
  cursor: Cursor | null, limit: number,
): Promise<MeasureRow[]> {
  let rows = db.selectFrom('moderation_measure').selectAll().where('shop_id', '=', of.shopId);
  if (of.showId !== undefined) rows = rows.where('show_id', '=', of.showId);
  if (of.inForce !== null) rows = rows.where(isInForce(of.inForce.openShowIds, of.inForce.at));
  if (cursor !== null) rows = rows.where(sql<boolean>`(created_at, id) < (${cursor.at}, ${cursor.id})`);
  return rows.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
}

/** Against the person, and against shops for which they answer. Newest first. */
export async function measuresAgainst(
  db: Db, personId: string, shopIds: readonly string[], limit: number,
): Promise<MeasureRow[]> {
  return db.selectFrom('moderation_measure').selectAll()
    .where((is) => is.or([
      is('person_id', '=', personId),
      ...(shopIds.length === 0 ? [] : [is.and([is('person_id', 'is', null), is('shop_id', 'in', [...shopIds])])]),
    ]))
    .orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
}

// ---- reports

/** @returns false when this person has reported this thing before */
export async function insertReport(tx: Tx, row: Insertable<ModerationReport>): Promise<boolean> {
  const made = await tx.insertInto('moderation_report').values(row)
    .onConflict((conflict) => conflict.columns(['reporter_id', 'kind', 'thing_id']).doNothing())
    .returning('id').executeTakeFirst();
  return made !== undefined;
}

export async function countReportsSince(tx: Tx, personId: string, since: Date): Promise<number> {
  const { count } = await tx.selectFrom('moderation_report').select((is) => is.fn.countAll<bigint>().as('count'))
    .where('reporter_id', '=', personId).where('created_at', '>', since).executeTakeFirstOrThrow();
  return Number(count);
}

export async function reportsBy(db: Db, personId: string, limit: number): Promise<ReportRow[]> {
  return db.selectFrom('moderation_report').selectAll().where('reporter_id', '=', personId)
    .orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
}

/** What is about somebody's safety first, then the newest. */
export async function openReports(db: Db, limit: number, shopId: string | null): Promise<ReportRow[]> {
  let rows = db.selectFrom('moderation_report').selectAll().where('decided_at', 'is', null);
  if (shopId !== null) rows = rows.where('shop_id', '=', shopId).where('kind', '=', 'message');
  return rows.orderBy('is_urgent', 'desc').orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
}

export async function decidedReports(db: Db, cursor: Cursor | null, limit: number): Promise<ReportRow[]> {
  let rows = db.selectFrom('moderation_report').selectAll().where('decided_at', 'is not', null);
  if (cursor !== null) rows = rows.where(sql<boolean>`(decided_at, id) < (${cursor.at}, ${cursor.id})`);
  return rows.orderBy('decided_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
}

export async function lockReport(tx: Tx, id: string): Promise<ReportRow | undefined> {
  return tx.selectFrom('moderation_report').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
}

export async function reportById(db: Db, id: string): Promise<ReportRow | undefined> {
  return db.selectFrom('moderation_report').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function decideReport(
  tx: Tx, id: string, decision: { action: string; answer: string; decided_at: Date },
): Promise<ReportRow> {
  return tx.updateTable('moderation_report').set(decision).where('id', '=', id).returningAll()
    .executeTakeFirstOrThrow();
}

export async function markShopActed(tx: Tx, messageId: string, at: Date): Promise<void> {
  await tx.updateTable('moderation_report').set({ shop_acted_at: at })
    .where('thing_id', '=', messageId).where('kind', '=', 'message').where('shop_acted_at', 'is', null)
    .where('decided_at', 'is', null).execute();
}

// ---- appeals and the log

/** @returns false when there is one already */
export async function insertAppeal(tx: Tx, row: Insertable<ModerationAppeal>): Promise<boolean> {
  const made = await tx.insertInto('moderation_appeal').values(row)
    .onConflict((conflict) => conflict.column('measure_id').doNothing()).returning('id').executeTakeFirst();
  return made !== undefined;
}

export async function appealsOf(db: Db, measureIds: readonly string[]): Promise<Map<string, AppealRow>> {
  if (measureIds.length === 0) return new Map();
  const rows = await db.selectFrom('moderation_appeal').selectAll().where('measure_id', 'in', [...measureIds])
    .execute();
  return new Map(rows.map((row) => [row.measure_id, row]));
}

export async function appeals(db: Db, isOpen: boolean, cursor: Cursor | null, limit: number): Promise<AppealRow[]> {
  let rows = db.selectFrom('moderation_appeal').selectAll().where('state', isOpen ? '=' : '<>', 'open');
  if (cursor !== null) rows = rows.where(sql<boolean>`(created_at, id) < (${cursor.at}, ${cursor.id})`);
  return rows.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
}

/** @returns undefined when there is none, or it is decided */
export async function decideAppeal(
  tx: Tx, id: string, decision: { state: string; answer: string; decided_at: Date },
): Promise<AppealRow | undefined> {
  return tx.updateTable('moderation_appeal').set(decision).where('id', '=', id).where('state', '=', 'open')
    .returningAll().executeTakeFirst();
}

export async function appealById(db: Db, id: string): Promise<AppealRow | undefined> {
  return db.selectFrom('moderation_appeal').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function insertDecision(tx: Tx, row: Insertable<ModerationDecision>): Promise<void> {
  await tx.insertInto('moderation_decision').values(row).execute();
}

export async function decisions(db: Db, cursor: Cursor | null, limit: number): Promise<DecisionRow[]> {
  let rows = db.selectFrom('moderation_decision').selectAll();
  if (cursor !== null) rows = rows.where(sql<boolean>`(at, id) < (${cursor.at}, ${cursor.id})`);
  return rows.orderBy('at', 'desc').orderBy('id', 'desc').limit(limit).execute();
}
