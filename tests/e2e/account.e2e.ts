/** A forgotten password: asked for in the browser, answered by mail, set by the link; and who is signed in where. */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Device } from '@nacre/contract/accounts';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.ts';
import { createClient, PASSWORD, startNacre, until, type Nacre } from '../support/nacre.ts';
import { textsOf } from '../support/texts.ts';

/** Generous: a browser and a server share two cores. */
const PATIENCE_MS = 20_000;
const EMAIL = 'mei@example.test';
const NEW = 'a pearl of another colour';
const [en, ar] = [textsOf('en'), textsOf('ar')];

let nacre: Nacre;
let browser: Browser;
before(async () => {
  nacre = await startNacre();
  browser = await launchChromium(['--disable-gpu']);
  const mei = createClient(nacre.url);
  const person = { name: 'Mei', email: EMAIL, password: PASSWORD, locale: 'ar' };
  await mei.must(200, 'POST', '/api/auth/sign-up/email', person);
});
after(async () => {
  await browser?.close();
  await nacre?.remove();
});

async function pageIn(locale: string): Promise<Page> {
  const context = await browser.newContext({ locale });
  context.setDefaultTimeout(PATIENCE_MS);
  return context.newPage();
}

/** The links that the log mailer wrote, oldest first. */
const linksInLog = (): string[] =>
  [...nacre.output().matchAll(/http:\/\/localhost:\d+\/new-password#\w+/g)].map(String);

async function askForLink(page: Page): Promise<string> {
  const known = linksInLog().length;
  await page.getByRole('button', { name: en('signin.forgot'), exact: true }).click();
  const email = page.getByLabel(en('signin.email_only'));
  assert.ok(await email.evaluate((input) => input === document.activeElement), 'the focus goes along');
  await email.fill(EMAIL);
  await page.getByRole('button', { name: en('signin.forgot_do'), exact: true }).click();
  await page.getByRole('status').filter({ hasText: EMAIL }).waitFor();
  await until('the mail is in the log', PATIENCE_MS, async () => linksInLog().length > known);
  return linksInLog().at(-1) ?? '';
}

test('[W50] a forgotten password: the link, a new one, signed in here and nowhere else', async () => {
  const elsewhere = createClient(nacre.url);
  await elsewhere.must(200, 'POST', '/api/auth/sign-in/email', { email: EMAIL, password: PASSWORD });
  const page = await pageIn('en-US');
  await page.goto(`${nacre.url}/account`);
  await page.getByRole('main').getByRole('button', { name: en('common.sign_in'), exact: true }).click();
  const link = await askForLink(page);
  assert.equal(page.url(), `${nacre.url}/account`, 'the sheet leaves the page where it is');

  await page.goto(link);
  await page.getByLabel(en('signin.new_password')).fill('short');
  await page.getByRole('button', { name: en('signin.new_do'), exact: true }).click();
  await page.locator('input[aria-invalid=true]').waitFor();
  await page.getByLabel(en('signin.new_password')).fill(NEW);
  await page.getByRole('button', { name: en('signin.new_do'), exact: true }).click();
  await page.waitForURL(`${nacre.url}/account`);
  await page.getByRole('heading', { name: ar('account.devices'), exact: true }).waitFor();
  assert.equal((await elsewhere.ask('GET', '/api/me/devices')).status, 401);

  await page.goto(link);
  await page.getByLabel(ar('signin.new_password')).fill(PASSWORD);
  await page.getByRole('button', { name: ar('signin.new_do'), exact: true }).click();
  await page.getByRole('alert').waitFor();
  await page.getByRole('link', { name: ar('signin.ask_again'), exact: true }).waitFor();
  await page.context().close();
});

test('[W51] the account page lists the devices and signs another one out', async () => {
  const phone = createClient(nacre.url);
  await phone.must(200, 'POST', '/api/auth/sign-in/email', { email: EMAIL, password: NEW });
  await phone.must(200, 'PATCH', '/api/me', { locale: 'en' });
  const page = await pageIn('en-US');
  await page.goto(`${nacre.url}/sign-in?next=/account`);
  await page.getByLabel(en('signin.email')).fill(EMAIL);
  await page.getByLabel(en('signin.password'), { exact: true }).fill(NEW);
  await page.getByRole('main').getByRole('button', { name: en('signin.do_sign_in'), exact: true }).click();
  await page.waitForURL(`${nacre.url}/account`);
  const list = page.locator('.devices');
  await list.getByText(en('account.device_this'), { exact: true }).waitFor();
  const { items } = await phone.must<{ items: Device[] }>(200, 'GET', '/api/me/devices');
  assert.equal(await list.getByRole('listitem').count(), items.length);

  await list.getByRole('listitem').filter({ hasText: en('account.device_unknown') }).getByRole('button').click();
  await until('the phone is signed out', PATIENCE_MS, async () =>
    (await phone.ask('GET', '/api/me/devices')).status === 401);
  await list.getByRole('button', { name: en('account.devices_out'), exact: true }).click();
  await until('one is left', PATIENCE_MS, async () => (await list.getByRole('listitem').count()) === 1);
  await until('the focus is kept in the list', PATIENCE_MS, () =>
    page.evaluate(() => document.activeElement?.matches('.devices h2') ?? false));
  await page.context().close();
});
