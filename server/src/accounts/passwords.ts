/**
 * Another password: by a mailed link for whoever forgot it, by the present one for whoever is signed in.
 *
 * Invariants: asking for a link does the same work for every e-mail, since only the job looks whether anybody has it;
 * a link's token is kept hashed only and is in no address that a server sees.
 */
import type { Locale } from '@nacre/contract/common';
import { isAPIError } from 'better-auth/api';
import type { PersonActor } from '../http/actor.ts';
import { Refusal } from '../lib/refusal.ts';
import type { AccountsParts } from './accounts.ts';
import { told, type Told } from './auth.ts';
import type { AttemptLimit } from './attempts.ts';
import { mayUseDemo } from './demo-guard.ts';
import { endOtherDevices } from './devices.ts';
import { SIGNED_OUT_TOPIC, type SignedOut } from './events.ts';
import { resetLetter } from './letters.ts';
import { headersFor, openByPassword, refusalOf, signInLimits, type Client, type SignedIn } from './signing.ts';
import * as store from './store.ts';
import { deleteOtherWays, deleteSessions, lockPerson } from './ways-store.ts';

export const JOB_MAIL_RESET = 'accounts.mail-reset';

export interface ResetJob {
  email: string;
  /** For whom the demo keeps the mail; null for nobody. */
  askedBy: string | null;
}

const HOUR_MS = 3600 * 1000;
/** Links to one e-mail, asked for from one address: a mail is late, a spelling is looked up. */
const LINKS_OF_PAIR = 5;
/** Behind one address may be an office; a stranger who tries a list of e-mails gets no further. */
const LINKS_OF_ADDRESS = 30;
/** Bounds the mails that strangers can cause in somebody's letter box. Much lower would let them keep the owner out. */
const LINKS_OF_EMAIL = 10;

function linkLimits(ip: string, email: string): AttemptLimit[] {
  return [
    { key: `link ${ip} ${email}`, max: LINKS_OF_PAIR, windowMs: HOUR_MS },
    { key: `link ${ip}`, max: LINKS_OF_ADDRESS, windowMs: HOUR_MS },
    { key: `link * ${email}`, max: LINKS_OF_EMAIL, windowMs: HOUR_MS },
  ];
}

export async function forgotPassword(
  parts: AccountsParts, client: Client, viewer: string, typed: string,
): Promise<void> {
  const email = typed.trim().toLowerCase();
  parts.attempts.begin(linkLimits(client.ip, email));
  // Only a page on the demo's own machine may read the mail there.
  const askedBy = mayUseDemo(parts.demoAccounts !== null, client) ? viewer : null;
  const job: ResetJob = { email, askedBy };
  await parts.platform.database.transaction((tx) => parts.jobs.add(tx, JOB_MAIL_RESET, { ...job }));
}

export async function mailReset(parts: AccountsParts, { email, askedBy }: ResetJob): Promise<void> {
  const person = await store.personByEmail(parts.platform.database.db, email);
  // A demo account's password is everybody's: nobody may take it from the others.
  if (person === undefined || person.is_demo) return;
  const box: Told = {};
  await told.run(box, () => parts.auth.api.requestPasswordReset({ body: { email } }));
  if (box.resetToken === undefined) throw new Error('no link was made');
  // Behind the #, which browsers keep to themselves: in no log of a server or proxy, in no Referer.
  const link = `${parts.pagesAt()}/new-password#${box.resetToken}`;
  await parts.mailer.send({ ...resetLetter(person.locale as Locale, link), to: email, askedBy });
}

export async function resetPassword(
  parts: AccountsParts, client: Client, input: { token: string; password: string },
): Promise<SignedIn> {
  const box: Told = {};
  try {
    await told.run(box, () =>
      parts.auth.api.resetPassword({ body: { token: input.token, newPassword: input.password } }));
  } catch (error) {
    throw refusalOf(error) ?? error;
  }
  const person = box.resetOf;
  if (person === undefined) throw new Error('nobody has another password now');
  await keepOwnerOnly(parts, person.id);
  const message: SignedOut = { personId: person.id, sessionId: null };
  parts.platform.bus.publish(SIGNED_OUT_TOPIC, message);
  try {
    return await openByPassword(parts, client, { email: person.email, password: input.password });
  } catch (error) {
    const refusal = error instanceof Refusal ? error : refusalOf(error);
    if (refusal?.code !== 'accounts.wrong_credentials') throw refusal ?? error;
    // Whoever took an old e-mail back meanwhile has ended the password too: another link is asked for.
    throw new Refusal('accounts.link_over');
  }
}

/**
 * Whoever reads the mail owns the address. Until somebody has shown that, the account may be one that somebody else
 * made with it, so other ways in go. All sessions are over: none adds another.
 */
async function keepOwnerOnly({ platform: { database, clock } }: AccountsParts, personId: string): Promise<void> {
  await database.transaction(async (tx) => {
    // Other links to the same letter box would open the account again.
    await store.deleteLinks(tx, personId);
    const person = await lockPerson(tx, personId);
    // Once more: who came in by the old password while the new one was being set.
    await deleteSessions(tx, personId);
    if (person === undefined || person.email_verified) return;
    await deleteOtherWays(tx, personId);
    await store.updatePerson(tx, personId, { email_verified: true, updated_at: clock.now() });
  });
}

export async function changePassword(
  parts: AccountsParts, client: Client, actor: PersonActor, input: { password: string; newPassword: string },
): Promise<void> {
  if (actor.isDemo) throw new Refusal('accounts.demo_password');
  // Who finds a phone unlocked guesses as slowly as at the door.
  const limits = signInLimits(parts, client, actor.personId);
  parts.attempts.begin(limits);
  try {
    await parts.auth.api.changePassword({
      body: { currentPassword: input.password, newPassword: input.newPassword }, headers: headersFor(client),
    });
  } catch (error) {
    if (isAPIError(error) && error.statusCode === 401) throw new Refusal('accounts.sign_in_first');
    const refusal = refusalOf(error);
    if (refusal !== null && refusal.code !== 'accounts.wrong_credentials') parts.attempts.forgive(limits);
    throw refusal ?? error;
  }
  parts.attempts.forgive(limits);
  await store.deleteLinks(parts.platform.database.db, actor.personId);
  await endOtherDevices(parts, actor);
}
