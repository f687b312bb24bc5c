import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Image } from '@nacre/contract/common';
import sharp from 'sharp';
import { createTestApi, type TestApi } from '../../../tests/support/api.ts';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { UPLOAD_BYTES_MAX } from './images.ts';

describe('images', () => {
  let database: TestDatabase;
  let api: TestApi;
  let photo: Buffer;

  before(async () => {
    database = await createTestDatabase(import.meta.url);
    api = await createTestApi({ url: database.serverUrl });
    photo = await sharp({ create: { width: 1200, height: 1600, channels: 3, background: '#38c' } }).jpeg().toBuffer();
  });
  after(async () => {
    await api.stop();
    await database.drop();
  });

  it('[I2] an uploaded photograph is there in three widths', async () => {
    const { cookie } = await api.newPerson();
    const answer = await api.upload(photo, cookie);
    assert.equal(answer.status, 201);
    const image = answer.json as unknown as Image;
    assert.deepEqual([image.width, image.height], [1080, 1440]);
    assert.deepEqual(image.sources.map(({ width }) => width), [160, 480, 720, 1080]);
    for (const { url, width } of image.sources) {
      const { format, width: served } = await sharp((await api.ask(url)).bytes).metadata();
      assert.deepEqual([format, served], ['webp', width]);
    }
    assert.deepEqual((await api.images.describe([image.id])).get(image.id), image);
  });

  it('[I1] text that calls itself .jpg is refused, and nothing of it is kept', async () => {
    const { cookie } = await api.newPerson();
    const before = readdirSync(api.blobFolder, { recursive: true }).length;
    for (const bytes of [Buffer.from('no picture'), Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'),
      photo.subarray(0, photo.length / 2)]) {
      const answer = await api.upload(bytes, cookie);
      assert.equal(answer.status, 415);
      assert.equal(answer.json['code'], 'images.not_an_image');
    }
    assert.equal(readdirSync(api.blobFolder, { recursive: true }).length, before);
  });

  it('[I4] more than 15 MB are refused', async () => {
    const { cookie } = await api.newPerson();
    const answer = await api.upload(Buffer.concat([photo, Buffer.alloc(UPLOAD_BYTES_MAX)]), cookie);
    assert.equal(answer.status, 413);
    assert.equal(answer.json['code'], 'images.too_large');
  });

  it('[I1] a request that is no form with a file is refused in words', async () => {
    const { cookie } = await api.newPerson();
    const wrongField = await api.upload(photo, cookie, 'picture');
    assert.deepEqual(wrongField.json['details'], { field: 'file', reason: 'missing' });
    assert.equal((await api.ask('/api/images', { body: { file: 'x' }, cookie })).json['code'], 'request.media_type');
    const asJpeg = await api.ask('/api/images', { body: photo, cookie, headers: { 'content-type': 'image/jpeg' } });
    assert.equal(asJpeg.json['code'], 'request.media_type');
    const half = '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf';
    for (const body of ['', '--x\r\n', half]) {
      const headers = { 'content-type': 'multipart/form-data; boundary=x' };
      const answer = await api.ask('/api/images', { method: 'POST', body: Buffer.from(body), cookie, headers });
      assert.equal(answer.json['code'], 'request.invalid', JSON.stringify(body));
    }
    const noBoundary = { 'content-type': 'multipart/form-data' };
    const answer = await api.ask('/api/images', { body: Buffer.from('x'), cookie, headers: noBoundary });
    assert.ok(answer.status >= 400 && answer.status < 500, String(answer.status));
  });

  it('[I6] guests upload nothing, and one person no more than a thousand in a day', async () => {
    assert.equal((await api.upload(photo, undefined)).json['code'], 'accounts.sign_in_first');
    const { cookie, id } = await api.newPerson();
    const now = api.platform.clock.now();
    await api.platform.database.db.insertInto('image').values(Array.from({ length: 1000 }, () => ({
      id: api.platform.newId(), uploader_id: id, width: 64, height: 64, widths: [64], bytes: 1n, created_at: now,
    }))).execute();
    const refused = await api.upload(photo, cookie);
    assert.equal(refused.status, 429);
    assert.equal(refused.json['code'], 'images.too_many');
  });

  it('[I7] a blob is served to be kept for ever and without a cookie', async () => {
    const image = await api.images.upload(null, photo);
    const answer = await api.ask(image.sources[0]?.url ?? '');
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], 'image/webp');
    assert.equal(answer.headers['cache-control'], 'public, max-age=31536000, immutable');
    assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    assert.equal(Number(answer.headers['content-length']), answer.bytes.length);
    assert.deepEqual(answer.cookies, []);
    const head = await api.ask(image.sources[0]?.url ?? '', { method: 'HEAD' });
    assert.deepEqual([head.status, head.bytes.length], [200, 0]);
  });

  it('[I7] no address leads out of the folder of blobs or to something else in it', async () => {
    const image = await api.images.upload(null, photo);
    const folder = `/blobs/image/${image.id}`;
    const paths = [
      '/blobs/', '/blobs/image', folder, `${folder}/`, `${folder}/200.webp`, `${folder}/160.png`,
      '/blobs/../../etc/passwd', '/blobs/%2e%2e/%2e%2e/etc/passwd.webp', '/blobs/image/..%2f..%2fx.webp',
      '/blobs//etc/x.webp', '/blobs/image/%00.webp', `/blobs/${'a'.repeat(5000)}.webp`, '/blobs/image\\..\\x.webp',
    ];
    for (const path of paths) {
      const { status } = await api.ask(path);
      assert.ok(status === 404 || status === 400, `${path}: ${status}`);
    }
  });

  it('[I8] only pictures that exist can be used', async () => {
    const image = await api.images.upload(null, photo);
    const unknown = api.platform.newId();
    const assertExist = (ids: string[]) => api.platform.database.transaction((tx) => api.images.assertExist(tx, ids));
    await assertExist([]);
    await assertExist([image.id, image.id]);
    const details = { imageIds: [unknown] };
    await assert.rejects(assertExist([image.id, unknown]), { code: 'images.unknown', details });
    assert.deepEqual([...(await api.images.describe([unknown, image.id])).keys()], [image.id]);
  });

  it('[I1] when the database fails, no blob is left behind', async () => {
    const blobs = () =>
      readdirSync(join(api.blobFolder, 'image'), { recursive: true }).map(String).filter((name) => name.includes('.'));
    const before = blobs();
    await assert.rejects(api.images.upload(api.platform.newId(), photo));
    assert.deepEqual(blobs(), before);
  });
});
