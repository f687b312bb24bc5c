/** Language and time zone of a person: from the page into the profile, and from the profile onto every device. */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Me, Person } from '@nacre/contract/accounts';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.ts';
import { createClient, openMarket, PASSWORD, startNacre, until, type Nacre } from '../support/nacre.ts';
import { textsOf } from '../support/texts.ts';

/** Generous: a browser and a server share two cores. */
const PATIENCE_MS = 20_000;
const EMAIL = 'mei@example.test';
const [en, zh, ar] = [textsOf('en'), textsOf('zh'), textsOf('ar')];

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

async function device(locale: string, timezoneId: string): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext({ locale, timezoneId });
  context.setDefaultTimeout(PATIENCE_MS);
  return { context, page: await context.newPage() };
}

async function profileOf(context: BrowserContext): Promise<Pick<Person, 'locale' | 'timeZone'>> {
  const { person } = (await (await context.request.get(`${nacre.url}/api/me`)).json()) as Me;
  const { locale, timeZone } = person ?? assert.fail('a guest');
  return { locale, timeZone };
}

const langOf = (page: Page): Promise<[string, string]> => (
  page.evaluate(() => [document.documentElement.lang, document.documentElement.dir])
);

test('[W31] signing up keeps the page’s language and the browser’s zone; the switch changes both', async () => {
  const { context, page } = await device('zh-CN', 'Asia/Shanghai');
  await page.goto(`${nacre.url}/sign-in`);
  await page.getByRole('button', { name: zh('signin.to_sign_up'), exact: true }).click();
  await page.getByLabel(zh('signin.name')).fill('Mei');
  await page.getByLabel(zh('signin.email')).fill(EMAIL);
  await page.getByLabel(zh('signin.password')).fill(PASSWORD);
  await page.getByRole('button', { name: zh('signin.do_sign_up'), exact: true }).click();
  await page.waitForURL(`${nacre.url}/`);
  assert.deepEqual(await profileOf(context), { locale: 'zh', timeZone: 'Asia/Shanghai' });

  await page.getByRole('banner').getByLabel(zh('common.language')).selectOption('ar');
  await until('the profile speaks Arabic', PATIENCE_MS, async () => (await profileOf(context)).locale === 'ar');
  assert.deepEqual(await langOf(page), ['ar', 'rtl']);
  await context.close();
});

test('[W31] another device takes the language at sign-in, and what the profile is saved with', async () => {
  const { context, page } = await device('en-US', 'Europe/Berlin');
  await page.goto(`${nacre.url}/sign-in?next=/account`);
  await page.getByLabel(en('signin.email')).fill(EMAIL);
  await page.getByLabel(en('signin.password')).fill(PASSWORD);
  await page.getByRole('main').getByRole('button', { name: en('signin.do_sign_in'), exact: true }).click();
  await page.waitForURL(`${nacre.url}/account`);
  assert.deepEqual(await langOf(page), ['ar', 'rtl']);

  const form = page.locator('form', { has: page.getByLabel(ar('account.time_zone')) });
  await form.getByLabel(ar('common.language')).selectOption('en');
  await form.getByRole('button', { name: ar('common.save'), exact: true }).click();
  await until('the page speaks English', PATIENCE_MS, async () => (await langOf(page))[0] === 'en');
  await page.getByRole('heading', { name: en('account.profile'), exact: true }).waitFor();
  assert.deepEqual(await profileOf(context), { locale: 'en', timeZone: 'Asia/Shanghai' });
  await context.close();
});

test('[W31] what was chosen elsewhere meanwhile is what the next page is drawn in', async () => {
  const client = createClient(nacre.url);
  await client.must(200, 'POST', '/api/auth/sign-in/email', { email: EMAIL, password: PASSWORD });
  await client.must(200, 'PATCH', '/api/me', { locale: 'ar' });
  const headers = { cookie: `${client.cookie()}; nacre_locale=en`, 'accept-language': 'zh' };
  const answer = await fetch(`${nacre.url}/`, { headers });
  assert.match(await answer.text(), /<html lang="ar" dir="rtl"/);
  assert.ok(answer.headers.getSetCookie().some((line) => line.startsWith('nacre_locale=ar;')));
  const guest = await fetch(`${nacre.url}/`, { headers: { cookie: 'nacre_locale=en', 'accept-language': 'zh' } });
  assert.match(await guest.text(), /<html lang="en" dir="ltr"/);
});

test('[W31] times are drawn in the zone of the profile, a guest’s in the browser’s', async () => {
  const tomorrow = new Date(Date.now() + 24 * 3_600_000).toISOString().slice(0, 10);
  await openMarket(nacre.url, { show: { startsAt: `${tomorrow}T04:30:00.000Z` } });
  const client = createClient(nacre.url);
  await client.must(200, 'POST', '/api/auth/sign-in/email', { email: EMAIL, password: PASSWORD });
  await client.must(200, 'PATCH', '/api/me', { locale: 'en' });
  const drawn = async (cookie: string): Promise<string> => (
    (await (await fetch(`${nacre.url}/`, { headers: { cookie } })).text()).replaceAll(/\s/g, ' ')
  );
  // The home page hears of a new show a moment later.
  await until('the show on the home page, in the zone of Asia/Shanghai', 10_000, async () => (
    /12:30 PM/.test(await drawn(`${client.cookie()}; nacre_tz=Europe/Berlin`))
  ));
  assert.match(await drawn('nacre_locale=en; nacre_tz=UTC'), /4:30 AM/);
});
