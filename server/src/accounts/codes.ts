/**
 * A telephone number and the code that is sent to it: asking, signing in or up, and the number of an account.
 *
 * Invariants: a code is nowhere but in its message, kept as an HMAC only; it works where it was asked for and nowhere
 * else, once, for ten minutes and five tries; asking does the same work for every number.
 */
import { createHmac, randomInt, timingSafeEqual } from 'node:crypto';
import type { CodeAsked, CodeSent, PhonePut, PhoneSignIn } from '@nacre/contract/identity';
import type { Locale } from '@nacre/contract/common';
import type { PersonActor } from '../http/actor.ts';
import { Refusal } from '../lib/refusal.ts';
import { afterCommit, type Tx } from '../platform/database.ts';
import type { AccountsParts } from './accounts.ts';
import type { AttemptLimit } from './attempts.ts';
import { mayUseDemo } from './demo-guard.ts';
import { PERSON_CHANGED_TOPIC, type PersonChanged } from './events.ts';
import { codeText, numberLetter, numberText } from './letters.ts';
import { codeOf, e164Of } from './phone-number.ts';
import { cleanName, isTimeZone, localeOf } from './profile.ts';
import { lockActor, openSession, remembered, signUpLimits, type Client, type SignedIn } from './signing.ts';
import { updatePerson, type PersonRow } from './store.ts';
import * as store from './ways-store.ts';

export const JOB_SEND_CODE = 'accounts.send-code';
export const JOB_TELL_NUMBER = 'accounts.tell-number';

export interface CodeJob {
  phone: string;
  /** Where the code works, as `viewerOf` names it. */
  askedBy: string;
  /** For whom the demo keeps the message; null for nobody. */
  keptFor: string | null;
  locale: Locale;
  /** Milliseconds since 1970. */
  askedAtMs: number;
}

export interface NumberJob {
  locale: Locale;
  /** The e-mail, else the number that was the account's until then. */
  to: { email: string } | { phone: string };
  isRemoved: boolean;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** A message is late, a pocket is deep; longer is longer for whoever looks over a shoulder. */
const CODE_MS = 10 * MINUTE_MS;
/** Five of a million. Fewer would punish thick fingers. */
const TRIES_MAX = 5;
/** Between two messages to one number: time for the first to come. */
const AGAIN_AFTER_MS = 30_000;
/** From one address to one number: enough for bad reception, too few to use up what the number gets. */
const SENDS_OF_PAIR_DAY = 5;
/**
 * To one number, from browsers that have not signed in with it: bounds what strangers can cause on somebody's
 * telephone, and all their guessing (five tries each). Fewer, and two or three addresses shut out whoever has a new
 * telephone.
 */
const SENDS_OF_NUMBER_HOUR = 10;
const SENDS_OF_NUMBER_DAY = 20;
/** From one browser that has signed in with the number. */
const SENDS_OF_KNOWN_HOUR = 5;
const SENDS_OF_KNOWN_DAY = 10;
/** From all of these; without it, each could make another. */
const SENDS_OF_ALL_KNOWN_DAY = 20;
/** Behind one address may be a market hall; a list of numbers gets no further. Each message costs money. */
const SENDS_OF_ADDRESS_HOUR = 30;
const SENDS_OF_ADDRESS_DAY = 100;
/** Of all messages of a day; the rest is for browsers that are known. */
const STRANGERS_PART = 0.8;
const WRONG_CODES_OF_ADDRESS = 100;
const WRONG_CODES_OF_KNOWN = 30;

/** What strangers use up is never what a browser has that the number's owner has signed in with. */
function sendLimits({ browsers, texter: { perDay } }: AccountsParts, client: Client, phone: string): AttemptLimit[] {
  const { ip } = client;
  const known = browsers.idOf(client, phone);
  if (known !== null) {
    return [
      { key: `sms again ${known} ${phone}`, max: 1, windowMs: AGAIN_AFTER_MS },
      { key: `sms hour ${known} ${phone}`, max: SENDS_OF_KNOWN_HOUR, windowMs: HOUR_MS },
      { key: `sms day ${known} ${phone}`, max: SENDS_OF_KNOWN_DAY, windowMs: DAY_MS },
      { key: `sms day known ${phone}`, max: SENDS_OF_ALL_KNOWN_DAY, windowMs: DAY_MS },
      { key: 'sms day *', max: perDay, windowMs: DAY_MS },
    ];
  }
  return [
    { key: `sms again ${ip} ${phone}`, max: 1, windowMs: AGAIN_AFTER_MS },
    { key: `sms day ${ip} ${phone}`, max: SENDS_OF_PAIR_DAY, windowMs: DAY_MS },
    { key: `sms hour ${phone}`, max: SENDS_OF_NUMBER_HOUR, windowMs: HOUR_MS },
    { key: `sms day ${phone}`, max: SENDS_OF_NUMBER_DAY, windowMs: DAY_MS },
    { key: `sms hour ${ip}`, max: SENDS_OF_ADDRESS_HOUR, windowMs: HOUR_MS },
    { key: `sms day ${ip}`, max: SENDS_OF_ADDRESS_DAY, windowMs: DAY_MS },
    { key: 'sms day *', max: Math.ceil(perDay * STRANGERS_PART), windowMs: DAY_MS },
  ];
}

function wrongLimits({ browsers }: AccountsParts, client: Client, phone: string): AttemptLimit[] {
  const known = browsers.idOf(client, phone);
  return [known === null
    ? { key: `code ${client.ip}`, max: WRONG_CODES_OF_ADDRESS, windowMs: 15 * MINUTE_MS }
    : { key: `code ${known} ${phone}`, max: WRONG_CODES_OF_KNOWN, windowMs: 15 * MINUTE_MS }];
}

/**
 * Counts the message.
 * @throws Refusal `accounts.code_not_sent`; its details are a `CodeSent` where a code that was sent before works in
 * this browser. That depends on what was asked here alone: of the number it tells nothing.
 */
async function countSend(parts: AccountsParts, client: Client, viewer: string, phone: string): Promise<void> {
  try {
    parts.attempts.begin(sendLimits(parts, client, phone));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const now = parts.platform.clock.now();
    const code = await store.codeUnderWay(parts.platform.database.db, phone, viewer, now);
    const isGood = code !== undefined && code.tries < TRIES_MAX;
    const { retryAfterSeconds = 0 } = error;
    const expiresAfterSeconds = isGood ? Math.floor((code.expires_at.getTime() - now.getTime()) / 1000) : 0;
    const details: CodeSent = { phone, againAfterSeconds: retryAfterSeconds, expiresAfterSeconds };
    throw new Refusal('accounts.code_not_sent', { retryAfterSeconds, ...(isGood ? { details } : {}) });
  }
}

export async function askCode(
  parts: AccountsParts, client: Client, viewer: string, asked: CodeAsked,
): Promise<CodeSent> {
  const phone = e164Of(asked.phone, asked.country ?? null);
  if (phone === null) throw new Refusal('accounts.phone_invalid');
  await countSend(parts, client, viewer, phone);
  const job: CodeJob = {
    phone, askedBy: viewer,
    // Only a page on the demo's own machine may read the message there.
    keptFor: mayUseDemo(parts.demoAccounts !== null, client) ? viewer : null,
    locale: asked.locale ?? localeOf(client.headers['accept-language']),
    askedAtMs: parts.platform.clock.now().getTime(),
  };
  await parts.platform.database.transaction((tx) => parts.jobs.add(tx, JOB_SEND_CODE, { ...job }));
  return { phone, againAfterSeconds: AGAIN_AFTER_MS / 1000, expiresAfterSeconds: CODE_MS / 1000 };
}

/** The job of `askCode`. Twice is two messages, of which the second one's code works. */
export async function sendCode(parts: AccountsParts, job: CodeJob): Promise<void> {
  const { database, clock } = parts.platform;
  const nowMs = clock.now().getTime();
  // Whoever waited that long has asked again or gone.
  if (nowMs - job.askedAtMs > CODE_MS) return;
  const code = String(randomInt(1_000_000)).padStart(6, '0');
  await store.putCode(database.db, {
    phone: job.phone, asked_by: job.askedBy, code_hash: hashOf(parts, job.phone, job.askedBy, code),
    expires_at: new Date(nowMs + CODE_MS),
  });
  await parts.texter.send({ to: job.phone, text: codeText(job.locale, code, parts.pagesAt()), askedBy: job.keptFor });
}

/** With the server's secret: a million hashes are soon tried. */
function hashOf(parts: AccountsParts, phone: string, askedBy: string, code: string): Buffer {
  return createHmac('sha256', parts.secret).update(`code ${phone} ${askedBy} ${code}`).digest();
}

/**
 * Counts the try. The answer is the refusal, which the caller throws after the commit so that the count stays; null
 * when the code is right. It is used up by `store.deleteCodes`.
 */
export async function checkCode(
  parts: AccountsParts, tx: Tx, given: { phone: string; askedBy: string; code: string },
): Promise<Refusal | null> {
  const { phone, askedBy } = given;
  const row = await store.lockCode(tx, phone, askedBy);
  if (row === undefined || row.expires_at <= parts.platform.clock.now() || row.tries >= TRIES_MAX) {
    return new Refusal('accounts.code_over');
  }
  if (timingSafeEqual(row.code_hash, hashOf(parts, phone, askedBy, codeOf(given.code) ?? ''))) return null;
  await store.countTry(tx, row);
  const left = TRIES_MAX - row.tries - 1;
  return left === 0 ? new Refusal('accounts.code_over') : new Refusal('accounts.code_wrong', { details: { left } });
}

export async function signInByPhone(
  parts: AccountsParts, client: Client, viewer: string, input: PhoneSignIn,
): Promise<SignedIn> {
  const phone = e164Of(input.phone, null);
  if (phone === null) throw new Refusal('accounts.phone_invalid');
  const limits = wrongLimits(parts, client, phone);
  parts.attempts.begin(limits);
  const found = await parts.platform.database.transaction(async (tx) => {
    await store.lockNumber(tx, phone);
    const refusal = await checkCode(parts, tx, { phone, askedBy: viewer, code: input.code });
    if (refusal !== null) return refusal;
    const known = await store.personByPhone(tx, phone);
    const personId = known?.id ?? await signUpByPhone(parts, tx, client, { ...input, phone });
    if (personId !== null) await store.deleteCodes(tx, phone);
    return personId ?? new Refusal('accounts.name_needed');
  });
  if (!(found instanceof Refusal) || found.code === 'accounts.name_needed') parts.attempts.forgive(limits);
  if (found instanceof Refusal) throw found;
  const signedIn = await openSession(parts, client, found, 'accounts.code_over', (_tx, person) =>
    person.phone === phone);
  return remembered(parts, client, phone, signedIn);
}

/** The id of the new person; null without a name. */
async function signUpByPhone(
  parts: AccountsParts, tx: Tx, client: Client, input: PhoneSignIn,
): Promise<string | null> {
  const name = cleanName(input.name ?? '');
  if (name === null) return null;
  parts.attempts.begin(signUpLimits(client.ip));
  const id = parts.platform.newId();
  await store.insertPersonByPhone(tx, {
    id, name, phone: input.phone, at: parts.platform.clock.now(),
    locale: input.locale ?? localeOf(client.headers['accept-language']),
    timeZone: input.timeZone !== undefined && isTimeZone(input.timeZone) ? input.timeZone : 'UTC',
  });
  return id;
}

/** The number of the account, in place of the one before. Whoever calls has seen to it that the person is sure. */
export async function putPhone(
  parts: AccountsParts, client: Client, actor: PersonActor, viewer: string, input: PhonePut,
): Promise<void> {
  const { database, clock } = parts.platform;
  const phone = e164Of(input.phone, null);
  if (phone === null) throw new Refusal('accounts.phone_invalid');
  const limits = wrongLimits(parts, client, phone);
  parts.attempts.begin(limits);
  const refusal = await database.transaction(async (tx) => {
    await store.lockNumber(tx, phone);
    const person = await lockActor(tx, actor);
    const wrong = await checkCode(parts, tx, { phone, askedBy: viewer, code: input.code });
    if (wrong !== null) return wrong;
    await store.deleteCodes(tx, phone);
    const other = await store.personByPhone(tx, phone);
    if (other !== undefined && other.id !== actor.personId) return new Refusal('accounts.phone_taken');
    await updatePerson(tx, actor.personId, { phone, updated_at: clock.now() });
    tellChange(parts, tx, actor.personId);
    if (person.phone !== phone) await tellNumber(parts, tx, person, false);
    return null;
  });
  if (refusal !== null) throw refusal;
  parts.attempts.forgive(limits);
}

export async function removePhone(parts: AccountsParts, actor: PersonActor): Promise<void> {
  const { database, clock } = parts.platform;
  await database.transaction(async (tx) => {
    const person = await lockActor(tx, actor);
    if (person.email === null) throw new Refusal('accounts.last_way');
    await updatePerson(tx, person.id, { phone: null, updated_at: clock.now() });
    tellChange(parts, tx, person.id);
    await tellNumber(parts, tx, person, true);
  });
}

/** Nothing to tell where there was no number. Each text is one more than that with the code for the new number. */
async function tellNumber(parts: AccountsParts, tx: Tx, before: PersonRow, isRemoved: boolean): Promise<void> {
  const { email, phone, locale } = before;
  if (phone === null) return;
  const job: NumberJob = { locale: locale as Locale, to: email === null ? { phone } : { email }, isRemoved };
  await parts.jobs.add(tx, JOB_TELL_NUMBER, { ...job });
}

/** The job of `putPhone` and `removePhone`. Twice says it twice. */
export async function sendNumberNews(parts: AccountsParts, { locale, to, isRemoved }: NumberJob): Promise<void> {
  const url = `${parts.pagesAt()}/account`;
  // To the owner alone, who may be somebody else than whoever sits in front of the demo.
  if ('phone' in to) await parts.texter.send({ to: to.phone, text: numberText(locale, url), askedBy: null });
  else await parts.mailer.send({ ...numberLetter(locale, isRemoved, url), to: to.email, askedBy: null });
}

/** The page of the person, wherever it is open, shows the change. */
export function tellChange(parts: AccountsParts, tx: Tx, personId: string): void {
  afterCommit(tx, () => parts.platform.bus.publish(PERSON_CHANGED_TOPIC, { personId } satisfies PersonChanged));
}
