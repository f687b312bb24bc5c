/** Publishers that others wrote, into the real media process. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { PictureLayer } from '@nacre/media/hooks';
import { loadClip, type Clip } from '@nacre/media/publisher/clip';
import { decodeWithFfmpeg } from '../support/ffmpeg.ts';
import { filesOf } from '../support/network-stage.ts';
import { demoClip, startPublisherStage, type PublisherStage } from '../support/publisher-stage.ts';
import { foreignFolder, missing } from './foreign.ts';
import { publishLikeObs } from './libdatachannel-publisher.ts';

const seconds = 4;

/** One session, its pictures and sounds without a gap, and decodable. */
async function check(t: TestContext, stage: PublisherStage): Promise<void> {
  assert.equal(stage.of('init').length, 1);
  assert.deepEqual([stage.of('init')[0]!.width, stage.of('init')[0]!.height], [720, 1280]);
  for (const track of ['video', 'audio'] as const) {
    const fragments = stage.of('fragment').filter((fragment) => fragment.track === track);
    const last = fragments.at(-1)!;
    assert.ok(last.timeMs + last.durationMs > (seconds - 1) * 1000, `${track} up to ${last.timeMs} ms`);
    for (const [index, { timeMs }] of fragments.entries()) {
      const before = fragments[index - 1];
      const gapMs = before === undefined ? 0 : timeMs - before.timeMs - before.durationMs;
      assert.ok(Math.abs(gapMs) < 0.1, `${track} ${index}: ${gapMs} ms`);
    }
  }
  const decoded = await decodeWithFfmpeg(filesOf(stage)[0]!);
  if (decoded === null) t.diagnostic('ffmpeg is not here');
  else assert.deepEqual([decoded.errors, decoded.pictures > (seconds - 1) * 25], ['', true], `${decoded.pictures}`);
}

for (const [spelling, shape] of [
  ['at top', /^o=rtc [\s\S]*^a=setup:actpass[\s\S]*^m=audio [\s\S]*^m=video /m],
  ['in each line', /^o=rtc [\s\S]*^m=audio [\s\S]*^a=setup:actpass[\s\S]*^m=video [\s\S]*^a=setup:actpass/m],
] as const) {
  test(`[M98] libdatachannel’s own offer, as OBS sends it, comes through: transport ${spelling}`, async (t) => {
    const stage = await startPublisherStage();
    t.after(() => stage.stop());
    const publisher = await publishLikeObs(stage.url, 'obs', await loadClip(demoClip), spelling);
    t.after(() => publisher.stop());
    assert.match(publisher.offer, shape);
    await stage.until('pictures', () => (stage.of('fragment').at(-1)?.timeMs ?? 0) > seconds * 1000, 12_000);
    await check(t, stage);
  });
}

test('[M98] several sizes, as OBS sends them since 32, come through: the largest and the smallest', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nacre-sizes-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const smaller: Clip[] = [];
  for (const [index, size] of ['480:854', '240:426'].entries()) {
    const file = join(folder, `${index}.mp4`);
    const shape = ['-vf', `scale=${size}`, '-c:v', 'libx264', '-profile:v', 'baseline', '-bf', '0', '-g', '50'];
    const made = spawnSync('ffmpeg', ['-v', 'error', '-i', demoClip, ...shape, '-c:a', 'copy', file]);
    if (made.status !== 0) return t.skip('ffmpeg with libx264 is not here');
    smaller.push(await loadClip(file));
  }
  const stage = await startPublisherStage();
  t.after(() => stage.stop());
  const publisher = await publishLikeObs(stage.url, 'obs', await loadClip(demoClip), 'in each line', smaller);
  t.after(() => publisher.stop());
  await stage.until('pictures', () => (stage.of('fragment').at(-1)?.timeMs ?? 0) > seconds * 1000, 12_000);
  const init = (layer: PictureLayer) => stage.of('init').filter((one) => one.layer === layer);
  const sizes = [...init('full'), ...init('small')].map(({ width, height }) => [width, height]);
  assert.deepEqual(sizes, [[720, 1280], [240, 426]]);
  for (const layer of ['full', 'small'] as const) {
    const pictures = stage.of('fragment').filter((one) => one.track === 'video' && one.layer === layer);
    const decoded = await decodeWithFfmpeg(Buffer.concat([
      init(layer)[0]!.initSegment, ...pictures.map(({ data }) => data),
    ]));
    assert.deepEqual([decoded?.errors, decoded?.pictures], ['', pictures.length], layer);
    assert.ok(pictures.length > (seconds - 1) * 25, `${pictures.length} pictures`);
  }
});

test('[M98] FFmpeg’s WHIP muxer comes through', async (t) => {
  const folder = foreignFolder('node-av');
  if (folder === null) return t.skip(missing('node-av'));
  const stage = await startPublisherStage();
  t.after(() => stage.stop());
  const program = join(import.meta.dirname, 'ffmpeg-publisher.ts');
  const child = spawn(process.execPath, [program, folder, stage.url, 'ffmpeg', demoClip, String(seconds + 1)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let words = '';
  child.stderr.on('data', (chunk: Buffer) => { words += chunk; });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  assert.equal(code, 0, words);
  await stage.until('its goodbye', () => stage.of('down').length === 1);
  assert.equal(stage.of('down')[0]!.reason, 'closed');
  await check(t, stage);
});
