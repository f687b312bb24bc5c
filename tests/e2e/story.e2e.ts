/**
 * The whole story, by hand, in a real browser: a shop opens, plans, goes live; a viewer watches, talks, likes, follows,
 * asks and buys while the picture goes on; the owner sees it all, ends, and ships. Once in English, with a server that
 * is killed and comes back in between, and once in Arabic.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test, { after, before } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import sharp from 'sharp';
import { PASSWORD, startNacre, until, type Nacre } from '../support/nacre.ts';
import { textsOf, type Say } from '../support/texts.ts';
import {
  contrast, launchCameraBrowser, pixelsOf, waitForMovement, type CameraBrowser,
} from '../support/video-browser.ts';

const PHONE = { width: 390, height: 844 };
/** Generous: two browsers, a server and a video encoder share two cores. */
const PATIENCE_MS = 20_000;

let nacre: Nacre;
let camera: CameraBrowser;
let browser: Browser;
before(async () => {
  nacre = await startNacre();
  camera = await launchCameraBrowser();
  browser = camera.browser;
});
after(async () => {
  await camera?.close();
  await nacre?.remove();
});

interface Someone {
  context: BrowserContext;
  page: Page;
  faults: string[];
}

async function someone(locale: 'en' | 'ar', options: { size?: typeof PHONE } = {}): Promise<Someone> {
  const context = await browser.newContext({
    viewport: options.size ?? PHONE,
    locale: locale === 'ar' ? 'ar-SA' : 'en-US',
    permissions: ['camera', 'microphone'],
    timezoneId: 'Asia/Shanghai',
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (/Content Security Policy|Refused to/.test(message.text())) faults.push(message.text());
  });
  return { context, page, faults };
}

async function signUp(page: Page, say: Say, name: string): Promise<void> {
  await page.getByRole('button', { name: say('signin.to_sign_up'), exact: true }).click();
  await page.getByLabel(say('signin.name')).fill(name);
  await page.getByLabel(say('signin.email')).fill(`${name.toLowerCase()}-${performance.now()}@example.test`);
  await page.getByLabel(say('signin.password')).fill(PASSWORD);
  await page.getByRole('button', { name: say('signin.do_sign_up'), exact: true }).click();
}

function button(page: Page, name: string) {
  return page.getByRole('button', { name, exact: true });
}

async function drawnPicture(): Promise<string> {
  const path = join(tmpdir(), `nacre-story-${process.pid}.png`);
  const coral = { r: 223, g: 108, b: 84 };
  const picture = sharp({ create: { width: 600, height: 800, channels: 3, background: coral } });
  writeFileSync(path, await picture.png().toBuffer());
  return path;
}

async function openShop(page: Page, say: Say): Promise<void> {
  await page.goto(`${nacre.url}/office/new`);
  await page.getByRole('main').getByRole('button', { name: say('common.sign_in'), exact: true }).click();
  await signUp(page, say, 'Liu');
  await page.getByLabel(say('office.shop_name'), { exact: true }).fill('Liu Wardrobe');
  await page.getByLabel(say('office.shop_region'), { exact: true }).fill('Lanzhou, Gansu');
  await page.getByLabel(say('office.shop_currency'), { exact: true }).selectOption('USD');
  await button(page, say('office.new_action')).click();
  await page.waitForURL(/\/office\/liu-wardrobe[^/]*\/shows/);
}

async function addDress(page: Page, say: Say): Promise<void> {
  await page.goto(page.url().replace('/shows', '/goods/new'));
  await page.locator('input[type=file]').first().setInputFiles(await drawnPicture());
  await page.getByLabel(say('office.product_name'), { exact: true }).fill('Coral wrap dress');
  await button(page, say('office.option_size')).click();
  await button(page, say('office.option_colour')).click();
  const colours = page.locator('#values-1');
  await colours.fill('Coral');
  await colours.press('Enter');
  await colours.fill('Sage');
  await colours.press('Enter');
  // Three sizes in two colours.
  const kinds = ['S', 'M', 'L'].flatMap((size) => ['Coral', 'Sage'].map((colour) => `${size}, ${colour}`));
  const prices = page.locator('input[id^="price-"]');
  await until('six kinds', PATIENCE_MS, async () => (await prices.count()) === kinds.length);
  for (let at = 0; at < kinds.length; at += 1) {
    await prices.nth(at).fill('49');
    await page.locator('input[id^="stock-"]').nth(at).fill('1');
  }
  await button(page, say('office.product_publish')).click();
  await page.waitForURL(/\/goods$/);
}

async function planShow(page: Page, say: Say): Promise<string> {
  await page.goto(page.url().replace('/goods', '/shows/new'));
  await page.getByLabel(say('office.show_name'), { exact: true }).fill('Spring dresses, tried on live');
  await button(page, say('office.when_now')).click();
  await button(page, say('office.bag_add')).click();
  await page.getByRole('dialog').getByText('Coral wrap dress').click();
  await page.getByRole('dialog').locator('.sheet-foot button').click();
  await button(page, say('office.show_save_now')).click();
  await page.waitForURL(/\/studio\/[0-9a-f-]{36}$/);
  return page.url().split('/').at(-1) ?? '';
}

async function goLive(page: Page, say: Say): Promise<void> {
  await waitForMovement(page, PATIENCE_MS);
  await button(page, say('studio.go_live')).click();
  await page.getByRole('timer').waitFor();
}

/** Watches the picture while something else happens on the page; the answer says how it went. */
async function watchPicture(page: Page): Promise<() => Promise<{ advancedS: number; stalled: boolean }>> {
  await page.evaluate(() => {
    const video = document.querySelector('video');
    if (!video) throw new Error('no video');
    const seen = { start: video.currentTime, last: video.currentTime, longestMs: 0, atMs: performance.now() };
    Object.assign(globalThis, { nacreSeen: seen });
    setInterval(() => {
      const now = performance.now();
      if (video.currentTime !== seen.last) {
        seen.longestMs = Math.max(seen.longestMs, now - seen.atMs);
        seen.last = video.currentTime;
        seen.atMs = now;
      }
    }, 50);
  });
  return () => page.evaluate(() => {
    type Seen = { start: number; last: number; longestMs: number };
    const { nacreSeen: seen } = globalThis as unknown as { nacreSeen: Seen };
    return { advancedS: seen.last - seen.start, stalled: seen.longestMs > 3_000 };
  });
}

async function fillAddress(page: Page, say: Say): Promise<void> {
  await page.getByLabel(say('buy.address_name'), { exact: true }).fill('Mei Tan');
  await page.getByLabel(say('buy.address_phone'), { exact: true }).fill('+1 503 555 0118');
  await page.getByLabel(say('buy.address_line1'), { exact: true }).fill('18 Harbour Lane');
  await page.getByLabel(say('buy.address_city'), { exact: true }).fill('Portland');
  await page.getByLabel(say('buy.address_country'), { exact: true }).selectOption('US');
  await button(page, say('buy.address_use')).click();
}

async function buyDress(page: Page, say: Say): Promise<string> {
  await page.locator('.pcard').getByRole('button', { name: say('viewer.buy'), exact: true }).click();
  const sheet = page.getByRole('dialog');
  await sheet.getByRole('radio', { name: 'M', exact: true }).click();
  await sheet.getByRole('radio', { name: 'Coral', exact: true }).click();
  await sheet.locator('.btn-primary').click();
  // The first tap on Pay asks where the parcel goes, the second pays.
  await fillAddress(page, say);
  const pay = sheet.locator('.btn-primary');
  await pay.click();
  const bank = page.frameLocator('iframe.pay-frame');
  await bank.getByRole('button', { name: say('buy.sandbox_succeed') }).click();
  await sheet.getByText(say('buy.paid_title')).waitFor();
  const number = /N-\d+/.exec((await sheet.textContent()) ?? '')?.[0];
  assert.ok(number, 'the order number is shown');
  await button(page, say('buy.back_to_show')).click();
  return number;
}

/** Likes and follows; the host sees the follower. */
async function likeAndFollow(host: Page, viewer: Page, say: Say, digits: (value: number) => string): Promise<void> {
  await viewer.locator('button.like:visible').click();
  await viewer.locator('button.like:visible').click();
  await viewer.locator('button.like:visible').and(viewer.getByLabel(digits(2))).waitFor();
  await viewer.getByRole('button', { name: say('viewer.follow'), exact: true }).first().click();
  await host.locator('.stat dd').last().getByText(digits(1), { exact: true }).waitFor();
}

/** Of the one M in Coral nothing is left, and the viewer's page knows it without asking. */
async function seeSoldOut(viewer: Page, say: Say): Promise<void> {
  await viewer.locator('.pcard').getByRole('button', { name: say('viewer.buy'), exact: true }).click();
  const sheet = viewer.getByRole('dialog');
  await sheet.getByRole('radio', { name: 'M', exact: true }).click();
  const isOut = async (name: string) => (
    (await sheet.getByRole('radio', { name, exact: true }).getAttribute('data-out')) !== null
  );
  assert.ok(await isOut('Coral'));
  assert.ok(!(await isOut('Sage')));
  await viewer.keyboard.press('Escape');
  await sheet.waitFor({ state: 'hidden' });
}

/** What the host sees of one product: opened by one, bought by one. */
async function readInterest(host: Page, say: Say, digits: (value: number) => string): Promise<void> {
  await button(host, say('studio.interest')).click();
  const sheet = host.getByRole('dialog');
  for (const kind of ['cardOpened', 'bought']) {
    await sheet.locator(`.${kind} dd`).getByText(digits(1), { exact: true }).waitFor();
  }
  await host.keyboard.press('Escape');
  await sheet.waitFor({ state: 'hidden' });
}

/** The server dies as in a power cut and is started again. Nobody touches a page; nothing that was bought is lost. */
async function killTheServer(host: Page, viewer: Page): Promise<void> {
  for (const page of [host, viewer]) await page.evaluate(() => Object.assign(globalThis, { nacreStayed: true }));
  await nacre.kill();
  await host.locator('.studio[data-state="reconnecting"]').waitFor();
  await nacre.startAgain();
  await host.locator('.studio[data-state="live"]').waitFor();
  await waitForMovement(viewer, PATIENCE_MS);
  for (const page of [host, viewer]) {
    assert.ok(await page.evaluate(() => 'nacreStayed' in globalThis), 'the page was not loaded again');
  }
}

for (const locale of ['en', 'ar'] as const) {
  test(`a shop goes live, a viewer watches, talks and buys, the order is shipped (${locale})`, async (t) => {
    const say = textsOf(locale);
    const numbers = new Intl.NumberFormat(locale === 'ar' ? 'ar-SA' : 'en-US');
    const digits = (value: number): string => numbers.format(value);
    const host = await someone(locale);
    const viewer = await someone(locale);
    t.after(() => keepPictures(`story-${locale}`, { host, viewer }));
    await openShop(host.page, say);
    await addDress(host.page, say);
    const showId = await planShow(host.page, say);
    assert.equal(await host.page.evaluate(() => document.documentElement.dir), locale === 'ar' ? 'rtl' : 'ltr');
    await goLive(host.page, say);

    // Anyone on the home page comes in, and the picture really moves.
    await viewer.page.goto(nacre.url);
    await viewer.page.locator(`a[href="/shows/${showId}"]`).first().click();
    await viewer.page.locator('video').waitFor();
    await waitForMovement(viewer.page, PATIENCE_MS);
    assert.ok(contrast(await pixelsOf(viewer.page)) > 5, 'there is something in the picture');

    // Talking asks to sign in, without leaving the show.
    const line = viewer.page.getByLabel(say('viewer.say'), { exact: true });
    await line.click();
    await signUp(viewer.page, say, 'Mei');
    await viewer.page.getByRole('dialog').waitFor({ state: 'hidden' });
    await line.fill('is it <b>lined</b>?');
    await button(viewer.page, say('viewer.send')).click();
    await host.page.getByText('is it <b>lined</b>?').first().waitFor();

    await line.blur();
    await likeAndFollow(host.page, viewer.page, say, digits);

    // She asks for number 1; the host taps it; it is on everybody's screen.
    await viewer.page.locator('.dock .bag').click();
    await viewer.page.getByRole('dialog').getByRole('button', { name: new RegExp(`^${say('viewer.ask')}`) }).click();
    await viewer.page.keyboard.press('Escape');
    await button(host.page, say('studio.put_on')).click();
    await viewer.page.locator('.pcard').waitFor();

    const picture = await watchPicture(viewer.page);
    const number = await buyDress(viewer.page, say);
    const { advancedS, stalled } = await picture();
    assert.ok(advancedS > 1 && !stalled, `the picture never stopped (${advancedS} s shown)`);

    // The owner sees the order come in and the stock go down, and so does everybody.
    await host.page.locator('[data-figure=placed]').getByText(digits(1), { exact: true }).waitFor();
    await host.page.locator('.good .word').getByText(digits(5)).waitFor();
    await seeSoldOut(viewer.page, say);
    const show = await (await viewer.context.request.get(`${nacre.url}/api/shows/${showId}`)).json();
    const levels = show.bag[0].product.variants.map((variant: { available: number }) => variant.available);
    assert.deepEqual([...levels].sort(), [0, 1, 1, 1, 1, 1]);
    await readInterest(host.page, say, digits);

    // Once is enough: it speaks no language.
    if (locale === 'en') await killTheServer(host.page, viewer.page);
    await line.fill('still here');
    await button(viewer.page, say('viewer.send')).click();
    await host.page.getByText('still here').first().waitFor();
    await endShow(host.page, say);
    await viewer.page.getByRole('heading', { name: say('viewer.ended_title') }).waitFor();

    await ship(host.page, say, number);
    await viewer.page.goto(`${nacre.url}/orders`);
    await viewer.page.getByText(number).first().click();
    await viewer.page.getByText('SF1234567890').waitFor();
    assert.deepEqual([...host.faults, ...viewer.faults], []);
  });
}

/** What each of them saw last, for whoever looks into a failure. */
async function keepPictures(name: string, people: Record<string, Someone>): Promise<void> {
  const folder = resolve(import.meta.dirname, 'output');
  mkdirSync(folder, { recursive: true });
  for (const [who, { page, context }] of Object.entries(people)) {
    await page.screenshot({ path: join(folder, `${name}-${who}.png`) });
    await context.close();
  }
}

async function endShow(page: Page, say: Say): Promise<void> {
  await button(page, say('studio.end')).click();
  await page.getByRole('dialog').getByRole('button', { name: say('studio.end_do'), exact: true }).click();
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
}

async function ship(page: Page, say: Say, number: string): Promise<void> {
  await page.goto(`${nacre.url}/office`);
  await page.waitForURL(/\/office\/[^/]+\/shows/);
  await page.goto(page.url().replace('/shows', '/orders'));
  await page.getByText(number).first().click();
  await page.getByLabel(say('office.ship_carrier'), { exact: true }).fill('SF Express');
  await page.getByLabel(say('office.ship_tracking'), { exact: true }).fill('SF1234567890');
  await button(page, say('office.ship_do')).click();
  await page.getByText('SF1234567890').first().waitFor();
}
