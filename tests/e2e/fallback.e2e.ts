/** The picture where sockets or Media Source Extensions are missing: real clip, real media process, real decoding. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import type { PlayerStats } from '../../web/src/lib/player/face.ts';
import { decodedSound, forgetOpus } from '../support/forget-opus.ts';
import { proveHls } from '../support/hls-proof.ts';
import { publishClip, until } from '../support/nacre.ts';
import { launchCameraBrowser, waitForMovement, type CameraBrowser } from '../support/video-browser.ts';
import { createVideoPages, playerStats, playerView } from '../support/video-pages.ts';
import { stageKeyOf, startVideoStage, type VideoStage } from '../support/video-stage.ts';

const showId = 'show-1';
const PATIENCE_MS = 30_000;
/** Half a minute of it is in tests/long. */
const PROOF_SECONDS = 8;

let stage: VideoStage;
let camera: CameraBrowser;
const { openViewer } = createVideoPages({ browser: () => camera.browser, url: () => stage.url, showId });
let publisher: ReturnType<typeof publishClip>;
before(async () => {
  stage = await startVideoStage({ openShows: [showId] });
  publisher = publishClip(stage.url, stageKeyOf(showId));
  camera = await launchCameraBrowser();
  await until('there is a playlist', PATIENCE_MS, async () => (await fetch(indexUrl())).ok);
});
after(async () => {
  await camera?.close();
  await publisher?.stop();
  await stage?.stop();
});

const indexUrl = (): string => `${stage.url}/live/${showId}/index.m3u8`;

async function untilPlayingBy(page: Page, transport: PlayerStats['transport']): Promise<void> {
  await until(`playing by ${transport}`, PATIENCE_MS, async () => (
    (await playerStats(page)).transport === transport && (await playerView(page)).state === 'playing'
  ));
  await waitForMovement(page, PATIENCE_MS);
}

test('[V20] where no socket gets through the picture comes by HLS, and by a socket when one does again', async (t) => {
  stage.blockSockets(true);
  const asked: string[] = [];
  const page = await openViewer(async (context) => context.on('request', (request) => asked.push(request.url())));
  await untilPlayingBy(page, 'hls');
  await until('the delay is known', PATIENCE_MS, async () => (await playerView(page)).delayMs !== null);
  // Steering takes some seconds to come near the edge.
  await until('near the edge', PATIENCE_MS, async () => ((await playerView(page)).delayMs ?? Infinity) < 1_500);
  const { delayMs } = await playerView(page);
  t.diagnostic(`${delayMs} ms behind by HLS`);
  assert.deepEqual(asked.filter((url) => url.includes('/aac/')), [], 'Opus plays here');
  stage.blockSockets(false);
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await untilPlayingBy(page, 'socket');
  await page.context().close();
});

test('[V20] a browser without Media Source Extensions plays HLS by itself', async () => {
  const page = await openViewer((context) => context.addInitScript(() => {
    Reflect.deleteProperty(globalThis, 'MediaSource');
    Reflect.deleteProperty(globalThis, 'ManagedMediaSource');
  }));
  await untilPlayingBy(page, 'hls');
  assert.equal((await playerStats(page)).receivedBytes, 0, 'nothing came by a socket');
  await page.context().close();
});

test('[V50] a browser that takes no Opus in MP4 plays the show with AAC; one that does never asks', async () => {
  const asked: string[] = [];
  const page = await openViewer(async (context) => {
    await context.addInitScript(forgetOpus);
    context.on('request', (request) => asked.push(new URL(request.url()).pathname));
  });
  await untilPlayingBy(page, 'hls');
  await page.mouse.click(5, 5);
  assert.equal(await page.evaluate(() => player.unmute()), true);
  const before = await decodedSound(page);
  await until('sound is decoded', PATIENCE_MS, async () => (await decodedSound(page)) > before);
  await waitForMovement(page, PATIENCE_MS);
  assert.ok(asked.some((path) => path.startsWith(`/live/${showId}/aac/`)));
  assert.deepEqual(asked.filter((path) => path === `/live/${showId}/media.m3u8`), []);
  assert.equal((await playerStats(page)).transport, 'hls');
  await page.context().close();
});

/** iPhones' media source: the page is told when it may feed it. `managed` is the one that plays. */
function becomeManaged(): void {
  const counts = { appends: 0, whileEnough: 0 };
  const ManagedMediaSource = new Proxy(MediaSource, {
    construct(Source) {
      const managed = Object.assign(new Source(), {
        streaming: false,
        want(isWanted: boolean): void {
          managed.streaming = isWanted;
          managed.dispatchEvent(new Event(isWanted ? 'startstreaming' : 'endstreaming'));
        },
      });
      managed.addEventListener('sourceopen', () => setTimeout(() => managed.want(true), 400));
      Object.assign(globalThis, { managed, counts });
      return managed;
    },
  });
  const append = SourceBuffer.prototype.appendBuffer;
  SourceBuffer.prototype.appendBuffer = function appendBuffer(data) {
    counts.appends += 1;
    if (!globalThis.managed.streaming) counts.whileEnough += 1;
    append.call(this, data);
  };
  Object.assign(globalThis, { ManagedMediaSource });
  Reflect.deleteProperty(globalThis, 'MediaSource');
}

declare global {
  var managed: { streaming: boolean; want(isWanted: boolean): void };
  var counts: { appends: number; whileEnough: number };
}

test('[V52] a managed media source is fed while it wants, and goes on at the edge after a rest', async () => {
  const page = await openViewer((context) => context.addInitScript(becomeManaged));
  await untilPlayingBy(page, 'socket');
  assert.equal(await page.evaluate(() => document.querySelector('video')?.disableRemotePlayback), true);
  const receivedBytes = async () => (await playerStats(page)).receivedBytes;
  await page.evaluate(() => managed.want(false));
  const { appends } = await page.evaluate(() => counts);
  // After five seconds the line rests too.
  await until('nothing comes any more', PATIENCE_MS, async () => {
    const before = await receivedBytes();
    await new Promise((done) => setTimeout(done, 700));
    return (await receivedBytes()) === before;
  });
  assert.deepEqual(await page.evaluate(() => counts), { appends, whileEnough: 0 });
  await page.evaluate(() => managed.want(true));
  await waitForMovement(page, PATIENCE_MS);
  await until('near the edge', PATIENCE_MS, async () => ((await playerView(page)).delayMs ?? Infinity) < 1_500);
  assert.equal((await page.evaluate(() => counts)).whileEnough, 0);
  await page.context().close();
});

test('[V20] where nothing can play, that is said', async () => {
  const page = await openViewer((context) => context.addInitScript(() => {
    Reflect.deleteProperty(globalThis, 'MediaSource');
    HTMLMediaElement.prototype.canPlayType = () => '';
  }));
  await until('unsupported', PATIENCE_MS, async () => (await playerView(page)).state === 'unsupported');
  assert.equal((await playerView(page)).reason, 'no-mse');
  await page.context().close();
});

test('[M28] every playlist of a real show reads well, and FFmpeg reads on without an error', async (t) => {
  for (const said of await proveHls(`${stage.url}/live/${showId}`, PROOF_SECONDS)) t.diagnostic(said);
});
