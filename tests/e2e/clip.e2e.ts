/** A clip in the browser: there by itself after the show, played, bought from, and taken as a file by the shop. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ClipTile } from '@nacre/contract/clips';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.ts';
import { cookiesOf } from '../support/cookies.ts';
import { decodedSound, forgetOpus } from '../support/forget-opus.ts';
import { goLive, openMarket, startNacre, until, type Client, type Market, type Nacre } from '../support/nacre.ts';
import { textsOf } from '../support/texts.ts';
import { launchCameraBrowser, waitForMovement } from '../support/video-browser.ts';

const run = promisify(execFile);
const PATIENCE_MS = 20_000;
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let nacre: Nacre;
let browser: Browser;
let market: Market;
let clip: ClipTile;
before(async () => {
  [nacre, browser] = await Promise.all([startNacre(), launchChromium()]);
  market = await openMarket(nacre.url);
  const { owner, show, product } = market;
  const live = await goLive(nacre.url, market);
  await sleep(3_000);
  await owner.must(200, 'PUT', `/api/office/shows/${show.id}/on-screen`, { productId: product.id });
  await sleep(10_000);
  await owner.must(200, 'PUT', `/api/office/shows/${show.id}/on-screen`, { productId: null });
  await owner.must(200, 'POST', `/api/office/shows/${show.id}/end`);
  await live.stop();
  const read = () => owner.must<ClipTile[]>(200, 'GET', `/api/products/${product.id}/clips`);
  await until('the clip', PATIENCE_MS, async () => (await read()).length === 1);
  [clip] = await read() as [ClipTile];
});
after(async () => {
  await browser?.close();
  await nacre?.remove();
});

async function open(path: string, client: Client | null, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 360, height: 740 }, locale: 'en-US', ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  if (client) await context.addCookies(cookiesOf(client, nacre.url));
  const page = await context.newPage();
  await page.goto(`${nacre.url}${path}`, { waitUntil: 'networkidle' });
  return page;
}

const picture = process.env['NACRE_LOOK'];
const look = async (page: Page, name: string) => {
  if (picture !== undefined) await page.screenshot({ path: `${picture}/${name}.png` });
};

test('[W326] from the product’s page to its clip: played, bought from, and on to the whole show', async (t) => {
  const say = textsOf('en');
  const page = await open(`/shops/${market.shop.slug}/goods/${market.product.id}`, null);
  await look(page, 'clip-product');
  await page.getByRole('link', { name: new RegExp(market.show.title) }).last().click();
  await page.waitForURL(`**/clips/${clip.id}`);
  await page.getByRole('button', { name: say('clip.play', { title: market.product.title }) }).click();
  t.diagnostic(`moved after ${await waitForMovement(page, PATIENCE_MS)} ms`);
  await look(page, 'clip-playing');
  assert.equal(await page.getByRole('link', { name: say('clip.download') }).count(), 0, 'for the shop alone');
  await page.getByRole('button', { name: say('viewer.buy'), exact: true }).click();
  await page.getByRole('dialog').waitFor();
  await look(page, 'clip-buy');
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: new RegExp(say('clip.whole_show')) }).click();
  await page.waitForURL(/\/shows\/.*\?t=\d+$/);
  await page.context().close();
});

test('[W400] a browser that takes no Opus plays the clip with AAC', async () => {
  const say = textsOf('en');
  const asked: string[] = [];
  const page = await open('/', null);
  await page.context().addInitScript(forgetOpus);
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await page.goto(`${nacre.url}/clips/${clip.id}`, { waitUntil: 'networkidle' });
  await page.getByRole('button', { name: say('clip.play', { title: market.product.title }) }).click();
  await waitForMovement(page, PATIENCE_MS);
  await until('sound', PATIENCE_MS, async () => (await decodedSound(page)) > 0);
  const files = asked.filter((path) => path.startsWith('/replay/'));
  assert.ok(files.length >= 3 && files.every((path) => path.includes('/aac/')), String(files));
  await page.context().close();
});

test('[W326] other sites get its picture and video', async () => {
  const html = await (await fetch(`${nacre.url}/clips/${clip.id}`)).text();
  const url = /property="og:video" content="([^"]+)"/.exec(html)?.[1];
  assert.ok(url !== undefined);
  assert.match(html, /property="og:video:type" content="video\/mp4"/);
  const file = await fetch(new URL(new URL(url).pathname, nacre.url));
  assert.deepEqual(
    [file.status, file.headers.get('content-type'), file.headers.get('cache-control'), file.headers.get('set-cookie')],
    [200, 'video/mp4', 'public, max-age=3600', null],
  );
  assert.equal(Buffer.from(await file.arrayBuffer()).toString('latin1', 4, 8), 'ftyp');
  const data = JSON.parse(/<script type="application\/ld\+json">(.*?)<\/script>/.exec(html)![1]!);
  assert.deepEqual([data['@type'], data.name], ['VideoObject', market.product.title]);
});

for (const locale of ['en', 'zh', 'ar'] as const) {
  test(`[W326] in ${locale}, light and dark, on phone and desk, without a fault of access`, async () => {
    for (const [width, height, colorScheme] of [[360, 740, 'light'], [1_280, 800, 'dark']] as const) {
      // An account has its own language; a guest has the browser's.
      const page = await open(`/clips/${clip.id}`, locale === 'en' ? market.owner : null, {
        viewport: { width, height }, colorScheme, locale: { en: 'en-US', zh: 'zh-CN', ar: 'ar-EG' }[locale],
      });
      assert.equal((await page.locator('h1').textContent())?.trim(), market.product.title);
      const say = textsOf(locale);
      // A name in Arabic words is kept apart from their direction (U+2068, U+2069).
      const title = locale === 'ar' ? `\u2068${market.product.title}\u2069` : market.product.title;
      await page.getByRole('button', { name: say('clip.play', { title }) }).waitFor();
      const buy = await page.getByRole('button', { name: say('viewer.buy'), exact: true }).boundingBox();
      assert.ok(buy!.y + buy!.height < height - (width < 640 ? 68 : 0), 'Buy is seen with it');
      assert.equal(await page.getByText(say('clip.download_hint')).count(), locale === 'en' ? 1 : 0);
      await look(page, `clip-${locale}-${width}`);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => (
        (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run()
      ));
      assert.deepEqual(violations.map(({ id, nodes }) => `${id} ${nodes[0]?.html}`), []);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${overflow} px too wide`);
      await page.context().close();
    }
  });
}

test('[RE23] the shop takes it as a file: from 0 on, times that grow, sound with picture', async (t) => {
  const [cookie] = [cookiesOf(market.owner, nacre.url).map(({ name, value }) => `${name}=${value}`).join('; ')];
  const url = `${nacre.url}/api/office/clips/${clip.id}/file`;
  const [answer, refused] = await Promise.all([fetch(url, { headers: { cookie } }), fetch(url)]);
  assert.deepEqual([answer.status, answer.headers.get('content-type'), refused.status], [200, 'video/mp4', 401]);
  const bytes = Buffer.from(await answer.arrayBuffer());
  assert.ok(bytes.indexOf('moov') < bytes.indexOf('mdat'), 'its table is in front');
  const folder = await mkdtemp(join(tmpdir(), 'nacre-clip-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'clip.mp4');
  await writeFile(file, bytes);
  const spans: number[][] = [];
  for (const track of ['v', 'a']) {
    const { stdout } = await run('ffprobe', [
      '-v', 'error', '-select_streams', track, '-show_entries', 'packet=dts_time', '-of', 'csv=p=0', file,
    ]);
    const times = stdout.trim().split('\n').map((line) => Number.parseFloat(line));
    assert.ok(times.length > 100 && times.every((at, index) => index === 0 || at > times[index - 1]!), track);
    spans.push([times[0]!, times.at(-1)!]);
  }
  const [[pictureFrom, pictureTo], [soundFrom, soundTo]] = spans as [[number, number], [number, number]];
  t.diagnostic(`${bytes.length} bytes; picture ${pictureFrom} to ${pictureTo} s, sound ${soundFrom} to ${soundTo} s`);
  assert.ok(pictureFrom === 0 && Math.abs(soundFrom) < 0.1 && Math.abs(pictureTo - soundTo) < 0.1);
  const wanted = clip.durationMs / 1_000;
  assert.ok(pictureTo > wanted - 0.2 && pictureTo < wanted + 2.2, `${pictureTo} of ${wanted} s`);
  const { stderr } = await run('ffmpeg', ['-v', 'error', '-i', file, '-f', 'null', '-']);
  assert.equal(stderr, '');
});

test('[W376] [W377] the host’s camera makes its picture; it is found from replay and office', async (t) => {
  const say = textsOf('en');
  const { owner, show, product, shop } = await openMarket(nacre.url);
  const camera = await launchCameraBrowser();
  t.after(() => camera.close());
  const context = await camera.browser.newContext({ viewport: { width: 360, height: 740 }, locale: 'en-US' });
  context.setDefaultTimeout(PATIENCE_MS);
  await context.addCookies(cookiesOf(owner, nacre.url));
  const host = await context.newPage();
  await host.goto(`${nacre.url}/studio/${show.id}`, { waitUntil: 'networkidle' });
  await waitForMovement(host, PATIENCE_MS);
  await host.getByRole('button', { name: say('studio.go_live'), exact: true }).click();
  await host.getByRole('timer').waitFor();
  const kept = host.waitForResponse((response) => response.url().includes('/posters/') && response.status() === 204);
  await owner.must(200, 'PUT', `/api/office/shows/${show.id}/on-screen`, { productId: product.id });
  await kept;
  await sleep(10_000);
  await owner.must(200, 'POST', `/api/office/shows/${show.id}/end`);
  const read = () => owner.must<ClipTile[]>(200, 'GET', `/api/products/${product.id}/clips`);
  await until('the clip', PATIENCE_MS, async () => (await read()).length === 1);
  const [tile] = await read() as [ClipTile];
  assert.ok(tile.poster !== null && tile.poster.height > tile.poster.width, 'as the camera saw it');

  const replay = await open(`/shows/${show.id}`, null, { viewport: { width: 1_280, height: 800 } });
  await replay.getByRole('link', { name: say('replay.to_clip', { title: product.title }) }).first().click();
  await replay.waitForURL(`**/clips/${tile.id}`);
  await look(replay, 'clip-poster');
  const viewport = { width: 1_280, height: 800 };
  const office = await open(`/office/${shop.slug}/shows/${show.id}`, owner, { viewport });
  await office.getByRole('heading', { name: say('office.clips_title') }).waitFor();
  await office.getByRole('heading', { name: say('office.clips_title') }).scrollIntoViewIfNeeded();
  await look(office, 'clip-office');
  assert.equal(
    await office.getByRole('link', { name: new RegExp(say('office.clips_take')) }).getAttribute('href'),
    `/api/office/clips/${tile.id}/file`,
  );
});
