import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { hashStreamKey, newStreamKey } from './stream-key.ts';

test('[S9] a key says what it is, holds 32 random bytes, and is kept as SHA-256', () => {
  const key = newStreamKey();
  assert.match(key, /^nacre_stream_[A-Za-z0-9_-]{43}$/);
  assert.equal(Buffer.from(key.slice('nacre_stream_'.length), 'base64url').length, 32);
  assert.deepEqual(hashStreamKey(key), createHash('sha256').update(key).digest());
  assert.notEqual(newStreamKey(), key);
});

test('[S9] what cannot be a key is not looked up', () => {
  for (const text of ['', 'nacre_stream_', `${newStreamKey()}x`, ` ${newStreamKey()}`, 'x'.repeat(56)]) {
    assert.equal(hashStreamKey(text), null);
  }
});
