/**
 * Another e-mail: a link to the new one sets it, the old one is told and can take it back for a week.
 *
 * Invariants: links are kept hashed only and stand behind the # of their address; only an e-mail at which a link of
 * ours was opened takes anything back, since any other may be a stranger's; one that may still be taken back is nobody
 * else's; taking it back also ends all that whoever changed it may have left, before or since: sessions, password,
 * passkeys, number.
 */
import type { Locale } from '@nacre/contract/common';
import type { EmailSet } from '@nacre/contract/identity';
import type { PersonActor } from '../http/actor.ts';
import { hashLinkToken, newLinkToken } from '../lib/link-token.ts';
import { Refusal } from '../lib/refusal.ts';
import { afterCommit, violates, type Tx } from '../platform/database.ts';
import type { AccountsParts } from './accounts.ts';
import type { AttemptLimit } from './attempts.ts';
import { tellChange } from './codes.ts';
import { mayUseDemo } from './demo-guard.ts';
import { SIGNED_OUT_TOPIC, type SignedOut } from './events.ts';
import { emailChangedLetter, emailLinkLetter, emailUndoLetter } from './letters.ts';
import { lockActor, type Client } from './signing.ts';
import * as people from './store.ts';
import * as store from './ways-store.ts';

export const JOB_MAIL_EMAIL_LINK = 'accounts.mail-email-link';
export const JOB_MAIL_EMAIL_UNDO = 'accounts.mail-email-undo';

export interface EmailLinkJob {
  personId: string;
  /** Stays signed in. */
  sessionId: string;
  email: string;
  /** For whom the demo keeps the mail; null for nobody. */
  askedBy: string | null;
}

export interface EmailUndoJob {
  changeId: string;
  askedBy: string | null;
}

const HOUR_MS = 3600 * 1000;
const LINK_MS = HOUR_MS;
/** Somebody who is away for a weekend still reads the mail in time. Longer keeps an address from others. */
const UNDO_MS = 7 * 24 * HOUR_MS;
/** One person's: each is a mail to an address that may be a stranger's. */
const LINKS_OF_PERSON = 5;
const LINKS_OF_ADDRESS = 30;
const LINKS_OF_EMAIL = 3;
/** As better-auth takes them at sign-up; what is wrong beyond that shows when no mail arrives. */
const EMAIL = /^[^\s@<>"(),:;[\]\\]+@[^\s@<>"(),:;[\]\\]+\.[^\s@<>"(),:;[\]\\.]+$/;

function linkLimits(ip: string, personId: string, email: string): AttemptLimit[] {
  return [
    { key: `email of ${personId}`, max: LINKS_OF_PERSON, windowMs: HOUR_MS },
    { key: `email ${ip}`, max: LINKS_OF_ADDRESS, windowMs: HOUR_MS },
    { key: `email to ${email}`, max: LINKS_OF_EMAIL, windowMs: HOUR_MS },
  ];
}

/** Has the link mailed. Whoever calls has seen to it that the person is sure. */
export async function askEmailChange(
  parts: AccountsParts, client: Client, actor: PersonActor, viewer: string, typed: string,
): Promise<void> {
  const { database, clock } = parts.platform;
  const { personId, sessionId } = actor;
  const email = typed.trim().toLowerCase();
  if (!EMAIL.test(email)) throw new Refusal('accounts.email_invalid');
  parts.attempts.begin(linkLimits(client.ip, personId, email));
  // Signing up tells the same, so this gives nothing away.
  const other = await people.personByEmail(database.db, email);
  if (other !== undefined || await people.isAskedBack(database.db, email, personId, clock.now())) {
    throw new Refusal('accounts.email_taken');
  }
  const askedBy = mayUseDemo(parts.demoAccounts !== null, client) ? viewer : null;
  const job: EmailLinkJob = { personId, sessionId, email, askedBy };
  await database.transaction(async (tx) => {
    await lockActor(tx, actor);
    await parts.jobs.add(tx, JOB_MAIL_EMAIL_LINK, { ...job });
  });
}

/**
 * The job of `askEmailChange`; nothing is mailed for a session that has ended. Twice is two mails, of which the second
 * one's link works.
 */
export async function mailEmailLink(parts: AccountsParts, job: EmailLinkJob): Promise<void> {
  const { database, clock, newId } = parts.platform;
  const person = await people.personById(database.db, job.personId);
  if (person === undefined || await store.sessionSince(database.db, job.sessionId) === null) return;
  const { token, hash } = newLinkToken();
  const now = clock.now();
  await database.transaction((tx) => store.insertEmailChange(tx, {
    id: newId(), person_id: person.id, session_id: job.sessionId, new_email: job.email, old_email: person.email,
    token_hash: hash, created_at: now, expires_at: new Date(now.getTime() + LINK_MS),
  }));
  const link = `${parts.pagesAt()}/new-email#${token}`;
  const letter = emailLinkLetter(person.locale as Locale, link);
  await parts.mailer.send({ ...letter, to: job.email, askedBy: job.askedBy });
}

/** Takes the link to the new e-mail: all sessions end but the one that asked for it. */
export async function confirmEmail(parts: AccountsParts, token: string): Promise<EmailSet> {
  const { database, clock } = parts.platform;
  return taken(() => database.transaction(async (tx) => {
    const now = clock.now();
    const change = await store.lockEmailChange(tx, hashLinkToken(token, 'accounts.email_link_over'), now);
    const person = change === undefined ? undefined : await store.lockPerson(tx, change.person_id);
    if (change === undefined || person === undefined) throw new Refusal('accounts.email_link_over');
    // Who signs a device out wants nothing more of what was begun there.
    if (await store.sessionSince(tx, change.session_id) === null) throw new Refusal('accounts.email_link_over');
    const { id, person_id: personId, new_email: email } = change;
    await people.updatePerson(tx, personId, { email, email_verified: true, updated_at: now });
    // After the index has let it in: whoever gave it up a moment ago is seen.
    if (await people.isAskedBack(tx, email, personId, now)) throw new Refusal('accounts.email_taken');
    // One that was typed wrong at sign-up is a stranger's, and between two changes it may be a thief's: then the older
    // right to undo is the only one.
    const isOwn = person.email !== null && person.email_verified;
    const mayUndo = isOwn && !(await store.canUndo(tx, personId, now));
    const undoUntil = mayUndo ? new Date(now.getTime() + UNDO_MS) : null;
    await store.confirmEmailChange(tx, id, { confirmed_at: now, old_email: person.email, undo_until: undoUntil });
    // They were sent to the address that holds no more.
    await people.deleteLinks(tx, personId);
    for (const sessionId of await people.deleteOtherSessions(tx, personId, change.session_id)) {
      tellSignedOut(parts, tx, { personId, sessionId });
    }
    tellChange(parts, tx, personId);
    if (person.email !== null) {
      // To the owner of the address alone, wherever the link was opened.
      const job: EmailUndoJob = { changeId: id, askedBy: null };
      await parts.jobs.add(tx, JOB_MAIL_EMAIL_UNDO, { ...job });
    }
    return { email };
  }));
}

/** The job of `confirmEmail`. Twice is two mails, of which the second one's link works. */
export async function mailEmailUndo(parts: AccountsParts, job: EmailUndoJob): Promise<void> {
  const { database, clock } = parts.platform;
  const { token, hash } = newLinkToken();
  const undoable = await store.setUndoHash(database.db, job.changeId, hash, clock.now());
  const change = undoable ?? await store.plainChange(database.db, job.changeId);
  if (change === undefined || change.old_email === null) return;
  const person = await people.personById(database.db, change.person_id);
  const locale = (person?.locale ?? 'en') as Locale;
  const letter = undoable === undefined
    ? emailChangedLetter(locale, await store.canUndo(database.db, change.person_id, clock.now()))
    : emailUndoLetter(locale, `${parts.pagesAt()}/old-email#${token}`);
  await parts.mailer.send({ ...letter, to: change.old_email, askedBy: job.askedBy });
}

/** Takes the link to the old e-mail: it holds again, and nobody is signed in or has a password any more. */
export async function undoEmail(parts: AccountsParts, token: string): Promise<EmailSet> {
  const { database, clock } = parts.platform;
  return taken(() => database.transaction(async (tx) => {
    const now = clock.now();
    const change = await store.lockUndo(tx, hashLinkToken(token, 'accounts.email_link_over'), now);
    const email = change?.old_email ?? null;
    if (change === undefined || email === null) throw new Refusal('accounts.email_link_over');
    const { person_id: personId, created_at: since } = change;
    // First: a reset that has taken its link is waited for, and what it sets goes too; any other finds no link.
    await people.deleteLinks(tx, personId);
    await store.lockPerson(tx, personId);
    await people.updatePerson(tx, personId, { email, email_verified: true, updated_at: now });
    await store.deleteOtherWays(tx, personId);
    await store.deletePassword(tx, personId);
    await store.deleteChangesSince(tx, personId, since);
    await store.deleteSessions(tx, personId);
    tellSignedOut(parts, tx, { personId, sessionId: null });
    return { email };
  }));
}

function tellSignedOut(parts: AccountsParts, tx: Tx, message: SignedOut): void {
  afterCommit(tx, () => parts.platform.bus.publish(SIGNED_OUT_TOPIC, message));
}

/** Somebody else was quicker to have the address. */
async function taken(work: () => Promise<EmailSet>): Promise<EmailSet> {
  try {
    return await work();
  } catch (error) {
    if (violates(error, 'person_email_key')) throw new Refusal('accounts.email_taken');
    throw error;
  }
}
