/** SQL on `person`, `credential`, `session` and `address`, as far as better-auth does not do it. */
import type { Address, SavedAddress } from '@nacre/contract/accounts';
import type { Insertable, Selectable, Updateable } from 'kysely';
import { sql } from 'kysely';
import type { Db, Tx } from '../platform/database.ts';
import type { Person as PersonTable, Session as SessionTable } from '../platform/tables.ts';
import type { LiveSession } from './sessions.ts';

export type PersonRow = Selectable<PersonTable>;

export async function personById(db: Db | Tx, id: string): Promise<PersonRow | undefined> {
  return db.selectFrom('person').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function namesOf(db: Db, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await db.selectFrom('person').select(['id', 'name']).where('id', 'in', [...new Set(ids)]).execute();
  return new Map(rows.map(({ id, name }) => [id, name]));
}

export async function readersOf(
  db: Db, ids: readonly string[],
): Promise<Array<Pick<PersonRow, 'id' | 'locale' | 'time_zone'>>> {
  if (ids.length === 0) return [];
  return db.selectFrom('person').select(['id', 'locale', 'time_zone']).where('id', 'in', [...new Set(ids)]).execute();
}

export async function personByEmail(db: Db | Tx, email: string): Promise<PersonRow | undefined> {
  return db.selectFrom('person').selectAll().where('email', '=', email.toLowerCase()).executeTakeFirst();
}

/** Whether somebody may still ask this e-mail back, who is not the person that wants it now. */
export async function isAskedBack(db: Db | Tx, email: string, personId: string | null, now: Date): Promise<boolean> {
  const row = await db
    .selectFrom('email_change')
    .select('id')
    .where('old_email', '=', email.toLowerCase())
    .where('undo_until', '>', now)
    .$if(personId !== null, (query) => query.where('person_id', '<>', personId ?? ''))
    .executeTakeFirst();
  return row !== undefined;
}

export async function updatePerson(
  tx: Tx, id: string, changes: Updateable<PersonTable>,
): Promise<PersonRow | undefined> {
  return tx.updateTable('person').set(changes).where('id', '=', id).returningAll().executeTakeFirst();
}

/** A person who signs in with this password, as better-auth keeps them. */
export async function insertPerson(
  tx: Tx, person: Insertable<PersonTable>, credential: { id: string; passwordHash: string }, at: Date,
): Promise<void> {
  await tx.insertInto('person').values(person).execute();
  await tx
    .insertInto('credential')
    .values({
      id: credential.id, account_id: person.id, provider_id: 'credential', person_id: person.id,
      password: credential.passwordHash, created_at: at, updated_at: at,
    })
    .execute();
}

export async function deleteExpiredSessions(db: Db, now: Date): Promise<number> {
  const { numDeletedRows } = await db.deleteFrom('session').where('expires_at', '<', now).executeTakeFirst();
  return Number(numDeletedRows);
}

/** The sessions of these tokens that are not over, with whose they are. */
export async function liveSessions(
  db: Db, tokens: readonly string[], now: Date,
): Promise<Map<string, LiveSession>> {
  const { rows } = await sql<LiveSession>`
    select session.id, session.token, session.expires_at as "expiresAt", session.updated_at as "seenAt",
           person.id as "personId", person.name, person.is_operator as "isOperator", person.is_demo as "isDemo"
      from session join person on person.id = session.person_id
     where session.token = any (${tokens}::text[]) and session.expires_at > ${now}`.execute(db);
  return new Map(rows.map((row) => [row.token, row]));
}

/** `updated_at` of a session is when it was last seen: better-auth itself writes it once. */
export async function touchSession(db: Db, id: string, at: Date): Promise<void> {
  await db.updateTable('session').set({ updated_at: at }).where('id', '=', id).where('updated_at', '<', at).execute();
}

export type SessionRow = Pick<Selectable<SessionTable>, 'id' | 'user_agent' | 'created_at' | 'updated_at'>;

/** Those that are not over, last seen first. */
export async function sessionsOf(db: Db, personId: string, now: Date, limit: number): Promise<SessionRow[]> {
  return db
    .selectFrom('session')
    .select(['id', 'user_agent', 'created_at', 'updated_at'])
    .where('person_id', '=', personId)
    .where('expires_at', '>', now)
    .orderBy('updated_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}

export async function deleteSession(tx: Tx, personId: string, id: string): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('session')
    .where('id', '=', id)
    .where('person_id', '=', personId)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** All but one; the ids of those that went. */
export async function deleteOtherSessions(tx: Tx, personId: string, keepId: string): Promise<string[]> {
  const rows = await tx
    .deleteFrom('session')
    .where('person_id', '=', personId)
    .where('id', '<>', keepId)
    .returning('id')
    .execute();
  return rows.map(({ id }) => id);
}

/** Links that were mailed for this person and are not used: for a new password, for another e-mail. */
export async function deleteLinks(db: Db | Tx, personId: string): Promise<void> {
  await db.deleteFrom('verification').where('value', '=', personId).execute();
  await db.deleteFrom('email_change').where('person_id', '=', personId).where('confirmed_at', 'is', null).execute();
}

/** Newest first. */
export async function addressesOf(db: Db | Tx, personId: string): Promise<SavedAddress[]> {
  const rows = await db
    .selectFrom('address')
    .select(['id', 'details', 'created_at'])
    .where('person_id', '=', personId)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .execute();
  return rows.map((row) => ({
    id: row.id, address: row.details as Address, createdAt: row.created_at.toISOString(),
  }));
}

/** Holds the person's address book until the transaction ends, so that its bound holds. */
export async function lockAddressBook(tx: Tx, personId: string): Promise<void> {
  await tx.selectFrom('person').select('id').where('id', '=', personId).forNoKeyUpdate().execute();
}

export async function insertAddress(tx: Tx, id: string, personId: string, address: Address, at: Date): Promise<void> {
  await tx
    .insertInto('address')
    .values({ id, person_id: personId, details: JSON.stringify(address), created_at: at })
    .execute();
}

/** The saved address that says the same, if any. */
export async function sameAddress(tx: Tx, personId: string, address: Address): Promise<string | undefined> {
  const row = await tx
    .selectFrom('address')
    .select('id')
    .where('person_id', '=', personId)
    .where(sql<boolean>`details = ${JSON.stringify(address)}::jsonb`)
    .executeTakeFirst();
  return row?.id;
}

export async function deleteAddress(db: Db | Tx, personId: string, id: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('address')
    .where('id', '=', id)
    .where('person_id', '=', personId)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}
