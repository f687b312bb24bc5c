/** SQL on `phone_code`, `passkey`, `email_change` and links in `verification`, and on the number of a `person`. */
import { sql, type Insertable, type Selectable } from 'kysely';
import type { Db, Tx } from '../platform/database.ts';
import type { EmailChange, Passkey, PhoneCode } from '../platform/tables.ts';
import type { PersonRow } from './store.ts';

export type PhoneCodeRow = Selectable<PhoneCode>;
export type PasskeyRow = Selectable<Passkey>;
export type EmailChangeRow = Selectable<EmailChange>;

/** In place of the one before. */
export async function putCode(db: Db, row: Insertable<PhoneCode>): Promise<void> {
  const { code_hash, expires_at } = row;
  await db.insertInto('phone_code').values(row)
    .onConflict((conflict) => conflict.columns(['phone', 'asked_by']).doUpdateSet({ code_hash, expires_at, tries: 0 }))
    .execute();
}

/** Held until the transaction ends, so that tries at once are counted one after the other. */
export async function lockCode(tx: Tx, phone: string, askedBy: string): Promise<PhoneCodeRow | undefined> {
  return tx.selectFrom('phone_code').selectAll().where('phone', '=', phone).where('asked_by', '=', askedBy)
    .forUpdate().executeTakeFirst();
}

/** A code that is not too old. */
export async function codeUnderWay(
  db: Db, phone: string, askedBy: string, now: Date,
): Promise<PhoneCodeRow | undefined> {
  return db.selectFrom('phone_code').selectAll().where('phone', '=', phone).where('asked_by', '=', askedBy)
    .where('expires_at', '>', now).executeTakeFirst();
}

export async function countTry(tx: Tx, { phone, asked_by: askedBy, tries }: PhoneCodeRow): Promise<void> {
  await tx.updateTable('phone_code').set({ tries: tries + 1 }).where('phone', '=', phone)
    .where('asked_by', '=', askedBy).execute();
}

/** Every code that is under way to this number: one was used. */
export async function deleteCodes(tx: Tx, phone: string): Promise<void> {
  await tx.deleteFrom('phone_code').where('phone', '=', phone).execute();
}

/** Codes and links that are over, and that nobody can undo any more. */
export async function deleteOver(db: Db, now: Date): Promise<void> {
  await db.deleteFrom('phone_code').where('expires_at', '<', now).execute();
  await db.deleteFrom('email_change').where('expires_at', '<', now)
    .where((where) => where.or([where('undo_until', 'is', null), where('undo_until', '<', now)])).execute();
  await db.deleteFrom('verification').where('expires_at', '<', now).execute();
}

export async function personByPhone(db: Db | Tx, phone: string): Promise<PersonRow | undefined> {
  return db.selectFrom('person').selectAll().where('phone', '=', phone).executeTakeFirst();
}

/** Null for whoever has no password. */
export async function passwordHash(db: Db | Tx, personId: string): Promise<string | null> {
  const row = await db.selectFrom('credential').select('password').where('person_id', '=', personId)
    .where('provider_id', '=', 'credential').executeTakeFirst();
  return row?.password ?? null;
}

/** Null for a session that has ended. */
export async function sessionSince(db: Db | Tx, sessionId: string): Promise<Date | null> {
  const row = await db.selectFrom('session').select('created_at').where('id', '=', sessionId).executeTakeFirst();
  return row?.created_at ?? null;
}

/** Oldest first. */
export async function passkeysOf(db: Db | Tx, personId: string): Promise<PasskeyRow[]> {
  return db.selectFrom('passkey').selectAll().where('person_id', '=', personId).orderBy('created_at').orderBy('id')
    .execute();
}

export async function lockPasskey(tx: Tx, credentialId: string): Promise<PasskeyRow | undefined> {
  return tx.selectFrom('passkey').selectAll().where('credential_id', '=', credentialId).forUpdate().executeTakeFirst();
}

export async function insertPasskey(tx: Tx, row: Insertable<Passkey>): Promise<void> {
  await tx.insertInto('passkey').values(row).execute();
}

export async function notePasskeyUse(tx: Tx, id: string, use: { counter: number; at: Date }): Promise<void> {
  await tx.updateTable('passkey').set({ counter: BigInt(use.counter), last_used_at: use.at }).where('id', '=', id)
    .execute();
}

export async function renamePasskey(
  db: Db, personId: string, id: string, name: string,
): Promise<PasskeyRow | undefined> {
  return db.updateTable('passkey').set({ name }).where('id', '=', id).where('person_id', '=', personId).returningAll()
    .executeTakeFirst();
}

export async function deletePasskey(tx: Tx, personId: string, id: string): Promise<boolean> {
  const { numDeletedRows } = await tx.deleteFrom('passkey').where('id', '=', id).where('person_id', '=', personId)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** Every way in but the e-mail, for whoever has one: they may be somebody else's who was there before. */
export async function deleteOtherWays(tx: Tx, personId: string): Promise<void> {
  await tx.deleteFrom('passkey').where('person_id', '=', personId).execute();
  await tx.updateTable('person').set({ phone: null }).where('id', '=', personId).execute();
}

/** In place of links that were mailed before and wait. */
export async function insertEmailChange(tx: Tx, row: Insertable<EmailChange>): Promise<void> {
  await tx.deleteFrom('email_change').where('person_id', '=', row.person_id).where('confirmed_at', 'is', null)
    .execute();
  await tx.insertInto('email_change').values(row).execute();
}

/** The e-mail that waits for its link to be opened, while whoever asked is signed in. */
export async function waitingEmail(db: Db, personId: string, now: Date): Promise<string | null> {
  const row = await db.selectFrom('email_change').innerJoin('session', 'session.id', 'email_change.session_id')
    .select('new_email').where('email_change.person_id', '=', personId)
    .where('confirmed_at', 'is', null).where('email_change.expires_at', '>', now).executeTakeFirst();
  return row?.new_email ?? null;
}

/** By the link to the new e-mail, not used yet. */
export async function lockEmailChange(tx: Tx, tokenHash: Buffer, now: Date): Promise<EmailChangeRow | undefined> {
  return tx.selectFrom('email_change').selectAll().where('token_hash', '=', tokenHash)
    .where('confirmed_at', 'is', null).where('expires_at', '>', now).forUpdate().executeTakeFirst();
}

export async function confirmEmailChange(
  tx: Tx, id: string, change: { confirmed_at: Date; old_email: string | null; undo_until: Date | null },
): Promise<void> {
  await tx.updateTable('email_change').set(change).where('id', '=', id).execute();
}

/** The link that the old e-mail gets, in place of one that was made before; undefined when nothing can be undone. */
export async function setUndoHash(
  db: Db, id: string, undoHash: Buffer, now: Date,
): Promise<EmailChangeRow | undefined> {
  return db.updateTable('email_change').set({ undo_hash: undoHash }).where('id', '=', id)
    .where('undo_until', '>', now).returningAll().executeTakeFirst();
}

/** A change that held and that its old e-mail cannot undo. */
export async function plainChange(db: Db, id: string): Promise<EmailChangeRow | undefined> {
  return db.selectFrom('email_change').selectAll().where('id', '=', id).where('confirmed_at', 'is not', null)
    .where('undo_until', 'is', null).executeTakeFirst();
}

/** Whether an old e-mail of the person may still be brought back. */
export async function canUndo(db: Db | Tx, personId: string, now: Date): Promise<boolean> {
  const row = await db.selectFrom('email_change').select('id').where('person_id', '=', personId)
    .where('undo_until', '>', now).executeTakeFirst();
  return row !== undefined;
}

export async function lockUndo(tx: Tx, undoHash: Buffer, now: Date): Promise<EmailChangeRow | undefined> {
  return tx.selectFrom('email_change').selectAll().where('undo_hash', '=', undoHash).where('undo_until', '>', now)
    .forUpdate().executeTakeFirst();
}

/** A change, all that came after it, and what waits. */
export async function deleteChangesSince(tx: Tx, personId: string, since: Date): Promise<void> {
  await tx.deleteFrom('email_change').where('person_id', '=', personId)
    .where((where) => where.or([where('created_at', '>=', since), where('confirmed_at', 'is', null)])).execute();
}

/** Beside better-auth's links, whose identifiers are plain hashes: none is taken for the other. */
const PROOF = 'email-proof ';
const proofIdentifier = (tokenHash: Buffer) => `${PROOF}${tokenHash.toString('base64url')}`;

/** A link that confirms the e-mail which the person has now; `deleteLinks` takes it away with the others. */
export async function insertProof(
  tx: Tx, row: { id: string; personId: string; tokenHash: Buffer; at: Date; expiresAt: Date },
): Promise<void> {
  await tx.insertInto('verification').values({
    id: row.id, identifier: proofIdentifier(row.tokenHash), value: row.personId, expires_at: row.expiresAt,
    created_at: row.at, updated_at: row.at,
  }).execute();
}

/** Whose e-mail it confirms. */
export async function proofOf(tx: Tx, tokenHash: Buffer, now: Date): Promise<string | undefined> {
  const row = await tx.selectFrom('verification').select('value').where('identifier', '=', proofIdentifier(tokenHash))
    .where('expires_at', '>', now).executeTakeFirst();
  return row?.value;
}

export async function deleteProofs(tx: Tx, personId: string): Promise<void> {
  await tx.deleteFrom('verification').where('value', '=', personId).where('identifier', 'like', `${PROOF}%`).execute();
}

/** A new one is set by a mailed link. */
export async function deletePassword(tx: Tx, personId: string): Promise<void> {
  await tx.deleteFrom('credential').where('person_id', '=', personId).where('provider_id', '=', 'credential').execute();
}

export async function deleteSessions(tx: Tx, personId: string): Promise<void> {
  await tx.deleteFrom('session').where('person_id', '=', personId).execute();
}

export async function deleteSessionByToken(tx: Tx, token: string): Promise<void> {
  await tx.deleteFrom('session').where('token', '=', token).execute();
}

/** One change of how a person is reached at a time. */
export async function lockPerson(tx: Tx, personId: string): Promise<PersonRow | undefined> {
  return tx.selectFrom('person').selectAll().where('id', '=', personId).forNoKeyUpdate().executeTakeFirst();
}

/** Somebody who signs in by telephone alone. */
export async function insertPersonByPhone(
  tx: Tx, row: { id: string; name: string; phone: string; locale: string; timeZone: string; at: Date },
): Promise<void> {
  const { id, name, phone, locale, timeZone, at } = row;
  await tx.insertInto('person').values({
    id, name, email: null, phone, locale, time_zone: timeZone, created_at: at, updated_at: at,
  }).execute();
}

/** One sign-up with a number at a time: what is not there cannot be locked otherwise. */
export async function lockNumber(tx: Tx, phone: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`phone ${phone}`}, 0))`.execute(tx);
}
