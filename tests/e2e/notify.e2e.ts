/** The installed app and the bell: manifest, service worker, the page without a network, a push, the list. */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Person } from '@nacre/contract/accounts';
import type { Shop } from '@nacre/contract/shops';
import type { Show } from '@nacre/contract/shows';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.ts';
import { createClient, PASSWORD, startNacre, type Nacre } from '../support/nacre.ts';
import { textsOf } from '../support/texts.ts';

/** Generous: a browser and a server share two cores. */
const PATIENCE_MS = 20_000;
const [en, zh] = [textsOf('en'), textsOf('zh')];

let nacre: Nacre;
let browser: Browser;
before(async () => {
  nacre = await startNacre();
  browser = await launchChromium(['--disable-gpu']);
});
after(async () => {
  await browser?.close();
  await nacre?.remove();
});

async function pageIn(locale: string): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext({ locale, permissions: ['notifications'] });
  context.setDefaultTimeout(PATIENCE_MS);
  return { context, page: await context.newPage() };
}

interface Manifest {
  lang: string;
  shortcuts: { name: string }[];
  icons: { src: string }[];
}

const untilWorker = (page: Page) => page.evaluate(async () => {
  const { active } = await navigator.serviceWorker.ready;
  while (navigator.serviceWorker.controller === null) await new Promise((go) => setTimeout(go, 50));
  return active?.scriptURL;
});

test('[W70] the app can be installed, in the reader’s language', async () => {
  const { context, page } = await pageIn('zh-CN');
  await page.goto(nacre.url);
  const cdp = await context.newCDPSession(page);
  const { errors, data } = await cdp.send('Page.getAppManifest');
  assert.deepEqual(errors, []);
  const manifest = JSON.parse(data ?? '{}') as Manifest;
  assert.equal(manifest.lang, 'zh-CN');
  assert.equal(manifest.shortcuts[1]?.name, zh('offline.orders'));
  for (const { src } of manifest.icons) assert.equal((await page.request.get(nacre.url + src)).status(), 200, src);
  const { installabilityErrors } = await cdp.send('Page.getInstallabilityErrors');
  // A context without a profile is a private window, where nothing can be installed.
  assert.deepEqual(installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito'), []);
  await context.close();
});

test('[W71] without a network there is a page that says so, and nothing of the server is kept', async () => {
  const { context, page } = await pageIn('zh-CN');
  await page.goto(nacre.url);
  assert.equal(await untilWorker(page), `${nacre.url}/service-worker.js`);
  await page.waitForFunction(async () => (await caches.keys()).length > 0);
  await context.setOffline(true);
  await page.goto(`${nacre.url}/orders`).catch(() => null);
  await page.getByRole('heading', { name: zh('offline.title') }).waitFor();
  await page.getByRole('link', { name: zh('offline.try_again') }).click();
  await page.getByRole('heading', { name: zh('offline.title') }).waitFor();
  // It comes back by itself.
  await context.setOffline(false);
  await page.getByRole('banner').waitFor();
  const kept = await page.evaluate(async () => {
    const names = await caches.keys();
    const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
    return requests.flat().map(({ url }) => url);
  });
  assert.deepEqual(kept, [`${nacre.url}/reader`]);
  await context.close();
});

test('[W72] a push becomes a notification that knows what to open', async () => {
  const { context, page } = await pageIn('en-US');
  const cdp = await context.newCDPSession(page);
  const found = Promise.withResolvers<string>();
  cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
    const own = registrations.find(({ scopeURL }) => scopeURL.startsWith(nacre.url));
    if (own) found.resolve(own.registrationId);
  });
  await cdp.send('ServiceWorker.enable');
  await page.goto(nacre.url);
  await untilWorker(page);
  const shownOf = { title: 'Silk Road is live', body: 'Dresses', tag: 'show/1', url: '/shows/1' };
  const message = { ...shownOf, lang: 'en', dir: 'ltr' };
  await cdp.send('ServiceWorker.deliverPushMessage', {
    origin: nacre.url, registrationId: await found.promise, data: JSON.stringify(message),
  });
  const shown = await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    for (let tries = 0; tries < 100; tries += 1) {
      const [first] = await registration.getNotifications();
      const { url } = (first?.data ?? {}) as { url?: string };
      if (first) return { title: first.title, body: first.body, tag: first.tag, url };
      await new Promise((go) => setTimeout(go, 50));
    }
    return Notification.permission;
  });
  assert.deepEqual(shown, shownOf);
  await context.close();
});

test('[W73] the bell counts what is new, the list has it, and opening it is having seen it', async () => {
  const { context, page } = await pageIn('en-US');
  const owner = createClient(nacre.url);
  const sign = (email: string) => ({ name: 'Liu', email, password: PASSWORD, locale: 'en' });
  await owner.must(200, 'POST', '/api/auth/sign-up/email', sign('liu@example.test'));
  const shop = (await owner.must(201, 'POST', '/api/shops', {
    name: 'Silk Road', slug: 'silk-road', story: '', imageId: null, region: 'Gansu', category: 'clothes',
    currency: 'CNY',
  })) as Shop;
  const signedUp = await page.request.post(`${nacre.url}/api/auth/sign-up/email`, { data: sign('mei@example.test') });
  assert.ok(((await signedUp.json()) as { person: Person }).person);
  await page.request.put(`${nacre.url}/api/shops/${shop.slug}/follow`, { data: {} });
  await page.goto(nacre.url);
  const bell = page.getByRole('banner').getByRole('link', { name: en('common.news'), exact: true });
  await bell.waitFor();
  await page.setViewportSize({ width: 320, height: 640 });
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320, 'the bar fits a small phone');
  const show = (await owner.must(201, 'POST', `/api/office/shops/${shop.id}/shows`, {
    title: 'Coats', description: '', coverImageId: null, visibility: 'public', productIds: [],
    startsAt: new Date(Date.now() + 3_600_000).toISOString(),
  })) as Show;
  await owner.must(200, 'POST', `/api/office/shows/${show.id}/cancel`, {});
  await page.getByRole('link', { name: '1 new notification', exact: true }).click();
  await page.getByRole('heading', { name: en('news.title') }).waitFor();
  const line = page.getByRole('link', { name: /Silk Road.* called a show off/ });
  await line.waitFor();
  assert.equal(await line.getAttribute('href'), `/shows/${show.id}`);
  await page.waitForFunction(async () => {
    const answer = (await (await fetch('/api/me/notifications/unread')).json()) as { unread: number };
    return answer.unread === 0;
  });
  await page.goto(`${nacre.url}/account`, { waitUntil: 'networkidle' });
  await page.getByLabel(en('news.quiet'), { exact: true }).check();
  await page.getByLabel(en('news.quiet_from'), { exact: true }).waitFor();
  const settings = await (await page.request.get(`${nacre.url}/api/me/notification-settings`)).json();
  assert.deepEqual((settings as { quiet: unknown }).quiet, { from: '22:00', to: '08:00' });
  await context.close();
});

test('[W74] [W75] who follows a shop is offered once to be told here; the account page installs', async () => {
  const { context, page } = await pageIn('en-US');
  await page.addInitScript(() => {
    const asked = { permission: 0, install: 0 };
    Object.assign(globalThis, { asked });
    // A browser with a profile has not decided yet; one for tests has.
    Object.defineProperty(Notification, 'permission', { get: () => 'default' });
    Notification.requestPermission = async () => {
      asked.permission += 1;
      return 'denied';
    };
  });
  const asked = () => page.evaluate(() => (globalThis as unknown as { asked: Record<string, number> }).asked);
  const data = { name: 'Tom', email: 'tom@example.test', password: PASSWORD, locale: 'en' };
  await page.request.post(`${nacre.url}/api/auth/sign-up/email`, { data });
  await page.goto(`${nacre.url}/shops/silk-road`);
  const follow = page.getByRole('button', { name: en('viewer.follow'), exact: true });
  const following = page.getByRole('button', { name: en('viewer.following'), exact: true });
  await follow.click();
  const sheet = page.getByRole('dialog', { name: 'Shall we tell you when Silk Road is live?' });
  await sheet.waitFor();
  assert.deepEqual(await asked(), { permission: 0, install: 0 }, 'the browser has not asked yet');
  await sheet.getByRole('button', { name: en('news.offer_yes') }).click();
  await page.getByText(en('news.push_refused')).waitFor();
  assert.equal((await asked())['permission'], 1);
  await following.click();
  await follow.click();
  await following.waitFor();
  assert.equal(await sheet.count(), 0, 'a second time is pestering');

  await page.goto(`${nacre.url}/account`, { waitUntil: 'networkidle' });
  const install = page.getByRole('button', { name: en('news.install_do'), exact: true });
  await page.locator('#notifications').waitFor();
  assert.equal(await install.count(), 0);
  await page.evaluate(() => {
    const prompt = async () => void ((globalThis as unknown as { asked: { install: number } }).asked.install += 1);
    dispatchEvent(Object.assign(new Event('beforeinstallprompt', { cancelable: true }), { prompt }));
  });
  await install.click();
  await install.waitFor({ state: 'detached' });
  assert.equal((await asked())['install'], 1);
  await context.close();
});
