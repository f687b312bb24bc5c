/** SQL on `show_news`, `notification`, `notification_settings` and `push_subscription`. */
import { sql, type Insertable, type Selectable, type Updateable } from 'kysely';
import type { NotificationKind } from '@nacre/contract/notifications';
import type { Cursor } from '../lib/cursor.ts';
import type { Db, Tx } from '../platform/database.ts';
import type {
  Notification as NotificationTable, NotificationSettings as SettingsTable, PushSubscription as SubscriptionTable,
  ShowNews as ShowNewsTable,
} from '../platform/tables.ts';
import type { ShowNewsKind } from './freshness.ts';

export type SettingsRow = Selectable<SettingsTable>;
export type ShowNewsRow = Selectable<ShowNewsTable> & { kind: ShowNewsKind };

// ---- news of shows ----------------------------------------------------------------------------------------------

/**
 * Writes it, or makes it new again when it is later than what was told.
 * @returns the id of its row; null for what was told already
 */
export async function writeShowNews(tx: Tx, row: Insertable<ShowNewsTable>): Promise<string | null> {
  const written = await tx
    .insertInto('show_news')
    .values(row)
    .onConflict((conflict) => conflict.columns(['show_id', 'kind']).doUpdateSet((eb) => ({
      at: eb.ref('excluded.at'), starts_at: eb.ref('excluded.starts_at'), told_up_to: null, told_all: false,
    })).whereRef('show_news.at', '<', 'excluded.at'))
    .returning('id')
    .executeTakeFirst();
  return written?.id ?? null;
}

/** Held until the transaction ends, so that each page of followers is taken once. */
export async function lockShowNews(tx: Tx, id: string): Promise<ShowNewsRow | undefined> {
  const row = await tx.selectFrom('show_news').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
  return row as ShowNewsRow | undefined;
}

export async function showNewsById(db: Db, id: string): Promise<ShowNewsRow | undefined> {
  const row = await db.selectFrom('show_news').selectAll().where('id', '=', id).executeTakeFirst();
  return row as ShowNewsRow | undefined;
}

export async function noteTold(tx: Tx, id: string, upTo: string | null, all: boolean): Promise<void> {
  await tx
    .updateTable('show_news')
    .set({ told_all: all, ...(upTo === null ? {} : { told_up_to: upTo }) })
    .where('id', '=', id)
    .execute();
}

// ---- news of one person -----------------------------------------------------------------------------------------

/** False when the person was told of it already. */
export async function insertNotification(tx: Tx, row: Insertable<NotificationTable>): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('notification')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return (numInsertedOrUpdatedRows ?? 0n) > 0n;
}

export type OwnNewsRow = Selectable<NotificationTable> & { kind: Exclude<NotificationKind, ShowNewsKind> };

export async function notificationById(db: Db, id: string): Promise<OwnNewsRow | undefined> {
  const row = await db.selectFrom('notification').selectAll().where('id', '=', id).executeTakeFirst();
  return row as OwnNewsRow | undefined;
}

// ---- the list ---------------------------------------------------------------------------------------------------

export interface ListedRow {
  id: string;
  kind: NotificationKind;
  at: Date;
  shop_id: string;
  show_id: string | null;
  order_id: string | null;
  order_number: string | null;
  /** Of goods that are kept. */
  product_id: string | null;
  title: string | null;
}

export interface ListAsk {
  personId: string;
  /** Shops that the person follows; their news counts from then on. */
  follows: ReadonlyArray<{ shopId: string; since: Date }>;
  /** Only what is older than this place in the list. */
  before: Cursor | null;
  /** Only what is newer. */
  after: Date | null;
  limit: number;
}

/** The newest first: each shop's and the person's own latest, of these the latest. Its work grows with the follows. */
export async function listNews(db: Db, ask: ListAsk): Promise<ListedRow[]> {
  const shopIds = ask.follows.map(({ shopId }) => shopId);
  const sinces = ask.follows.map(({ since }) => since);
  const place = ask.before === null ? sql`true` : sql`(at, id) < (${ask.before.at}, ${ask.before.id}::uuid)`;
  const bounds = ask.after === null ? place : sql`${place} and at > ${ask.after}`;
  const { rows } = await sql<ListedRow>`
    (select id, kind, at, shop_id, null::uuid as show_id, order_id, order_number, product_id, title from notification
      where person_id = ${ask.personId} and ${bounds} order by at desc, id desc limit ${ask.limit})
    union all
    (select news.* from unnest(${shopIds}::uuid[], ${sinces}::timestamptz[]) as followed(shop_id, since)
      cross join lateral (
        select id, kind, at, shop_id, show_id, null::uuid, null::text, null::uuid, null::text from show_news
        where shop_id = followed.shop_id and at >= followed.since and ${bounds}
        order by at desc, id desc limit ${ask.limit}
      ) news order by news.at desc, news.id desc limit ${ask.limit})
    order by at desc, id desc limit ${ask.limit}`.execute(db);
  return rows;
}

// ---- settings ---------------------------------------------------------------------------------------------------

export async function settingsOf(db: Db, personIds: readonly string[]): Promise<Map<string, SettingsRow>> {
  if (personIds.length === 0) return new Map();
  const rows = await db.selectFrom('notification_settings').selectAll().where('person_id', 'in', [...personIds])
    .execute();
  return new Map(rows.map((row) => [row.person_id, row]));
}

export async function writeSettings(
  db: Db, personId: string, change: Omit<Updateable<SettingsTable>, 'person_id' | 'seen_until'>,
): Promise<void> {
  await db
    .insertInto('notification_settings')
    .values({ person_id: personId, ...change })
    .onConflict((conflict) => conflict.column('person_id').doUpdateSet(change))
    .execute();
}

/** Never goes back. */
export async function noteSeen(db: Db, personId: string, until: Date): Promise<void> {
  await sql`insert into notification_settings (person_id, seen_until) values (${personId}, ${until})
    on conflict (person_id) do update
    set seen_until = greatest(notification_settings.seen_until, excluded.seen_until)`.execute(db);
}

// ---- subscriptions ----------------------------------------------------------------------------------------------

export type SubscriptionRow = Pick<Selectable<SubscriptionTable>, 'id' | 'person_id' | 'endpoint' | 'p256dh' | 'auth'>;

/** The session's one; an endpoint that somebody else had in this browser is theirs no more. */
export async function putSubscription(tx: Tx, row: Insertable<SubscriptionTable>): Promise<void> {
  await tx
    .deleteFrom('push_subscription')
    .where((eb) => eb.or([eb('endpoint', '=', row.endpoint), eb('session_id', '=', row.session_id)]))
    .execute();
  await tx.insertInto('push_subscription').values(row).execute();
}

/** All but the newest `keep` of the person. */
export async function dropOldSubscriptions(tx: Tx, personId: string, keep: number): Promise<void> {
  await sql`delete from push_subscription where id in (
    select id from push_subscription where person_id = ${personId}
    order by created_at desc, id desc offset ${keep})`.execute(tx);
}

export async function dropSubscription(db: Db, sessionId: string): Promise<void> {
  await db.deleteFrom('push_subscription').where('session_id', '=', sessionId).execute();
}

export async function dropSubscriptions(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await tx.deleteFrom('push_subscription').where('id', 'in', [...ids]).execute();
}

export async function hasSubscription(db: Db, sessionId: string): Promise<boolean> {
  const row = await db.selectFrom('push_subscription').select('id').where('session_id', '=', sessionId)
    .executeTakeFirst();
  return row !== undefined;
}

/** Of all these people together; `= any` because a page of followers has more ids than a statement has parameters. */
export async function subscriptionsOf(tx: Tx, personIds: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from push_subscription where person_id = any(${personIds}::uuid[]) order by person_id, id`.execute(tx);
  return rows.map(({ id }) => id);
}

export async function subscriptionsById(db: Db, ids: readonly string[]): Promise<SubscriptionRow[]> {
  if (ids.length === 0) return [];
  return db
    .selectFrom('push_subscription')
    .select(['id', 'person_id', 'endpoint', 'p256dh', 'auth'])
    .where('id', 'in', [...ids])
    .execute();
}
