/** A real browser publishes its camera in two sizes: both come out whole and in time with each other. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import test from 'node:test';
import type { PictureLayer } from '@nacre/media/hooks';
import { cameraPage } from '../support/camera-page.ts';
import { decodeWithFfmpeg } from '../support/ffmpeg.ts';
import { startPublisherStage, type PublisherStage } from '../support/publisher-stage.ts';
import { launchCameraBrowser } from '../support/video-browser.ts';

const [lookWidth, lookHeight] = [36, 64];
/** As far as two layers may lie apart (M160). */
const togetherMs = 20;
/** So many pictures before and after the place of a small one its full one is looked for. */
const searchPictures = 10;

interface Seen {
  timeMs: number;
  grey: Buffer;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** One layer from one of its init segments on, up to the next, with the times of its pictures. */
function fileOf(stage: PublisherStage, layer: PictureLayer, generation: number): { file: Buffer; timesMs: number[] } {
  const init = stage.of('init').find((one) => one.layer === layer && one.generation === generation)!;
  const pictures = stage.of('fragment').filter((one) => (
    one.layer === layer && one.generation === generation && one.track === 'video'
  ));
  return {
    file: Buffer.concat([init.initSegment, ...pictures.map(({ data }) => data)]),
    timesMs: pictures.map(({ timeMs }) => timeMs),
  };
}

/** What is to be seen in each picture, coarsely; null where there is no FFmpeg. */
function look({ file, timesMs }: { file: Buffer; timesMs: readonly number[] }): Promise<Seen[] | null> {
  const args = ['-v', 'error', '-i', 'pipe:0', '-map', '0:v', '-fps_mode', 'passthrough', '-vf',
    `scale=${lookWidth}:${lookHeight}:flags=area,format=gray`, '-f', 'rawvideo', 'pipe:1'];
  const child = spawn('ffmpeg', args, { stdio: ['pipe', 'pipe', 'ignore'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stdin.on('error', () => undefined);
  child.stdin.end(file);
  return new Promise((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', () => {
      const bytes = Buffer.concat(chunks);
      const size = lookWidth * lookHeight;
      resolve(timesMs.map((timeMs, index) => ({ timeMs, grey: bytes.subarray(index * size, (index + 1) * size) })));
    });
  });
}

const differenceOf = (a: Buffer, b: Buffer): number => a.reduce((sum, value, at) => sum + Math.abs(value - b[at]!), 0);

/**
 * How much later the small pictures are shown than the full ones that they look like: as a stretch of film, since a
 * single picture looks much like the next one.
 */
function apartMs(full: readonly Seen[], small: readonly Seen[]): number[] {
  const nearest = small.map(({ timeMs }) => full.reduce((best, { timeMs: other }, at) => (
    Math.abs(other - timeMs) < Math.abs(full[best]!.timeMs - timeMs) ? at : best
  ), 0));
  const steps = Array.from({ length: 2 * searchPictures + 1 }, (_, index) => index - searchPictures);
  const inside = nearest.map((at) => at >= searchPictures && at < full.length - searchPictures);
  const differences = steps.map((step) => small.reduce((sum, { grey }, index) => (
    inside[index] ? sum + differenceOf(grey, full[nearest[index]! + step]!.grey) : sum
  ), 0));
  const step = steps[differences.indexOf(Math.min(...differences))]!;
  return small.flatMap(({ timeMs }, index) => (inside[index] ? [timeMs - full[nearest[index]! + step]!.timeMs] : []));
}

test('[M160] a browser’s two sizes come out whole and together, and the small one goes and comes again', async (t) => {
  const camera = await launchCameraBrowser();
  t.after(() => camera.close());
  const stage = await startPublisherStage({ page: cameraPage });
  t.after(() => stage.stop());
  const tab = await camera.browser.newPage();
  await tab.goto(stage.url.replace('127.0.0.1', 'localhost'));
  await tab.evaluate('publish(true)');
  const inits = (layer: PictureLayer): number => stage.of('init').filter((one) => one.layer === layer).length;
  await stage.until('the full picture', () => inits('full') === 1);
  await sleep(2_000);
  assert.equal(inits('small'), 0, 'it is not sent yet');
  await tab.evaluate("sendSizes('f', 's')");
  await stage.until('the small picture', () => inits('small') === 1);
  await sleep(6_000);
  const [session] = (await stage.supervisor.stats())!.sessions;
  await tab.evaluate("sendSizes('f')");
  await stage.until('the end of the small picture', () => stage.of('layer-down').length === 1, 4_000);
  await sleep(1_000);
  await tab.evaluate("sendSizes('f', 's')");
  await stage.until('the small picture again', () => inits('small') === 2);
  await sleep(3_000);
  await tab.close();

  const { layers } = session!;
  t.diagnostic(layers.map((one) => `${one.layer} ${one.width}x${one.height} ${one.bitrateBps} bit/s`).join(', '));
  assert.deepEqual(layers.map(({ rid, layer, width, height }) => [rid, layer, width, height]), [
    ['s', 'small', 288, 512], ['f', 'full', 720, 1280],
  ]);
  assert.equal(inits('full'), 1, 'the full picture goes on as it was');
  for (const [layer, generation] of [['full', 1], ['small', 1], ['small', 2]] as const) {
    const { file, timesMs } = fileOf(stage, layer, generation);
    const decoded = await decodeWithFfmpeg(file);
    if (decoded === null) return t.diagnostic('ffmpeg is not here');
    assert.deepEqual([decoded.errors, decoded.pictures], ['', timesMs.length], `${layer} ${generation}`);
    assert.ok(timesMs.length > 25, `${timesMs.length} pictures of ${layer} ${generation}`);
  }
  const full = (await look(fileOf(stage, 'full', 1)))!;
  for (const generation of [1, 2]) {
    const apart = apartMs(full, (await look(fileOf(stage, 'small', generation)))!).sort((a, b) => a - b);
    const [low, middle, high] = [0.1, 0.5, 0.9].map((share) => apart[Math.floor(apart.length * share)]!.toFixed(1));
    t.diagnostic(`the small picture is shown ${low} / ${middle} / ${high} ms after the full one (p10, p50, p90)`);
    const together = apart.filter((ms) => Math.abs(ms) <= togetherMs).length;
    assert.ok(together > apart.length * 0.9, `${together} of ${apart.length}: ${apart.map(Math.round).join(' ')}`);
  }
});
