/** A show that FFmpeg publishes by RTMP, with B-frames and AAC as OBS has them: watched by socket and HLS, and kept. */
import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ClipTile } from '@nacre/contract/clips';
import type { OfficeRecording, Replay } from '@nacre/contract/replays';
import type { Show } from '@nacre/contract/shows';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.ts';
import { cookiesOf } from '../support/cookies.ts';
import { openMarket, startNacre, until, type Market, type Nacre } from '../support/nacre.ts';
import { findProgram } from '../support/programs.ts';
import { textsOf } from '../support/texts.ts';
import { waitForMovement } from '../support/video-browser.ts';

const run = promisify(execFile);
const PATIENCE_MS = 20_000;
const say = textsOf('en');
const skip = findProgram('ffmpeg') === null && 'ffmpeg is not here';

let nacre: Nacre;
let browser: Browser;
let market: Market;
let encoder: ChildProcess | null = null;
let words = '';

/** As OBS sends it: x264 with two B-frames, a key picture each 2 s, AAC. */
function encode(url: string, ...codec: readonly string[]): ChildProcess {
  const footage = process.env['NACRE_CLIPS'];
  const picture = footage === undefined ? ['-f', 'lavfi', '-i', 'testsrc2=s=720x1280:r=30']
    : ['-stream_loop', '-1', '-i', join(footage, 'bottles.mp4')];
  const child = spawn('ffmpeg', [
    '-nostdin', '-v', 'error', '-re', ...picture, '-re', '-f', 'lavfi', '-i', 'sine=f=440:r=44100',
    '-map', '0:v', '-map', '1:a', '-vf', 'scale=720:1280:force_original_aspect_ratio=increase,crop=720:1280,fps=30',
    '-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '60', '-keyint_min', '60', '-sc_threshold', '0',
    '-b:v', '2000k', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-b:a', '128k', ...codec, '-f', 'flv', url,
  ], { stdio: ['ignore', 'ignore', 'pipe'] });
  child.stderr.on('data', (chunk: Buffer) => { words += chunk; });
  return child;
}

before(async () => {
  if (skip) return;
  [nacre, browser] = await Promise.all([startNacre(), launchChromium()]);
  market = await openMarket(nacre.url);
  const { key, rtmpUrl } = await market.owner.must<{ key: string; rtmpUrl: string | null }>(
    200, 'POST', `/api/office/shows/${market.show.id}/stream-key`,
  );
  assert.match(rtmpUrl ?? '', /^rtmp:\/\/localhost:\d+\/live$/);
  encoder = encode(`${rtmpUrl}/${key}`);
  await until('the show is live', PATIENCE_MS, async () => (
    (await market.owner.must<Show>(200, 'GET', `/api/shows/${market.show.id}`)).state === 'live'
  ));
});
after(async () => {
  encoder?.kill();
  await browser?.close();
  await nacre?.remove();
});

interface Visit extends BrowserContextOptions {
  /** As the show's owner, else as a guest. */
  isOwner?: boolean;
  hasSockets?: boolean;
}

async function open(path: string, { isOwner = false, hasSockets = true, ...options }: Visit = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 360, height: 740 }, locale: 'en-US', ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  if (isOwner) await context.addCookies(cookiesOf(market.owner, nacre.url));
  if (!hasSockets) await context.routeWebSocket(/\/live\//, (socket) => void socket.close());
  const page = await context.newPage();
  page.on('pageerror', (error) => assert.fail(error));
  // By HLS requests never rest.
  await page.goto(`${nacre.url}${path}`, { waitUntil: hasSockets ? 'networkidle' : 'load' });
  return page;
}

const decodedSound = (page: Page): Promise<number> => page.evaluate(() => (
  document.querySelector('video') as unknown as { webkitAudioDecodedByteCount: number }
).webkitAudioDecodedByteCount);

/** Moving pictures that go on, and sound that is decoded. */
async function plays(page: Page): Promise<number> {
  const ms = await waitForMovement(page, PATIENCE_MS);
  const before = await decodedSound(page);
  await until('sound', PATIENCE_MS, async () => (await decodedSound(page)) > before);
  const state = () => page.evaluate(() => {
    const { currentTime, error } = document.querySelector('video')!;
    return { currentTime, error: error?.message ?? null };
  });
  const from = await state();
  await sleep(3_000);
  const to = await state();
  assert.equal(to.error, null);
  assert.ok(to.currentTime - from.currentTime > 2, `${from.currentTime} to ${to.currentTime} in 3 s`);
  return ms;
}

const picture = process.env['NACRE_LOOK'];
const look = async (page: Page, name: string) => {
  if (picture !== undefined) await page.screenshot({ path: `${picture}/${name}.png` });
};

/** Encodes what browsers do not play until it is refused. */
async function sendWrong(url: string): Promise<void> {
  const child = encode(url, '-c:a', 'mp3');
  await once(child, 'exit');
}

async function sheetIn(locale: 'zh' | 'ar', showId: string): Promise<void> {
  const words = textsOf(locale);
  const page = await open(`/office/${market.shop.slug}/shows/${showId}`, {
    isOwner: true, colorScheme: 'dark', viewport: { width: 1_280, height: 800 },
  });
  await page.getByRole('button', { name: words('office.encoder_open') }).click();
  await page.getByRole('button', { name: words('office.encoder_issue') }).click();
  await page.getByLabel(words('encoder.rtmp_address')).waitFor();
  await look(page, `encoder-sheet-${locale}`);
  await page.context().close();
}

test('[W330] [W331] both addresses are shown with what to set, and what is wrong is told where the host looks', {
  skip,
}, async () => {
  const { owner, shop, product } = market;
  const show = await owner.must<Show>(201, 'POST', `/api/office/shops/${shop.id}/shows`, {
    title: 'With OBS', description: '', coverImageId: null, startsAt: new Date().toISOString(),
    visibility: 'private', productIds: [product.id],
  });
  const page = await open(`/office/${shop.slug}/shows/${show.id}`, { isOwner: true });
  await page.getByRole('button', { name: say('office.encoder_open') }).click();
  await page.getByRole('button', { name: say('office.encoder_issue') }).click();
  const key = await page.getByLabel(say('encoder.key')).inputValue();
  assert.match(await page.getByLabel(say('encoder.whip_address')).inputValue(), /^http:\/\/localhost:\d+\/whip$/);
  const address = await page.getByLabel(say('encoder.rtmp_address')).inputValue();
  await page.getByText(say('encoder.waiting')).waitFor();
  await look(page, 'encoder-sheet');
  const studio = await open(`/studio/${show.id}`, { isOwner: true });
  await sendWrong(`${address}/${key}`);
  for (const one of [page, studio]) {
    await one.getByText(say('encoder.sound_codec', { found: 'MP3' })).waitFor();
    await one.getByText(say('encoder.sound_codec_do')).waitFor();
  }
  await look(page, 'encoder-sheet-wrong');
  await look(studio, 'encoder-studio-wrong');
  for (const locale of ['zh', 'ar'] as const) {
    await owner.must(200, 'PATCH', '/api/me', { locale });
    const wide = locale === 'ar' ? { viewport: { width: 1_280, height: 800 } } : {};
    const other = await open(`/studio/${show.id}`, { isOwner: true, colorScheme: 'dark', ...wide });
    await sendWrong(`${address}/${key}`);
    await other.getByText(textsOf(locale)('encoder.sound_codec_do')).waitFor();
    await look(other, `encoder-studio-${locale}`);
    await other.context().close();
    if (locale === 'ar') await sheetIn(locale, show.id);
  }
  await owner.must(200, 'PATCH', '/api/me', { locale: 'en' });
  const { key: newKey } = await owner.must<{ key: string }>(
    200, 'POST', `/api/office/shows/${show.id}/stream-key`,
  );
  const right = encode(`${address}/${newKey}`);
  await page.getByText(say('encoder.arrived')).waitFor();
  await studio.getByText(say('encoder.sound_codec_do')).waitFor({ state: 'detached' });
  await look(page, 'encoder-sheet-right');
  right.kill();
  await owner.must(200, 'POST', `/api/office/shows/${show.id}/end`);
  await Promise.all([page.context().close(), studio.context().close()]);
});

test('[V96] Chromium plays it by socket, with its sound', { skip }, async (t) => {
  const page = await open(`/shows/${market.show.id}`);
  t.diagnostic(`moved after ${await plays(page)} ms`);
  const shown = await page.evaluate(() => {
    const { videoWidth, videoHeight, src } = document.querySelector('video')!;
    return [videoWidth, videoHeight, src.startsWith('blob:')];
  });
  assert.deepEqual(shown, [720, 1280, true]);
  await page.context().close();
});

test('[V96] Chromium plays it by Low-Latency HLS, with its sound', { skip }, async (t) => {
  const playlist = await (await fetch(`${nacre.url}/live/${market.show.id}/index.m3u8?audio=aac`)).text();
  assert.match(playlist, /CODECS="avc1\.[0-9a-f]{6},mp4a\.40\.2"/);
  assert.match(playlist, /^media\.m3u8$/m, 'as it came: nothing is made of it');
  const page = await open(`/shows/${market.show.id}`, { hasSockets: false });
  t.diagnostic(`moved after ${await plays(page)} ms`);
  await page.context().close();
});

test('[V96] an encoder without sound is taken over by one with it, and the other way round: viewers see on', {
  skip,
}, async (t) => {
  const { owner, shop, product } = market;
  const show = await owner.must<Show>(201, 'POST', `/api/office/shops/${shop.id}/shows`, {
    title: 'Now with sound', description: '', coverImageId: null, startsAt: new Date().toISOString(),
    visibility: 'public', productIds: [product.id],
  });
  const { key, rtmpUrl } = await owner.must<{ key: string; rtmpUrl: string }>(
    200, 'POST', `/api/office/shows/${show.id}/stream-key`,
  );
  const encoders = [encode(`${rtmpUrl}/${key}`, '-an')];
  t.after(() => encoders.forEach((one) => one.kill()));
  const isLive = async () => (await owner.must<Show>(200, 'GET', `/api/shows/${show.id}`)).state === 'live';
  await until('the show is live', PATIENCE_MS, isLive);
  const page = await open(`/shows/${show.id}`);
  await waitForMovement(page, PATIENCE_MS);
  assert.equal(await decodedSound(page), 0);
  encoders.push(encode(`${rtmpUrl}/${key}`));
  await until('the first is taken over', PATIENCE_MS, () => encoders[0]!.exitCode !== null);
  t.diagnostic(`with sound after ${await plays(page)} ms`);
  encoders.push(encode(`${rtmpUrl}/${key}`, '-an'));
  await until('the second is taken over', PATIENCE_MS, () => encoders[1]!.exitCode !== null);
  await sleep(1_000);
  t.diagnostic(`without again after ${await waitForMovement(page, PATIENCE_MS)} ms`);
  await page.context().close();
});

test('[V96] [M118] it is kept whole: the replay plays, its clip is a file that others read', { skip }, async (t) => {
  const { owner, show, product } = market;
  await owner.must(200, 'PUT', `/api/office/shows/${show.id}/on-screen`, { productId: product.id });
  await sleep(10_000);
  await owner.must(200, 'PUT', `/api/office/shows/${show.id}/on-screen`, { productId: null });
  await owner.must(200, 'POST', `/api/office/shows/${show.id}/end`);
  await until('FFmpeg’s end', PATIENCE_MS, () => encoder!.exitCode !== null);
  assert.match(words, /The show is over/);
  await until('the replay', PATIENCE_MS, async () => (
    (await owner.must<Replay>(200, 'GET', `/api/shows/${show.id}/replay`)).state === 'ready'
  ));
  let recording: OfficeRecording | null = null;
  await until('the check', PATIENCE_MS, async () => {
    recording = await owner.must<OfficeRecording>(200, 'GET', `/api/office/shows/${show.id}/recording`);
    return recording.report !== null;
  });
  t.diagnostic(JSON.stringify(recording!.report));
  assert.deepEqual(recording!.report!.faults, []);
  const page = await open(`/shows/${show.id}`);
  await page.getByRole('button', { name: say('replay.play'), exact: true }).first().click();
  t.diagnostic(`the replay moved after ${await plays(page)} ms`);
  await page.context().close();
  const clips = () => owner.must<ClipTile[]>(200, 'GET', `/api/products/${product.id}/clips`);
  await until('the clip', PATIENCE_MS, async () => (await clips()).length === 1);
  const [clip] = await clips();
  const cookie = cookiesOf(owner, nacre.url).map(({ name, value }) => `${name}=${value}`).join('; ');
  const answer = await fetch(`${nacre.url}/api/office/clips/${clip!.id}/file`, { headers: { cookie } });
  assert.equal(answer.status, 200);
  const folder = await mkdtemp(join(tmpdir(), 'nacre-encoder-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'clip.mp4');
  await writeFile(file, Buffer.from(await answer.arrayBuffer()));
  const { stderr } = await run('ffmpeg', ['-v', 'error', '-i', file, '-f', 'null', '-']);
  assert.equal(stderr, '');
  const { stdout } = await run('ffprobe', ['-v', 'error', '-show_entries', 'stream=codec_name,start_time,duration',
    '-of', 'csv=p=0', file]);
  t.diagnostic(stdout.replaceAll('\n', ' '));
  assert.match(stdout, /h264.*\n.*aac/);
});
