/**
 * Passkeys in this browser (WebAuthn Level 3). Loaded when somebody wants one: none of it is in the first bytes of a
 * page. `null` is the answer of whoever closed the browser's own sheet, which is no error.
 */
import type { Me } from '@nacre/contract/accounts';
import type { Passkey, PasskeyMade, PasskeyShown } from '@nacre/contract/identity';
import {
  browserSupportsWebAuthnAutofill,
  startAuthentication,
  startRegistration,
  WebAuthnAbortService,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/browser';
import { api, ask } from '#lib/api.ts';
import { ApiError } from '#lib/problem.ts';

/** The server's challenge holds for five minutes: who takes up the offer after that would be refused. */
const RENEWED_AFTER_MS = 4 * 60_000;
/** Nobody tries as often; an authenticator that answers by itself would for ever. */
const REFUSALS_MAX = 5;

/** What the browser says when the person, or the page itself, has ended it. */
const ended = new Set(['NotAllowedError', 'AbortError']);

async function unlessEnded<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (ended.has(name)) return null;
    // The authenticator has one of this account already.
    throw new ApiError(name === 'InvalidStateError' ? 'accounts.passkey_known' : 'accounts.passkey_failed', 0);
  }
}

export async function makePasskey(): Promise<Passkey | null> {
  const { options } = await ask(api.POST('/api/me/passkey-options'));
  const optionsJSON = options as PublicKeyCredentialCreationOptionsJSON;
  const made = await unlessEnded(startRegistration({ optionsJSON }));
  if (made === null) return null;
  const { id, rawId, type, response } = made;
  const { clientDataJSON, attestationObject, transports } = response;
  const body: PasskeyMade = {
    id,
    rawId,
    type,
    response: { clientDataJSON, attestationObject, ...(transports ? { transports } : {}) },
  };
  return ask(api.POST('/api/me/passkeys', { body }));
}

/** @param offered among what the browser fills into the field, without a sheet of its own, for as long as it takes */
async function shown(options: unknown, offered: boolean): Promise<PasskeyShown | null> {
  const optionsJSON = options as PublicKeyCredentialRequestOptionsJSON;
  const answer = await unlessEnded(
    startAuthentication({ optionsJSON, useBrowserAutofill: offered, verifyBrowserAutofillInput: false }),
  );
  if (answer === null) return null;
  const { id, rawId, type, response } = answer;
  const { clientDataJSON, authenticatorData, signature, userHandle } = response;
  return {
    id,
    rawId,
    type,
    response: { clientDataJSON, authenticatorData, signature, ...(userHandle ? { userHandle } : {}) },
  };
}

const askOptions = async () => (await ask(api.POST('/api/auth/passkey-options'))).options;
const signInWith = (body: PasskeyShown): Promise<Me> => ask(api.POST('/api/auth/sign-in/passkey', { body }));

/** By the browser's own sheet. */
export async function signInByPasskey(): Promise<Me | null> {
  const body = await shown(await askOptions(), false);
  return body && signInWith(body);
}

/**
 * Offers passkeys among what the browser fills into the field, until one is taken, the sheet is opened in its place or
 * `signal` ends it. One that is refused is told, and the offer begins anew.
 */
export async function offerPasskeys(
  on: { signedIn(me: Me): void; refused(error: unknown): void },
  signal: AbortSignal,
): Promise<void> {
  if (!(await browserSupportsWebAuthnAutofill())) return;
  for (let refusals = 0; refusals < REFUSALS_MAX; ) {
    const options = await askOptions();
    if (signal.aborted) return;
    signal.addEventListener('abort', endOffer, { once: true });
    let isOver = false;
    const timer = setTimeout(() => {
      isOver = true;
      endOffer();
    }, RENEWED_AFTER_MS);
    const body = await shown(options, true).finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', endOffer);
    });
    if (body === null && isOver) continue;
    if (body === null) return;
    try {
      return on.signedIn(await signInWith(body));
    } catch (error) {
      if (signal.aborted) return;
      on.refused(error);
      refusals += 1;
    }
  }
}

function endOffer(): void {
  WebAuthnAbortService.cancelCeremony();
}
