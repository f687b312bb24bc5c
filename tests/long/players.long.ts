/**
 * Whole shows in players as they come, with their own settings and their own steering: hls.js, and Shaka Player, which
 * knows nothing of Nacre and steers by other things than hls.js does.
 *
 * Shaka Player is 86 MB of which one file is needed, so npm fetches it into a folder of its own for this test; where
 * that cannot be, its tests are skipped aloud.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.ts';
import { publishClip, until } from '../support/nacre.ts';
import { stageKeyOf, startVideoStage, type VideoStage } from '../support/video-stage.ts';

const SHAKA = 'shaka-player@5.2.12';
const FETCH_LIMIT_MS = 120_000;
const PATIENCE_MS = 40_000;
const WATCH_MS = 15_000;
/** Of that time, what has to be played: two players at once may stumble on a busy machine, but none stands still. */
const PLAYED_SHARE = 0.6;
const INTERRUPTION_MS = 3_000;
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

/** What is used of Shaka Player. */
interface ShakaPlayer {
  attach(video: HTMLVideoElement): Promise<void>;
  addEventListener(type: 'error', listener: (event: { detail: { code?: number } }) => void): void;
  configure(settings: object): void;
  load(url: string): Promise<void>;
}

async function startShaka({ url, settings }: { url: string; settings: object }): Promise<void> {
  const { shaka } = globalThis as unknown as { shaka: { Player: new () => ShakaPlayer } };
  const video = document.querySelector('video')!;
  const watched: Watched = { errors: [], isOver: false };
  Object.assign(globalThis, { watched });
  const player = new shaka.Player();
  player.addEventListener('error', ({ detail }) => watched.errors.push(`${detail.code ?? detail}`));
  video.addEventListener('ended', () => (watched.isOver = true));
  await player.attach(video);
  player.configure(settings);
  await player.load(url);
}

/** Its script; null where npm cannot fetch it. */
function fetchShaka(t: TestContext): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'nacre-shaka-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const run = (command: string, ...args: string[]) => (
    spawnSync(command, args, { cwd: folder, encoding: 'utf8', timeout: FETCH_LIMIT_MS })
  );
  const packed = run('npm', 'pack', '--silent', SHAKA);
  if (packed.status !== 0) return null;
  const script = 'package/dist/shaka-player.compiled.js';
  assert.equal(run('tar', '-xzf', packed.stdout.trim(), script).status, 0);
  return readFileSync(join(folder, script), 'utf8');
}

interface Show {
  stage: VideoStage;
  index: string;
  /** Another page on the show's stage, with this script. */
  open(script: string): Promise<Page>;
  /** The publisher goes, and comes back. */
  interrupt(): Promise<void>;
  /** Another publisher takes the show over. */
  takeOver(): Promise<void>;
}

async function startShow(t: TestContext): Promise<Show> {
  const stage = await startVideoStage({ openShows: ['show'] });
  t.after(() => stage.stop());
  const browser = await launchChromium(['--autoplay-policy=no-user-gesture-required']);
  t.after(() => browser.close());
  let publisher = publishClip(stage.url, stageKeyOf('show'));
  t.after(() => publisher.stop());
  const index = `${stage.url}/live/show/index.m3u8?audio=opus`;
  await until('there is a playlist', PATIENCE_MS, async () => (await fetch(index)).ok);
  return {
    stage,
    index,
    async open(script) {
      const page = await browser.newPage();
      await page.goto(`${stage.url}/viewer.html`);
      await page.addScriptTag({ content: script });
      return page;
    },
    async interrupt() {
      await publisher.stop();
      await new Promise((done) => setTimeout(done, INTERRUPTION_MS));
      publisher = publishClip(stage.url, stageKeyOf('show'));
    },
    async takeOver() {
      const before = publisher;
      publisher = publishClip(stage.url, stageKeyOf('show'));
      const playlist = async () => (await fetch(`${stage.url}/live/show/media.m3u8`)).text();
      await until('it is taken over', PATIENCE_MS, async () => /#EXT-X-DISCONTINUITY\n/.test(await playlist()));
      await before.stop();
    },
  };
}

const timeOf = (page: Page): Promise<number> => page.evaluate(() => document.querySelector('video')!.currentTime);

async function plays(pages: readonly Page[]): Promise<void> {
  await Promise.all(pages.map((page) => page.evaluate(() => void document.querySelector('video')!.play())));
  for (const page of pages) await until('it plays', PATIENCE_MS, async () => (await timeOf(page)) > 0);
}

async function goOn(pages: readonly Page[]): Promise<void> {
  const before = await Promise.all(pages.map(timeOf));
  await new Promise((done) => setTimeout(done, WATCH_MS));
  for (const [index, page] of pages.entries()) {
    const playedS = (await timeOf(page)) - before[index]!;
    assert.ok(playedS > (WATCH_MS / 1_000) * PLAYED_SHARE, `player ${index} went on by ${playedS} s only`);
  }
}

async function end(show: Show, pages: readonly Page[]): Promise<void> {
  await show.stage.video.endShow('show');
  for (const [index, page] of pages.entries()) {
    await until(`player ${index} says that it is over`, PATIENCE_MS, async () => (
      (await page.evaluate(() => watched)).isOver
    ));
    assert.deepEqual((await page.evaluate(() => watched)).errors, []);
  }
}

test('[M28] hls.js plays a whole show, an interruption, a takeover and the end included', async (t) => {
  const show = await startShow(t);
  const page = await show.open(hlsJs());
  await page.evaluate(startHlsJs, show.index);
  await plays([page]);
  await goOn([page]);
  await show.interrupt();
  await new Promise((done) => setTimeout(done, SETTLE_MS));
  await goOn([page]);
  await show.takeOver();
  await new Promise((done) => setTimeout(done, SETTLE_MS));
  await goOn([page]);
  await end(show, [page]);
});

/** Shaka Player twice, part by part and segment by segment. */
async function openShaka(show: Show, script: string, settings: object): Promise<Page[]> {
  const pages: Page[] = [];
  for (const lowLatencyMode of [true, false]) {
    const page = await show.open(script);
    await page.evaluate(startShaka, { url: show.index, settings: { ...settings, streaming: { lowLatencyMode } } });
    pages.push(page);
  }
  await plays(pages);
  return pages;
}

test('[M28] Shaka Player plays a whole show, a takeover and the end included', async (t) => {
  const script = fetchShaka(t);
  if (script === null) return t.skip(`npm cannot fetch ${SHAKA}`);
  const show = await startShow(t);
  const pages = await openShaka(show, script, {});
  await goOn(pages);
  await show.takeOver();
  await new Promise((done) => setTimeout(done, SETTLE_MS));
  await goOn(pages);
  await end(show, pages);
});

/**
 * As it comes it stands still after an interruption of more than a segment (docs/operating/phones.md): its window, as
 * long as what it knows, moves with the clock while the show stands, and all that falls out of it makes it shorter.
 */
test('[M28] Shaka Player with a window of its own plays a whole show, an interruption included', async (t) => {
  const script = fetchShaka(t);
  if (script === null) return t.skip(`npm cannot fetch ${SHAKA}`);
  const show = await startShow(t);
  const pages = await openShaka(show, script, { manifest: { availabilityWindowOverride: 60 } });
  await goOn(pages);
  await show.interrupt();
  await new Promise((done) => setTimeout(done, SETTLE_MS));
  await goOn(pages);
  await end(show, pages);
});
