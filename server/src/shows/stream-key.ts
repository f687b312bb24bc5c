/**
 * The key that a show is published with. Shown once; only its SHA-256 is kept. With 256 random bits a plain hash cannot
 * be searched, and no slow one is needed. Never logged: nothing that holds a key is handed to the log.
 */
import { createHash, randomBytes } from 'node:crypto';

/** Tells people and secret scanners what it is. */
const PREFIX = 'nacre_stream_';
const RANDOM_BYTES = 32;
const KEY = /^nacre_stream_[A-Za-z0-9_-]{43}$/;

export function newStreamKey(): string {
  return PREFIX + randomBytes(RANDOM_BYTES).toString('base64url');
}

/** SHA-256 of the key; null for what cannot be one. */
export function hashStreamKey(key: string): Buffer | null {
  return KEY.test(key) ? createHash('sha256').update(key).digest() : null;
}
