/** Signing in and out. The session is a cookie of the server's; this page never sees a token. */
import type { DemoAccounts, Me, SignUp } from '@nacre/contract/accounts';
import type { Static } from 'typebox';
import { ApiError, errorFrom } from './problem.ts';

async function post(path: string, body: unknown): Promise<Me> {
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
  return (await answer.json()) as Me;
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

/** What the demo offers to sign in as; empty where there is none. */
export async function demoAccounts(): Promise<Static<typeof DemoAccounts>['accounts']> {
  const answer = await fetch('/api/demo-accounts');
  if (!answer.ok) return [];
  return ((await answer.json()) as Static<typeof DemoAccounts>).accounts;
}
