/** A whole show, with an interruption in it, in hls.js as it comes: with its own settings and its own steering. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.ts';
import { publishClip, until } from '../support/nacre.ts';
import { stageKeyOf, startVideoStage } from '../support/video-stage.ts';

const PATIENCE_MS = 40_000;
const WATCH_MS = 15_000;
/** A new publisher's first segments. */
const SETTLE_MS = 15_000;

interface Watched {
  errors: string[];
  isOver: boolean;
}
declare global {
  var watched: Watched;
}

const hlsJs = (): string => readFileSync(createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js'), 'utf8');

function startHlsJs(url: string): void {
  const { Hls } = globalThis as unknown as { Hls: typeof import('hls.js').default };
  const video = document.querySelector('video')!;
  const watched: Watched = { errors: [], isOver: false };
  Object.assign(globalThis, { watched });
  const hls = new Hls();
  hls.on(Hls.Events.ERROR, (_event, { fatal, details }) => {
    if (fatal) watched.errors.push(details);
  });
  video.addEventListener('ended', () => (watched.isOver = true));
  hls.attachMedia(video);
  hls.loadSource(url);
}

const timeOf = (page: Page): Promise<number> => page.evaluate(() => document.querySelector('video')!.currentTime);

test('[M28] hls.js plays a whole show, an interruption and the end included', async (t) => {
  const stage = await startVideoStage({ openShows: ['show'] });
  t.after(() => stage.stop());
  const browser = await launchChromium(['--autoplay-policy=no-user-gesture-required']);
  t.after(() => browser.close());
  let publisher = publishClip(stage.url, stageKeyOf('show'));
  t.after(() => publisher.stop());
  const index = `${stage.url}/live/show/index.m3u8?audio=opus`;
  await until('there is a playlist', PATIENCE_MS, async () => (await fetch(index)).ok);
  const page = await browser.newPage();
  await page.goto(`${stage.url}/viewer.html`);
  await page.addScriptTag({ content: hlsJs() });
  await page.evaluate(startHlsJs, index);
  await page.evaluate(() => void document.querySelector('video')!.play());
  await until('it plays', PATIENCE_MS, async () => (await timeOf(page)) > 0);
  const watch = async (): Promise<void> => {
    const before = await timeOf(page);
    await new Promise((done) => setTimeout(done, WATCH_MS));
    const playedS = (await timeOf(page)) - before;
    assert.ok(playedS > (WATCH_MS / 1_000) * 0.8, `it went on by ${playedS} s only`);
  };
  await watch();
  await publisher.stop();
  await new Promise((done) => setTimeout(done, 3_000));
  publisher = publishClip(stage.url, stageKeyOf('show'));
  await new Promise((done) => setTimeout(done, SETTLE_MS));
  await watch();
  await stage.video.endShow('show');
  await until('it says that it is over', PATIENCE_MS, async () => (await page.evaluate(() => watched)).isOver);
  assert.deepEqual((await page.evaluate(() => watched)).errors, []);
});
