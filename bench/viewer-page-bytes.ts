/**
 * How much JavaScript a viewer's page fetches before the first decoded picture of a live show, gzipped.
 *
 * Builds the pages, starts the server with the demo market, opens its live show in Chromium with an empty cache and
 * counts every script whose request began before the first frame was presented (`requestVideoFrameCallback`), inline
 * scripts not counted: they carry the page's data. Held against all that a bare SvelteKit page of the same versions
 * fetches. Told beside it: everything fetched until the page answers to taps, and the time to the first picture.
 *
 * Usage: node bench/viewer-page-bytes.ts [--json]
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { chromium, type Browser, type Page } from 'playwright-core';
import { findChromium } from '../tests/support/chromium.ts';
import { startNacre } from '../tests/support/nacre.ts';
import { median, say } from './figures.ts';

interface Loaded {
  /** Gzipped bytes of scripts requested before the first frame; all of them where there is no video. */
  beforeFrame: number;
  all: number;
  firstFrameMs: number | null;
  files: number;
}

const root = resolve(import.meta.dirname, '..');
const json = process.argv.includes('--json');
const aimKb = 48;
const runs = 5;
/** The demo's publisher needs a few seconds after the server is ready; much more is a fault. */
const liveTimeoutMs = 60_000;
/** After this the page answers to taps and nothing more comes by itself. */
const settleMs = 2_500;
const frameTimeoutMs = 20_000;
const args = [
  '--no-sandbox', '--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--no-first-run',
];

const kb = (bytes: number): number => Math.round(bytes / 102.4) / 10;

say('building the pages');
build(join(root, 'web'));
const executablePath = findChromium();
if (executablePath === null) throw new Error('Chromium is not installed; on Debian: apt-get install chromium');
const browser = await chromium.launch({ executablePath, args });
try {
  const limit = await measureBare(browser);
  say(`bare SvelteKit page: ${kb(limit.all)} KB in ${limit.files} files`);
  const ours = await measureShow(browser);
  const beforeFrame = median(ours.map((run) => run.beforeFrame));
  const details = {
    aimKb,
    untilInteractiveKb: kb(median(ours.map((run) => run.all))),
    files: median(ours.map((run) => run.files)),
    firstFrameMs: Math.round(median(ours.map((run) => run.firstFrameMs ?? 0))),
    runs,
  };
  const ratio = Math.round((beforeFrame / limit.all) * 100) / 100;
  say(`ours ${kb(beforeFrame)} KB before the first frame (aim ${aimKb}), ${details.untilInteractiveKb} KB until the `
    + `page answers, first frame after ${details.firstFrameMs} ms; bare page ${kb(limit.all)} KB; ratio ${ratio}`);
  if (json) {
    console.log(JSON.stringify({
      goal: 'viewer-page-bytes', ours: kb(beforeFrame), limit: kb(limit.all), ratio, unit: 'KB', details,
    }));
  }
} finally {
  await browser.close();
}

function build(folder: string): void {
  execFileSync(join(root, 'node_modules/.bin/vite'), ['build', '--logLevel', 'error'], {
    cwd: folder, stdio: ['ignore', 'ignore', 'inherit'],
  });
}

async function measureShow(browser: Browser): Promise<Loaded[]> {
  const nacre = await startNacre({ demo: true });
  try {
    const path = await livePath(nacre.url);
    const loaded: Loaded[] = [];
    for (let run = 0; run < runs; run += 1) loaded.push(await load(browser, nacre.url + path, true));
    return loaded;
  } finally {
    await nacre.remove();
  }
}

async function livePath(url: string): Promise<string> {
  for (let waitedMs = 0; waitedMs < liveTimeoutMs; waitedMs += 500) {
    const answer = await fetch(`${url}/api/shows?state=live`);
    const { items } = (await answer.json()) as { items: { id: string; state: string }[] };
    const live = items.find((show) => show.state === 'live');
    if (live) return `/shows/${live.id}`;
    await sleep(500);
  }
  throw new Error('no show of the demo market went live');
}

/** One visit of a browser that has never been here. */
async function load(browser: Browser, url: string, hasVideo: boolean): Promise<Loaded> {
  const context = await browser.newContext({ viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true });
  try {
    const page = await context.newPage();
    const bodies = new Map<string, Promise<number>>();
    page.on('response', (response) => {
      if (response.request().resourceType() !== 'script') return;
      bodies.set(response.url(), response.body().then((body) => gzipSync(body).length));
    });
    await page.addInitScript(() => {
      document.addEventListener('DOMContentLoaded', () => {
        document.querySelector('video')?.requestVideoFrameCallback(() => {
          Object.assign(globalThis, { firstFrameMs: performance.now() });
        });
      });
    });
    await page.goto(url, { waitUntil: 'load' });
    if (hasVideo) await frameOf(page);
    await page.waitForTimeout(settleMs);
    const { firstFrameMs, startedMs } = await page.evaluate(() => ({
      firstFrameMs: (globalThis as { firstFrameMs?: number }).firstFrameMs ?? null,
      startedMs: performance.getEntriesByType('resource').map((entry) => [entry.name, entry.startTime] as const),
    }));
    const starts = new Map(startedMs);
    const result: Loaded = { beforeFrame: 0, all: 0, firstFrameMs, files: bodies.size };
    for (const [address, size] of bodies) {
      const bytes = await size;
      result.all += bytes;
      // A script of which the browser tells no time is counted as early: the doubt is ours to bear.
      if ((starts.get(address) ?? 0) <= (firstFrameMs ?? Infinity)) result.beforeFrame += bytes;
    }
    return result;
  } finally {
    await context.close();
  }
}

/** Waits for the first frame. Asked again and again: the page's policy lets no tool wait inside it. */
async function frameOf(page: Page): Promise<void> {
  for (let waitedMs = 0; waitedMs < frameTimeoutMs; waitedMs += 100) {
    if (await page.evaluate(() => 'firstFrameMs' in globalThis)) return;
    await sleep(100);
  }
  throw new Error('no picture came');
}

/** The least that a page of this framework fetches: one line of text and one button that counts. */
async function measureBare(browser: Browser): Promise<Loaded> {
  const folder = join(root, '.cache', `bare-page-${process.pid}`);
  const files: Record<string, string> = {
    'package.json': '{ "name": "bare", "private": true, "type": "module" }',
    'vite.config.js': `import adapter from '@sveltejs/adapter-node';
      import { sveltekit } from '@sveltejs/kit/vite';
      export default { plugins: [sveltekit({ adapter: adapter() })] };`,
    'src/app.html': '<!doctype html><html><head>%sveltekit.head%</head><body><div>%sveltekit.body%</div></body></html>',
    'src/routes/+page.svelte': `<script>let count = $state(0);</script>
      <button onclick={() => (count += 1)}>{count}</button>`,
    'serve.js': `import http from 'node:http';
      import { handler } from './build/handler.js';
      const server = http.createServer((request, response) => handler(request, response, () => response.end()));
      server.listen(0, '127.0.0.1', () => console.log(server.address().port));`,
  };
  let server: ChildProcess | null = null;
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(folder, name, '..'), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    build(folder);
    server = spawn(process.execPath, ['serve.js'], {
      cwd: folder, env: { ...process.env, PROTOCOL_HEADER: 'x-forwarded-proto' }, stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (!server.stdout) throw new Error('the bare page has no output');
    const [port] = (await once(server.stdout, 'data')) as [Buffer];
    return await load(browser, `http://localhost:${String(port).trim()}/`, false);
  } finally {
    server?.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}
