/**
 * How soon a viewer sees the first picture of a running show: from the player's start, and from the tap on a link.
 *
 * The whole server with its demo show, a fresh browser context for each round, so that nothing is cached. Counted is to
 * the moment at which the browser says that a picture is presented (`requestVideoFrameCallback`). The limit is the same
 * clip as a plain file in a bare page: the browser's own time to open a decoder and show something. Rounds alternate.
 *
 * Usage: node bench/first-frame.ts [--json] [--rounds N]
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Browser } from 'playwright-core';
import type { ShowTile } from '@nacre/contract/shows';
import { launchChromium } from '../tests/support/chromium.ts';
import { startNacre } from '../tests/support/nacre.ts';
import { demoClip } from '../tests/support/publisher-stage.ts';

const { values: options } = parseArgs({
  options: { json: { type: 'boolean', default: false }, rounds: { type: 'string', default: '7' } },
});
const rounds = Math.min(50, Math.max(1, Number(options.rounds) || 7));
const playerAimMs = 150;
const navigationAimMs = 600;
const patienceMs = 20_000;
/** Between rounds, so that the browser has done with the page before. */
const restMs = 500;

interface Sample {
  /** From the first word of the player (its socket) to the first picture; of the file: from `src`. */
  playerMs: number;
  navigationMs: number;
}

/** In the page: notes when the player begins and when a picture is there. */
function watch(): void {
  const marks = { playerMs: 0, pictureMs: 0 };
  Object.assign(globalThis, { marks });
  globalThis.WebSocket = new Proxy(WebSocket, {
    construct(Real, [url, protocols]: ConstructorParameters<typeof WebSocket>) {
      if (/\/live\//.test(String(url))) marks.playerMs ||= performance.now();
      return new Real(url, protocols);
    },
  });
  const look = (): void => {
    const video = document.querySelector('video');
    if (!video) return void requestAnimationFrame(look);
    video.requestVideoFrameCallback((_now, { presentationTime }) => {
      marks.pictureMs ||= presentationTime;
    });
  };
  document.addEventListener('DOMContentLoaded', look);
}

async function measure(browser: Browser, url: string): Promise<Sample> {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  await page.addInitScript(watch);
  await page.goto(url, { waitUntil: 'commit' });
  const read = () => page.evaluate(() => (
    globalThis as unknown as { marks: { playerMs: number; pictureMs: number } }
  ).marks);
  let marks = await read();
  for (let waitedMs = 0; marks.pictureMs === 0; waitedMs += 50) {
    if (waitedMs > patienceMs) throw new Error('no picture came');
    await sleep(50);
    marks = await read();
  }
  await context.close();
  await sleep(restMs);
  return { playerMs: marks.pictureMs - marks.playerMs, navigationMs: marks.pictureMs };
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

async function liveShow(url: string): Promise<string> {
  for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += 200) {
    const { items } = (await (await fetch(`${url}/api/shows?state=live`)).json()) as { items: ShowTile[] };
    if (items[0]) return items[0].id;
    await sleep(200);
  }
  throw new Error('the demo show is not live');
}

const file = readFileSync(demoClip);
const plain = createServer((request, response) => {
  if (request.url === '/clip.mp4') return void response.writeHead(200, { 'content-type': 'video/mp4' }).end(file);
  response.setHeader('content-type', 'text/html');
  response.end('<!doctype html><video muted playsinline autoplay src="/clip.mp4"></video>');
}).listen(0, '127.0.0.1');
const nacre = await startNacre({ demo: true });
const browser = await launchChromium();
try {
  const showUrl = `${nacre.url}/shows/${await liveShow(nacre.url)}`;
  const plainUrl = `http://127.0.0.1:${(plain.address() as AddressInfo).port}/`;
  await measure(browser, showUrl);
  const ours: Sample[] = [];
  const limits: Sample[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    limits.push(await measure(browser, plainUrl));
    const our = await measure(browser, showUrl);
    ours.push(our);
    console.log(`round ${round}: ${Math.round(our.playerMs)} ms, from navigation ${Math.round(our.navigationMs)} ms`);
  }
  report(ours, limits);
} finally {
  await browser.close();
  await nacre.remove();
  plain.close();
}

function report(ours: Sample[], limits: Sample[]): void {
  const playerMs = Math.round(median(ours.map((sample) => sample.playerMs)));
  const navigationMs = Math.round(median(ours.map((sample) => sample.navigationMs)));
  const limit = Math.round(median(limits.map((sample) => sample.navigationMs)));
  const ratio = Math.round((navigationMs / limit) * 100) / 100;
  const said = (value: number, aim: number): string => `${value} ms (aim ${aim}: ${value <= aim ? 'met' : 'NOT MET'})`;
  console.log(`first frame from the player's start: ${said(playerMs, playerAimMs)}`);
  console.log(`first frame from navigation: ${said(navigationMs, navigationAimMs)}`);
  console.log(`limit: ${limit} ms for the same clip as a file in a bare page; ratio ${ratio}`);
  if (!options.json) return;
  const details = {
    playerMs, playerAimMs, navigationAimMs, limitIs: 'the same clip as a file in a bare page',
    roundsPlayerMs: ours.map((sample) => Math.round(sample.playerMs)),
    roundsNavigationMs: ours.map((sample) => Math.round(sample.navigationMs)),
    limitRoundsMs: limits.map((sample) => Math.round(sample.navigationMs)),
    cores: cpus().length,
  };
  console.log(JSON.stringify({ goal: 'first-frame', ours: navigationMs, limit, ratio, unit: 'ms', details }));
}
