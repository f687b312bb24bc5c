/** A player that others wrote, on a show's Low-Latency HLS. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { openCamera } from '../support/camera-page.ts';
import { publishClip, until } from '../support/nacre.ts';
import { launchCameraBrowser, waitForMovement } from '../support/video-browser.ts';
import { stageKeyOf, startVideoStage } from '../support/video-stage.ts';
import { foreignFolder, missing } from './foreign.ts';

const showId = 'show-1';
const PATIENCE_MS = 30_000;
const WATCH_MS = 10_000;

interface ShakaPlayer {
  attach(video: Element | null): Promise<void>;
  configure(settings: object): void;
  addEventListener(type: 'error', heard: (event: { detail: { code: number } }) => void): void;
  load(url: string): Promise<void>;
  getVariantTracks(): { height: number | null }[];
  selectVariantTrack(track: object, clearsBuffer: boolean): void;
  isLive(): boolean;
  getStats(): { liveLatency: number; bufferingTime: number; decodedFrames: number };
}
declare global {
  var shaka: { Player: new () => ShakaPlayer };
  var shakaErrors: number[];
  var shakaPlayer: ShakaPlayer;
}

async function play(page: Page, folder: string, index: string, settings: object): Promise<void> {
  await page.addScriptTag({ path: join(folder, 'node_modules/shaka-player/dist/shaka-player.compiled.js') });
  await page.evaluate(async ({ url, more }) => {
    globalThis.shakaErrors = [];
    globalThis.shakaPlayer = new shaka.Player();
    shakaPlayer.addEventListener('error', ({ detail }) => void shakaErrors.push(detail.code));
    await shakaPlayer.attach(document.querySelector('video'));
    shakaPlayer.configure({ streaming: { lowLatencyMode: true }, ...more });
    await shakaPlayer.load(url);
    await document.querySelector('video')?.play();
  }, { url: index, more: settings });
}

test('[V133] Shaka goes from one size to the other', async (t) => {
  const folder = foreignFolder('shaka-player');
  if (folder === null) return t.skip(missing('shaka-player'));
  const stage = await startVideoStage({ openShows: [showId] });
  t.after(() => stage.stop());
  const camera = await launchCameraBrowser();
  t.after(() => camera.close());
  await openCamera(camera.browser, { url: stage.url, path: '/viewer.html' }, stageKeyOf(showId), true);
  const index = `${stage.url}/live/${showId}/index.m3u8`;
  await until('both sizes', PATIENCE_MS, async () => (await (await fetch(index)).text()).includes('small/'));
  const page = await camera.browser.newPage();
  await page.goto(`${stage.url}/viewer.html`);
  await play(page, folder, index, { abr: { enabled: false } });
  await waitForMovement(page, PATIENCE_MS);
  for (const lines of [512, 1280, 512, 1280]) {
    await page.evaluate((height) => {
      shakaPlayer.selectVariantTrack(shakaPlayer.getVariantTracks().find((track) => track.height === height)!, false);
    }, lines);
    const tookMs = await until(`${lines} lines`, PATIENCE_MS, () => (
      page.evaluate((height) => document.querySelector('video')!.videoHeight === height, lines)
    ));
    t.diagnostic(`${lines} lines after ${tookMs} ms`);
    await waitForMovement(page, 5_000);
  }
  assert.deepEqual(await page.evaluate(() => shakaErrors), []);
});

test('[V80] Shaka plays a running show by Low-Latency HLS without an error', async (t) => {
  const folder = foreignFolder('shaka-player');
  if (folder === null) return t.skip(missing('shaka-player'));
  const stage = await startVideoStage({ openShows: [showId] });
  t.after(() => stage.stop());
  const publisher = publishClip(stage.url, stageKeyOf(showId));
  t.after(() => publisher.stop());
  const index = `${stage.url}/live/${showId}/index.m3u8`;
  await until('there is a playlist', PATIENCE_MS, async () => (await fetch(index)).ok);
  const camera = await launchCameraBrowser();
  t.after(() => camera.close());
  const page = await camera.browser.newPage();
  await page.goto(`${stage.url}/viewer.html`);
  await play(page, folder, index, {});
  await waitForMovement(page, PATIENCE_MS);
  const before = await page.evaluate(() => shakaPlayer.getStats());
  await sleep(WATCH_MS);
  const after = await page.evaluate(() => shakaPlayer.getStats());
  t.diagnostic(JSON.stringify({ latency: after.liveLatency, buffering: after.bufferingTime }));
  assert.deepEqual(await page.evaluate(() => shakaErrors), []);
  assert.equal(await page.evaluate(() => shakaPlayer.isLive()), true);
  assert.ok(after.decodedFrames - before.decodedFrames > (WATCH_MS / 1000) * 20, `${after.decodedFrames} pictures`);
  assert.ok(after.bufferingTime - before.bufferingTime < 1, `${after.bufferingTime} s of buffering`);
});
