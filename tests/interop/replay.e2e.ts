/** A real show, cut in the middle by kill -9, seen again: by FFmpeg, who reads the replay as any player would. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import test, { after, before } from 'node:test';
import { promisify } from 'node:util';
import HLS from 'hls-parser';
import { Parser } from 'm3u8-parser';
import type { Page } from 'playwright-core';
import type { OfficeRecording, Replay } from '@nacre/contract/replays';
import { launchChromium } from '../support/chromium.ts';
import { decodeWithFfmpeg, packetsWithFfmpeg } from '../support/ffmpeg.ts';
import { createClient, goLive, openMarket, startNacre, until, type Market, type Nacre } from '../support/nacre.ts';

const run = promisify(execFile);
const PATIENCE_MS = 30_000;
let nacre: Nacre;
let market: Market;
before(async () => {
  nacre = await startNacre();
  market = await openMarket(nacre.url);
});
after(() => nacre?.remove());

const text = async (name: string) => (await fetch(`${nacre.url}/replay/${market.show.id}/${name}`)).text();
async function bytesOf(name: string): Promise<Buffer> {
  const answer = await fetch(`${nacre.url}/replay/${market.show.id}/${name}`);
  assert.equal(answer.status, 200, name);
  return Buffer.from(await answer.arrayBuffer());
}
/** One after the other, as players do. */
async function joined(names: readonly string[]): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (const name of names) parts.push(await bytesOf(name));
  return Buffer.concat(parts);
}
/** Each stretch as one file: FFmpeg's own reader of HLS does not change the init segment at a discontinuity. */
async function stretchFiles(folder: '' | 'aac/'): Promise<Buffer[]> {
  const stretches = (await text(`${folder}media.m3u8`)).split('#EXT-X-MAP:').slice(1);
  const files: Buffer[] = [];
  for (const stretch of stretches) {
    const names = [/URI="([^"]+)"/.exec(stretch)![1]!, ...stretch.match(/^\d+\.m4s$/gm)!];
    files.push(await joined(names.map((name) => folder + name)));
  }
  return files;
}

test('[RE1] [RE3] seen again within 5 s of the end, also what was before the server was killed', async (t) => {
  const showId = market.show.id;
  const live = await goLive(nacre.url, market);
  t.after(() => live.stop());
  const client = createClient(nacre.url);
  const replay = () => client.must<Replay>(200, 'GET', `/api/shows/${showId}/replay`);
  await until('some seconds of it', PATIENCE_MS, async () => (await replay()).durationMs >= 6_000);
  await nacre.kill();
  await nacre.startAgain();
  await until('it goes on', PATIENCE_MS, async () => (await replay()).stretches.length === 2);
  await market.owner.must(200, 'PUT', `/api/office/shows/${showId}/on-screen`, { productId: market.product.id });
  await until('some seconds more', PATIENCE_MS, async () => (await replay()).stretches[1]!.durationMs >= 4_000);

  const endedMs = performance.now();
  await market.owner.must(200, 'POST', `/api/office/shows/${showId}/end`);
  await until('the replay', PATIENCE_MS, async () => (await replay()).state === 'ready');
  const readyMs = performance.now() - endedMs;
  t.diagnostic(`ready ${Math.round(readyMs)} ms after the end`);
  assert.ok(readyMs < 5_000, `${readyMs} ms`);
  const { stretches, chapters, durationMs } = await replay();
  assert.equal(stretches.length, 2);
  assert.ok(durationMs >= 10_000);
  assert.ok(chapters[0]!.fromMs >= stretches[1]!.fromMs && chapters[0]!.toMs === durationMs, JSON.stringify(chapters));

  const reported = () => (
    market.owner.must<OfficeRecording>(200, 'GET', `/api/office/shows/${showId}/recording`)
  );
  await until('the report', PATIENCE_MS, async () => (await reported()).report !== null);
  const { report } = await reported();
  assert.deepEqual([report!.faults, report!.gaps.length, report!.gaps[0]?.why], [[], 1, 'interrupted']);

  let pictures = 0;
  for (const file of await stretchFiles('')) {
    const decoded = await decodeWithFfmpeg(file);
    if (decoded === null) return t.skip('ffmpeg is not here: apt-get install ffmpeg');
    assert.equal(decoded.errors, '');
    pictures += decoded.pictures;
  }
  assert.equal(pictures, report!.pictures);
  const { stdout } = await run('ffprobe', [
    '-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=dts', '-of', 'csv=p=0',
    `${nacre.url}/replay/${showId}/index.m3u8`,
  ]);
  const times = stdout.trim().split('\n').map(Number);
  // FFmpeg does not join the two timelines of a discontinuity, as players do.
  const steps = times.filter((dts, at) => at > 0 && dts <= times[at - 1]!);
  assert.equal(steps.length, 1, 'within a stretch time only grows');
});

test('[RE60] [RE64] with AAC: two readers of playlists and FFmpeg take it, and the sound has no gap', async (t) => {
  const index = HLS.parse(await text('index.m3u8?audio=aac')) as HLS.types.MasterPlaylist;
  assert.deepEqual(index.variants.map(({ uri }) => uri), ['aac/media.m3u8']);
  const media = await text('aac/media.m3u8');
  assert.ok(!HLS.parse(media).isMasterPlaylist);
  const parser = new Parser();
  parser.push(media);
  parser.end();
  const { segments } = parser.manifest;
  assert.ok(segments.length >= 5);
  const files = await stretchFiles('aac/');
  assert.equal(files.length, 2);
  for (const file of files) {
    const read = await packetsWithFfmpeg(file);
    if (read === null) return t.skip('ffmpeg is not here: apt-get install ffmpeg');
    assert.equal(read.errors, '');
    const [sound, picture] = ['aac', 'h264'].map((wanted) => read.packets.filter(({ codec }) => codec === wanted));
    assert.ok(sound!.length > 100);
    for (const [at, { ms }] of sound!.entries()) {
      if (at > 0) assert.ok(Math.abs(ms - sound![at - 1]!.ms - 1_024 / 48) < 0.1, `a gap at ${ms} ms`);
    }
    const off = [sound![0]!.ms - picture![0]!.ms, sound!.at(-1)!.ms - picture!.at(-1)!.ms].map(Math.round);
    t.diagnostic(`${sound!.length} packets; sound begins ${off[0]} ms and ends ${off[1]} ms from the picture`);
    assert.ok(off.every((ms) => Math.abs(ms) < 200));
    assert.equal((await decodeWithFfmpeg(file))!.errors, '');
  }
  const { stdout } = await run('ffprobe', [
    '-v', 'error', '-show_entries', 'stream=codec_name', '-of', 'csv=p=0',
    `${nacre.url}/replay/${market.show.id}/index.m3u8?audio=aac`,
  ]);
  assert.ok(stdout.includes('aac') && !stdout.includes('opus'), stdout);
});

/** Plays from before the break until behind it. */
async function playOver(page: Page, playlist: string, breakS: number) {
  await page.evaluate(([url, startPosition]) => {
    const { Hls } = globalThis as unknown as { Hls: typeof import('hls.js').default };
    const old = document.querySelector('video')!;
    const video = old.cloneNode() as HTMLVideoElement;
    old.replaceWith(video);
    const errors: string[] = [];
    const hls = new Hls({ startPosition });
    hls.on(Hls.Events.ERROR, (_event, { details, fatal }) => void errors.push(`${details}${fatal ? ', fatal' : ''}`));
    hls.attachMedia(video);
    hls.loadSource(url);
    video.muted = true;
    void video.play();
    Object.assign(globalThis, { errors });
  }, [`${nacre.url}/replay/${market.show.id}/${playlist}`, breakS - 2] as const);
  const seen = () => page.evaluate(() => {
    const video = document.querySelector('video')!;
    const { webkitAudioDecodedByteCount: sound } = video as unknown as { webkitAudioDecodedByteCount: number };
    const { errors } = globalThis as unknown as { errors: string[] };
    const { buffered } = video;
    const ranges = Array.from({ length: buffered.length }, (_, at) => (
      [buffered.start(at), buffered.end(at)].map((time) => time.toFixed(3)).join('–')
    ));
    return { at: video.currentTime, sound, errors, ranges };
  });
  await until('before the break', PATIENCE_MS, async () => (await seen()).at > breakS - 1);
  const before = await seen();
  await until('behind it', PATIENCE_MS, async () => (await seen()).at > breakS + 2);
  const behind = await seen();
  return { ...behind, hasSound: behind.sound > before.sound };
}

test('[RE60] [RE64] hls.js with its own settings plays it with AAC over the break', async (t) => {
  const browser = await launchChromium();
  t.after(() => browser.close());
  const page = await browser.newPage();
  await page.setContent('<video></video>');
  await page.addScriptTag({ path: createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js') });
  const { stretches } = await createClient(nacre.url).must<Replay>(200, 'GET', `/api/shows/${market.show.id}/replay`);
  const breakS = stretches[1]!.fromMs / 1_000;
  const played = async (playlist: string) => {
    const seen = await playOver(page, playlist, breakS);
    const { ranges, errors } = seen;
    t.diagnostic(`${playlist}: break at ${breakS} s; ${String(ranges)}; ${String(errors) || 'no errors'}`);
    return seen;
  };
  const asRecorded = await played('index.m3u8');
  const { hasSound, ranges, errors } = await played('index.m3u8?audio=aac');
  assert.ok(hasSound);
  assert.ok(errors.every((error) => !error.endsWith('fatal')), String(errors));
  assert.ok(ranges.length <= asRecorded.ranges.length, `${ranges} where ${asRecorded.ranges} are as recorded`);
});
