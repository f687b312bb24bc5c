/** hls.js as it comes, with its own settings, on the renditions of a show. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { openCamera } from '../support/camera-page.ts';
import { publishClip, until } from '../support/nacre.ts';
import { launchCameraBrowser, waitForMovement } from '../support/video-browser.ts';
import { stageKeyOf, startVideoStage } from '../support/video-stage.ts';

const showId = 'show-1';
const PATIENCE_MS = 30_000;
const PLAYED_S = 6;

interface Heard {
  fatal: string[];
  /** Of pictures in the levels that hls.js took from the playlist, in pixels; 0 is sound. */
  heights: number[];
}
declare global {
  var hlsHeard: Heard;
}

/** Plays until it has gone on for some seconds. */
async function play(page: Page, url: string): Promise<Heard & { height: number }> {
  await page.evaluate((source) => {
    const { Hls } = globalThis as unknown as { Hls: typeof import('hls.js').default };
    const old = document.querySelector('video')!;
    const video = old.cloneNode() as HTMLVideoElement;
    old.replaceWith(video);
    globalThis.hlsHeard = { fatal: [], heights: [] };
    const hls = new Hls();
    hls.on(Hls.Events.ERROR, (_event, { fatal, details }) => void (fatal && hlsHeard.fatal.push(details)));
    hls.on(Hls.Events.MANIFEST_PARSED, (_event, { levels }) => {
      hlsHeard.heights = levels.map(({ height }) => height || 0);
      void video.play();
    });
    hls.attachMedia(video);
    hls.loadSource(source);
  }, url);
  const time = () => page.evaluate(() => document.querySelector('video')!.currentTime);
  await until('it plays', PATIENCE_MS, async () => (await time()) > 0);
  const before = await time();
  await until('it goes on', PATIENCE_MS, async () => (await time()) > before + PLAYED_S);
  return page.evaluate(() => ({ ...hlsHeard, height: document.querySelector('video')!.videoHeight }));
}

test('[V112] hls.js plays the playlist that offers both, and the sound alone', async (t) => {
  const stage = await startVideoStage({ openShows: [showId] });
  t.after(() => stage.stop());
  const publisher = publishClip(stage.url, stageKeyOf(showId));
  t.after(() => publisher.stop());
  const base = `${stage.url}/live/${showId}`;
  await until('both are offered', PATIENCE_MS, async () => (
    (await (await fetch(`${base}/index.m3u8`)).text()).includes('sound/media.m3u8')
  ));
  const camera = await launchCameraBrowser();
  t.after(() => camera.close());
  const page = await camera.browser.newPage();
  await page.goto(`${stage.url}/viewer.html`);
  await page.addScriptTag({ path: createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js') });

  const both = await play(page, `${base}/index.m3u8`);
  t.diagnostic(JSON.stringify(both));
  assert.deepEqual(both.fatal, []);
  assert.ok(both.height > 0 && both.heights.includes(both.height), 'the picture is what it plays');

  const sound = await play(page, `${base}/sound/media.m3u8`);
  assert.deepEqual(sound.fatal, []);
  assert.equal(sound.height, 0);
});

test('[M30] hls.js goes on when the publisher turns the phone: another size, the same clock', async (t) => {
  const stage = await startVideoStage({ openShows: [showId] });
  t.after(() => stage.stop());
  const camera = await launchCameraBrowser();
  t.after(() => camera.close());
  const server = { url: stage.url, path: '/viewer.html' };
  const publisher = await openCamera(camera.browser, server, stageKeyOf(showId), false);
  const base = `${stage.url}/live/${showId}`;
  await until('it is on air', PATIENCE_MS, async () => (await fetch(`${base}/index.m3u8`)).ok);
  const page = await camera.browser.newPage();
  await page.goto(`${stage.url}/viewer.html`);
  await page.addScriptTag({ path: createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js') });
  await play(page, `${base}/index.m3u8`);
  const size = () => page.evaluate(() => {
    const { videoWidth, videoHeight } = document.querySelector('video')!;
    return `${videoWidth}x${videoHeight}`;
  });
  assert.equal(await size(), '720x1280');
  for (const [width, height] of [[640, 360], [720, 1280]] as const) {
    await publisher.evaluate(`(async () => {
      const stream = await navigator.mediaDevices.getUserMedia({
        video: { width: { exact: ${width} }, height: { exact: ${height} } },
      });
      await video.sender.replaceTrack(stream.getVideoTracks()[0]);
    })()`);
    const tookMs = await until(`${width}x${height}`, PATIENCE_MS, async () => (await size()) === `${width}x${height}`);
    t.diagnostic(`${width}x${height} after ${tookMs} ms`);
    await waitForMovement(page, 5_000);
  }
  assert.deepEqual(await page.evaluate(() => hlsHeard.fatal), []);
  assert.doesNotMatch(await (await fetch(`${base}/media.m3u8`)).text(), /DISCONTINUITY\n/);
});
