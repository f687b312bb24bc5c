/**
 * People: who is asking, signing in and out, devices, profile, address book. Rules: README.md.
 *
 * Invariants: a password or token is never logged, but for mails where the log is the letter box; a demo account is
 * never anybody's from outside this machine.
 */
import type { Address, DemoMails, Device, MePatch, Person, SavedAddress, SignUp } from '@nacre/contract/accounts';
import type { Locale } from '@nacre/contract/common';
import type { FastifyRequest } from 'fastify';
import type { IncomingHttpHeaders } from 'node:http';
import type { PersonActor } from '../http/actor.ts';
import { Refusal } from '../lib/refusal.ts';
import { systemClock } from '../platform/clock.ts';
import { afterCommit, violates } from '../platform/database.ts';
import type { Jobs } from '../platform/jobs.ts';
import type { Mailer } from '../platform/mailer.ts';
import { createPeriodic } from '../platform/periodic.ts';
import type { Platform } from '../platform/platform.ts';
import type { Texter } from '../platform/texter.ts';
import { createAttempts, type Attempts } from './attempts.ts';
import { createAuth, type Auth, type PasswordHashing } from './auth.ts';
import { mayUseDemo, type Origin } from './demo-guard.ts';
import { devicesOf, endDevice, endOtherDevices } from './devices.ts';
import { askFirstProof } from './email-proof.ts';
import { PERSON_CHANGED_TOPIC, type PersonChanged } from './events.ts';
import { createKnownBrowsers, type KnownBrowsers } from './known-browser.ts';
import { createChallenges, type Challenges } from './passkeys.ts';
import { changePassword, forgotPassword, mailReset, resetPassword, type ResetJob } from './passwords.ts';
import { cleanName, isTimeZone } from './profile.ts';
import { createSessions, type Sessions } from './sessions.ts';
import { signIn, signOut, signOutEverywhere, signUp, type Client, type SignedIn } from './signing.ts';
import * as store from './store.ts';
import { createWays, type AccountWays } from './ways.ts';
import { deleteOver } from './ways-store.ts';

export type { Client, SignedIn };

/** Addresses of one person. Nobody chooses among more. */
export const ADDRESSES_MAX = 20;
/** Sessions and codes that are over are only dead rows: an hour more or less does not matter. */
const SWEEP_EVERY_MS = 3600 * 1000;

/** An account of the demo and its password, which everybody may know. */
export interface DemoAccount {
  role: 'owner' | 'buyer';
  name: string;
  email: string;
  password: string;
}

export interface AccountsDeps {
  platform: Platform;
  /** Signs cookies; 32 characters or more. Another secret signs everybody out. */
  secret: string;
  passwords: PasswordHashing;
  /** What may be signed in to as demo; null where there is no demo: then demo accounts are nobody's. */
  demoAccounts: (() => Promise<DemoAccount[]>) | null;
  jobs: Pick<Jobs, 'add'>;
  mailer: Mailer;
  texter: Texter;
  /** Where links in mails lead, without a slash at its end. Never taken from a request, which could name any host. */
  pagesAt(): string;
  /** All addresses under which browsers reach the pages, as `https://host:port`: a passkey is for one of these. */
  origins(): string[];
}

export interface Reader {
  locale: Locale;
  /** IANA */
  timeZone: string;
}

export interface NewPerson {
  name: string;
  email: string;
  password: string;
  locale: Locale;
  timeZone: string;
  isDemo: boolean;
}

export interface Accounts {
  /**
   * The person of the request's session; null for a guest.
   * @throws Refusal `accounts.demo_only_here` when it is a demo account's and the request is not from this machine.
   */
  findPerson(request: FastifyRequest): Promise<PersonActor | null>;
  /** The same for WebSocket upgrades; a demo account from elsewhere is a guest there. */
  findPersonByHeaders(headers: IncomingHttpHeaders, remoteAddress: string | undefined): Promise<PersonActor | null>;
  /**
   * Has a link mailed besides that confirms the e-mail.
   * @throws Refusal `accounts.email_taken`, `…password_too_short`, `…password_too_long`, `…email_invalid`
   */
  signUp(client: Client, input: SignUp): Promise<SignedIn>;
  /** @throws Refusal `accounts.wrong_credentials`, `accounts.demo_only_here`, `request.too_many` */
  signIn(client: Client, input: { email: string; password: string }): Promise<SignedIn>;
  /** Ends the session of the cookie, if any; the answer's cookies end it in the browser. */
  signOut(client: Client): Promise<{ setCookies: string[] }>;
  /** Ends all sessions of the person. */
  signOutEverywhere(client: Client, personId: string): Promise<{ setCookies: string[] }>;
  /**
   * Has a link for a new password mailed to whoever has this e-mail. Says nothing about whether anybody has.
   * @param viewer who asks, as `viewerOf` names them: in the demo, the mail is kept for them.
   * @throws Refusal `request.too_many`
   */
  forgotPassword(client: Client, viewer: string, email: string): Promise<void>;
  /** The job of `forgotPassword`. Twice is two mails, each with a link that works. */
  mailReset(job: ResetJob): Promise<void>;
  /**
   * Takes a mailed link: sets the password, ends all sessions, and signs in here.
   * @throws Refusal `accounts.link_over`, `…password_too_short`, `…password_too_long`
   */
  resetPassword(client: Client, input: { token: string; password: string }): Promise<SignedIn>;
  /**
   * Ends all other sessions.
   * @throws Refusal `accounts.wrong_credentials`, `…password_too_short`, `…password_too_long`, `…demo_password`,
   * `request.too_many`
   */
  changePassword(client: Client, actor: PersonActor, input: { password: string; newPassword: string }): Promise<void>;
  /** This one first, then those seen last. */
  devices(actor: PersonActor): Promise<Device[]>;
  /** Ends one session of the person. @throws Refusal `request.not_found` */
  endDevice(personId: string, sessionId: string): Promise<void>;
  /** Ends all sessions but the one that asks. */
  endOtherDevices(actor: PersonActor): Promise<void>;
  /** What was mailed or texted in the demo to whoever asks; empty elsewhere. */
  demoMails(origin: Origin, viewer: string): DemoMails;
  /** Null for a person that does not exist. */
  person(personId: string): Promise<Person | null>;
  /** Ids of nobody are missing from the answer. */
  namesOf(personIds: readonly string[]): Promise<Map<string, string>>;
  /** In what language and time zone each is to be written to; ids of nobody are missing. */
  readersOf(personIds: readonly string[]): Promise<Map<string, Reader>>;
  /** @throws Refusal `request.invalid` */
  patchMe(personId: string, patch: MePatch): Promise<Person>;
  /** Newest first. */
  addresses(personId: string): Promise<SavedAddress[]>;
  /** The same address twice is kept once. @throws Refusal `accounts.too_many_addresses` */
  addAddress(personId: string, address: Address): Promise<SavedAddress>;
  /** @throws Refusal `request.not_found` */
  removeAddress(personId: string, addressId: string): Promise<void>;
  /** Empty where there is no demo, or where the request may not use it. */
  demoAccounts(origin: Origin): Promise<DemoAccount[]>;
  /** For seeding and the command line. @throws Refusal `accounts.email_taken` */
  createPerson(input: NewPerson): Promise<string>;
  /** Makes the person an operator of this installation; false when nobody has this e-mail. */
  makeOperator(email: string): Promise<boolean>;
  /** Telephone and code, passkeys, the e-mail and another one. */
  ways: AccountWays;
  stop(): Promise<void>;
}

/** What the verbs work with. */
export interface AccountsParts extends AccountsDeps {
  auth: Auth;
  attempts: Attempts;
  sessions: Sessions;
  challenges: Challenges;
  browsers: KnownBrowsers;
}

export function createAccounts(deps: AccountsDeps): Accounts {
  const { database, bus, clock, log } = deps.platform;
  const auth = createAuth(deps);
  const sessions = createSessions({
    secret: deps.secret, bus, clock,
    // better-auth writes a session's end by the system's clock.
    read: (tokens) => store.liveSessions(database.db, tokens, systemClock.now()),
    noteSeen: (sessionId, at) => store.touchSession(database.db, sessionId, at),
  });
  const parts: AccountsParts = {
    ...deps, auth, sessions, attempts: createAttempts({ clock }), challenges: createChallenges({ clock }),
    browsers: createKnownBrowsers(deps),
  };
  const sweep = createPeriodic({
    name: 'accounts.sessions',
    everyMs: SWEEP_EVERY_MS,
    work: async () => {
      await store.deleteExpiredSessions(database.db, clock.now());
      await deleteOver(database.db, clock.now());
    },
    log,
  });
  return {
    findPerson: (request) => findPerson(parts, request),
    findPersonByHeaders: (headers, remoteAddress) => findPersonByHeaders(parts, { headers, remoteAddress }),
    async signUp(client, input) {
      const signedIn = await signUp(parts, client, input);
      await askFirstProof(parts, client, signedIn.personId);
      return signedIn;
    },
    signIn: (client, input) => signIn(parts, client, input),
    signOut: (client) => signOut(parts, client),
    signOutEverywhere: (client, personId) => signOutEverywhere(parts, client, personId),
    forgotPassword: (client, viewer, email) => forgotPassword(parts, client, viewer, email),
    mailReset: (job) => mailReset(parts, job),
    resetPassword: (client, input) => resetPassword(parts, client, input),
    changePassword: (client, actor, input) => changePassword(parts, client, actor, input),
    devices: (actor) => devicesOf(parts, actor),
    endDevice: (personId, sessionId) => endDevice(parts, personId, sessionId),
    endOtherDevices: (actor) => endOtherDevices(parts, actor),
    demoMails: (origin, viewer) => demoMails(parts, origin, viewer),
    person: async (personId) => viewOf(await store.personById(database.db, personId)),
    namesOf: (personIds) => store.namesOf(database.db, personIds),
    readersOf: async (personIds) => new Map((await store.readersOf(database.db, personIds)).map((row) => (
      [row.id, { locale: row.locale as Locale, timeZone: row.time_zone }]
    ))),
    patchMe: (personId, patch) => patchMe(parts, personId, patch),
    addresses: (personId) => store.addressesOf(database.db, personId),
    addAddress: (personId, address) => addAddress(parts, personId, address),
    removeAddress: async (personId, addressId) => {
      if (!(await store.deleteAddress(database.db, personId, addressId))) throw new Refusal('request.not_found');
    },
    demoAccounts: (origin) => demoAccounts(parts, origin),
    createPerson: (input) => createPerson(parts, input),
    makeOperator: (email) => makeOperator(parts, email),
    ways: createWays(parts),
    stop: async () => {
      sessions.stop();
      await sweep.stop();
    },
  };
}

/** Where a request came from, by its socket. */
export function originOf(request: FastifyRequest): Origin {
  const { socket, httpVersion } = request.raw;
  return { headers: request.headers, remoteAddress: socket.remoteAddress, httpVersion };
}

async function findPerson(parts: AccountsParts, request: FastifyRequest): Promise<PersonActor | null> {
  const actor = await parts.sessions.find(request.headers.cookie);
  if (actor?.isDemo && !mayUseDemo(parts.demoAccounts !== null, originOf(request))) {
    throw new Refusal('accounts.demo_only_here');
  }
  return actor;
}

async function findPersonByHeaders(parts: AccountsParts, origin: Origin): Promise<PersonActor | null> {
  const actor = await parts.sessions.find(origin.headers.cookie);
  return actor?.isDemo && !mayUseDemo(parts.demoAccounts !== null, origin) ? null : actor;
}

async function patchMe(parts: AccountsParts, personId: string, patch: MePatch): Promise<Person> {
  const { database, clock, bus } = parts.platform;
  const name = patch.name === undefined ? undefined : cleanName(patch.name);
  if (name === null) throw new Refusal('request.invalid', { details: { field: 'name' } });
  if (patch.timeZone !== undefined && !isTimeZone(patch.timeZone)) {
    throw new Refusal('request.invalid', { details: { field: 'timeZone' } });
  }
  const row = await database.transaction(async (tx) => {
    afterCommit(tx, () => bus.publish(PERSON_CHANGED_TOPIC, { personId } satisfies PersonChanged));
    return store.updatePerson(tx, personId, {
      ...(name === undefined ? {} : { name }),
      ...(patch.locale === undefined ? {} : { locale: patch.locale }),
      ...(patch.timeZone === undefined ? {} : { time_zone: patch.timeZone }),
      updated_at: clock.now(),
    });
  });
  const person = viewOf(row);
  if (person === null) throw new Refusal('accounts.sign_in_first');
  return person;
}

async function addAddress(parts: AccountsParts, personId: string, address: Address): Promise<SavedAddress> {
  const { database, clock, newId } = parts.platform;
  return database.transaction(async (tx) => {
    await store.lockAddressBook(tx, personId);
    const saved = await store.addressesOf(tx, personId);
    const sameId = await store.sameAddress(tx, personId, address);
    const same = saved.find(({ id }) => id === sameId);
    if (same !== undefined) return same;
    if (saved.length >= ADDRESSES_MAX) throw new Refusal('accounts.too_many_addresses');
    const added = { id: newId(), address, createdAt: clock.now() };
    await store.insertAddress(tx, added.id, personId, address, added.createdAt);
    return { ...added, createdAt: added.createdAt.toISOString() };
  });
}

async function demoAccounts(parts: AccountsParts, origin: Origin): Promise<DemoAccount[]> {
  return parts.demoAccounts !== null && mayUseDemo(true, origin) ? parts.demoAccounts() : [];
}

function demoMails(parts: AccountsParts, origin: Origin, viewer: string): DemoMails {
  if (!mayUseDemo(parts.demoAccounts !== null, origin)) return { mails: [], texts: [] };
  return {
    mails: parts.mailer.keptFor(viewer).map(({ subject, text, link }) => ({ subject, text, link })),
    texts: parts.texter.keptFor(viewer).map(({ to, text }) => ({ to, text })),
  };
}

async function createPerson(parts: AccountsParts, input: NewPerson): Promise<string> {
  const { database, clock, newId } = parts.platform;
  const id = newId();
  const passwordHash = await parts.passwords.hash(input.password);
  try {
    await database.transaction(async (tx) => {
      const now = clock.now();
      await store.insertPerson(tx, {
        id, name: input.name, email: input.email.toLowerCase(), locale: input.locale, time_zone: input.timeZone,
        is_demo: input.isDemo, created_at: now, updated_at: now,
      }, { id: newId(), passwordHash }, now);
    });
  } catch (error) {
    if (violates(error, 'person_email_key')) throw new Refusal('accounts.email_taken');
    throw error;
  }
  return id;
}

async function makeOperator(parts: AccountsParts, email: string): Promise<boolean> {
  const { database, clock, bus } = parts.platform;
  const person = await store.personByEmail(database.db, email);
  if (person === undefined) return false;
  await database.transaction((tx) => store.updatePerson(tx, person.id, { is_operator: true, updated_at: clock.now() }));
  bus.publish(PERSON_CHANGED_TOPIC, { personId: person.id } satisfies PersonChanged);
  return true;
}

function viewOf(row: store.PersonRow | undefined): Person | null {
  return row === undefined ? null : {
    id: row.id,
    name: row.name,
    email: row.email,
    phone: row.phone,
    locale: row.locale as Locale,
    timeZone: row.time_zone,
    isOperator: row.is_operator,
    isDemo: row.is_demo,
  };
}

