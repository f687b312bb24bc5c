import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { buildAnswer } from './answer.ts';
import { parseOffer } from './offer.ts';

/** Chromium's of a small size that is paused and the full one; OBS's of three, as libdatachannel writes them. */
const corpus = (name: string): string => (
  readFileSync(new URL(`../../../tests/fuzz/corpus/sdp/${name}.sdp`, import.meta.url), 'utf8')
);
const chromium = corpus('chromium-sizes');
const obs = corpus('obs-sizes');
const transport = {
  iceUfrag: 'ours', icePwd: 'p'.repeat(32), fingerprint: `sha-256 ${Array(32).fill('AB').join(':')}`,
  setup: 'active', addresses: ['192.0.2.7'], udpPort: 4000,
} as const;

const answerTo = (sdp: string): string[] => buildAnswer(parseOffer(sdp), transport).split('\r\n');
const takenOf = (sdp: string): string[] | undefined => (
  parseOffer(sdp).simulcast?.layers.filter(({ isTaken }) => isTaken).map(({ rid }) => rid)
);
const sizesLines = (sdp: string): string[] => (
  answerTo(sdp).filter((line) => /^a=(rid|simulcast|extmap:\d+ urn:ietf)/.test(line))
);

test('[M161] a browser’s two sizes are both taken, and one that it does not send yet stays so', () => {
  assert.deepEqual(sizesLines(chromium), [
    'a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
    'a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
    'a=rid:s recv', 'a=rid:f recv', 'a=simulcast:recv ~s;f',
  ]);
  const lines = answerTo(chromium);
  assert.ok(lines.indexOf('a=simulcast:recv ~s;f') < lines.findIndex((line) => line.startsWith('m=audio')));
});

test('[M161] of OBS’s three the outer ones are taken, and none is refused, which it would take for a failure', () => {
  assert.deepEqual(takenOf(obs), ['0', '2']);
  assert.deepEqual(sizesLines(obs), [
    'a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
    'a=rid:0 recv', 'a=rid:1 recv', 'a=rid:2 recv', 'a=simulcast:recv 0;~1;2',
  ]);
});

test('[M161] where restrictions say how large each is, the largest and the smallest are taken', () => {
  const restricted = obs
    .replace('a=rid:0 send', 'a=rid:0 send pt=96;max-width=640;max-height=360')
    .replace('a=rid:1 send', 'a=rid:1 send pt=96,97;max-fs=3600')
    .replace('a=rid:2 send', 'a=rid:2 send max-width=320;max-height=180');
  assert.deepEqual(takenOf(restricted), ['1', '2']);
  assert.deepEqual(sizesLines(restricted).slice(1), [
    'a=rid:0 recv pt=96;max-width=640;max-height=360', 'a=rid:1 recv pt=96;max-fs=3600',
    'a=rid:2 recv pt=96;max-width=320;max-height=180', 'a=simulcast:recv ~0;1;2',
  ]);
});

test('[M161] of alternatives the first is taken that comes in the chosen codec', () => {
  const alternatives = obs
    .replace('a=simulcast:send 0;1;2', 'a=simulcast:send 0,1;~2')
    .replace('a=rid:0 send', 'a=rid:0 send pt=97');
  assert.deepEqual(takenOf(alternatives), ['1', '2']);
  assert.equal(sizesLines(alternatives).at(-1), 'a=simulcast:recv 1;~2');
});

test('[M161] what is of one size, or cannot be told apart, is answered as ever', () => {
  for (const sdp of [
    obs.replace('a=simulcast:send 0;1;2\r\n', ''),
    obs.replace('a=simulcast:send 0;1;2', 'a=simulcast:send 0'),
    obs.replace('a=simulcast:send 0;1;2', 'a=simulcast:send 0;0'),
    obs.replace('a=simulcast:send 0;1;2', 'a=simulcast:recv 0;1;2'),
    obs.replace('a=simulcast:send 0;1;2', 'a=simulcast:send 0;x y;\u0000;../1'),
    obs.replace(/^a=extmap:2 .*\r\n/m, ''),
    obs.replace('a=extmap:2 ', 'a=extmap:200 '),
  ]) {
    assert.equal(parseOffer(sdp).simulcast, null, sdp);
    assert.deepEqual(sizesLines(sdp), []);
  }
});

test('[M161] a list without end is cut, and nothing of it breaks out of its line', () => {
  const many = Array.from({ length: 500 }, (_, index) => `r${index}`);
  const flood = obs
    .replace('a=simulcast:send 0;1;2', `a=simulcast:send ${many.join(';')}`)
    .replace('a=rid:0 send', many.map((rid) => `a=rid:${rid} send max-br=1; x=<>`).join('\r\n'));
  assert.equal(parseOffer(flood).simulcast, null, 'restrictions that are none');
  const long = flood.replaceAll('; x=<>', '');
  assert.equal(parseOffer(long).simulcast?.layers.length, 8);
  for (const line of answerTo(long).slice(0, -1)) assert.match(line, /^[a-z]=[\x20-\x7e]{1,300}$/);
});
