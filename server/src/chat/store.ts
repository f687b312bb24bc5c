/** SQL on chat_message. */
import { sql, type Insertable, type Selectable } from 'kysely';
import type { Cursor } from '../lib/cursor.ts';
import type { Db, Tx } from '../platform/database.ts';
import type { ChatMessage as ChatTable, ChatSetting } from '../platform/tables.ts';

export type ChatRow = Selectable<ChatTable>;

export async function findByClientId(db: Db | Tx, personId: string, clientId: string): Promise<ChatRow | null> {
  const row = await db
    .selectFrom('chat_message')
    .selectAll()
    .where('person_id', '=', personId)
    .where('client_id', '=', clientId)
    .executeTakeFirst();
  return row ?? null;
}

/** @returns false when the sender's id of the message is taken already */
export async function insertMessage(tx: Tx, row: Insertable<ChatTable>): Promise<boolean> {
  const inserted = await tx
    .insertInto('chat_message')
    .values(row)
    .onConflict((conflict) => conflict.columns(['person_id', 'client_id']).doNothing())
    .returning('id')
    .executeTakeFirst();
  return inserted !== undefined;
}

export async function findMessage(db: Db, showId: string, messageId: string): Promise<ChatRow | null> {
  const row = await db
    .selectFrom('chat_message')
    .selectAll()
    .where('id', '=', messageId)
    .where('show_id', '=', showId)
    .executeTakeFirst();
  return row ?? null;
}

/** @returns the show in which it was there until now; null when it was not there */
export async function markRemoved(tx: Tx, messageId: string, personId: string, at: Date): Promise<string | null> {
  const removed = await tx
    .updateTable('chat_message')
    .set({ removed_at: at, removed_by: personId })
    .where('id', '=', messageId)
    .where('removed_at', 'is', null)
    .returning('show_id')
    .executeTakeFirst();
  return removed?.show_id ?? null;
}

/** Of a measure that was lifted: everybody who comes sees it again. */
export async function restore(tx: Tx, messageId: string): Promise<void> {
  await tx.updateTable('chat_message').set({ removed_at: null, removed_by: null }).where('id', '=', messageId)
    .execute();
}

/** Lines before and after a message, oldest first, itself included; removed ones too, as they were said. */
export async function around(db: Db, message: ChatRow, each: number): Promise<ChatRow[]> {
  const near = (isBefore: boolean) => db.selectFrom('chat_message').selectAll()
    .where('show_id', '=', message.show_id)
    .where(isBefore
      ? sql<boolean>`(sent_at, id) < (${message.sent_at}, ${message.id})`
      : sql<boolean>`(sent_at, id) > (${message.sent_at}, ${message.id})`)
    .orderBy('sent_at', isBefore ? 'desc' : 'asc').orderBy('id', isBefore ? 'desc' : 'asc').limit(each).execute();
  const [before, after] = await Promise.all([near(true), near(false)]);
  return [...before.reverse(), message, ...after];
}

export async function messageById(db: Db | Tx, messageId: string): Promise<ChatRow | null> {
  return (await db.selectFrom('chat_message').selectAll().where('id', '=', messageId).executeTakeFirst()) ?? null;
}

export async function settingOf(db: Db, showId: string): Promise<Selectable<ChatSetting> | undefined> {
  return db.selectFrom('chat_setting').selectAll().where('show_id', '=', showId).executeTakeFirst();
}

export async function writeSetting(tx: Tx, row: Selectable<ChatSetting>): Promise<void> {
  const { slow_seconds, is_quiet } = row;
  await tx.insertInto('chat_setting').values(row)
    .onConflict((conflict) => conflict.column('show_id').doUpdateSet({ slow_seconds, is_quiet })).execute();
}

/** Newest first, removed ones left out. */
export async function messagesBefore(
  db: Db, showId: string, cursor: Cursor | null, limit: number,
): Promise<ChatRow[]> {
  let rows = db.selectFrom('chat_message').selectAll().where('show_id', '=', showId).where('removed_at', 'is', null);
  if (cursor !== null) rows = rows.where(sql<boolean>`(sent_at, id) < (${cursor.at}, ${cursor.id})`);
  return rows.orderBy('sent_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
}

export interface TalkPart {
  from: Date;
  limit: number;
  questionsOnly: boolean;
}

/**
 * A question mark of any script that has one of its own (Latin, full width, Arabic, Greek by its sign, Armenian,
 * Ethiopic), or one of the words that end a question in Chinese, where the mark is often left out.
 */
const QUESTION = '[?？؟\u037e՞፧]|[吗嗎呢么麼]\\s*$';

/** From that moment on, oldest first, removed ones left out. */
export async function messagesFrom(
  db: Db, showId: string, { from, limit, questionsOnly }: TalkPart,
): Promise<ChatRow[]> {
  let rows = db.selectFrom('chat_message').selectAll().where('show_id', '=', showId).where('removed_at', 'is', null)
    .where('sent_at', '>=', from);
  if (questionsOnly) rows = rows.where(sql<boolean>`text ~ ${QUESTION}`);
  return rows.orderBy('sent_at').orderBy('id').limit(limit).execute();
}

/** Removed ones too; ids of nothing are missing. */
export async function saidAt(db: Db, messageIds: readonly string[]): Promise<Map<string, Date>> {
  if (messageIds.length === 0) return new Map();
  const rows = await db.selectFrom('chat_message').select(['id', 'sent_at']).where('id', 'in', messageIds).execute();
  return new Map(rows.map(({ id, sent_at }) => [id, sent_at]));
}
