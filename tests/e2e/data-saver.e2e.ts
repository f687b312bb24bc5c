/** A viewer who saves data: hears a show without its picture, reads what it takes, and gets the picture back. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import test, { after, before } from 'node:test';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { openCamera } from '../support/camera-page.ts';
import { goLive, openMarket, startNacre, streamKey, until, type Market, type Nacre } from '../support/nacre.ts';
import { textsOf, type Say } from '../support/texts.ts';
import { launchCameraBrowser, waitForMovement, type CameraBrowser } from '../support/video-browser.ts';

const PHONE = { width: 360, height: 740 };
const PATIENCE_MS = 30_000;
const english = textsOf('en');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

async function assertReachable(page: Page): Promise<void> {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run();
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
  });
  assert.deepEqual(found, []);
}

let nacre: Nacre;
let market: Market;
let publisher: { stop(): Promise<void> };
let camera: CameraBrowser;
let browser: Browser;
before(async () => {
  nacre = await startNacre();
  market = await openMarket(nacre.url);
  publisher = await goLive(nacre.url, market);
  camera = await launchCameraBrowser();
  browser = camera.browser;
});
after(async () => {
  await camera?.close();
  await publisher?.stop();
  await nacre?.remove();
});

/** A page, and the bytes that came over its sockets so far. */
async function open(context: BrowserContext): Promise<{ page: Page; received(): number }> {
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  let received = 0;
  page.on('websocket', (socket) => {
    if (!socket.url().includes('/live/')) return;
    socket.on('framereceived', ({ payload }) => (received += payload.length));
  });
  await page.goto(`${nacre.url}/shows/${market.show.id}`);
  return { page, received: () => received };
}

async function openMore(page: Page, say: Say): Promise<void> {
  await page.getByRole('button', { name: say('common.more') }).filter({ visible: true }).first().click();
  await page.getByRole('radio', { name: say('viewer.data_sound') }).waitFor();
}

const soundOnly = (page: Page, say: Say) => page.getByRole('heading', { name: say('viewer.sound_only'), exact: true });

const ahead = async (page: Page): Promise<number> => page.evaluate(() => document.querySelector('video')!.currentTime);

async function hears(page: Page): Promise<void> {
  await until('sound without a picture', PATIENCE_MS, () => page.evaluate(() => {
    const video = document.querySelector('video')!;
    return !video.paused && !video.muted && video.videoWidth === 0 && video.readyState > 2;
  }));
  const before = await ahead(page);
  await until('the sound goes on', PATIENCE_MS, async () => (await ahead(page)) > before + 1);
}

test('[W340] [W341] sound alone by a tap, remembered, and the picture back; what it takes is told', async (t) => {
  const context = await browser.newContext({ viewport: PHONE, locale: 'en-US' });
  t.after(() => context.close());
  const { page, received } = await open(context);
  await waitForMovement(page, PATIENCE_MS);
  await openMore(page, english);
  assert.equal(await page.getByRole('radio', { name: english('viewer.data_whole') }).isChecked(), true);
  await page.getByText(/[\d.]+ [MG]B an hour/).first().waitFor();

  // What is told is what came: both are read in the same moment, as near as can be.
  const told = async (): Promise<number> => (
    Number(/used ([\d.]+) MB/.exec(await page.getByText(/This visit has used/).innerText())?.[1]) * 1e6
  );
  await until('more than 2 MB', PATIENCE_MS, async () => (await told()) > 2e6);
  const [figure, counted] = [await told(), received()];
  t.diagnostic(`told ${figure}, came ${counted}`);
  assert.ok(Math.abs(figure - counted) < 0.15 * counted + 200_000, `told ${figure}, came ${counted}`);

  // By keys alone.
  await page.getByRole('radio', { name: english('viewer.data_whole') }).focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Escape');
  await soundOnly(page, english).waitFor();
  await hears(page);
  const from = received();
  await page.waitForTimeout(3_000);
  const perSecond = (received() - from) / 3;
  t.diagnostic(`${Math.round(perSecond / 1_000)} KB a second of sound`);
  assert.ok(perSecond < 25_000, `${perSecond} bytes a second`);

  await page.reload({ waitUntil: 'networkidle' });
  await soundOnly(page, english).waitFor();
  assert.equal(await page.evaluate(() => document.querySelector('video')!.videoWidth), 0);
  await page.getByRole('button', { name: english('viewer.show_picture') }).click();
  await waitForMovement(page, PATIENCE_MS);
  await soundOnly(page, english).waitFor({ state: 'detached' });
});

test('[W340] where no socket gets through the sound alone comes by HLS, in Arabic too', async (t) => {
  const say = textsOf('ar');
  const context = await browser.newContext({ viewport: PHONE, locale: 'ar-EG' });
  t.after(() => context.close());
  // As behind a proxy that lets no socket of live video through.
  await context.routeWebSocket(/\/live\//, (socket) => void socket.close());
  const { page } = await open(context);
  await waitForMovement(page, PATIENCE_MS);
  await openMore(page, say);
  await page.getByRole('radio', { name: say('viewer.data_sound') }).check();
  await page.keyboard.press('Escape');
  await soundOnly(page, say).waitFor();
  await hears(page);
  await page.getByRole('button', { name: say('viewer.show_picture') }).click();
  await waitForMovement(page, PATIENCE_MS);
});

test('[W342] a browser set to save data begins with the sound alone, until its person chooses', async (t) => {
  const context = await browser.newContext({ viewport: PHONE, locale: 'en-US' });
  t.after(() => context.close());
  await context.addInitScript(() => Object.defineProperty(navigator, 'connection', { value: { saveData: true } }));
  const { page, received } = await open(context);
  await soundOnly(page, english).waitFor();
  await page.locator('.stage').getByText(/[\d.]+ MB an hour/).waitFor();
  // Browsers start nothing aloud that nobody tapped: nobody is told that they hear something.
  await page.getByText(english('viewer.sound_only_muted')).waitFor();
  await page.locator('.stage').getByRole('button', { name: english('viewer.tap_for_sound') }).first().click();
  await page.getByText(english('viewer.sound_only_text').split('{')[0]!).waitFor();
  await hears(page);
  await assertReachable(page);
  await openMore(page, english);
  await assertReachable(page);
  await page.keyboard.press('Escape');
  assert.equal(await page.evaluate(() => document.querySelector('video')!.videoWidth), 0);
  assert.ok(received() < 500_000, `${received()} bytes: not one picture came`);
  await page.getByRole('button', { name: english('viewer.show_picture') }).click();
  await waitForMovement(page, PATIENCE_MS);
  await page.reload({ waitUntil: 'networkidle' });
  await waitForMovement(page, PATIENCE_MS);
  assert.equal(await soundOnly(page, english).count(), 0);
});

test('[W343] the smaller picture of a show in two sizes can be chosen; who gets another is told', async (t) => {
  const studio = await openCamera(browser, { url: nacre.url, path: '/' }, await streamKey(market), true);
  t.after(() => studio.close());
  const playlist = async (): Promise<string> => (
    (await fetch(`${nacre.url}/live/${market.show.id}/index.m3u8`)).text()
  );
  await until('both sizes are offered', PATIENCE_MS, async () => (await playlist()).includes('small/media.m3u8'));

  const context = await browser.newContext({ viewport: PHONE, locale: 'en-US' });
  t.after(() => context.close());
  const { page } = await open(context);
  await waitForMovement(page, PATIENCE_MS);
  await openMore(page, english);
  const small = page.getByRole('radio', { name: english('viewer.data_small') });
  await small.check();
  const lines = (): Promise<number> => page.evaluate(() => document.querySelector('video')!.videoHeight);
  await until('the smaller picture', PATIENCE_MS, async () => (await lines()) === 512);
  assert.equal(await page.getByText(/[\d.]+ [MG]B an hour/).count(), 3, 'each with its figure');
  await assertReachable(page);
  await page.reload({ waitUntil: 'networkidle' });
  await until('it is remembered', PATIENCE_MS, async () => (await lines()) === 512);

  await studio.evaluate("sendSizes('f')");
  await until('the whole in its place', PATIENCE_MS, async () => (await lines()) === 1280);
  await openMore(page, english);
  await page.getByText(english('viewer.data_no_small')).waitFor();
  assert.equal(await small.isChecked(), true, 'the choice holds');
  await studio.evaluate("sendSizes('f', 's')");
  await until('the smaller picture again', PATIENCE_MS, async () => (await lines()) === 512);
  assert.equal(await page.getByText(english('viewer.data_no_small')).count(), 0);
});
