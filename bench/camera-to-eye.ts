/**
 * How long a picture takes from the camera to a viewer's screen, on one machine, at 720 × 1280 and 2 Mbit/s.
 *
 * A page draws the time as a bar code into the picture that it publishes by WHIP; a second page watches with the player
 * and reads the bar code back from each picture that it shows (`requestVideoFrameCallback`). Both read one clock.
 * What a real camera and a real screen add is not in it.
 *
 * Each round measures the socket, Low-Latency HLS (as where no socket gets through), the second way in (as where the
 * host's network lets no UDP through; seen by socket), and the limit.
 *
 * The limit is the same drawn picture, encoder and bar code over a WebRTC connection within one page: no server, no
 * muxing, no buffer beyond what the browser itself takes. Rounds of both alternate.
 *
 * Usage: node bench/camera-to-eye.ts [--json] [--rounds N]
 */
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { launchCameraBrowser } from '../tests/support/video-browser.ts';
import { stageKeyOf, startVideoStage } from '../tests/support/video-stage.ts';
import type { VideoStage } from '../tests/support/video-stage.ts';
import type { PlayerStats } from '../web/src/lib/player/face.ts';

const { values: options } = parseArgs({
  options: { json: { type: 'boolean', default: false }, rounds: { type: 'string', default: '3' } },
});
const rounds = Math.min(20, Math.max(1, Number(options.rounds) || 3));

const aimMs = 300;
const hlsAimMs = 650;
const demandedMs = 500;
const bitrateBps = 2_000_000;
/** The encoder's estimate and the player's steering come to rest within this. */
const settleMs = 7_000;
/** The first segment takes two seconds, and playing away what newcomers are behind a few more. */
const hlsSettleMs = 14_000;
const measureMs = 6_000;
const showId = 'bench';

interface Sample {
  delaysMs: number[];
  bitrateBps: number;
  width: number;
  height: number;
  /** What the player says of itself: stalls, jumps, buffer, and its own measure of the delay. */
  player?: PlayerStats;
}

const camera = await launchCameraBrowser();
const stage = await startVideoStage({ openShows: [showId] });
try {
  const ours: Sample[] = [];
  const byHls: Sample[] = [];
  const bySecondWay: Sample[] = [];
  const limits: Sample[] = [];
  for (let round = 1; round <= rounds; round++) {
    const limit = await measureLimit(stage);
    limits.push(limit);
    const our = await measureOurs(stage, settleMs);
    ours.push(our);
    stage.blockSockets(true);
    const hls = await measureOurs(stage, hlsSettleMs);
    stage.blockSockets(false);
    byHls.push(hls);
    const second = await measureOurs(stage, settleMs, 'socket');
    bySecondWay.push(second);
    say(`round ${round}: ours ${brief(our)}; by LL-HLS ${brief(hls)}; in by the second way ${brief(second)}`);
    say(`  WebRTC within one page ${brief(limit)}`);
  }
  report(ours, byHls, bySecondWay, limits);
} finally {
  await camera.close();
  await stage.stop();
}

function say(line: string): void {
  console.log(line);
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

function brief(sample: Sample): string {
  const { delaysMs } = sample;
  const rate = (sample.bitrateBps / 1e6).toFixed(2);
  const spread = `p95 ${quantile(delaysMs, 0.95)}, ${delaysMs.length} pictures, ${rate} Mbit/s`;
  const told = sample.player ? `, told ${sample.player.delayMs} with ${sample.player.uplinkMs} before the server` : '';
  return `${quantile(delaysMs, 0.5)} ms (${spread}${told})`;
}

type Samples = readonly Sample[];

function report(ours: Samples, byHls: Samples, bySecondWay: Samples, limits: Samples): void {
  const all = ours.flatMap((sample) => sample.delaysMs);
  const hls = byHls.flatMap((sample) => sample.delaysMs);
  const hlsMs = quantile(hls, 0.5);
  const free = limits.flatMap((sample) => sample.delaysMs);
  const medianMs = quantile(all, 0.5);
  const limitMs = quantile(free, 0.5);
  const ratio = Math.round((medianMs / limitMs) * 100) / 100;
  const met = medianMs < demandedMs ? (medianMs <= aimMs ? 'aim met' : 'within what is demanded') : 'TOO LATE';
  say(`camera to eye: ${medianMs} ms, p95 ${quantile(all, 0.95)} ms (aim ${aimMs}, demanded < ${demandedMs}: ${met})`);
  const hlsMet = hlsMs <= hlsAimMs ? 'met' : 'NOT MET';
  say(`by LL-HLS: ${hlsMs} ms, p95 ${quantile(hls, 0.95)} ms (aim ${hlsAimMs}: ${hlsMet})`);
  const second = bySecondWay.flatMap((sample) => sample.delaysMs);
  say(`in by the second way: ${quantile(second, 0.5)} ms, p95 ${quantile(second, 0.95)} ms`);
  say(`limit: ${limitMs} ms, p95 ${quantile(free, 0.95)} ms; ratio ${ratio}`);
  if (!options.json) return;
  const details = {
    p95Ms: quantile(all, 0.95),
    aimMs,
    demandedMs,
    limitIs: 'the same picture over WebRTC within one page',
    limitP95Ms: quantile(free, 0.95),
    roundsMs: ours.map((sample) => quantile(sample.delaysMs, 0.5)),
    limitRoundsMs: limits.map((sample) => quantile(sample.delaysMs, 0.5)),
    pictures: all.length,
    hls: {
      medianMs: hlsMs,
      p95Ms: quantile(hls, 0.95),
      aimMs: hlsAimMs,
      roundsMs: byHls.map((sample) => quantile(sample.delaysMs, 0.5)),
      stalls: byHls.map((sample) => sample.player?.stalls),
      toldMs: byHls.map((sample) => sample.player?.delayMs),
    },
    secondWay: { medianMs: quantile(second, 0.5), p95Ms: quantile(second, 0.95) },
    stalls: ours.map((sample) => sample.player?.stalls),
    toldMs: ours.map((sample) => sample.player?.delayMs),
    toldUplinkMs: ours.map((sample) => sample.player?.uplinkMs),
    width: ours[0]?.width,
    height: ours[0]?.height,
    bitrateBps: Math.round(ours.reduce((sum, sample) => sum + sample.bitrateBps, 0) / ours.length),
    cores: cpus().length,
  };
  say(JSON.stringify({ goal: 'camera-to-eye', ours: medianMs, limit: limitMs, ratio, unit: 'ms', details }));
}

async function openPage(from: VideoStage, name: 'host' | 'viewer'): Promise<Page> {
  const context = await camera.browser.newContext();
  const page = await context.newPage();
  await page.goto(`${from.url}/${name}.html`);
  await page.waitForFunction(() => (globalThis as { ready?: boolean }).ready);
  await page.addScriptTag({ path: fileURLToPath(new URL('./camera-to-eye-page.js', import.meta.url)) });
  return page;
}

async function measureOurs(from: VideoStage, restMs: number, way: 'direct' | 'socket' = 'direct'): Promise<Sample> {
  const host = await openPage(from, 'host');
  // As remembered from a network that blocks the direct one.
  if (way === 'socket') await host.evaluate(`localStorage.setItem('nacre.direct-blocked-until', Date.now() + 600_000)`);
  const viewer = await openPage(from, 'viewer');
  try {
    await host.evaluate(
      `globalThis.host = lib.createBroadcaster({
        whipUrl: '/whip', socketUrl: '/live/publish',
        streamKey: () => ${JSON.stringify(stageKeyOf(showId))},
        source: bench.draw(),
        maxBitrateBps: ${bitrateBps},
      });
      host.goLive()`,
    );
    await viewer.evaluate(
      `const video = document.querySelector('video');
      globalThis.player = lib.createPlayer({ video, url: '/live/${showId}/socket' });
      0`,
    );
    await pause(restMs);
    const delaysMs = await viewer.evaluate<number[]>(`bench.read(document.querySelector('video'), ${measureMs})`);
    const taken = await host.evaluate<string>('host.view().way');
    if (taken !== way) throw new Error(`the picture went by ${taken}`);
    const sent = await host.evaluate<{ bitrateBps: number }>('host.view().stats');
    const player = await viewer.evaluate<PlayerStats>('player.stats()');
    const seen = await viewer.evaluate<{ width: number; height: number }>('player.view()');
    await host.evaluate('host.stop()');
    if (delaysMs.length === 0) throw new Error('the viewer read no bar code');
    return { delaysMs, bitrateBps: sent.bitrateBps, width: seen.width, height: seen.height, player };
  } finally {
    await host.context().close();
    await viewer.context().close();
  }
}

async function measureLimit(from: VideoStage): Promise<Sample> {
  const page = await openPage(from, 'host');
  try {
    await page.evaluate(`bench.loop(bench.draw(), document.querySelector('video'), ${bitrateBps})`);
    await pause(settleMs);
    const before = await page.evaluate<number>('bench.sentBytes()');
    const delaysMs = await page.evaluate<number[]>(`bench.read(document.querySelector('video'), ${measureMs})`);
    const bytes = (await page.evaluate<number>('bench.sentBytes()')) - before;
    if (delaysMs.length === 0) throw new Error('the page read no bar code');
    return { delaysMs, bitrateBps: (bytes * 8000) / measureMs, width: 720, height: 1280 };
  } finally {
    await page.context().close();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
