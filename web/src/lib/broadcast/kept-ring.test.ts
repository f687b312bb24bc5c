import assert from 'node:assert/strict';
import test from 'node:test';
import { readPart } from '@nacre/contract/healing';
import { encodePublished } from '@nacre/contract/publish';
import { createKeptRing, type KeptPiece, ringMs } from './kept-ring.ts';

/** Ten pictures a second, a key picture each 2 s, one sound for each picture. */
function film(pictureBytes = 100) {
  const pieces: KeptPiece[] = [];
  const ring = createKeptRing((piece) => pieces.push(piece));
  let atMs = 0;
  return {
    ring, pieces,
    for(ms: number) {
      for (const endMs = atMs + ms; atMs < endMs; atMs += 100) {
        for (const kind of ['picture', 'sound'] as const) {
          const bytes = encodePublished({
            kind, capturedMs: atMs, bytes: new Uint8Array(kind === 'sound' ? 10 : pictureBytes),
          });
          ring.add({ kind, isKey: kind === 'picture' && atMs % 2_000 === 0, atMs, bytes });
        }
      }
    },
    trouble: (is: boolean) => ring.setTrouble(is, atMs),
  };
}

test('[W361] without trouble nothing is kept for good, and memory holds half a minute', () => {
  const { ring, pieces, for: play } = film();
  play(300_000);
  assert.deepEqual(pieces, []);
  const perSecond = 10 * (100 + 9 + 4 + 10 + 9 + 4);
  assert.ok(ring.bytes() <= perSecond * (ringMs / 1_000 + 4), `${ring.bytes()}`);
});

test('[W362] trouble keeps what was filmed before it, during it and just after, without a gap', () => {
  const { ring, pieces, for: play, trouble } = film();
  play(60_000);
  trouble(true);
  play(9_000);
  trouble(true);
  play(1_000);
  trouble(false);
  play(30_000);
  assert.ok(pieces.length > 3, `${pieces.length}`);
  assert.ok(pieces[0]!.startedAtMs <= 60_000 - ringMs + 4_000, `${pieces[0]!.startedAtMs}`);
  const last = pieces.at(-1)!.endedAtMs;
  assert.ok(last >= 76_000 && last < 80_000, `${last}`);
  for (const [at, { startedAtMs, endedAtMs, body }] of pieces.entries()) {
    const media = readPart(body)!;
    assert.equal(media[0]!.kind, 'picture');
    assert.equal(media[0]!.capturedMs, startedAtMs);
    assert.ok(endedAtMs - startedAtMs <= 8_000);
    if (at > 0) assert.equal(startedAtMs, pieces[at - 1]!.endedAtMs + 100, 'they follow each other');
    assert.equal(media.filter(({ kind }) => kind === 'sound').length, media.length / 2);
  }
  const kept = pieces.length;
  play(60_000);
  ring.end();
  assert.equal(pieces.length, kept, 'and then nothing more');
});

test('[W362] a show that ends in trouble is kept to its end; pieces of large pictures stay small', () => {
  const { ring, pieces, for: play, trouble } = film(60_000);
  play(4_000);
  trouble(true);
  play(13_000);
  ring.end();
  assert.equal(pieces.at(-1)!.endedAtMs, 16_900);
  assert.equal(pieces[0]!.startedAtMs, 0);
  assert.ok(pieces.every(({ body }) => body.length <= 2_500_000));
});

test('[W361] a camera that stops while sound goes on fills neither the memory nor a piece', () => {
  const { ring, pieces, for: play, trouble } = film();
  play(4_000);
  trouble(true);
  play(100);
  for (let atMs = 4_100; atMs < 3_600_000; atMs += 20) {
    ring.add({ kind: 'sound', isKey: false, atMs, bytes: new Uint8Array(160) });
  }
  assert.ok(ring.bytes() < 200_000, `${ring.bytes()}`);
  ring.end();
  assert.ok(pieces.every(({ body }) => body.length < 200_000));
});
