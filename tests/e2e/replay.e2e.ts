/** A show seen again in the browser: by chapter, with its talk, buying at today's price, going on where one was. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import test, { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Product } from '@nacre/contract/catalog';
import type { Replay } from '@nacre/contract/replays';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.ts';
import { cookiesOf } from '../support/cookies.ts';
import { decodedSound, forgetOpus } from '../support/forget-opus.ts';
import {
  createClient, goLive, openMarket, startNacre, until, type Client, type Market, type Nacre,
} from '../support/nacre.ts';
import { textsOf } from '../support/texts.ts';
import { waitForMovement } from '../support/video-browser.ts';

const PATIENCE_MS = 20_000;
const say = textsOf('en');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let nacre: Nacre;
let browser: Browser;
let market: Market;
let second: Product;
let viewer: Client & { signUp(name: string): Promise<void> };
let showId: string;
let replay: Replay;
before(async () => {
  [nacre, browser] = await Promise.all([startNacre(), launchChromium()]);
  market = await openMarket(nacre.url);
  showId = market.show.id;
  second = await market.owner.must<Product>(201, 'POST', `/api/office/shops/${market.shop.id}/products`, {
    title: 'Silk scarf', description: '', imageIds: [], state: 'active', options: [],
    variants: [{ optionValues: [], sku: 'SCARF', priceMinor: 2_500, stock: 5 }],
  });
  await market.owner.must(200, 'PUT', `/api/office/shows/${showId}/bag`, {
    productIds: [market.product.id, second.id],
  });
  const live = await goLive(nacre.url, market);
  viewer = createClient(nacre.url);
  await viewer.signUp('Noor');
  const read = () => viewer.must<Replay>(200, 'GET', `/api/shows/${showId}/replay`);
  const chat = (clientId: string, text: string) => (
    viewer.must(201, 'POST', `/api/shows/${showId}/chat`, { clientId, text })
  );
  const onScreen = (productId: string) => (
    market.owner.must(200, 'PUT', `/api/office/shows/${showId}/on-screen`, { productId })
  );
  await until('some seconds', PATIENCE_MS, async () => (await read()).durationMs >= 2_000);
  await onScreen(market.product.id);
  await chat('replay-first', 'Is it warm?');
  await sleep(9_000);
  await onScreen(second.id);
  await sleep(1_000);
  await chat('replay-second', 'And the scarf?');
  await seekBack();
  await sleep(4_000);
  await market.owner.must(200, 'POST', `/api/office/shows/${showId}/end`);
  await until('the replay', PATIENCE_MS, async () => (await read()).state === 'ready');
  replay = await read();
  await live.stop();
});
/** While it runs; what was seen is asserted by the test of W325. */
async function seekBack(): Promise<void> {
  const page = await open(`/shows/${showId}`, null);
  await waitForMovement(page, PATIENCE_MS);
  await page.getByRole('button', { name: say('common.more') }).click();
  await page.getByRole('link', { name: say('viewer.from_beginning') }).click();
  await page.getByRole('button', { name: say('replay.play'), exact: true }).first().click();
  await waitForMovement(page, PATIENCE_MS);
  seenBack.push(await placeOf(page));
  await look(page, 'seek-back');
  await page.getByRole('link', { name: say('replay.to_live') }).click();
  await waitForMovement(page, PATIENCE_MS);
  seenBack.push(await page.locator('.stage[data-live]').count());
  await page.context().close();
}
const seenBack: number[] = [];

test('[W325] in the running show: back to its beginning, and to the live picture again', () => {
  const [place, live] = seenBack;
  assert.ok(place! < 10, `at ${place} s`);
  assert.equal(live, 1);
});

after(async () => {
  await browser?.close();
  await nacre?.remove();
});

async function open(
  path: string, client: Client | null, options: BrowserContextOptions = {},
  prepare: (context: BrowserContext) => Promise<unknown> = async () => undefined,
): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, locale: 'en-US', ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  await prepare(context);
  if (client) await context.addCookies(cookiesOf(client, nacre.url));
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error('replay:', error));
  await page.goto(`${nacre.url}${path}`, { waitUntil: 'networkidle' });
  return page;
}

const placeOf = (page: Page) => page.locator('video').evaluate((video: HTMLVideoElement) => video.currentTime);
const picture = process.env['NACRE_LOOK'];
const look = async (page: Page, name: string) => {
  if (picture !== undefined) await page.screenshot({ path: `${picture}/${name}.png` });
};

test('[W320] [W322] [W323] seen again: played, jumped by chapter and by key, with its talk', async () => {
  const page = await open(`/shows/${showId}`, null);
  assert.equal(await page.locator('h1').textContent(), market.show.title);
  await look(page, 'ready-phone');
  await page.getByRole('button', { name: say('replay.play'), exact: true }).first().click();
  await waitForMovement(page, PATIENCE_MS);
  await page.getByText('Is it warm?').waitFor();
  assert.equal(await page.getByText('And the scarf?').count(), 0, 'not yet');
  await page.locator('.pcard', { hasText: market.product.title }).waitFor();
  await look(page, 'playing-phone');

  await page.getByRole('button', { name: new RegExp(say('replay.chapters')) }).click();
  await look(page, 'goods-phone');
  await page.getByRole('dialog').getByRole('button', { name: /^Go to .*Silk scarf/ }).click();
  const [, scarf] = replay.chapters;
  await until('there', PATIENCE_MS, async () => Math.abs((await placeOf(page)) * 1_000 - scarf!.fromMs) < 3_000);
  await page.locator('.pcard', { hasText: 'Silk scarf' }).waitFor();
  await page.getByText('And the scarf?').waitFor();
  const slider = page.getByRole('slider');
  assert.match((await slider.getAttribute('aria-valuetext'))!, /^0:\d\d of 0:\d\d, Silk scarf$/);

  const before = await placeOf(page);
  await page.locator('body').press('j');
  await until('ten seconds back', PATIENCE_MS, async () => (await placeOf(page)) < before - 5);
  await page.locator('body').press('k');
  await until('it stands', PATIENCE_MS, () => (
    page.locator('video').evaluate((video: HTMLVideoElement) => video.paused)
  ));
  await page.context().close();
});

test('[W321] an address names the place, also by the moment of the day', async () => {
  const page = await open(`/shows/${showId}?t=12`, null);
  await page.getByRole('button', { name: say('replay.play_from', { time: '0:12' }) }).click();
  await until('there', PATIENCE_MS, async () => (await placeOf(page)) >= 12);
  const moment = Date.parse(replay.stretches[0]!.startedAt) + 8_000;
  await page.goto(`${nacre.url}/shows/${showId}?at=${moment}`, { waitUntil: 'networkidle' });
  await page.getByRole('button', { name: say('replay.play_from', { time: '0:08' }) }).waitFor();
  const data = JSON.parse((await page.locator('script[type="application/ld+json"]').textContent())!);
  assert.equal(data['@type'], 'VideoObject');
  assert.deepEqual(data.hasPart.map(({ name }: { name: string }) => name), [market.product.title, 'Silk scarf']);
  await page.context().close();
});

test('[W323] bought at today’s price on the wide page; gone on with on another device', async () => {
  const page = await open(`/shows/${showId}`, viewer, { viewport: { width: 1280, height: 800 } });
  await page.getByRole('button', { name: say('replay.play'), exact: true }).first().click();
  await waitForMovement(page, PATIENCE_MS);
  await look(page, 'playing-wide');
  const shown = page.getByRole('region', { name: say('replay.chapters') });
  await shown.getByRole('button', { name: /^Buy/ }).first().click();
  await page.getByRole('dialog').getByText('$49').first().waitFor();
  await look(page, 'buying-wide');
  await page.keyboard.press('Escape');
  await page.getByRole('slider').fill('9000');
  await until('there', PATIENCE_MS, async () => (await placeOf(page)) >= 9);
  await page.context().close();
  const other = await open(`/shows/${showId}`, viewer);
  await other.getByRole('button', { name: say('replay.go_on', { time: '0:09' }) }).or(
    other.getByRole('button', { name: say('replay.go_on', { time: '0:10' }) }),
  ).click();
  await until('there', PATIENCE_MS, async () => (await placeOf(other)) >= 9);
  await other.context().close();
});

test('[W323] in Arabic, dark and small: right to left, the controls not', async () => {
  const page = await open(`/shows/${showId}`, null, {
    viewport: { width: 360, height: 740 }, locale: 'ar-EG', colorScheme: 'dark',
  });
  const arabic = textsOf('ar');
  assert.equal(await page.locator('html').getAttribute('dir'), 'rtl');
  await page.getByRole('button', { name: arabic('replay.play'), exact: true }).first().click();
  await waitForMovement(page, PATIENCE_MS);
  await page.locator('.pcard').waitFor();
  await look(page, 'playing-ar');
  const left = async (name: string | RegExp) => (
    (await page.locator('.bar').getByRole('button', { name }).boundingBox())!.x
  );
  const [play, speed] = [await left(arabic('replay.pause')), await left(/السرعة/)];
  assert.ok(play < speed, 'controls run from left to right');
  await page.context().close();
});

test('[W20] the replay has no finding of axe: small and wide, light and dark', async () => {
  for (const options of [
    { viewport: { width: 360, height: 740 }, locale: 'zh-CN', colorScheme: 'light' },
    { viewport: { width: 1280, height: 800 }, locale: 'ar-SA', colorScheme: 'dark' },
  ] as const) {
    const page = await open(`/shows/${showId}?t=4`, null, options);
    await page.locator('.play-big').click();
    await waitForMovement(page, PATIENCE_MS);
    await page.waitForTimeout(1_000);
    await page.evaluate(axe);
    const found = await page.evaluate(async () => {
      const { violations } = await (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run();
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => String(target)).join(', ')}`);
    });
    assert.deepEqual(found, [], options.locale);
    await page.context().close();
  }
});

test('[W381] a line of the talk goes to its moment, and its link begins there for anybody', async () => {
  const page = await open(`/shows/${showId}?t=12`, null);
  await page.locator('.play-big').click();
  await waitForMovement(page, PATIENCE_MS);
  const line = page.getByRole('link', { name: /And the scarf\?/ });
  await line.waitFor();
  const address = (await line.getAttribute('href'))!;
  const time = (await line.locator('.at').textContent())!;
  assert.match(`${address} ${time}`, new RegExp(`^/shows/${showId}\\?at=\\d{13} 0:\\d\\d$`));
  const url = page.url();
  await line.click();
  await until('back at it', PATIENCE_MS, async () => {
    const place = await placeOf(page);
    return place >= toSeconds(time) && place < toSeconds(time) + 4;
  });
  assert.equal(page.url(), url, 'the page stays');
  await look(page, 'talk-links');
  await page.context().close();
  const other = await open(address, null);
  await other.getByRole('button', { name: say('replay.play_from', { time }) }).waitFor();
  await other.context().close();
});
const toSeconds = (time: string) => Number(time.slice(2));

test('[W400] a browser that takes no Opus plays it with AAC, also from another place; others never ask', async () => {
  const asked: string[] = [];
  const page = await open(`/shows/${showId}`, null, {}, async (context) => {
    await context.addInitScript(forgetOpus);
    context.on('request', (request) => asked.push(new URL(request.url()).pathname));
  });
  await page.getByRole('button', { name: say('replay.play'), exact: true }).first().click();
  await waitForMovement(page, PATIENCE_MS);
  await until('over a seam', PATIENCE_MS, async () => (await placeOf(page)) > 5);
  const before = await decodedSound(page);
  assert.ok(before > 0);
  await page.getByRole('slider').fill('10000');
  await until('there', PATIENCE_MS, async () => (await placeOf(page)) >= 10.5);
  assert.ok((await decodedSound(page)) > before);
  const buffered = await page.locator('video').evaluate((video: HTMLVideoElement) => video.buffered.length);
  assert.equal(buffered, 1, 'without a hole');
  const files = asked.filter((path) => /^\/replay\/.*(m4s|mp4)$/.test(path));
  assert.ok(files.length >= 4 && files.every((path) => path.includes('/aac/')), String(files));
  await page.context().close();
  const other: string[] = [];
  const usual = await open(`/shows/${showId}`, null, {}, async (context) => {
    context.on('request', (request) => other.push(request.url()));
  });
  await usual.getByRole('button', { name: say('replay.play'), exact: true }).first().click();
  await waitForMovement(usual, PATIENCE_MS);
  assert.deepEqual(other.filter((url) => url.includes('aac')), []);
  await usual.context().close();
});

test('[W400] so does one that fetches by itself, without Media Source Extensions', async () => {
  const asked: string[] = [];
  const page = await open(`/shows/${showId}?t=4`, null, {}, async (context) => {
    await context.addInitScript(forgetOpus);
    await context.addInitScript(() => {
      Reflect.deleteProperty(globalThis, 'MediaSource');
      Reflect.deleteProperty(globalThis, 'ManagedMediaSource');
    });
    context.on('request', (request) => asked.push(request.url()));
  });
  await page.locator('.play-big').click();
  await waitForMovement(page, PATIENCE_MS);
  assert.ok((await placeOf(page)) >= 4);
  assert.ok((await decodedSound(page)) > 0);
  assert.match(await page.locator('video').evaluate((video: HTMLVideoElement) => video.src), /\?audio=aac$/);
  assert.deepEqual(asked.filter((url) => /\/replay\/[^/]+\/(media|\d)/.test(url)), []);
  await page.context().close();
});

test('[W324] the office tells that the recording is whole, and takes the replay away', async () => {
  const page = await open(`/office/${market.shop.slug}/shows/${showId}`, market.owner, {
    viewport: { width: 1280, height: 800 },
  });
  await page.getByText(say('office.recording_whole')).waitFor();
  await look(page, 'office');
  await page.getByRole('button', { name: say('office.recording_remove') }).click();
  await look(page, 'office-remove');
  await page.getByRole('dialog').getByRole('button', { name: say('office.recording_remove_do') }).click();
  await page.getByText(/^The replay was removed on/).waitFor();
  await page.goto(`${nacre.url}/shows/${showId}`, { waitUntil: 'networkidle' });
  await page.getByText(say('viewer.ended_title')).waitFor();
  await page.context().close();
});
