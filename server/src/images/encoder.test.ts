import assert from 'node:assert/strict';
import { it } from 'node:test';
import sharp from 'sharp';
import { createEncoder, targetWidths } from './encoder.ts';
import { pictureKind } from './kind.ts';

const encoder = createEncoder();
const picture = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#c33' }, limitInputPixels: false });

it('[I1] every kind that is taken is known by its content', async () => {
  const source = picture(100, 80);
  const made = {
    jpeg: await source.clone().jpeg().toBuffer(),
    png: await source.clone().png().toBuffer(),
    webp: await source.clone().webp().toBuffer(),
    gif: await source.clone().gif().toBuffer(),
    avif: await source.clone().avif({ effort: 0 }).toBuffer(),
  };
  for (const [kind, bytes] of Object.entries(made)) {
    assert.equal(pictureKind(bytes), kind);
    const [encoded] = await encoder.encode(bytes);
    assert.deepEqual([encoded?.width, encoded?.height], [100, 80], kind);
    assert.equal(encoded === undefined ? null : pictureKind(encoded.bytes), 'webp');
  }
});

it('[I1] what is no picture is refused, whatever its first bytes promise', async () => {
  const jpeg = await picture(800, 600).jpeg().toBuffer();
  const png = await sharp({ create: { width: 800, height: 600, channels: 3, background: '#fff', noise: {
    type: 'gaussian', mean: 128, sigma: 40 } } }).png().toBuffer();
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100"><rect width="9" height="9"/></svg>';
  const bad: Record<string, Buffer> = {
    empty: Buffer.alloc(0),
    text: Buffer.from('this is not a picture, whatever its name is'),
    svg: Buffer.from(svg),
    'svg with declaration': Buffer.from(`<?xml version="1.0"?>${svg}`),
    html: Buffer.from('<!doctype html><script>alert(1)</script>'),
    pdf: Buffer.from('%PDF-1.7\n'),
    heic: Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'),
    'a jpeg that is cut short': jpeg.subarray(0, jpeg.length / 2),
    'a jpeg without its end': jpeg.subarray(0, jpeg.length - 40),
    'a png that is cut short': png.subarray(0, png.length / 2),
    'text behind a jpeg\'s first bytes': Buffer.concat([jpeg.subarray(0, 3), Buffer.from('text '.repeat(100))]),
    'a png of noise': Buffer.concat([png.subarray(0, 60), Buffer.alloc(5000, 7)]),
  };
  for (const [name, bytes] of Object.entries(bad)) {
    await assert.rejects(encoder.encode(bytes), { code: 'images.not_an_image' }, name);
  }
});

it('[I2] three widths, ascending, in the proportions of the picture', async () => {
  const made = await encoder.encode(await picture(2400, 1600).jpeg().toBuffer());
  assert.deepEqual(made.map(({ width, height }) => [width, height]), [[160, 107], [480, 320], [720, 480], [1080, 720]]);
});

it('[I2] nothing is enlarged, and a picture beyond what WebP holds becomes narrower', () => {
  assert.deepEqual(targetWidths(600, 400), [160, 480, 600]);
  assert.deepEqual(targetWidths(100, 400), [100]);
  assert.deepEqual(targetWidths(160, 400), [160]);
  assert.deepEqual(targetWidths(1000, 50_000), [160]);
  assert.deepEqual(targetWidths(4000, 3000), [160, 480, 720, 1080]);
});

it('[I2] a photograph held sideways stands upright', async () => {
  const bytes = await picture(400, 200).jpeg().withMetadata({ orientation: 6 }).toBuffer();
  const made = await encoder.encode(bytes);
  assert.deepEqual(made.map(({ width, height }) => [width, height]), [[160, 320], [200, 400]]);
});

it('[I3] the place where a photograph was taken is gone, and all other metadata', async () => {
  const bytes = await picture(400, 300).jpeg().withExif({
    IFD0: { Make: 'PhoneMaker', Copyright: 'Lin' },
    IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '36/1 3/1 30/1', GPSLongitudeRef: 'E', GPSLongitude: '103/1 50/1 0/1' },
  }).withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"><secret/></x:xmpmeta>').toBuffer();
  const before = await sharp(bytes).metadata();
  assert.ok(before.exif?.includes('PhoneMaker') && before.xmp !== undefined);
  for (const { bytes: webp } of await encoder.encode(bytes)) {
    const { exif, xmp, icc, iptc, orientation } = await sharp(webp).metadata();
    assert.deepEqual({ exif, xmp, icc, iptc, orientation }, {
      exif: undefined, xmp: undefined, icc: undefined, iptc: undefined, orientation: undefined,
    });
    assert.ok(!webp.includes('EXIF') && !webp.includes('PhoneMaker') && !webp.includes('secret'));
  }
});

it('[I4] a small file with 60 megapixels inside is refused before it is unpacked', async () => {
  const bomb = await picture(10_000, 6_000).png({ compressionLevel: 9 }).toBuffer();
  assert.ok(bomb.length < 1_000_000);
  const started = performance.now();
  await assert.rejects(encoder.encode(bomb), { code: 'images.too_large' });
  assert.ok(performance.now() - started < 500);
});

it('[I5] a picture with a side under 64 pixels is refused', async () => {
  for (const [width, height] of [[1, 1], [63, 500], [500, 63]] as const) {
    const bytes = await picture(width, height).png().toBuffer();
    await assert.rejects(encoder.encode(bytes), { code: 'images.too_small' });
  }
  assert.equal((await encoder.encode(await picture(64, 64).png().toBuffer())).length, 1);
});

it('[I9] more pictures at once than may wait are told to come back, and the others are made', async () => {
  const bytes = await picture(200, 200).png().toBuffer();
  const answers = await Promise.allSettled(Array.from({ length: 30 }, () => encoder.encode(bytes)));
  const refused = answers.filter((answer) => answer.status === 'rejected');
  assert.equal(refused.length, 12);
  assert.ok(refused.every(({ reason }) => (reason as { code: string }).code === 'server.busy'));
  assert.equal((await encoder.encode(bytes)).length, 2);
});
