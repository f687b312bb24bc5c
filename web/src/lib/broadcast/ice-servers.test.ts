import assert from 'node:assert/strict';
import test from 'node:test';
import { readIceServers } from './ice-servers.ts';

test('[V81] the page reads ICE servers out of Link headers, and nothing else', () => {
  const link = '<turn:turn.example.org:3478?transport=tcp>; rel="ice-server"; username="9:a"; credential="x+/="; '
    + 'credential-type="password", <stun:stun.example.org>; rel="ice-server", <https://example.org>; rel="ice-server", '
    + '<turn:other.example.org>; rel="next"';
  assert.deepEqual(readIceServers(link), [
    { urls: 'turn:turn.example.org:3478?transport=tcp', username: '9:a', credential: 'x+/=' },
    { urls: 'stun:stun.example.org' },
  ]);
  for (const nothing of ['', '<', '<turn:a', 'turn:a; rel="ice-server"', '<turn:a>; rel=ice-server']) {
    assert.deepEqual(readIceServers(nothing), [], nothing);
  }
});
