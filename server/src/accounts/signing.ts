/** Signing up, in and out, through better-auth, with its errors in our words. */
import type { Person, SignUp } from '@nacre/contract/accounts';
import type { RefusalCode } from '@nacre/contract/refusals';
import { isAPIError } from 'better-auth/api';
import type { PersonActor } from '../http/actor.ts';
import { Refusal } from '../lib/refusal.ts';
import type { Tx } from '../platform/database.ts';
import type { AccountsParts } from './accounts.ts';
import type { AttemptLimit } from './attempts.ts';
import { ADDRESS_HEADER, told, type Told } from './auth.ts';
import { mayUseDemo, type Origin } from './demo-guard.ts';
import { SIGNED_OUT_TOPIC, type SignedOut } from './events.ts';
import { cleanName, isTimeZone, localeOf } from './profile.ts';
import * as store from './store.ts';
import * as ways from './ways-store.ts';

/** Who is at the other end, as the HTTP layer knows it. */
export interface Client extends Origin {
  /** Address of the client, of IPv6 its network; proxies that are trusted looked through. */
  ip: string;
  isHttps: boolean;
}

export interface SignedIn {
  personId: string;
  /** `Set-Cookie` values. */
  setCookies: string[];
}

const MINUTE_MS = 60_000;
/** A person mistypes a few times; a guesser tries thousands. */
const FAILURES_OF_PAIR = 10;
/** Behind one address may be an office or a carrier's gateway. */
const FAILURES_OF_ADDRESS = 100;
/** Guessing one person's password from many addresses. Much lower would let anybody lock anybody out. */
const FAILURES_OF_EMAIL = 200;
const FAILURE_WINDOW_MS = 15 * MINUTE_MS;
/** New accounts from one address in an hour: more than a school class, less than a farm of them. */
const SIGN_UPS_OF_ADDRESS = 300;
/** Kept with the session so that people recognise it; longer is not a browser's. */
const USER_AGENT_LENGTH_MAX = 300;

const REFUSAL_OF: Record<string, RefusalCode> = {
  INVALID_EMAIL_OR_PASSWORD: 'accounts.wrong_credentials',
  INVALID_PASSWORD: 'accounts.wrong_credentials',
  INVALID_EMAIL: 'accounts.email_invalid',
  PASSWORD_TOO_SHORT: 'accounts.password_too_short',
  PASSWORD_TOO_LONG: 'accounts.password_too_long',
  INVALID_TOKEN: 'accounts.link_over',
  USER_NOT_FOUND: 'accounts.link_over',
  CREDENTIAL_ACCOUNT_NOT_FOUND: 'accounts.wrong_credentials',
  USER_ALREADY_EXISTS: 'accounts.email_taken',
  USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL: 'accounts.email_taken',
};

export async function signUp(parts: AccountsParts, client: Client, input: SignUp): Promise<SignedIn> {
  const name = cleanName(input.name);
  if (name === null) throw new Refusal('request.invalid', { details: { field: 'name' } });
  const limits = signUpLimits(client.ip);
  parts.attempts.begin(limits);
  if (await store.isAskedBack(parts.platform.database.db, input.email, null, parts.platform.clock.now())) {
    parts.attempts.forgive(limits);
    throw new Refusal('accounts.email_taken');
  }
  try {
    const { headers, response } = await parts.auth.api.signUpEmail({
      body: {
        name, email: input.email, password: input.password,
        locale: input.locale ?? localeOf(client.headers['accept-language']),
        // A browser may know a newer zone; that is no reason to turn its owner away.
        timeZone: input.timeZone !== undefined && isTimeZone(input.timeZone) ? input.timeZone : 'UTC',
      },
      headers: headersFor(client),
      returnHeaders: true,
    });
    const signedIn = { personId: response.user.id, setCookies: cookiesOf(headers, client) };
    return remembered(parts, client, input.email.toLowerCase(), signedIn);
  } catch (error) {
    const refusal = refusalOf(error);
    // Only accounts that came to be are counted.
    if (refusal !== null) parts.attempts.forgive(limits);
    if (refusal !== null) throw refusal;
    // Two sign-ups at once: the second one meets the index, which better-auth reports without saying so.
    if (await store.personByEmail(parts.platform.database.db, input.email)) throw new Refusal('accounts.email_taken');
    throw error;
  }
}

export async function signIn(
  parts: AccountsParts, client: Client, input: { email: string; password: string },
): Promise<SignedIn> {
  const limits = signInLimits(parts, client, input.email);
  parts.attempts.begin(limits);
  const person = await store.personByEmail(parts.platform.database.db, input.email);
  if (person?.is_demo && !mayUseDemo(parts.demoAccounts !== null, client)) throw new Refusal('accounts.demo_only_here');
  try {
    const signedIn = await openByPassword(parts, client, input);
    parts.attempts.forgive(limits);
    return signedIn;
  } catch (error) {
    throw refusalOf(error) ?? error;
  }
}

/** @throws Refusal `accounts.wrong_credentials`, as `keepWhile`; an error of better-auth, for `refusalOf` */
export async function openByPassword(
  parts: AccountsParts, client: Client, { email, password }: { email: string; password: string },
): Promise<SignedIn> {
  const box: Told = {};
  const { headers, response } = await told.run(box, () => parts.auth.api.signInEmail({
    body: { email, password }, headers: headersFor(client), returnHeaders: true,
  }));
  const { user: { id: personId }, token } = response;
  await keepWhile(parts, { personId, token }, 'accounts.wrong_credentials', async (tx) =>
    (await ways.passwordHash(tx, personId)) === box.rightHash);
  return remembered(parts, client, email.toLowerCase(), { personId, setCookies: cookiesOf(headers, client) });
}

/** The browser is one from now on where this e-mail or number has come in. */
export function remembered(parts: AccountsParts, client: Client, who: string, signedIn: SignedIn): SignedIn {
  return { ...signedIn, setCookies: [...signedIn.setCookies, parts.browsers.cookieFor(client, who)] };
}

/**
 * Signs in whoever has shown to be this person: by a code, a passkey.
 * @param over what is said when that way `holds` no more
 */
export async function openSession(
  parts: AccountsParts, client: Client, personId: string, over: RefusalCode, holds: Holds,
): Promise<SignedIn> {
  const { headers, response } = await told.run({ opensFor: personId }, () =>
    parts.auth.api.openSession({ headers: headersFor(client), returnHeaders: true }));
  await keepWhile(parts, { personId, token: response.token }, over, holds);
  return { personId, setCookies: cookiesOf(headers, client) };
}

/** Whether the way by which somebody came in is still theirs; the person is held meanwhile. */
type Holds = (tx: Tx, person: store.PersonRow) => boolean | Promise<boolean>;

/**
 * Looks once more, now that the session is there. Whoever takes ways away and then ends all sessions, holding the
 * person, comes before, and the way is gone, or after, and finds the session. @throws Refusal `over`
 */
async function keepWhile(
  parts: AccountsParts, { personId, token }: { personId: string; token: string }, over: RefusalCode, holds: Holds,
): Promise<void> {
  const isKept = await parts.platform.database.transaction(async (tx) => {
    const person = await ways.lockPerson(tx, personId);
    if (person !== undefined && await holds(tx, person)) return true;
    await ways.deleteSessionByToken(tx, token);
    return false;
  });
  if (!isKept) throw new Refusal(over);
}

/**
 * Holds the person until the transaction ends. Whoever ends their sessions and tidies up, holding them too, comes
 * before or after. @throws Refusal `accounts.sign_in_first` when the session has ended meanwhile
 */
export async function lockActor(tx: Tx, { personId, sessionId }: PersonActor): Promise<store.PersonRow> {
  const person = await ways.lockPerson(tx, personId);
  if (person === undefined || await ways.sessionSince(tx, sessionId) === null) {
    throw new Refusal('accounts.sign_in_first');
  }
  return person;
}

export async function signOut(parts: AccountsParts, client: Client): Promise<{ setCookies: string[] }> {
  const actor = await parts.sessions.find(client.headers.cookie);
  const { headers } = await parts.auth.api.signOut({ headers: headersFor(client), returnHeaders: true });
  if (actor !== null) {
    const message: SignedOut = { personId: actor.personId, sessionId: actor.sessionId };
    parts.platform.bus.publish(SIGNED_OUT_TOPIC, message);
  }
  return { setCookies: cookiesOf(headers, client) };
}

export async function signOutEverywhere(
  parts: AccountsParts, client: Client, personId: Person['id'],
): Promise<{ setCookies: string[] }> {
  try {
    const { headers } = await parts.auth.api.revokeSessions({ headers: headersFor(client), returnHeaders: true });
    const message: SignedOut = { personId, sessionId: null };
    parts.platform.bus.publish(SIGNED_OUT_TOPIC, message);
    return { setCookies: cookiesOf(headers, client) };
  } catch (error) {
    // The session ended between the question who it is and this.
    if (isAPIError(error) && error.statusCode === 401) throw new Refusal('accounts.sign_in_first');
    throw error;
  }
}

export function signUpLimits(ip: string): AttemptLimit[] {
  return [{ key: `up ${ip}`, max: SIGN_UPS_OF_ADDRESS, windowMs: 60 * MINUTE_MS }];
}

/** Failures with an e-mail, or a person's id; where the e-mail has come in before, those of this browser alone. */
export function signInLimits({ browsers }: AccountsParts, client: Client, email: string): AttemptLimit[] {
  const windowMs = FAILURE_WINDOW_MS;
  const who = email.toLowerCase();
  const { ip } = client;
  const browser = browsers.idOf(client, who);
  if (browser !== null) return [{ key: `in ${browser} ${who}`, max: FAILURES_OF_PAIR, windowMs }];
  return [
    { key: `in ${ip} ${who}`, max: FAILURES_OF_PAIR, windowMs },
    { key: `in ${ip}`, max: FAILURES_OF_ADDRESS, windowMs },
    { key: `in * ${who}`, max: FAILURES_OF_EMAIL, windowMs },
  ];
}

/** Only what better-auth needs: nothing that a client sends can pose as its address. */
export function headersFor(client: Client): Headers {
  const headers = new Headers({ [ADDRESS_HEADER]: client.ip });
  if (client.headers.cookie !== undefined) headers.set('cookie', client.headers.cookie);
  const userAgent = client.headers['user-agent'];
  if (userAgent !== undefined) headers.set('user-agent', userAgent.slice(0, USER_AGENT_LENGTH_MAX));
  return headers;
}

export function cookiesOf(headers: Headers, client: Client): string[] {
  return headers.getSetCookie().map((cookie) => (client.isHttps ? `${cookie}; Secure` : cookie));
}

export function refusalOf(error: unknown): Refusal | null {
  if (!isAPIError(error)) return null;
  const code = REFUSAL_OF[String(error.body?.code)];
  if (code !== undefined) return new Refusal(code);
  // Its own check of the body: of ours only the e-mail can still be wrong.
  return error.statusCode === 400 ? new Refusal('accounts.email_invalid') : null;
}
