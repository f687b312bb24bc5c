/** SQL on `shop_member` and `shop_invitation`, for the team. */
import type { ShopRole } from '@nacre/contract/team';
import { sql, type Insertable, type Selectable } from 'kysely';
import type { Db, Tx } from '../platform/database.ts';
import type { ShopInvitation, ShopMember } from '../platform/tables.ts';

export type MemberRow = Omit<Selectable<ShopMember>, 'role'> & { role: ShopRole };
export type InvitationRow = Omit<Selectable<ShopInvitation>, 'role'> & { role: ShopRole };

/** One change of a team at a time: who is the last owner, and how many there are, stays true until the end. */
export async function lockTeam(tx: Tx, shopId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`shop_team ${shopId}`}, 0))`.execute(tx);
}

/** In the order in which they joined. */
export async function membersOf(db: Db | Tx, shopId: string): Promise<MemberRow[]> {
  const rows = await db
    .selectFrom('shop_member')
    .selectAll()
    .where('shop_id', '=', shopId)
    .orderBy('created_at')
    .orderBy('person_id')
    .execute();
  return rows as MemberRow[];
}

export async function setRole(tx: Tx, shopId: string, personId: string, role: ShopRole): Promise<void> {
  await tx.updateTable('shop_member').set({ role }).where('shop_id', '=', shopId).where('person_id', '=', personId)
    .execute();
}

export async function deleteMember(tx: Tx, shopId: string, personId: string): Promise<void> {
  await tx.deleteFrom('shop_member').where('shop_id', '=', shopId).where('person_id', '=', personId).execute();
}

export async function insertInvitation(tx: Tx, row: Insertable<ShopInvitation>): Promise<void> {
  await tx.insertInto('shop_invitation').values(row).execute();
}

/** Those that can still be accepted, the newest first. */
export async function openInvitations(db: Db | Tx, shopId: string, now: Date): Promise<InvitationRow[]> {
  const rows = await db
    .selectFrom('shop_invitation')
    .selectAll()
    .where('shop_id', '=', shopId)
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .execute();
  return rows as InvitationRow[];
}

/** By either of its links. */
export async function invitationByHash(db: Db | Tx, tokenHash: Buffer): Promise<InvitationRow | undefined> {
  const row = await db.selectFrom('shop_invitation').selectAll()
    .where((where) => where.or([where('token_hash', '=', tokenHash), where('mail_token_hash', '=', tokenHash)]))
    .executeTakeFirst();
  return row as InvitationRow | undefined;
}

/** In place of a mailed link that was made before. */
export async function setMailToken(db: Db, id: string, tokenHash: Buffer): Promise<InvitationRow | undefined> {
  const row = await db.updateTable('shop_invitation').set({ mail_token_hash: tokenHash }).where('id', '=', id)
    .returningAll().executeTakeFirst();
  return row as InvitationRow | undefined;
}

export interface MailedBy {
  shopId: string;
  personId: string;
  email: string;
}

/**
 * Mails by one person and to one e-mail are counted one after the other, whatever the shop. After `lockTeam`, and
 * always the person first, so that nobody waits in a circle.
 */
export async function lockMails(tx: Tx, { personId, email }: MailedBy): Promise<void> {
  for (const key of [`shop_mails of ${personId}`, `shop_mails to ${email.toLowerCase()}`]) {
    await sql`select pg_advisory_xact_lock(hashtextextended(${key}, 0))`.execute(tx);
  }
}

/** Invitations with an e-mail since then: of the shop; of the person and to this e-mail from all shops. */
export async function countMailed(
  tx: Tx, { shopId, personId, email }: MailedBy, since: Date,
): Promise<{ ofShop: number; ofPerson: number; toEmail: number }> {
  const counted = await tx
    .selectFrom('shop_invitation')
    .select((select) => [
      select.fn.countAll<bigint>().filterWhere('shop_id', '=', shopId).as('of_shop'),
      select.fn.countAll<bigint>().filterWhere('created_by', '=', personId).as('of_person'),
      select.fn.countAll<bigint>().filterWhere(sql<boolean>`lower(email) = lower(${email})`).as('to_email'),
    ])
    .where('email', 'is not', null)
    .where('created_at', '>', since)
    .where((where) => where.or([
      where('shop_id', '=', shopId), where('created_by', '=', personId),
      where(sql<string>`lower(email)`, '=', email.toLowerCase()),
    ]))
    .executeTakeFirstOrThrow();
  return {
    ofShop: Number(counted.of_shop), ofPerson: Number(counted.of_person), toEmail: Number(counted.to_email),
  };
}

export async function invitationOf(tx: Tx, shopId: string, id: string): Promise<InvitationRow | undefined> {
  const row = await tx.selectFrom('shop_invitation').selectAll().where('shop_id', '=', shopId).where('id', '=', id)
    .executeTakeFirst();
  return row as InvitationRow | undefined;
}

export async function markUsed(tx: Tx, id: string, personId: string, at: Date): Promise<void> {
  await tx.updateTable('shop_invitation').set({ used_by: personId, used_at: at }).where('id', '=', id).execute();
}

export async function markRevoked(tx: Tx, id: string, at: Date): Promise<void> {
  await tx.updateTable('shop_invitation').set({ revoked_at: at }).where('id', '=', id).execute();
}

/** What a member has invited to and nobody has accepted. */
export async function revokeInvitationsBy(tx: Tx, shopId: string, personId: string, at: Date): Promise<void> {
  await tx
    .updateTable('shop_invitation')
    .set({ revoked_at: at })
    .where('shop_id', '=', shopId)
    .where('created_by', '=', personId)
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .execute();
}
