/**
 * A whole show, with an interruption in it, in two players that are not ours: hls.js as it comes, and Shaka Player.
 *
 * The latter is fetched by npm for this test alone, because 86 MB installed are too many for one; where npm does not
 * get it, that is said and hls.js alone is tried.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.ts';
import { publishClip, until } from '../support/nacre.ts';
import { stageKeyOf, startVideoStage } from '../support/video-stage.ts';

const SHAKA = 'shaka-player@5.2.12';
const PATIENCE_MS = 40_000;
const WATCH_MS = 40_000;
const folder = mkdtempSync(join(tmpdir(), 'nacre-players-'));
after(() => rmSync(folder, { recursive: true }));

interface Watched {
  errors: string[];
  isOver: boolean;
}
declare global {
  var watched: Watched;
}

/** The script of Shaka Player; null where npm does not get it. */
function fetchShaka(): string | null {
  try {
    const [packed] = JSON.parse(execFileSync('npm', ['pack', SHAKA, '--json', '--pack-destination', folder], {
      encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'],
    })) as { filename: string }[];
    const script = 'package/dist/shaka-player.compiled.js';
    execFileSync('tar', ['-xzf', join(folder, packed?.filename ?? ''), '-C', folder, script]);
    return readFileSync(join(folder, script), 'utf8');
  } catch {
    return null;
  }
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

/** The little of it that is used here. */
interface ShakaPlayer extends EventTarget {
  attach(video: HTMLVideoElement): Promise<void>;
  load(url: string): Promise<void>;
}

async function startShaka(url: string): Promise<void> {
  const { shaka } = globalThis as unknown as { shaka: { Player: new () => ShakaPlayer } };
  const video = document.querySelector('video')!;
  const watched: Watched = { errors: [], isOver: false };
  Object.assign(globalThis, { watched });
  const player = new shaka.Player();
  await player.attach(video);
  player.addEventListener('error', (event) => {
    const { detail } = event as CustomEvent<{ severity: number; code: number }>;
    if (detail.severity === 2) watched.errors.push(String(detail.code));
  });
  video.addEventListener('ended', () => (watched.isOver = true));
  await player.load(url);
}

const timeOf = (page: Page): Promise<number> => page.evaluate(() => document.querySelector('video')!.currentTime);

test('[M28] hls.js and Shaka Player play a whole show, an interruption and the end included', async (t) => {
  const stage = await startVideoStage({ openShows: ['show'] });
  t.after(() => stage.stop());
  const browser = await launchChromium(['--autoplay-policy=no-user-gesture-required']);
  t.after(() => browser.close());
  let publisher = publishClip(stage.url, stageKeyOf('show'));
  t.after(() => publisher.stop());
  const index = `${stage.url}/live/show/index.m3u8`;
  await until('there is a playlist', PATIENCE_MS, async () => (await fetch(index)).ok);

  const shaka = fetchShaka();
  if (shaka === null) t.diagnostic(`NOT RUN: ${SHAKA} could not be fetched; hls.js alone was tried`);
  const pages: { name: string; page: Page }[] = [];
  for (const [name, script, start] of [['hls.js', hlsJs(), startHlsJs], ['Shaka', shaka, startShaka]] as const) {
    if (script === null) continue;
    const page = await browser.newPage();
    await page.goto(`${stage.url}/viewer.html`);
    await page.addScriptTag({ content: script });
    await page.evaluate(start, index);
    await page.evaluate(() => void document.querySelector('video')!.play());
    await until(`${name} plays`, PATIENCE_MS, async () => (await timeOf(page)) > 0);
    pages.push({ name, page });
  }
  const watch = async (): Promise<void> => {
    const before = await Promise.all(pages.map(({ page }) => timeOf(page)));
    await new Promise((done) => setTimeout(done, WATCH_MS));
    for (const [at, { name, page }] of pages.entries()) {
      const playedS = (await timeOf(page)) - (before[at] ?? 0);
      t.diagnostic(`${name} went on by ${playedS.toFixed(1)} s`);
      assert.ok(playedS > (WATCH_MS / 1_000) * 0.8, `${name} went on by ${playedS} s only`);
    }
  };
  await watch();
  await publisher.stop();
  await new Promise((done) => setTimeout(done, 3_000));
  publisher = publishClip(stage.url, stageKeyOf('show'));
  await new Promise((done) => setTimeout(done, 15_000));
  await watch();
  await stage.video.endShow('show');
  for (const { name, page } of pages) {
    await until(`${name} says that it is over`, PATIENCE_MS, async () => (await page.evaluate(() => watched)).isOver);
    assert.deepEqual((await page.evaluate(() => watched)).errors, [], name);
  }
});
