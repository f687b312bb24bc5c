/**
 * The e-mail of an account is shown to be its owner's: a link that was mailed there is opened.
 *
 * Invariants: links are kept hashed only and stand behind the # of their address; one confirms only where its account
 * is signed in, since anybody can sign up with somebody else's e-mail: who owns that and opens the mail must not vouch
 * for the stranger's passkeys and number (`keepOwnerOnly` takes those away while the e-mail is not confirmed).
 */
import type { Locale } from '@nacre/contract/common';
import { viewerOf, type PersonActor } from '../http/actor.ts';
import { hashLinkToken, newLinkToken } from '../lib/link-token.ts';
import { Refusal } from '../lib/refusal.ts';
import type { AccountsParts } from './accounts.ts';
import type { AttemptLimit } from './attempts.ts';
import { mayUseDemo } from './demo-guard.ts';
import { emailProofLetter } from './letters.ts';
import { lockActor, type Client } from './signing.ts';
import * as people from './store.ts';
import * as store from './ways-store.ts';

export const JOB_MAIL_EMAIL_PROOF = 'accounts.mail-email-proof';

export interface EmailProofJob {
  personId: string;
  /** For whom the demo keeps the mail; null for nobody. */
  askedBy: string | null;
}

const HOUR_MS = 3600 * 1000;
const DAY_MS = 24 * HOUR_MS;
/** Mails after sign-up are read when there is time; without a session of the account the link does nothing. */
const LINK_MS = 7 * DAY_MS;
/** Letters to one person, whose address may be a stranger's: a mail is late, a mail is lost. */
const LETTERS_OF_PERSON = 3;
const LETTERS_OF_PERSON_A_DAY = 10;
/** Behind one address may be a school class that signs up; more is a list of strangers. */
const LETTERS_OF_ADDRESS = 100;

function letterLimits(ip: string, personId: string): AttemptLimit[] {
  return [
    { key: `proof of ${personId}`, max: LETTERS_OF_PERSON, windowMs: HOUR_MS },
    { key: `proof a day of ${personId}`, max: LETTERS_OF_PERSON_A_DAY, windowMs: DAY_MS },
    { key: `proof ${ip}`, max: LETTERS_OF_ADDRESS, windowMs: HOUR_MS },
  ];
}

/** Has the link mailed to the e-mail of the account. @throws Refusal `request.too_many` */
export async function askEmailProof(parts: AccountsParts, client: Client, personId: string): Promise<void> {
  parts.attempts.begin(letterLimits(client.ip, personId));
  const viewer = viewerOf({ kind: 'person', personId });
  const job: EmailProofJob = { personId, askedBy: mayUseDemo(parts.demoAccounts !== null, client) ? viewer : null };
  await parts.platform.database.transaction((tx) => parts.jobs.add(tx, JOB_MAIL_EMAIL_PROOF, { ...job }));
}

/** The same for whoever has just signed up, who is not kept from going on: the account page sends another one. */
export async function askFirstProof(parts: AccountsParts, client: Client, personId: string): Promise<void> {
  try {
    await askEmailProof(parts, client, personId);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}

/** The job of those two; nothing is mailed to an e-mail that is confirmed. Twice is two mails, each link works. */
export async function mailEmailProof(parts: AccountsParts, { personId, askedBy }: EmailProofJob): Promise<void> {
  const { database, clock, newId } = parts.platform;
  const { token, hash } = newLinkToken();
  const person = await database.transaction(async (tx) => {
    // Held, so that the link goes with the e-mail when that changes meanwhile.
    const found = await store.lockPerson(tx, personId);
    if (!found?.email || found.email_verified || found.is_demo) return null;
    const now = clock.now();
    await store.insertProof(tx, {
      id: newId(), personId, tokenHash: hash, at: now, expiresAt: new Date(now.getTime() + LINK_MS),
    });
    return { email: found.email, locale: found.locale as Locale };
  });
  if (person === null) return;
  const letter = emailProofLetter(person.locale, `${parts.pagesAt()}/my-email#${token}`);
  await parts.mailer.send({ ...letter, to: person.email, askedBy });
}

/** Takes that link. */
export async function proveEmail(parts: AccountsParts, actor: PersonActor, token: string): Promise<void> {
  const { database, clock } = parts.platform;
  await database.transaction(async (tx) => {
    const { personId } = actor;
    await lockActor(tx, actor);
    const ownerId = await store.proofOf(tx, hashLinkToken(token, 'accounts.email_proof_over'), clock.now());
    if (ownerId === undefined) throw new Refusal('accounts.email_proof_over');
    if (ownerId !== personId) throw new Refusal('accounts.email_proof_of_other');
    await store.deleteProofs(tx, personId);
    await people.updatePerson(tx, personId, { email_verified: true, updated_at: clock.now() });
  });
}
