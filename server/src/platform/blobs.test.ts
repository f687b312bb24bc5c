/** The suite that every blob store passes, and what the one on disk must do besides. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startMoto } from '../../../tests/support/moto.ts';
import { createS3Peer } from '../../../tests/support/s3-peer.ts';
import { bucketTrouble, createS3Blobs } from './blobs-s3.ts';
import { createDiskBlobs, isBlobKey, type Blobs } from './blobs.ts';
import { StartRefusal } from './start-refusal.ts';

const folder = mkdtempSync(join(tmpdir(), 'nacre-blobs-'));
after(() => rmSync(folder, { recursive: true, force: true }));

async function textOf(blobs: Blobs, key: string): Promise<string | null> {
  const found = await blobs.read(key);
  if (found === null) return null;
  const bytes = Buffer.concat(await found.stream.toArray() as Buffer[]);
  assert.equal(bytes.length, found.size);
  return bytes.toString('utf8');
}

const peer = await createS3Peer();
const moto = await startMoto();
after(async () => {
  moto?.stop();
  await peer.stop();
});

const stores: Record<string, () => Blobs> = {
  disk: () => createDiskBlobs({ folder: mkdtempSync(join(folder, 'store-')) }),
  's3, ours': () => createS3Blobs({ settings: peer.settings }),
  ...(moto === null ? {} : { 's3, moto': () => createS3Blobs({ settings: moto.settings }) }),
};
test('s3, moto', { skip: moto === null && "moto is not here (pip install 'moto[server]')" }, () => undefined);

for (const [name, create] of Object.entries(stores)) {
  test(`[P40] ${name}: what was put is read as it was, until it is removed`, async () => {
    const blobs = create();
    assert.equal(await textOf(blobs, 'image/a/160.webp'), null);
    await blobs.put('image/a/160.webp', Buffer.from('珍珠'));
    await blobs.put('image/a/480.webp', Buffer.alloc(0));
    assert.equal(await textOf(blobs, 'image/a/160.webp'), '珍珠');
    assert.equal(await textOf(blobs, 'image/a/480.webp'), '');
    await blobs.remove('image/a/160.webp');
    await blobs.remove('image/a/160.webp');
    assert.equal(await textOf(blobs, 'image/a/160.webp'), null);
  });

  test(`[P41] ${name}: whoever reads while it is written gets all of the old one or all of the new one`, async () => {
    const blobs = create();
    const texts = ['a'.repeat(2_000_000), 'b'.repeat(1_500_000)];
    await blobs.put('x', Buffer.from(texts[0] ?? ''));
    // It is written until it was read often enough: a single slow answer may take as long as twenty writes.
    let reads = 0;
    let done = false;
    const writing = (async () => {
      for (let i = 0; !done && (i < 20 || reads < 10) && i < 2_000; i += 1) {
        await blobs.put('x', Buffer.from(texts[i % 2] ?? ''));
      }
    })().finally(() => (done = true));
    try {
      while (!done) {
        const text = await textOf(blobs, 'x');
        assert.ok(text !== null && texts.includes(text), 'a part of a blob');
        reads += 1;
      }
    } finally {
      done = true;
      await writing;
    }
    assert.ok(reads >= 10, `${reads} reads`);
  });

  test(`[P42] ${name}: what is no key is not found, and not written`, async () => {
    const blobs = create();
    const bad = [
      '', '/', '/etc/passwd', '../secret', 'a/../b', 'a//b', 'a/', './a', '.hidden', 'a/.hidden', 'A', 'ä', 'a b',
      'a\\b', 'a\0b', 'a%2fb', 'x'.repeat(201), 'a.part',
    ];
    for (const key of bad) {
      assert.equal(isBlobKey(key), false, key);
      assert.equal(await blobs.read(key), null, key);
      await assert.rejects(blobs.put(key, Buffer.from('x')), /not a blob key/);
      await assert.rejects(blobs.remove(key), /not a blob key/);
    }
    for (const key of ['a', 'a/b', 'image/0190-af/1080.webp', 'a..b', 'x'.repeat(200)]) {
      assert.equal(isBlobKey(key), true, key);
    }
  });
}

test('[P42] disk: a folder is no blob, and nothing lies below a blob', async () => {
  const blobs = createDiskBlobs({ folder: mkdtempSync(join(folder, 'store-')) });
  await blobs.put('a/b', Buffer.from('x'));
  assert.equal(await blobs.read('a'), null);
  assert.equal(await blobs.read('a/b/c'), null);
});

test('[P43] disk: what cannot be finished leaves nothing behind', async () => {
  const home = mkdtempSync(join(folder, 'store-'));
  const blobs = createDiskBlobs({ folder: home });
  // A folder where the blob should be: the last step, giving it its name, fails.
  mkdirSync(join(home, 'a'));
  writeFileSync(join(home, 'a', 'file'), 'x');
  await assert.rejects(blobs.put('a', Buffer.from('x')));
  assert.deepEqual(readdirSync(home), ['a']);
});

test('[P44] s3: a store that is overrun or cuts a connection is asked again, three times in all', async () => {
  const blobs = createS3Blobs({ settings: peer.settings });
  peer.troubles.push(503, 'cut');
  await blobs.put('a', Buffer.alloc(300_000, 'a'));
  peer.troubles.push(500, 429);
  assert.equal((await textOf(blobs, 'a'))?.length, 300_000);
  peer.troubles.push(503);
  await blobs.remove('a');
  assert.equal(await textOf(blobs, 'a'), null);
  peer.requests.length = 0;
  peer.troubles.push(503, 503, 503);
  await assert.rejects(blobs.read('a'), /503/);
  assert.equal(peer.requests.length, 3);
});

test('[P44] s3: a store that says nothing is given up', async () => {
  const blobs = createS3Blobs({ settings: peer.settings, answerWithinMs: 100 });
  peer.troubles.push('silence', 'silence', 'silence');
  await assert.rejects(blobs.put('a', Buffer.from('x')), /did not answer within 100 ms/);
  assert.equal(peer.objects.has('a'), false);
});

test('[P43] s3: a connection that ends in the middle leaves the old one', async () => {
  const blobs = createS3Blobs({ settings: peer.settings });
  await blobs.put('a', Buffer.from('old'));
  peer.troubles.push('cut', 'cut', 'cut');
  await assert.rejects(blobs.put('a', Buffer.alloc(2_000_000, 'n')));
  assert.equal(await textOf(blobs, 'a'), 'old');
});

test('[P45] s3: a wrong key, secret or bucket is told at the start, a store that is away is not one', async () => {
  for (const settings of [peer.settings, moto?.settings].filter((one) => one !== undefined)) {
    assert.equal(await bucketTrouble({ settings }), null);
    for (const wrong of [{ key: 'other' }, { secret: 'other' }, { bucket: 'other' }]) {
      await assert.rejects(bucketTrouble({ settings: { ...settings, ...wrong } }), (error) => {
        assert.ok(error instanceof StartRefusal);
        assert.match(error.message, /NACRE_S3_KEY/);
        assert.ok(!error.message.includes(settings.secret));
        return true;
      });
    }
    const shut = createS3Blobs({ settings: { ...settings, secret: 'other' } });
    await assert.rejects(shut.put('x', Buffer.from('x')), /403/);
  }
  assert.match(String(await bucketTrouble({ settings: { ...peer.settings, url: 'http://127.0.0.1:9' } })), /./);
});
