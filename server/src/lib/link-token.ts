/**
 * The secret in a link that is handed on or mailed. Told once; only its SHA-256 is kept. With 256 random bits a plain
 * hash cannot be searched. Never logged.
 */
import { createHash, randomBytes } from 'node:crypto';

const RANDOM_BYTES = 32;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

export function newLinkToken(): string {
  return randomBytes(RANDOM_BYTES).toString('base64url');
}

/** SHA-256 of the token; null for what cannot be one. */
export function hashLinkToken(token: string): Buffer | null {
  return TOKEN.test(token) ? createHash('sha256').update(token).digest() : null;
}
