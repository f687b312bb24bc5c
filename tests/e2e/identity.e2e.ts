/**
 * Ways to sign in, in a real browser: by telephone in the middle of a show, by a passkey of Chromium's virtual
 * authenticator, and another e-mail by the mail in the log; one's own by the mail that the demo keeps.
 */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { ShowTile } from '@nacre/contract/shows';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.ts';
import { createClient, PASSWORD, startNacre, until, type Nacre } from '../support/nacre.ts';
import { textsOf } from '../support/texts.ts';

const PATIENCE_MS = 20_000;
const PHONE = { width: 360, height: 740 };
const say = textsOf('en');

let nacre: Nacre;
let browser: Browser;
let context: BrowserContext;
let page: Page;
before(async () => {
  nacre = await startNacre({ demo: true });
  browser = await launchChromium(['--disable-gpu']);
  context = await browser.newContext({ viewport: PHONE, locale: 'en-US' });
  context.setDefaultTimeout(PATIENCE_MS);
  page = await context.newPage();
});
after(async () => {
  await browser?.close();
  await nacre?.remove();
});

const button = (name: string) => page.getByRole('button', { name, exact: true });
const field = (name: string) => page.getByLabel(name, { exact: true });
const linksInLog = (place: string): string[] =>
  [...nacre.output().matchAll(new RegExp(`http://localhost:\\d+/${place}#[\\w-]+`, 'g'))].map(String);
async function linkInLog(place: string): Promise<string> {
  await until(`a mail with ${place} is in the log`, PATIENCE_MS, () => linksInLog(place).length > 0);
  return linksInLog(place).at(-1) ?? '';
}

test('[W121] who wants to talk in a show signs up by telephone without leaving it, and says it', async () => {
  let live: ShowTile | undefined;
  await until('the demo show is live', 30_000, async () => {
    const { items } = await createClient(nacre.url).must<{ items: ShowTile[] }>(200, 'GET', '/api/shows?state=live');
    [live] = items;
    return live !== undefined;
  });
  await page.goto(`${nacre.url}/shows/${live?.id}`);
  const address = page.url();
  await button(say('viewer.follow')).click();
  const dialog = page.getByRole('dialog', { name: say('signin.sheet_title') });
  await field(say('signin.email')).fill('12');
  await dialog.getByRole('button', { name: say('signin.continue'), exact: true }).click();
  await dialog.locator('input[aria-invalid=true]').waitFor();
  // Without a country of its own it is of the page's region, and can be of another.
  await field(say('signin.email')).fill('13800138000');
  assert.equal(await field(say('signin.country')).inputValue(), 'US');
  await button(say('signin.do_code')).click();
  await dialog.getByText(say('refusal.accounts.phone_invalid')).waitFor();
  await field(say('signin.country')).selectOption('CN');
  await button(say('signin.do_code')).click();

  await dialog.getByText(say('signin.demo_text')).waitFor();
  const code = /\b\d{6}\b/.exec(await dialog.innerText())?.[0] ?? '';
  const input = field(say('signin.code'));
  assert.deepEqual([await input.getAttribute('autocomplete'), await input.getAttribute('inputmode')],
    ['one-time-code', 'numeric']);
  assert.ok(await dialog.getByRole('button', { name: /Another code in \d+/ }).isDisabled());
  // Asked for again too soon, and [A76] the one that came is entered.
  await button(say('signin.other_number')).click();
  await field(say('signin.country')).selectOption('CN');
  await button(say('signin.do_code')).click();
  await dialog.getByText(say('signin.code_not_sent')).waitFor();
  await input.fill(String((Number(code) + 1) % 1_000_000).padStart(6, '0'));
  await dialog.getByText(say('refusal.accounts.code_wrong')).waitFor();
  await input.fill(code);
  await field(say('signin.name')).fill('An');
  await button(say('signin.do_sign_up')).click();
  await dialog.waitFor({ state: 'detached' });
  // What was tapped before signing in is done: who follows is offered to be told on this device (W74).
  await button(say('news.offer_no')).click();
  await field(say('viewer.say')).fill('Is it lined?');
  await page.keyboard.press('Enter');
  await page.getByRole('log').getByText('Is it lined?').waitFor();
  assert.equal(page.url(), address, 'the show stays');
});

test('[W122] a passkey is added and named in the account, and signs in again by one tap', async () => {
  const devTools = await context.newCDPSession(page);
  await devTools.send('WebAuthn.enable', { enableUI: false });
  await devTools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  await page.goto(`${nacre.url}/account`);
  await button(say('account.passkey_add')).click();
  const sheet = page.getByRole('dialog', { name: say('account.passkey') });
  await sheet.getByLabel(say('account.passkey_name')).fill('My phone');
  await sheet.getByRole('button', { name: say('common.save'), exact: true }).click();
  await page.locator('.ways').getByText('My phone').waitFor();

  // The virtual authenticator takes up the offer among the field's suggestions at once, which a person has to choose.
  const signOut = async () => {
    await button(say('account.sign_out')).click();
    await page.getByRole('main').getByRole('button', { name: say('common.sign_in'), exact: true }).click();
  };
  // It is refused once, said, and offered again.
  const said = Promise.withResolvers<void>();
  let tries = 0;
  await page.route('**/api/auth/sign-in/passkey', async (route) => {
    tries += 1;
    if (tries > 1) await said.promise;
    // An answer to a challenge that is over, say.
    if (tries === 1) await route.fulfill({ status: 422, json: { code: 'accounts.passkey_failed' } });
    else await route.continue();
  });
  await signOut();
  await page.getByText(say('refusal.accounts.passkey_failed')).waitFor();
  said.resolve();
  await page.locator('.ways').getByText('My phone').waitFor();
  assert.equal(tries, 2);
  await page.unroute('**/api/auth/sign-in/passkey');

  // A browser without such offers has the button.
  await page.addInitScript(() => {
    PublicKeyCredential.isConditionalMediationAvailable = async () => false;
  });
  await page.reload();
  await signOut();
  await button(say('signin.do_passkey')).click();
  await page.getByRole('heading', { name: 'An', exact: true }).waitFor();
  await page.locator('.ways').getByText('My phone').waitFor();
});

test('[W123] another e-mail holds once the mailed link was opened, and the old one can take it back', async () => {
  const first = `an-${performance.now()}@example.test`;
  for (const email of [first, `other-${first}`]) {
    const known = linksInLog('new-email').length;
    await page.goto(`${nacre.url}/account`);
    await button(say('account.email_change_label')).click();
    await page.getByRole('textbox', { name: say('account.email_new') }).fill(email);
    await button(say('account.email_do')).click();
    await until('the mail is in the log', PATIENCE_MS, () => linksInLog('new-email').length > known);
    await page.goto(await linkInLog('new-email'));
    await button(say('signin.email_new_do')).click();
    await page.getByText(say('signin.email_holds', { email })).waitFor();
  }
  await page.goto(await linkInLog('old-email'));
  await button(say('signin.email_old_do')).click();
  await page.getByText(say('signin.email_holds', { email: first })).waitFor();
  await page.goto(`${nacre.url}/account`);
  await page.getByRole('main').getByRole('button', { name: say('common.sign_in'), exact: true }).waitFor();
});

test('[W162] the account has the link that confirms its e-mail, which signs in first where nobody is', async () => {
  const email = `mei-${performance.now()}@example.test`;
  const person = { name: 'Mei', email, password: PASSWORD, locale: 'en' };
  await createClient(nacre.url).must(200, 'POST', '/api/auth/sign-up/email', person);
  const signIn = async (scope: Locator) => {
    await scope.getByLabel(say('signin.email')).fill(email);
    await scope.getByLabel(say('signin.password'), { exact: true }).fill(PASSWORD);
    await scope.getByRole('button', { name: say('signin.do_sign_in'), exact: true }).click();
  };
  await page.goto(await linkInLog('my-email'));
  await button(say('signin.email_own_sign_in')).click();
  await signIn(page.getByRole('dialog'));
  await page.getByText(say('signin.email_own_done', { email })).waitFor();
  await page.getByRole('link', { name: say('signin.email_to_account'), exact: true }).click();
  const ways = page.locator('.ways');
  await ways.getByText(say('account.email_confirmed', { email })).waitFor();
  await page.goto(await linkInLog('my-email'));
  await button(say('signin.email_own_do')).click();
  await page.getByText(say('refusal.accounts.email_proof_over')).waitFor();

  const other = { ...person, email: `other-${email}` };
  assert.equal((await page.request.post(`${nacre.url}/api/auth/sign-up/email`, { data: other })).status(), 200);
  await page.goto(`${nacre.url}/account`);
  await ways.getByText(say('account.email_unconfirmed')).waitFor();
  await ways.getByRole('link', { name: say('signin.demo_mail_open'), exact: true }).waitFor();
  await button(say('account.email_again')).click();
  await ways.getByText(say('account.email_again_sent', { email: other.email })).waitFor();
  const [opened] = await Promise.all([
    context.waitForEvent('page'),
    ways.getByRole('link', { name: say('signin.demo_mail_open'), exact: true }).click(),
  ]);
  await opened.getByRole('button', { name: say('signin.email_own_do'), exact: true }).click();
  await opened.getByText(say('signin.email_own_done', { email: other.email })).waitFor();
});
