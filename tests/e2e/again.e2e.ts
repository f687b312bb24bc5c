/** Shows that ended, as the demo has one: found by their length, gone on with, and read again by the shop. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import test, { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChatMessage } from '@nacre/contract/chat';
import type { ShowTile } from '@nacre/contract/shows';
import type { AxeResults } from 'axe-core';
import pg from 'pg';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { DEMO_FILMED_TALK, DEMO_PASSWORD, DEMO_SHOPS } from '../../server/src/demo/market.ts';
import { launchChromium } from '../support/chromium.ts';
import { cookiesOf } from '../support/cookies.ts';
import { createClient, startNacre, until, type Client, type Nacre } from '../support/nacre.ts';
import { databaseOf } from '../support/server-database.ts';
import { textsOf } from '../support/texts.ts';
import { waitForMovement } from '../support/video-browser.ts';

const PATIENCE_MS = 20_000;
const say = textsOf('en');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TITLE = DEMO_SHOPS[0]!.shows.find(({ kind }) => kind === 'filmed')!.title;

let nacre: Nacre;
let browser: Browser;
let show: ShowTile;
before(async () => {
  [nacre, browser] = await Promise.all([startNacre({ demo: true }), launchChromium()]);
  const guest = createClient(nacre.url);
  await until('there is a replay', PATIENCE_MS, async () => {
    const { items } = await guest.must<{ items: ShowTile[] }>(200, 'GET', '/api/shows?state=ended');
    const found = items.find(({ title }) => title === TITLE);
    if (found?.replayMs) show = found;
    return show !== undefined;
  });
});
after(async () => {
  await browser?.close();
  await nacre?.remove();
});

async function signedIn(email: string): Promise<Client> {
  const client = createClient(nacre.url);
  await client.must(200, 'POST', '/api/auth/sign-in/email', { email, password: DEMO_PASSWORD });
  return client;
}

async function open(path: string, client: Client | null, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 360, height: 740 }, locale: 'en-US', ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  if (client) await context.addCookies(cookiesOf(client, nacre.url));
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error('again:', error));
  await page.goto(`${nacre.url}${path}`, { waitUntil: 'networkidle' });
  return page;
}

const picture = process.env['NACRE_LOOK'];
const look = async (page: Page, name: string) => {
  if (picture !== undefined) await page.screenshot({ path: `${picture}/${name}.png` });
};

const watching = (page: Page): Locator => page.getByRole('region', { name: say('viewer.watching') });

/** Watches from 70 s on and goes home. */
async function watchSome(page: Page): Promise<void> {
  await page.goto(`${nacre.url}/shows/${show.id}?t=70`, { waitUntil: 'networkidle' });
  await page.getByRole('button', { name: say('replay.play_from', { time: '1:10' }) }).click();
  await waitForMovement(page, PATIENCE_MS);
  await until('some seconds', PATIENCE_MS, () => (
    page.locator('video').evaluate((video: HTMLVideoElement) => video.currentTime > 71)
  ));
  // On a slow line the list does not overtake what was told last.
  await page.route('**/api/me/watching/*', async (route) => {
    await sleep(1_000);
    await route.continue();
  });
  await page.getByRole('link', { name: say('viewer.leave') }).click();
  await watching(page).waitFor();
  await page.unrouteAll({ behavior: 'wait' });
}

test('[W410] a tile tells how long the replay is, on the home page, the shop’s and in search', async () => {
  for (const path of ['/', `/shops/${show.shop.slug}`, `/search?q=${encodeURIComponent('first warm day')}`]) {
    const page = await open(path, null);
    const tile = page.locator(`a.tile[href="/shows/${show.id}"]`);
    assert.match((await tile.textContent())!, new RegExp(`${say('viewer.replay')} *2:00`), path);
    // Those that were not recorded tell nothing.
    assert.equal(await page.locator('a.tile .badge .vh', { hasText: say('viewer.replay') }).count(), 1, path);
    await page.context().close();
  }
});

/** How far things have moved by themselves since the page was there (layout shift, 0 is not at all). */
async function shiftsOf(page: Page): Promise<number> {
  return page.evaluate(() => new Promise<number>((done) => {
    let sum = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as Array<PerformanceEntry & { value: number }>) sum += entry.value;
    }).observe({ type: 'layout-shift', buffered: true });
    setTimeout(() => done(sum), 500);
  }));
}

for (const [who, email] of [['a guest', null], ['a person', 'mei@demo.nacre']] as const) {
  test(`[W411] ${who} goes on with what was begun, and takes it off the list`, async () => {
    const client = email === null ? null : await signedIn(email);
    const page = await open('/', client);
    assert.equal(await watching(page).count(), 0, 'nothing was begun');
    await watchSome(page);
    // Drawn anew it is there again, and nothing moves for it: on a screen that shows what stands below as well.
    await page.setViewportSize({ width: 360, height: 2_400 });
    await page.reload({ waitUntil: 'networkidle' });
    await watching(page).getByRole('link').waitFor();
    assert.ok((await shiftsOf(page)) < 0.01, 'nothing moved');
    await page.setViewportSize({ width: 360, height: 740 });
    await look(page, `watching-${email === null ? 'guest' : 'person'}`);
    assert.match((await watching(page).getByRole('link').textContent())!, /1:1\d of 2:00 watched/);
    await watching(page).getByRole('link').click();
    await page.getByRole('button', { name: /^Play from 1:1\d$/ }).waitFor();
    await page.goto(`${nacre.url}/shops/${show.shop.slug}`, { waitUntil: 'networkidle' });
    const begun = page.locator(`a.tile[href^="/shows/${show.id}?t="]`);
    assert.match((await begun.textContent())!, /1:1\d of 2:00 watched/, 'on the shop’s page too');
    await page.goto(nacre.url, { waitUntil: 'networkidle' });
    await page.getByRole('button', { name: say('viewer.watching_take_off', { title: TITLE }) }).click();
    await page.getByText(say('viewer.watching_off')).waitFor();
    assert.equal(await watching(page).count(), 0);
    await page.reload({ waitUntil: 'networkidle' });
    assert.equal(await watching(page).count(), 0, 'for good');
    await page.context().close();
  });
}

test('[W411] what a guest began goes on with the account, and leaves the browser', async () => {
  const page = await open('/', null);
  await watchSome(page);
  const tom = await signedIn('tom@demo.nacre');
  await page.context().addCookies(cookiesOf(tom, nacre.url));
  await page.goto(nacre.url, { waitUntil: 'networkidle' });
  await watching(page).getByRole('link').waitFor();
  assert.equal(await page.evaluate(() => localStorage.getItem('nacre-watched')), '[]');
  const { positionMs } = await tom.must<{ positionMs: number }>(200, 'GET', `/api/me/watching/${show.id}`);
  assert.ok(positionMs >= 70_000, `${positionMs}`);
  await page.context().close();
});

async function officePage(): Promise<Page> {
  return open(`/office/${show.shop.slug}/shows/${show.id}`, await signedIn('liu@demo.nacre'), {
    viewport: { width: 1280, height: 800 },
  });
}

test('[W412] what was asked leads to its moment in the replay, from the page of the show', async () => {
  const page = await officePage();
  const talk = page.getByRole('region', { name: say('office.talk_title') });
  const asked = DEMO_FILMED_TALK.filter(({ say: text }) => /[?？؟]/.test(text));
  await talk.getByText('how heavy is the coat?').waitFor();
  assert.equal(await talk.getByRole('listitem').count(), asked.length);
  await look(page, 'office-show');
  await talk.getByRole('button', { name: say('office.talk_all') }).click();
  await until('all of it', PATIENCE_MS, async () => (
    (await talk.getByRole('listitem').count()) === DEMO_FILMED_TALK.length
  ));
  await talk.getByRole('link', { name: say('office.talk_moment', { time: '1:24', name: 'Sami' }) }).click();
  await page.getByRole('button', { name: say('replay.play_from', { time: '1:24' }) }).waitFor();
  await page.context().close();
});

test('[W412] reports and measures lead to the moment of what was said', async () => {
  const [owner, mei] = await Promise.all([signedIn('liu@demo.nacre'), signedIn('mei@demo.nacre')]);
  const { items } = await mei.must<{ items: ChatMessage[] }>(200, 'GET', `/api/shows/${show.id}/chat`);
  const said = items.find(({ text }) => text === 'how heavy is the coat?')!;
  await mei.must(201, 'POST', '/api/reports', { kind: 'message', id: said.id, reason: 'spam', words: '' });
  await owner.must(201, 'POST', `/api/office/shows/${show.id}/measures`, {
    kind: 'ban', personId: said.personId, messageId: said.id, reason: 'spam', words: '', minutes: 1,
  });
  const page = await open(`/office/${show.shop.slug}/talk`, owner, { viewport: { width: 360, height: 740 } });
  const links = page.locator(`a[href="/shows/${show.id}?at=${Date.parse(said.sentAt)}"]`);
  await until('in the report and in the measure', PATIENCE_MS, async () => (await links.count()) === 2);
  await look(page, 'office-talk');
  await links.last().click();
  await page.getByRole('button', { name: say('replay.play_from', { time: '1:24' }) }).waitFor();
  await page.context().close();
});

test('[W413] clips of a replay that has none are made by one tap', async () => {
  const database = new pg.Client({ connectionString: databaseOf(nacre).url });
  await database.connect();
  await database.query('delete from clip where show_id = $1', [show.id]);
  await database.end();
  const page = await officePage();
  const clips = page.getByRole('region', { name: say('office.clips_title') });
  await look(page, 'office-no-clips');
  await clips.getByRole('button', { name: say('office.clips_make') }).click();
  await clips.getByText('Short camel coat', { exact: true }).first().waitFor();
  assert.equal(await clips.getByRole('listitem').count(), 4);
  await page.context().close();
});

test('[W20] neither the list of what was begun nor the office’s page of the show has a finding of axe', async () => {
  const owner = await signedIn('liu@demo.nacre');
  await owner.must(204, 'PUT', `/api/me/watching/${show.id}`, { positionMs: 40_000 });
  for (const options of [
    { viewport: { width: 360, height: 740 }, locale: 'zh-CN', colorScheme: 'light' },
    { viewport: { width: 1280, height: 800 }, locale: 'ar-SA', colorScheme: 'dark' },
  ] as const) {
    for (const path of ['/', `/shops/${show.shop.slug}`, `/office/${show.shop.slug}/shows/${show.id}`]) {
      const page = await open(path, owner, options);
      if (path === '/') await page.locator('#watching').waitFor();
      await page.evaluate(axe);
      const found = await page.evaluate(async () => {
        const { violations } = await (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run();
        return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => String(target)).join(', ')}`);
      });
      assert.deepEqual(found, [], `${path} ${options.locale}`);
      await page.context().close();
    }
  }
});
