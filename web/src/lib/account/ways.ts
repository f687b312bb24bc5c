/** Calls about ways to sign in, by their verb. Each throws an ApiError when refused. */
import type { Me } from '@nacre/contract/accounts';
import type { CodeAsked, CodeSent, Confirmation, PhoneSignIn, Ways } from '@nacre/contract/identity';
import { api, ask } from '#lib/api.ts';
import { ApiError } from '#lib/problem.ts';

export interface CodeWaits extends CodeSent {
  /** Nothing was sent now: the code from before is still good. */
  isFromBefore?: true;
}

/** Has a code texted; the answer does not say whether anybody has the number. */
export async function askCode(asked: CodeAsked): Promise<CodeWaits> {
  try {
    return await ask(api.POST('/api/auth/phone-code', { body: asked }));
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'accounts.code_not_sent' || !('phone' in error.details)) {
      throw error;
    }
    return { ...(error.details as CodeSent), isFromBefore: true };
  }
}

/** In the browser's time zone, if it makes an account. */
export function signInByPhone(body: Omit<PhoneSignIn, 'timeZone'>): Promise<Me> {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return ask(api.POST('/api/auth/sign-in/phone', { body: { ...body, timeZone } }));
}

export const getWays = (): Promise<Ways> => ask(api.GET('/api/me/ways'));

/** Shows once more who it is. */
export async function confirmMe(body: Confirmation): Promise<void> {
  await ask(api.POST('/api/me/confirm', { body }));
}

export async function putPhone(phone: string, code: string): Promise<void> {
  await ask(api.PUT('/api/me/phone', { body: { phone, code } }));
}

export async function removePhone(): Promise<void> {
  await ask(api.DELETE('/api/me/phone'));
}

export async function renamePasskey(passkeyId: string, name: string): Promise<void> {
  await ask(api.PATCH('/api/me/passkeys/{passkeyId}', { params: { path: { passkeyId } }, body: { name } }));
}

export async function removePasskey(passkeyId: string): Promise<void> {
  await ask(api.DELETE('/api/me/passkeys/{passkeyId}', { params: { path: { passkeyId } } }));
}

/** Has a link mailed to another e-mail. */
export async function askEmailChange(email: string): Promise<void> {
  await ask(api.POST('/api/me/email', { body: { email } }));
}

/** Has the link mailed again that confirms the e-mail; how things stand. */
export const askEmailProof = (): Promise<Ways> => ask(api.POST('/api/me/email-link'));

/** Takes a mailed link: to one's e-mail as it is, to the new e-mail, or to the old one. */
export async function takeEmailLink(which: 'own' | 'new' | 'old', token: string): Promise<string> {
  if (which === 'own') return (await ask(api.POST('/api/me/prove-email', { body: { token } }))).email ?? '';
  const path = which === 'new' ? '/api/auth/confirm-email' : '/api/auth/undo-email';
  return (await ask(api.POST(path, { body: { token } }))).email;
}
