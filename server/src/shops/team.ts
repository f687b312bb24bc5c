/**
 * The team of a shop: who works in it and as what, inviting, leaving. What each role may do: rights.ts.
 *
 * Invariants: a shop has one owner at least; nobody gives or takes a role that is above their own; an invitation lets
 * one person in, once, and ends when whoever made it may invite no more.
 */
import type { Locale } from '@nacre/contract/common';
import {
  SHOP_ROLES, type Invitation, type InvitationCreate, type InvitationView, type Membership, type ShopRole, type Team,
  type TeamMember,
} from '@nacre/contract/team';
import { hashLinkToken, newLinkToken } from '../lib/link-token.ts';
import { Refusal } from '../lib/refusal.ts';
import type { Db, Tx } from '../platform/database.ts';
import type { Jobs } from '../platform/jobs.ts';
import type { Mailer } from '../platform/mailer.ts';
import type { Platform } from '../platform/platform.ts';
import { TEAM_CHANGED_TOPIC, type TeamChanged } from './events.ts';
import { invitationLetter } from './invitation-letter.ts';
import { mayDecideOn, rightsOf, roleMay } from './rights.ts';
import { SHOPS_PER_PERSON, type Shops } from './shops.ts';
import { countMembershipsAlone, insertMember, roleOf } from './store.ts';
import * as store from './team-store.ts';
import type { InvitationRow, MemberRow } from './team-store.ts';

/** Members of one shop. The list is read whole; a larger team needs pages. */
export const TEAM_MAX = 50;
/** Open at a time. Each is a way in that somebody may find in an old message. */
export const INVITATIONS_MAX = 20;
/** Shorter, and a link sent on Friday is dead on Monday; longer, and forgotten ones lie about. */
export const INVITATION_DAYS = 7;
const DAY_MS = 24 * 3600 * 1000;
/** Invitations that one shop may mail in a day: a team is smaller, and a shop is no letter box for advertising. */
export const MAILS_OF_SHOP = 20;
/** That one person may have mailed in a day, from all shops: everybody can open twenty of them. */
export const MAILS_OF_PERSON = 20;
/** To one e-mail in a day, from all shops: nobody is to be pestered. */
export const MAILS_TO_EMAIL = 3;

export const JOB_MAIL_INVITATION = 'shops.mail-invitation';

export interface InvitationJob {
  invitationId: string;
  locale: Locale;
}

export interface TeamDeps {
  platform: Platform;
  shops: Pick<Shops, 'assertMay' | 'roleOf' | 'refs' | 'membershipsOf'>;
  /** Names of people; ids of nobody are missing. */
  namesOf(personIds: readonly string[]): Promise<Map<string, string>>;
  /** In what language each is to be written to; ids of nobody are missing. */
  readersOf(personIds: readonly string[]): Promise<Map<string, { locale: Locale }>>;
  jobs: Pick<Jobs, 'add'>;
  mailer: Pick<Mailer, 'send'>;
  /** Where links in mails lead, without a slash at its end. */
  pagesAt(): string;
}

/** As it was made. */
type MadeInvitation = Invitation & { token: string; isMailed: boolean };

/** A verb of a member throws as `Shops.assertMay` besides. */
export interface TeamOfShops {
  team(personId: string, shopId: string): Promise<Team>;
  /**
   * Gives a member another role. A repeat changes nothing.
   * @throws Refusal `shops.member_not_found`, `shops.last_owner`
   */
  changeRole(personId: string, shopId: string, memberId: string, role: ShopRole): Promise<TeamMember>;
  /** Everybody may take themselves out. @throws Refusal `shops.member_not_found`, `shops.last_owner` */
  remove(personId: string, shopId: string, memberId: string): Promise<void>;
  /**
   * The token is told this once. With an e-mail a link of its own is mailed there, while shop and inviter have
   * mailed fewer than they may today. @throws Refusal `shops.too_many_invitations`
   */
  invite(personId: string, shopId: string, input: InvitationCreate): Promise<MadeInvitation>;
  /** The job of `invite`. Twice is two mails, of which the second one's link works. */
  mailInvitation(job: InvitationJob): Promise<void>;
  /** Open ones, the newest first. */
  invitations(personId: string, shopId: string): Promise<Invitation[]>;
  /** A repeat changes nothing. @throws Refusal `shops.invitation_not_found`, `shops.invitation_over` once used */
  revoke(personId: string, shopId: string, invitationId: string): Promise<void>;
  /** For whoever has the link. @throws Refusal `shops.invitation_not_found`, `shops.invitation_over` */
  invitation(token: string): Promise<InvitationView>;
  /**
   * Makes the person a member; the same person again changes nothing.
   * @throws Refusal as `invitation`, and `shops.already_member`, `shops.team_full`, `shops.too_many`
   */
  accept(personId: string, token: string): Promise<Membership>;
}

export function createTeam(deps: TeamDeps): TeamOfShops {
  return {
    team: (personId, shopId) => readTeam(deps, personId, shopId),
    changeRole: (personId, shopId, memberId, role) => changeRole(deps, personId, shopId, memberId, role),
    remove: (personId, shopId, memberId) => remove(deps, personId, shopId, memberId),
    invite: (personId, shopId, input) => invite(deps, personId, shopId, input),
    mailInvitation: (job) => mailInvitation(deps, job),
    invitations: (personId, shopId) => invitations(deps, personId, shopId),
    revoke: (personId, shopId, invitationId) => revoke(deps, personId, shopId, invitationId),
    invitation: (token) => invitation(deps, token),
    accept: (personId, token) => accept(deps, personId, token),
  };
}

async function readTeam(deps: TeamDeps, personId: string, shopId: string): Promise<Team> {
  await deps.shops.assertMay(personId, shopId, 'shop.see');
  const rows = await store.membersOf(deps.platform.database.db, shopId);
  const names = await deps.namesOf(rows.map((row) => row.person_id));
  return {
    members: rows.map((row) => memberView(row, names)),
    roles: SHOP_ROLES.map((role) => ({ role, rights: rightsOf(role) })),
  };
}

function memberView(row: MemberRow, names: ReadonlyMap<string, string>): TeamMember {
  const { person_id: personId, role, created_at: joinedAt } = row;
  return { personId, name: names.get(personId) ?? '', role, joinedAt: joinedAt.toISOString() };
}

/** Asks again inside the lock: a role that is being taken away decides nothing any more. */
async function assertDecides(tx: Tx, shopId: string, personId: string, theirs: ShopRole): Promise<void> {
  const mine = await roleOf(tx, shopId, personId);
  if (mine !== null && mayDecideOn(mine, theirs)) return;
  const right = theirs === 'owner' ? 'team.owners' : 'team.change';
  throw new Refusal('shops.not_allowed', { details: { right } });
}

/** @throws Refusal `shops.member_not_found` */
function memberIn(members: MemberRow[], memberId: string): MemberRow {
  const member = members.find((row) => row.person_id === memberId);
  if (member === undefined) throw new Refusal('shops.member_not_found');
  return member;
}

/** @throws Refusal `shops.last_owner` when nobody would be left to own the shop */
function assertOwnerLeft(members: MemberRow[], member: MemberRow): void {
  const owners = members.filter((row) => row.role === 'owner');
  if (member.role === 'owner' && owners.length === 1) throw new Refusal('shops.last_owner');
}

async function changeRole(
  deps: TeamDeps, personId: string, shopId: string, memberId: string, role: ShopRole,
): Promise<TeamMember> {
  await deps.shops.assertMay(personId, shopId, 'team.change');
  const changed = await deps.platform.database.transaction(async (tx) => {
    await store.lockTeam(tx, shopId);
    await assertDecides(tx, shopId, personId, role);
    const members = await store.membersOf(tx, shopId);
    const member = memberIn(members, memberId);
    await assertDecides(tx, shopId, personId, member.role);
    if (member.role === role) return member;
    assertOwnerLeft(members, member);
    await store.setRole(tx, shopId, memberId, role);
    await endWhatTheyHeld(deps, tx, shopId, memberId, role);
    return { ...member, role };
  });
  return memberView(changed, await deps.namesOf([memberId]));
}

async function remove(deps: TeamDeps, personId: string, shopId: string, memberId: string): Promise<void> {
  await deps.shops.assertMay(personId, shopId, personId === memberId ? 'shop.see' : 'team.change');
  await deps.platform.database.transaction(async (tx) => {
    await store.lockTeam(tx, shopId);
    const members = await store.membersOf(tx, shopId);
    const member = memberIn(members, memberId);
    if (personId !== memberId) await assertDecides(tx, shopId, personId, member.role);
    assertOwnerLeft(members, member);
    await store.deleteMember(tx, shopId, memberId);
    await endWhatTheyHeld(deps, tx, shopId, memberId, null);
  });
}

/** With the role go the invitations that were made by it, and what other modules have given for it. */
async function endWhatTheyHeld(
  deps: TeamDeps, tx: Tx, shopId: string, personId: string, role: ShopRole | null,
): Promise<void> {
  const { clock, outbox } = deps.platform;
  await store.revokeInvitationsBy(tx, shopId, personId, clock.now());
  const fact: TeamChanged = { shopId, personId, mayRunShows: role !== null && roleMay(role, 'show.run') };
  await outbox.publish(tx, { topic: TEAM_CHANGED_TOPIC, payload: { ...fact } });
}

async function invite(
  deps: TeamDeps, personId: string, shopId: string, input: InvitationCreate,
): Promise<MadeInvitation> {
  const { database, clock, newId } = deps.platform;
  await deps.shops.assertMay(personId, shopId, 'team.change');
  const locale = input.locale ?? (await deps.readersOf([personId])).get(personId)?.locale ?? 'en';
  const { token, hash } = newLinkToken();
  const made = await database.transaction(async (tx) => {
    await store.lockTeam(tx, shopId);
    await assertDecides(tx, shopId, personId, input.role);
    const now = clock.now();
    const open = await store.openInvitations(tx, shopId, now);
    if (open.length >= INVITATIONS_MAX) throw new Refusal('shops.too_many_invitations');
    const email = input.email?.trim() ?? null;
    const isMailed = email !== null && await mayMail(tx, { shopId, personId, email }, now);
    const row: InvitationRow = {
      id: newId(), shop_id: shopId, role: input.role, email, token_hash: hash, mail_token_hash: null,
      created_by: personId, created_at: now, expires_at: new Date(now.getTime() + INVITATION_DAYS * DAY_MS),
      used_by: null, used_at: null, revoked_at: null,
    };
    await store.insertInvitation(tx, row);
    const job: InvitationJob = { invitationId: row.id, locale };
    if (isMailed) await deps.jobs.add(tx, JOB_MAIL_INVITATION, { ...job });
    return { row, isMailed };
  });
  return { ...invitationView(made.row, await deps.namesOf([personId])), token, isMailed: made.isMailed };
}

/** Those taken back count too: their mails were sent. */
async function mayMail(tx: Tx, mail: store.MailedBy, now: Date): Promise<boolean> {
  await store.lockMails(tx, mail);
  const { ofShop, ofPerson, toEmail } = await store.countMailed(tx, mail, new Date(now.getTime() - DAY_MS));
  return ofShop < MAILS_OF_SHOP && ofPerson < MAILS_OF_PERSON && toEmail < MAILS_TO_EMAIL;
}

async function mailInvitation(deps: TeamDeps, { invitationId, locale }: InvitationJob): Promise<void> {
  const { token, hash } = newLinkToken();
  const row = await store.setMailToken(deps.platform.database.db, invitationId, hash);
  // Taken back, used or over before it was mailed.
  if (row === undefined || row.email === null || !isOpen(deps, row)) return;
  const shop = (await deps.shops.refs([row.shop_id])).get(row.shop_id);
  if (shop === undefined) return;
  const url = `${deps.pagesAt()}/invite/${token}`;
  const letter = invitationLetter(locale, { shop: shop.name, role: row.role, url });
  await deps.mailer.send({ ...letter, to: row.email, askedBy: null });
}

function invitationView(row: InvitationRow, names: ReadonlyMap<string, string>): Invitation {
  return {
    id: row.id,
    role: row.role,
    email: row.email,
    invitedBy: names.get(row.created_by) ?? '',
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
  };
}

async function invitations(deps: TeamDeps, personId: string, shopId: string): Promise<Invitation[]> {
  const { database, clock } = deps.platform;
  await deps.shops.assertMay(personId, shopId, 'team.change');
  const rows = await store.openInvitations(database.db, shopId, clock.now());
  const names = await deps.namesOf(rows.map((row) => row.created_by));
  return rows.map((row) => invitationView(row, names));
}

async function revoke(deps: TeamDeps, personId: string, shopId: string, invitationId: string): Promise<void> {
  const { database, clock } = deps.platform;
  await deps.shops.assertMay(personId, shopId, 'team.change');
  await database.transaction(async (tx) => {
    await store.lockTeam(tx, shopId);
    const row = await store.invitationOf(tx, shopId, invitationId);
    if (row === undefined) throw new Refusal('shops.invitation_not_found');
    await assertDecides(tx, shopId, personId, row.role);
    if (row.used_at !== null) throw new Refusal('shops.invitation_over');
    if (row.revoked_at === null) await store.markRevoked(tx, row.id, clock.now());
  });
}

/** @throws Refusal `shops.invitation_not_found` */
async function findByToken(db: Db | Tx, token: string): Promise<InvitationRow> {
  const row = await store.invitationByHash(db, hashLinkToken(token, 'shops.invitation_not_found'));
  if (row === undefined) throw new Refusal('shops.invitation_not_found');
  return row;
}

function isOpen(deps: TeamDeps, row: InvitationRow): boolean {
  return row.used_at === null && row.revoked_at === null && row.expires_at > deps.platform.clock.now();
}

async function invitation(deps: TeamDeps, token: string): Promise<InvitationView> {
  const row = await findByToken(deps.platform.database.db, token);
  if (!isOpen(deps, row)) throw new Refusal('shops.invitation_over');
  const [shops, names] = await Promise.all([deps.shops.refs([row.shop_id]), deps.namesOf([row.created_by])]);
  const shop = shops.get(row.shop_id);
  if (shop === undefined) throw new Refusal('shops.invitation_not_found');
  const { slug, name, image } = shop;
  return {
    shop: { slug, name, image },
    role: row.role,
    rights: rightsOf(row.role),
    invitedBy: names.get(row.created_by) ?? '',
    expiresAt: row.expires_at.toISOString(),
  };
}

async function accept(deps: TeamDeps, personId: string, token: string): Promise<Membership> {
  const { database, clock } = deps.platform;
  const { shop_id: shopId } = await findByToken(database.db, token);
  await database.transaction(async (tx) => {
    await store.lockTeam(tx, shopId);
    // Again, as it is now that nobody else changes the team.
    const row = await findByToken(tx, token);
    const members = await store.membersOf(tx, shopId);
    const isMember = members.some((member) => member.person_id === personId);
    if (row.used_by === personId && isMember) return;
    if (!isOpen(deps, row)) throw new Refusal('shops.invitation_over');
    if (isMember) throw new Refusal('shops.already_member');
    if (members.length >= TEAM_MAX) throw new Refusal('shops.team_full');
    if ((await countMembershipsAlone(tx, personId)) >= SHOPS_PER_PERSON) throw new Refusal('shops.too_many');
    const now = clock.now();
    await insertMember(tx, shopId, personId, row.role, now);
    await store.markUsed(tx, row.id, personId, now);
  });
  const membership = (await deps.shops.membershipsOf(personId)).find(({ id }) => id === shopId);
  if (membership === undefined) throw new Refusal('shops.not_a_member');
  return membership;
}
