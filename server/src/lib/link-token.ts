/**
 * The secret in a link that is handed on or mailed. Told once; only its SHA-256 is kept. With 256 random bits a plain
 * hash cannot be searched. Never logged.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { RefusalCode } from '@nacre/contract/refusals';
import { Refusal } from './refusal.ts';

const RANDOM_BYTES = 32;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();

export function newLinkToken(): { token: string; hash: Buffer } {
  const token = randomBytes(RANDOM_BYTES).toString('base64url');
  return { token, hash: hashOf(token) };
}

/** SHA-256 of a token that somebody brings. @throws Refusal `none` for what cannot be one */
export function hashLinkToken(token: string, none: RefusalCode): Buffer {
  if (!TOKEN.test(token)) throw new Refusal(none);
  return hashOf(token);
}
