/**
 * Live video from end to end: a page with a camera → WHIP → the real media process → the viewers' socket → a second
 * page that really decodes. And what goes wrong on the way.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import { WebSocket } from 'ws';
import { decodeLiveBinary, liveSubprotocol } from '@nacre/contract/live';
import { until } from '../support/nacre.ts';
import { startUdpRelay } from '../support/udp-relay.ts';
import type { UdpRelay } from '../support/udp-relay.ts';
import { launchCameraBrowser, waitForMovement } from '../support/video-browser.ts';
import type { CameraBrowser } from '../support/video-browser.ts';
import { createVideoPages, hostView, playerStats, playerView } from '../support/video-pages.ts';
import { stageKeyOf, startVideoStage } from '../support/video-stage.ts';
import type { VideoStage } from '../support/video-stage.ts';

const showId = 'show-1';
/** Small, so that a viewer that is not read skips within seconds. */
const limits = { skipAboveBytes: 64 * 1024, resumeBelowBytes: 32 * 1024 };

let camera: CameraBrowser;
let stage: VideoStage;
const pages = createVideoPages({ browser: () => camera.browser, url: () => stage.url, showId });
const { openBare, openHost, openViewer } = pages;

async function openStage(port = 0): Promise<VideoStage> {
  return await startVideoStage({
    openShows: [showId],
    limits,
    port,
  });
}

async function openRelay(t: TestContext, delayMs = 0): Promise<UdpRelay> {
  const { udpPort } = await stage.video.ready();
  const relay = await startUdpRelay(udpPort, { delayMs });
  t.after(() => relay.stop());
  return relay;
}

async function closePages(): Promise<void> {
  await pages.close();
  await until('the publisher is gone', 5_000, async () => (await stage.video.stats()).media?.sessions.length === 0);
}

before(async () => {
  camera = await launchCameraBrowser();
  stage = await openStage();
});

after(async () => {
  await camera?.close();
  await stage?.stop();
});

test('[V8] what the camera sees moves on the second page, with sound, soon and near the live edge', async (t) => {
  const host = await openHost();
  const viewer = await openViewer();
  await until('the viewer waits', 3_000, async () => (await playerView(viewer)).reason === 'not-started');
  await host.evaluate(() => globalThis.host.goLive());
  assert.equal((await hostView(host)).state, 'live');
  t.diagnostic(`moving after ${await waitForMovement(viewer, 8_000)} ms (${camera.footage})`);
  const late = await openViewer();
  await waitForMovement(late, 5_000);
  await new Promise((done) => setTimeout(done, 3_000));
  const [view, stats, lateStats] = [await playerView(viewer), await playerStats(viewer), await playerStats(late)];
  t.diagnostic(JSON.stringify({ view, stats, lateFirstPictureMs: lateStats.firstPictureMs }));
  assert.deepEqual([view.state, view.width, view.height, view.hasSound], ['playing', 720, 1280, true]);
  // On a machine that runs other tests at the same time; `npm run bench -- camera-to-eye` measures it in peace.
  assert.ok(stats.delayMs !== null && stats.delayMs < 1_000, `delay ${stats.delayMs}`);
  assert.ok((lateStats.firstPictureMs ?? Infinity) < 1_500, 'a newcomer does not wait for the next key picture');
  assert.equal(view.muted, true);
  const decoded = () =>
    viewer.evaluate(() => (document.querySelector('video') as unknown as { webkitAudioDecodedByteCount: number })
      .webkitAudioDecodedByteCount);
  await viewer.mouse.click(5, 5);
  assert.equal(await viewer.evaluate(() => player.unmute()), true);
  const soundBefore = await decoded();
  await until('sound is decoded', 3_000, async () => (await decoded()) > soundBefore);
  const { stats: sent } = await hostView(host);
  assert.ok(sent && sent.width === 720 && sent.height === 1280 && sent.quality !== 'lost', JSON.stringify(sent));
  assert.ok((await host.evaluate(() => globalThis.host.level())) >= 0);
  assert.deepEqual(stage.pictureNews, [`up ${showId}`]);
  await closePages();
});

test('[V12] pressing stop is told to viewers at once; going live again reaches them on the same socket', async () => {
  const host = await openHost();
  const viewer = await openViewer();
  await host.evaluate(() => globalThis.host.goLive());
  await waitForMovement(viewer, 8_000);
  await host.evaluate(() => globalThis.host.stop());
  await until('viewers hear it', 1_000, async () => (await playerView(viewer)).reason === 'interrupted');
  assert.equal((await hostView(host)).state, 'preview');
  await host.evaluate(() => globalThis.host.goLive());
  await waitForMovement(viewer, 5_000);
  await until('playing', 3_000, async () => (await playerView(viewer)).state === 'playing');
  assert.equal((await playerStats(viewer)).reconnects, 0);
  await host.evaluate(() => globalThis.host.flip());
  await waitForMovement(viewer, 3_000);
  assert.equal((await hostView(host)).state, 'live', 'changing cameras interrupts nothing');
  // A closed page says goodbye too.
  await host.close();
  await until('viewers hear it', 2_000, async () => (await playerView(viewer)).reason === 'interrupted');
  stage.openShows.add(showId);
  await stage.video.endShow(showId);
  await until('ended', 2_000, async () => (await playerView(viewer)).state === 'ended');
  await closePages();
});

test('[V14] the media process is killed: the picture comes back by itself, on pages that nobody touched', async (t) => {
  const host = await openHost();
  const viewer = await openViewer();
  for (const page of [host, viewer]) await page.evaluate(() => { globalThis.reloads = 0; });
  await host.evaluate(() => globalThis.host.goLive());
  await waitForMovement(viewer, 8_000);
  const pid = stage.video.mediaPid();
  assert.ok(pid);
  process.kill(pid, 'SIGKILL');
  await until('viewers hear it', 2_000, async () => (await playerView(viewer)).reason === 'interrupted');
  const backMs = await until('playing again', 10_000, async () => (await playerView(viewer)).state === 'playing');
  await waitForMovement(viewer, 3_000);
  t.diagnostic(`picture back ${backMs} ms after the kill was noticed`);
  assert.ok(backMs < 6_000, `${backMs} ms`);
  assert.notEqual(stage.video.mediaPid(), pid);
  assert.equal((await hostView(host)).state, 'live');
  for (const page of [host, viewer]) assert.equal(await page.evaluate(() => globalThis.reloads), 0, 'not reloaded');
  assert.equal((await playerStats(viewer)).reconnects, 0, 'the viewers\' socket lives elsewhere');
  await closePages();
});

test('[V14] the host loses the network: viewers are told, and the picture comes back by itself with it', async (t) => {
  const relay = await openRelay(t);
  const host = await openHost({ relay });
  const viewer = await openViewer();
  for (const page of [host, viewer]) await page.evaluate(() => { globalThis.reloads = 0; });
  await host.evaluate(() => globalThis.host.goLive());
  await waitForMovement(viewer, 15_000);
  assert.ok(relay.link.counts().forwarded > 0, 'the picture takes this way');
  await relay.cut(host.context());
  await until('viewers hear it', 20_000, async () => (await playerView(viewer)).reason === 'interrupted');
  await until('the host knows', 20_000, async () => (await hostView(host)).state === 'reconnecting');
  // Long enough for attempts that fail.
  await new Promise((done) => setTimeout(done, 2_000));
  assert.equal((await hostView(host)).state, 'reconnecting');
  await relay.mend(host.context());
  const backMs = await until('playing again', 20_000, async () => (await playerView(viewer)).state === 'playing');
  await waitForMovement(viewer, 10_000);
  t.diagnostic(`picture back ${backMs} ms after the network`);
  await until('the host knows that too', 5_000, async () => (await hostView(host)).state === 'live');
  for (const page of [host, viewer]) assert.equal(await page.evaluate(() => globalThis.reloads), 0, 'not reloaded');
  assert.equal((await playerStats(viewer)).reconnects, 0, 'the viewers have a network of their own');
  await closePages();
});

test('[V18] the way from the camera to the server is measured and counts in what viewers are told', async (t) => {
  // More than the player keeps, so that a delay that leaves it out shows.
  const wayMs = 250;
  const relay = await openRelay(t, wayMs);
  const host = await openHost({ relay });
  const viewer = await openViewer();
  await host.evaluate(() => globalThis.host.goLive());
  await waitForMovement(viewer, 15_000);
  await until('it is known', 20_000, async () => (await playerStats(viewer)).uplinkMs !== null);
  await until('and told', 10_000, async () => ((await playerView(viewer)).delayMs ?? 0) > wayMs + 100);
  const stats = await playerStats(viewer);
  t.diagnostic(JSON.stringify({ uplinkMs: stats.uplinkMs, delayMs: stats.delayMs }));
  // Encoding and a busy machine come on top; the wrong clock would be far off.
  assert.ok(stats.uplinkMs !== null && stats.uplinkMs >= wayMs - 25 && stats.uplinkMs < wayMs + 2_000);
  await host.evaluate(() => globalThis.host.stop());
  await until('nothing is known of nobody', 5_000, async () => (await playerStats(viewer)).uplinkMs === null);
  await closePages();
});

test('[V15] the server is restarted: host and viewer come back by themselves', async (t) => {
  const host = await openHost();
  const viewer = await openViewer();
  await host.evaluate(() => globalThis.host.goLive());
  await waitForMovement(viewer, 8_000);
  const port = Number(new URL(stage.url).port);
  await stage.stop();
  await until('the host notices', 8_000, async () => (await hostView(host)).state === 'reconnecting');
  stage = await openStage(port);
  const backMs = await until('playing again', 12_000, async () => (await playerView(viewer)).state === 'playing');
  await waitForMovement(viewer, 3_000);
  t.diagnostic(`picture back ${backMs} ms after the server`);
  assert.equal((await hostView(host)).state, 'live');
  await closePages();
});

test('[V15] a hidden and silent page stops receiving, and shows the live picture again when it is seen', async () => {
  const host = await openHost();
  const viewer = await openViewer();
  await host.evaluate(() => globalThis.host.goLive());
  await waitForMovement(viewer, 8_000);
  const show = (isHidden: boolean) =>
    viewer.evaluate((hidden) => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
      document.dispatchEvent(new Event('visibilitychange'));
    }, isHidden);
  const received = async () => (await playerStats(viewer)).receivedBytes;
  await show(true);
  await until('it receives nothing more', 12_000, async () => {
    const before = await received();
    await new Promise((done) => setTimeout(done, 500));
    return (await received()) === before;
  });
  await show(false);
  await waitForMovement(viewer, 5_000);
  const { delayMs } = await playerView(viewer);
  assert.ok(delayMs !== null && delayMs < 2_000, `at the edge again, not where it was left: ${delayMs}`);
  assert.equal((await playerStats(viewer)).reconnects, 0);
  await closePages();
});

test('[V6] a second device takes over: viewers go on, the first one stops and says why', async () => {
  const first = await openHost();
  const viewer = await openViewer();
  await first.evaluate(() => globalThis.host.goLive());
  await waitForMovement(viewer, 8_000);
  const second = await openHost();
  await second.evaluate(() => globalThis.host.goLive());
  assert.equal((await hostView(second)).state, 'live');
  await until('the first one knows', 10_000, async () => (await hostView(first)).reason === 'replaced');
  await waitForMovement(viewer, 5_000);
  assert.equal((await hostView(first)).state, 'failed');
  assert.equal((await hostView(second)).state, 'live', 'and it stays the second one\'s');
  assert.equal((await playerStats(viewer)).reconnects, 0);
  await closePages();
});

test('[V1] a key that opens nothing is said to be refused, and the camera stays on', async () => {
  const host = await openHost({ key: 'key-of-nothing' });
  await host.evaluate(() => globalThis.host.goLive());
  const view = await hostView(host);
  assert.deepEqual([view.state, view.reason], ['failed', 'key-refused']);
  assert.equal(await host.evaluate(() => globalThis.host.view().stream?.getVideoTracks()[0]?.readyState), 'live');
  await closePages();
});

test('[V7] a show that is not open says so and is not asked for again', async () => {
  stage.openShows.delete(showId);
  const viewer = await openViewer();
  await until('not open', 3_000, async () => (await playerView(viewer)).reason === 'not-open');
  stage.openShows.add(showId);
  await closePages();
});

/** Noise cannot be compressed: it fills the line whatever the encoder does. */
async function publishNoise(page: Page): Promise<void> {
  await page.evaluate(async (streamKey) => {
    const canvas = document.createElement('canvas');
    canvas.width = 360;
    canvas.height = 640;
    const context = canvas.getContext('2d');
    const noise = new ImageData(180, 320);
    setInterval(() => {
      const words = new Uint32Array(noise.data.buffer);
      for (let at = 0; at < words.length; at++) words[at] = 0xff000000 | (Math.random() * 0xffffff);
      context?.putImageData(noise, 90, 160);
    }, 33);
    const source = canvas.captureStream(30);
    globalThis.host = lib.createBroadcaster({ whipUrl: '/whip', streamKey: () => streamKey, source });
    await globalThis.host.goLive();
  }, stageKeyOf(showId));
}

interface Reader {
  socket: WebSocket;
  /** In the order of arrival. */
  pictures: { timeMs: number; isKey: boolean }[];
}

/** @param origin `ws://…`, or `ws+unix:…` with a colon at its end */
function readPictures(origin = stage.url.replace('http', 'ws')): Reader {
  const socket = new WebSocket(`${origin}/live/${showId}/socket`, liveSubprotocol);
  const pictures: Reader['pictures'] = [];
  socket.on('message', (data, isBinary) => {
    const message = isBinary ? decodeLiveBinary(new Uint8Array(data as Buffer).buffer) : null;
    if (message?.kind !== 'fragment' || !message.hasVideo) return;
    pictures.push({ timeMs: message.timeMs, isKey: message.isKey });
  });
  return { socket, pictures };
}

/**
 * What `slow` went past: pictures that `quick` got and `slow` did not, though it has later ones. Counted by picture,
 * because a skip shortly before a key picture misses a single one and lasts no longer than a lost picture.
 */
function missedBy(slow: Reader, quick: Reader): Reader['pictures'] {
  const got = new Set(slow.pictures.map(({ timeMs }) => timeMs));
  const [first, last] = [slow.pictures[0]?.timeMs ?? Infinity, slow.pictures.at(-1)?.timeMs ?? -Infinity];
  return quick.pictures.filter(({ timeMs }) => timeMs > first && timeMs < last && !got.has(timeMs));
}

test('[V9] a viewer that does not read skips to a key picture of the real stream, and no other does', async (t) => {
  const host = await openBare();
  const viewer = await openViewer();
  await publishNoise(host);
  await waitForMovement(viewer, 8_000);
  const folder = mkdtempSync(join(tmpdir(), 'nacre-door-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  await stage.openNarrowDoor(join(folder, 'door'));
  const [slow, quick] = [readPictures(`ws+unix:${join(folder, 'door')}:`), readPictures()];
  await until('both get pictures', 3_000, () => slow.pictures.length > 5 && quick.pictures.length > 5);
  slow.socket.pause();
  const skipsBefore = (await stage.video.stats()).hub.skips;
  const tookMs = await until('it is skipped', 40_000, async () => (await stage.video.stats()).hub.skips > skipsBefore);
  t.diagnostic(`skipped after ${tookMs} ms at ${(await stage.video.stats()).media?.sessions[0]?.bitrateBps} bit/s`);
  slow.socket.resume();
  await until('it is back after a gap', 10_000, () => missedBy(slow, quick).length > 0);
  const missed = missedBy(slow, quick);
  const [from, to] = [missed[0]?.timeMs ?? 0, missed.at(-1)?.timeMs ?? 0];
  t.diagnostic(`${missed.length} pictures missed, ${Math.round(to - from)} ms from first to last`);
  assert.equal(slow.pictures.some(({ timeMs }) => timeMs > from && timeMs < to), false, 'one whole stretch');
  assert.equal(slow.pictures.find(({ timeMs }) => timeMs > to)?.isKey, true);
  assert.equal((await stage.video.stats()).hub.skips, skipsBefore + 1, 'no other one skipped');
  for (const { socket } of [slow, quick]) socket.close();
  await waitForMovement(viewer, 3_000);
  const { reconnects, droppedMessages } = await playerStats(viewer);
  assert.deepEqual([reconnects, droppedMessages], [0, 0], 'the other one noticed nothing');
  await closePages();
});
