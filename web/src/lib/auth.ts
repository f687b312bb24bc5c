/** Signing in and out. The session is a cookie of the server's; this page never sees a token. */
import type { DemoAccounts, DemoMails, Me, SignUp } from '@nacre/contract/accounts';
import type { Static } from 'typebox';
import { ApiError, errorFrom } from './problem.ts';

async function send(path: string, body: unknown): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  } catch {
    throw new ApiError('network', 0);
  }
  if (!answer.ok) throw errorFrom(await answer.json().catch(() => null), answer.status);
  return answer;
}

async function post(path: string, body: unknown): Promise<Me> {
  return (await (await send(path, body)).json()) as Me;
}

export function signIn(who: { email: string; password: string }): Promise<Me> {
  return post('/api/auth/sign-in/email', { email: who.email, password: who.password });
}

/** In the browser's time zone. */
export function signUp(who: Omit<SignUp, 'timeZone'>): Promise<Me> {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return post('/api/auth/sign-up/email', { ...who, timeZone } satisfies SignUp);
}

export function signOut(): Promise<Me> {
  return post('/api/auth/sign-out', {});
}

/** Ends every session of the person, this one included. */
export function signOutEverywhere(): Promise<Me> {
  return post('/api/auth/revoke-sessions', {});
}

/** Has a link mailed, if anybody has this e-mail; the answer does not say. */
export async function forgotPassword(email: string): Promise<void> {
  await send('/api/auth/forgot-password', { email });
}

/** By the mailed link: ends all sessions of the person and signs in here. */
export function resetPassword(token: string, password: string): Promise<Me> {
  return post('/api/auth/reset-password', { token, password });
}

/** Mails and texts of the demo to whoever asks, newest first; empty where there is none. */
export async function demoMails(): Promise<DemoMails> {
  const answer = await fetch('/api/demo-mails');
  return answer.ok ? ((await answer.json()) as DemoMails) : { mails: [], texts: [] };
}

/** What the demo offers to sign in as; empty where there is none. */
export async function demoAccounts(): Promise<Static<typeof DemoAccounts>['accounts']> {
  const answer = await fetch('/api/demo-accounts');
  if (!answer.ok) return [];
  return ((await answer.json()) as Static<typeof DemoAccounts>).accounts;
}
