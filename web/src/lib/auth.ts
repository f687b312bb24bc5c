/** Signing in and out. The session is a cookie of the server's; this page never sees a token. */
import type { DemoAccounts } from '@nacre/contract/accounts';
import type { Static } from 'typebox';
import { ApiError, errorFrom } from './problem.ts';

async function post(path: string, body: unknown): Promise<void> {
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
}

export function signIn(who: { email: string; password: string }): Promise<void> {
  return post('/api/auth/sign-in/email', { email: who.email, password: who.password });
}

export function signUp(who: { name: string; email: string; password: string }): Promise<void> {
  return post('/api/auth/sign-up/email', who);
}

export function signOut(): Promise<void> {
  return post('/api/auth/sign-out', {});
}

/** Ends every session of the person, this one included. */
export function signOutEverywhere(): Promise<void> {
  return post('/api/auth/revoke-sessions', {});
}

/** What the demo offers to sign in as; empty where there is none. */
export async function demoAccounts(): Promise<Static<typeof DemoAccounts>['accounts']> {
  const answer = await fetch('/api/demo-accounts');
  if (!answer.ok) return [];
  return ((await answer.json()) as Static<typeof DemoAccounts>).accounts;
}
