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
export async function signInByPasskey(offered = false): Promise<Me | null> {
  if (offered && !(await browserSupportsWebAuthnAutofill())) return null;
  const { options } = await ask(api.POST('/api/auth/passkey-options'));
  const optionsJSON = options as PublicKeyCredentialRequestOptionsJSON;
  const shown = await unlessEnded(
    startAuthentication({ optionsJSON, useBrowserAutofill: offered, verifyBrowserAutofillInput: false }),
  );
  if (shown === null) return null;
  const { id, rawId, type, response } = shown;
  const { clientDataJSON, authenticatorData, signature, userHandle } = response;
  const body: PasskeyShown = {
    id,
    rawId,
    type,
    response: { clientDataJSON, authenticatorData, signature, ...(userHandle ? { userHandle } : {}) },
  };
  return ask(api.POST('/api/auth/sign-in/passkey', { body }));
}

/** Ends an offer that waits. */
export function endOffer(): void {
  WebAuthnAbortService.cancelCeremony();
}
