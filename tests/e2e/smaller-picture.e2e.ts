/** Viewers of a show that comes in two sizes: from one to the other, by choice and by themselves, by socket and HLS. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import type { LiveRendition } from '@nacre/contract/live';
import type { Page } from 'playwright-core';
import { openCamera } from '../support/camera-page.ts';
import { startNarrowLine } from '../support/narrow-line.ts';
import { until } from '../support/nacre.ts';
import { launchCameraBrowser, waitForMovement, type CameraBrowser } from '../support/video-browser.ts';
import { createVideoPages, playerStats, playerView } from '../support/video-pages.ts';
import { stageKeyOf, startVideoStage, type VideoStage } from '../support/video-stage.ts';

const showId = 'show-1';
const doorPath = join(tmpdir(), `nacre-sizes-${process.pid}.sock`);
const patienceMs = 15_000;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let camera: CameraBrowser;
let stage: VideoStage;
let publisher: Page;
const pages = createVideoPages({ browser: () => camera.browser, url: () => stage.url, showId });

const sizes = async (): Promise<string> => (await fetch(`${stage.url}/live/${showId}/index.m3u8`)).text();

before(async () => {
  camera = await launchCameraBrowser();
  stage = await startVideoStage({ openShows: [showId], limits: { easeMs: 5_000 } });
  await stage.openNarrowDoor(doorPath);
  publisher = await openCamera(camera.browser, { url: stage.url, path: '/viewer.html' }, stageKeyOf(showId), true);
  await until('both sizes are offered', patienceMs, async () => (await sizes()).includes('small/media.m3u8'));
});

afterEach(() => pages.close());

after(async () => {
  await camera?.close();
  await stage?.stop();
});

const height = (page: Page): Promise<number> => page.evaluate(() => document.querySelector('video')!.videoHeight);

/** As the page is told, until it is so; then how tall what is on the screen is. */
async function comesTo(page: Page, rendition: LiveRendition, withinMs = patienceMs): Promise<number> {
  const tookMs = await until(`${rendition} comes`, withinMs, async () => (
    (await playerView(page)).rendition === rendition
  ));
  const wanted = rendition === 'small' ? 512 : 1280;
  await until(`${wanted} lines are shown`, 3_000, async () => (await height(page)) === wanted);
  return tookMs;
}

test('[V130] a viewer goes from one size to the other and back, and nothing stands still', async (t) => {
  const viewer = await pages.openViewer();
  await waitForMovement(viewer, patienceMs);
  await sleep(4_000);
  const before = await playerStats(viewer);
  await viewer.evaluate(() => {
    const video = document.querySelector('video')!;
    const seen = { longestMs: 0 };
    let last = performance.now();
    const look = (): void => {
      const now = performance.now();
      seen.longestMs = Math.max(seen.longestMs, now - last);
      last = now;
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
    Object.assign(globalThis, { seen });
  });
  for (const rendition of ['small', 'whole', 'small', 'whole'] as const) {
    await viewer.evaluate((wanted) => player.choose(wanted), rendition);
    t.diagnostic(`${rendition} after ${await comesTo(viewer, rendition)} ms`);
    await sleep(1_500);
  }
  const stats = await playerStats(viewer);
  const { longestMs } = await viewer.evaluate(() => (
    (globalThis as unknown as { seen: { longestMs: number } }).seen
  ));
  t.diagnostic(`at most ${Math.round(longestMs)} ms without a new picture, ${stats.stalls - before.stalls} stalls, `
    + `${stats.jumps - before.jumps} jumps, ${stats.delayMs} ms behind`);
  assert.ok(longestMs < 700, `${longestMs} ms`);
  assert.equal(stats.jumps - before.jumps, 0);
  assert.equal(stats.reconnects, 0);
  assert.equal((await playerView(viewer)).state, 'playing');
});

test('[V131] a line that does not carry the whole brings the small picture, and a better one the whole', async (t) => {
  const line = await startNarrowLine(doorPath, 'down');
  t.after(() => line.stop());
  const viewer = await pages.openViewer();
  await viewer.goto(`${line.url}/viewer.html`);
  await viewer.waitForFunction(() => globalThis.ready);
  await viewer.evaluate((show) => {
    globalThis.player = lib.createPlayer({ video: document.querySelector('video')!, url: `/live/${show}/socket` });
  }, showId);
  await waitForMovement(viewer, patienceMs);
  assert.equal((await playerView(viewer)).rendition, 'whole');
  line.setRate(900_000);
  t.diagnostic(`small ${await comesTo(viewer, 'small', 30_000)} ms after the line was narrow`);
  await sleep(5_000);
  await waitForMovement(viewer, 5_000);
  const { delayMs } = await playerStats(viewer);
  t.diagnostic(`${delayMs} ms behind`);
  assert.ok((delayMs ?? Infinity) < 3_000, `${delayMs} ms`);
  line.setRate(null);
  t.diagnostic(`whole ${await comesTo(viewer, 'whole', 60_000)} ms after it was not any more`);
  assert.equal((await playerStats(viewer)).reconnects, 0, 'on the same socket');
});

test('[V132] where no socket gets through the sizes come by HLS, by choice too', async (t) => {
  stage.blockSockets(true);
  t.after(() => stage.blockSockets(false));
  const viewer = await pages.openViewer();
  await waitForMovement(viewer, patienceMs);
  assert.equal((await playerStats(viewer)).transport, 'hls');
  await comesTo(viewer, 'whole');
  await viewer.evaluate(() => player.choose('small'));
  await comesTo(viewer, 'small');
  await waitForMovement(viewer, patienceMs);
  await viewer.evaluate(() => player.choose('whole'));
  await comesTo(viewer, 'whole');
  await sleep(6_000);
  assert.equal((await playerView(viewer)).rendition, 'whole', 'a good line keeps it');
});

test('[V133] hls.js with its own settings goes from one size to the other', async (t) => {
  const viewer = await pages.openViewer();
  await viewer.evaluate(() => player.destroy());
  await viewer.addScriptTag({ path: createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js') });
  await viewer.evaluate((url) => {
    const { Hls } = globalThis as unknown as { Hls: typeof import('hls.js').default };
    const hls = new Hls();
    const errors: string[] = [];
    hls.on(Hls.Events.ERROR, (_event, { details, fatal }) => void errors.push(`${details}${fatal ? ' fatal' : ''}`));
    hls.attachMedia(document.querySelector('video')!);
    hls.loadSource(url);
    Object.assign(globalThis, { hls, hlsErrors: errors });
  }, `/live/${showId}/index.m3u8`);
  const levels = (): Promise<number[]> => viewer.evaluate(() => (
    (globalThis as unknown as { hls: import('hls.js').default }).hls.levels.map((level) => level.height)
  ));
  await until('both are read', patienceMs, async () => (await levels()).length === 2);
  assert.deepEqual(await levels(), [512, 1280]);
  await until('the whole is shown first', patienceMs, async () => (await height(viewer)) === 1280);
  for (const [level, wanted] of [[0, 512], [1, 1280], [0, 512]] as const) {
    await viewer.evaluate((to) => {
      (globalThis as unknown as { hls: import('hls.js').default }).hls.nextLevel = to;
    }, level);
    const tookMs = await until(`${wanted} lines`, patienceMs, async () => (await height(viewer)) === wanted);
    t.diagnostic(`${wanted} lines after ${tookMs} ms`);
    await waitForMovement(viewer, 5_000);
  }
  const errors = await viewer.evaluate(() => (globalThis as unknown as { hlsErrors: string[] }).hlsErrors);
  t.diagnostic(errors.join(', ') || 'no errors');
  assert.deepEqual(errors.filter((error) => error.endsWith('fatal')), []);
});

test('[V130] [M165] when no small picture is sent any more, who has it gets the whole', async () => {
  const bySocket = await pages.openViewer();
  await waitForMovement(bySocket, patienceMs);
  await bySocket.evaluate(() => player.choose('small'));
  await comesTo(bySocket, 'small');
  await publisher.evaluate("sendSizes('f')");
  await comesTo(bySocket, 'whole');
  await waitForMovement(bySocket, 5_000);
  await publisher.evaluate("sendSizes('f', 's')");
  await comesTo(bySocket, 'small');
});
