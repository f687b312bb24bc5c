/**
 * Passkeys (WebAuthn Level 3): making one for an account, and signing in with it. The formats are @simplewebauthn's.
 *
 * Invariants: a challenge is ours, for one browser, five minutes and one answer; a passkey is of one person; a
 * signature counter only grows.
 */
import { isIP } from 'node:net';
import type { Passkey, PasskeyMade, PasskeyShown } from '@nacre/contract/identity';
import {
  generateAuthenticationOptions, generateRegistrationOptions, verifyAuthenticationResponse, verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { LRUCache } from 'lru-cache';
import type { PersonActor } from '../http/actor.ts';
import { Refusal } from '../lib/refusal.ts';
import type { Clock } from '../platform/clock.ts';
import { violates } from '../platform/database.ts';
import type { AccountsParts } from './accounts.ts';
import { browserOf, systemOf } from './device-words.ts';
import { cleanName } from './profile.ts';
import { lockActor, openSession, type Client, type SignedIn } from './signing.ts';
import { personById } from './store.ts';
import * as store from './ways-store.ts';

/** Of one person. Nobody knows more of them apart. */
export const PASSKEYS_MAX = 20;
/** A fingerprint takes seconds, a telephone that has to be fetched minutes. */
const CHALLENGE_MS = 5 * 60_000;
/** Open at a time, 0.3 KB each. Fewer, and whoever asks for many ends those of others. */
const CHALLENGES_MAX = 20_000;
/** Of one address in a quarter of an hour: each opened sign-in sheet asks for one. */
const CHALLENGES_OF_ADDRESS = 600;
const RP_NAME = 'Nacre';
/** COSE: EdDSA, ES256, RS256, which all authenticators between them know (IANA COSE Algorithms). */
const ALGORITHMS = [-8, -7, -257];

interface Challenge {
  kind: 'make' | 'show';
  /** Who asked, as `viewerOf` names them. */
  viewer: string;
  origin: string;
  rpId: string;
  untilMs: number;
}

export interface Challenges {
  keep(challenge: string, asked: Omit<Challenge, 'untilMs'>): void;
  /** It is gone afterwards. Null when it is not ours, not theirs or over. */
  take(challenge: string, kind: Challenge['kind'], viewer: string): Challenge | null;
}

export function createChallenges({ clock }: { clock: Clock }): Challenges {
  const kept = new LRUCache<string, Challenge>({ max: CHALLENGES_MAX });
  return {
    keep: (challenge, asked) => void kept.set(challenge, { ...asked, untilMs: clock.now().getTime() + CHALLENGE_MS }),
    take(challenge, kind, viewer) {
      const found = kept.get(challenge);
      kept.delete(challenge);
      const isTheirs = found?.kind === kind && found.viewer === viewer && found.untilMs > clock.now().getTime();
      return isTheirs ? found : null;
    },
  };
}

/**
 * The page that asks: one of our own addresses, by a name. An IP address cannot be what a passkey is for (WebAuthn
 * Level 3, section 5.1.2), so there is none in a network where the server has no name.
 */
function placeOf(parts: AccountsParts, client: Client): { origin: string; rpId: string } {
  const { origin } = client.headers;
  const url = origin === undefined ? null : URL.parse(origin);
  const isOurs = url !== null && parts.origins().some((ours) => URL.parse(ours)?.origin === url.origin);
  if (!isOurs || isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0) throw new Refusal('accounts.passkey_not_here');
  return { origin: url.origin, rpId: url.hostname };
}

function countChallenge(parts: AccountsParts, client: Client): void {
  parts.attempts.begin([{ key: `passkey ${client.ip}`, max: CHALLENGES_OF_ADDRESS, windowMs: 15 * 60_000 }]);
}

export async function makeOptions(
  parts: AccountsParts, client: Client, actor: PersonActor, viewer: string,
): Promise<unknown> {
  countChallenge(parts, client);
  const place = placeOf(parts, client);
  const { db } = parts.platform.database;
  const [person, passkeys] = await Promise.all([
    personById(db, actor.personId), store.passkeysOf(db, actor.personId),
  ]);
  if (passkeys.length >= PASSKEYS_MAX) throw new Refusal('accounts.too_many_passkeys');
  const options = await generateRegistrationOptions({
    rpName: RP_NAME, rpID: place.rpId,
    userID: handleOf(actor.personId),
    userName: person?.email ?? person?.phone ?? actor.name, userDisplayName: actor.name,
    attestationType: 'none', timeout: CHALLENGE_MS, supportedAlgorithmIDs: ALGORITHMS,
    excludeCredentials: passkeys.map(({ credential_id: id, transports }) => ({ id, transports })),
    // It signs in by itself: found without a name, and only after a look, a finger or a PIN.
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  });
  parts.challenges.keep(options.challenge, { kind: 'make', viewer, ...place });
  return options;
}

export async function makePasskey(
  parts: AccountsParts, client: Client, actor: PersonActor, viewer: string, made: PasskeyMade,
): Promise<Passkey> {
  const asked = parts.challenges.take(challengeIn(made.response.clientDataJSON), 'make', viewer);
  if (asked === null) throw new Refusal('accounts.passkey_failed');
  const { registrationInfo } = await checked(parts, () => verifyRegistrationResponse({
    response: { ...made, response: { ...made.response }, clientExtensionResults: {} },
    expectedChallenge: challengeIn(made.response.clientDataJSON),
    expectedOrigin: asked.origin, expectedRPID: asked.rpId, requireUserVerification: true,
    supportedAlgorithmIDs: ALGORITHMS,
  }));
  if (registrationInfo === undefined) throw new Refusal('accounts.passkey_failed');
  const { id: credentialId, publicKey, counter, transports = [] } = registrationInfo.credential;
  const { database, clock, newId } = parts.platform;
  const agent = client.headers['user-agent'] ?? '';
  const row: store.PasskeyRow = {
    id: newId(), person_id: actor.personId, credential_id: credentialId, public_key: Buffer.from(publicKey),
    counter: BigInt(counter), transports, created_at: clock.now(), last_used_at: null,
    name: [browserOf(agent), systemOf(agent)].filter(Boolean).join(', ') || 'Passkey',
  };
  try {
    await database.transaction(async (tx) => {
      await lockActor(tx, actor);
      const known = await store.passkeysOf(tx, actor.personId);
      if (known.length >= PASSKEYS_MAX) throw new Refusal('accounts.too_many_passkeys');
      await store.insertPasskey(tx, row);
    });
  } catch (error) {
    if (violates(error, 'passkey_credential_id_key')) throw new Refusal('accounts.passkey_known');
    throw error;
  }
  return passkeyView(row);
}

export async function showOptions(parts: AccountsParts, client: Client, viewer: string): Promise<unknown> {
  countChallenge(parts, client);
  const place = placeOf(parts, client);
  const options = await generateAuthenticationOptions({
    rpID: place.rpId, userVerification: 'required', timeout: CHALLENGE_MS,
  });
  parts.challenges.keep(options.challenge, { kind: 'show', viewer, ...place });
  return options;
}

export async function signInByPasskey(
  parts: AccountsParts, client: Client, viewer: string, shown: PasskeyShown,
): Promise<SignedIn> {
  const challenge = challengeIn(shown.response.clientDataJSON);
  const asked = parts.challenges.take(challenge, 'show', viewer);
  if (asked === null) throw new Refusal('accounts.passkey_failed');
  const { database, clock } = parts.platform;
  // The row is held: two answers at once do not both pass with one count.
  const personId = await database.transaction(async (tx) => {
    const row = await store.lockPasskey(tx, shown.id);
    if (row === undefined) throw new Refusal('accounts.passkey_unknown');
    const { userHandle } = shown.response;
    if (userHandle !== undefined && userHandle !== Buffer.from(handleOf(row.person_id)).toString('base64url')) {
      throw new Refusal('accounts.passkey_failed');
    }
    const { verified, authenticationInfo } = await checked(parts, () => verifyAuthenticationResponse({
      response: { ...shown, response: { ...shown.response }, clientExtensionResults: {} } as never,
      expectedChallenge: challenge, expectedOrigin: asked.origin, expectedRPID: asked.rpId,
      requireUserVerification: true,
      credential: {
        id: row.credential_id, publicKey: new Uint8Array(row.public_key), counter: Number(row.counter),
        transports: row.transports,
      },
    }));
    if (!verified) throw new Refusal('accounts.passkey_failed');
    await store.notePasskeyUse(tx, row.id, { counter: authenticationInfo.newCounter, at: clock.now() });
    return row.person_id;
  });
  return openSession(parts, client, personId, 'accounts.passkey_unknown', async (tx) =>
    (await store.lockPasskey(tx, shown.id)) !== undefined);
}

export async function renamePasskey(
  parts: AccountsParts, personId: string, id: string, typed: string,
): Promise<Passkey> {
  const name = cleanName(typed);
  if (name === null) throw new Refusal('request.invalid', { details: { field: 'name' } });
  const row = await store.renamePasskey(parts.platform.database.db, personId, id, name);
  if (row === undefined) throw new Refusal('request.not_found');
  return passkeyView(row);
}

export async function removePasskey(parts: AccountsParts, actor: PersonActor, id: string): Promise<void> {
  await parts.platform.database.transaction(async (tx) => {
    await lockActor(tx, actor);
    if (!(await store.deletePasskey(tx, actor.personId, id))) throw new Refusal('request.not_found');
  });
}

export function passkeyView(row: store.PasskeyRow): Passkey {
  return {
    id: row.id, name: row.name, createdAt: row.created_at.toISOString(),
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
  };
}

/** What the authenticator knows a person by: the bytes of the id, which says nothing of them. */
function handleOf(personId: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(personId.replaceAll('-', ''), 'hex'));
}

/** The challenge that an answer says it is for (WebAuthn Level 3, section 5.8.1); empty for none. */
function challengeIn(clientDataJSON: string): string {
  try {
    const data = JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString()) as { challenge?: unknown };
    return typeof data.challenge === 'string' ? data.challenge : '';
  } catch {
    // No JSON: nobody asked for that.
    return '';
  }
}

/** The library throws for whatever is not right in an answer from outside. */
async function checked<T>(parts: AccountsParts, verify: () => Promise<T>): Promise<T> {
  try {
    return await verify();
  } catch (error) {
    parts.platform.log.warn({ reason: error instanceof Error ? error.message : '' }, 'a passkey was refused');
    throw new Refusal('accounts.passkey_failed');
  }
}
