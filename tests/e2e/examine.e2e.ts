/**
 * The host looks, before the show, whether anything stands in its way: a real browser, server and media process. Once
 * with everything in order, once in a network that lets no UDP through, and in Arabic by keyboard.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import test, { after, before } from 'node:test';
import type { AxeResults } from 'axe-core';
import type { Show } from '@nacre/contract/shows';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { DRAWN_CAMERA, launchChromium } from '../support/chromium.ts';
import { cookiesOf } from '../support/cookies.ts';
import { openMarket, startNacre, type Market, type Nacre } from '../support/nacre.ts';
import { textsOf } from '../support/texts.ts';

const PATIENCE_MS = 40_000;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let nacre: Nacre;
let browser: Browser;
let market: Market;
before(async () => {
  [nacre, browser] = await Promise.all([startNacre(), launchChromium(DRAWN_CAMERA)]);
  market = await openMarket(nacre.url);
});
after(async () => {
  await browser?.close();
  await nacre?.remove();
});

interface Look {
  locale?: string;
  viewport?: { width: number; height: number };
  colorScheme?: 'light' | 'dark';
}

async function openStudio(look: Look, prepare?: (context: BrowserContext) => Promise<unknown>): Promise<Page> {
  const { locale = 'en-US', viewport = { width: 360, height: 740 }, colorScheme = 'light' } = look;
  const context = await browser.newContext({
    viewport, locale, colorScheme, permissions: ['camera', 'microphone'],
  });
  context.setDefaultTimeout(PATIENCE_MS);
  await context.addCookies(cookiesOf(market.owner, nacre.url));
  await prepare?.(context);
  const page = await context.newPage();
  page.on('pageerror', (error) => assert.fail(error));
  await page.goto(`${nacre.url}/studio/${market.show.id}`);
  await page.locator('.go-live:not([disabled])').waitFor();
  return page;
}

const sheet = (page: Page) => page.locator('dialog.sheet');

async function untilExamined(page: Page): Promise<Record<string, string>> {
  await sheet(page).locator('ul[aria-busy="false"]').waitFor();
  return Object.fromEntries(await sheet(page).locator('li').evaluateAll((lines) => (
    lines.map(({ dataset }) => [dataset['check'] ?? '', dataset['grade'] ?? ''])
  )));
}

async function looksRight(page: Page, name: string): Promise<void> {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => (
    (globalThis as unknown as { axe: { run(on: string): Promise<AxeResults> } }).axe.run('dialog.sheet')
  ));
  assert.deepEqual(violations.map(({ id, nodes }) => `${name}: ${id} ${nodes[0]?.html}`), []);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${name}: ${overflow} px too wide`);
  const folder = process.env['NACRE_TEST_SHOTS'];
  if (folder) await page.screenshot({ path: `${folder}/examine-${name}.png` });
}

/** Runs in the page: a browser without encoders of its own has no second way. */
function withoutEncoders(): void {
  for (const name of ['VideoEncoder', 'AudioEncoder', 'MediaRecorder']) Reflect.deleteProperty(globalThis, name);
}

/** Runs in the page: what is sent goes to a port on which nobody listens. */
function blockMedia(): void {
  type SetAnswer = (this: RTCPeerConnection, answer: RTCSessionDescriptionInit) => Promise<void>;
  const { prototype } = RTCPeerConnection;
  const set: SetAnswer = prototype.setRemoteDescription;
  const setBlocked: SetAnswer = function ({ type, sdp = '' }) {
    return set.call(this, { type, sdp: sdp.replaceAll(/^(a=candidate:.*) \d+ typ/gm, '$1 9 typ') });
  };
  prototype.setRemoteDescription = setBlocked;
}

test('[V84] where all is well the sheet says so, and nobody noticed the connection that was tried', async () => {
  const page = await openStudio({});
  // The drawn microphone beeps each second.
  await page.waitForTimeout(1_500);
  const say = textsOf('en');
  await page.getByRole('button', { name: say('studio.examine'), exact: true }).click();
  const grades = await untilExamined(page);
  const { microphone: _microphone, ...others } = grades;
  assert.deepEqual(others, {
    secure: 'fine', camera: 'fine', connection: 'fine', upload: 'fine', clock: 'fine', disk: grades['disk'],
  });
  await sheet(page).getByText(say('examine.connection_fine')).waitFor();
  assert.equal((await market.owner.must<Show>(200, 'GET', `/api/shows/${market.show.id}`)).state, 'planned');
  await looksRight(page, 'light-phone');
  await page.context().close();
});

for (const [name, hasEncoders, grade, words] of [
  ['takes the second way', true, 'warn', 'by_socket'], ['is in the way of a show', false, 'bad', 'blocked'],
] as const) {
  test(`[V84] a network that lets no UDP through ${name}, and what to do is said; wide and dark`, async () => {
    const page = await openStudio({ viewport: { width: 1280, height: 800 }, colorScheme: 'dark' }, async (context) => {
      await context.addInitScript(blockMedia);
      if (!hasEncoders) await context.addInitScript(withoutEncoders);
    });
    const say = textsOf('en');
    await page.getByRole('button', { name: say('studio.examine'), exact: true }).click();
    const grades = await untilExamined(page);
    assert.equal(grades['connection'], grade);
    await sheet(page).getByText(say(`examine.connection_${words}`)).waitFor();
    await looksRight(page, `dark-wide-${words}`);
    await page.context().close();
  });
}

test('[V84] in Arabic, by keyboard: open, look, again, close, and the focus is where it was', async () => {
  await market.owner.must(200, 'PATCH', '/api/me', { locale: 'ar' });
  const page = await openStudio({ locale: 'ar', colorScheme: 'dark' });
  const say = textsOf('ar');
  const opener = page.getByRole('button', { name: say('studio.examine'), exact: true });
  await opener.focus();
  await page.keyboard.press('Enter');
  await untilExamined(page);
  assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector('dialog.sheet')!).direction), 'rtl');
  await looksRight(page, 'dark-phone-ar');
  await sheet(page).getByRole('button', { name: say('examine.again') }).focus();
  await page.keyboard.press('Enter');
  await sheet(page).locator('ul[aria-busy="true"]').waitFor();
  await page.keyboard.press('Escape');
  await sheet(page).waitFor({ state: 'detached' });
  await page.waitForFunction((name) => document.activeElement?.textContent?.includes(name), say('studio.examine'));
  await page.context().close();
});
