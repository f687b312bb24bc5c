import assert from 'node:assert/strict';
import test from 'node:test';
import { iceServerLinks, iceServersFor, turnValidSeconds } from './ice-servers.ts';

const turn = { urls: ['turn:turn.example.org:3478', 'turns:turn.example.org:5349?transport=tcp'], secret: 'north' };

test('[V81] names and passwords are those of coturn’s REST scheme, and hold for some hours', () => {
  const [first, second] = iceServersFor(turn, 'show-1', 1_800_000_000_500);
  assert.deepEqual(first, {
    url: 'turn:turn.example.org:3478',
    username: `${1_800_000_000 + turnValidSeconds}:show-1`,
    // printf '1800021600:show-1' | openssl dgst -sha1 -hmac north -binary | base64
    credential: '4Hhd0RAGI/q3b7H/Wd6r+PBRVyY=',
  });
  assert.equal(second?.credential, first?.credential);
  assert.deepEqual(iceServersFor(null, 'show-1', 0), []);
});

test('[V81] they are told as RFC 9725 §4.6 has it, in one header', () => {
  const value = iceServerLinks(iceServersFor(turn, 'show-1', 0)) ?? '';
  assert.ok(value.startsWith('<turn:turn.example.org:3478>; rel="ice-server"; username="21600:show-1"; credential="'));
  assert.equal(value.match(/rel="ice-server"/g)?.length, 2);
  assert.equal(iceServerLinks([]), null);
});
