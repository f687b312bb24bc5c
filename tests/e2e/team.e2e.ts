/**
 * A team in a real browser: the owner makes a link in the office, a second person opens it without an account, comes in
 * as packer, and finds orders and goods and no shows; the server says no as well.
 */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.ts';
import { cookiesOf } from '../support/cookies.ts';
import { openMarket, PASSWORD, startNacre, type Client, type Market, type Nacre } from '../support/nacre.ts';
import { textsOf } from '../support/texts.ts';

const PHONE = { width: 360, height: 740 };
const PATIENCE_MS = 20_000;
const say = textsOf('en');

let nacre: Nacre;
let market: Market;
let browser: Browser;
before(async () => {
  nacre = await startNacre();
  market = await openMarket(nacre.url);
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  await nacre?.remove();
});

async function newContext(client: Client | null = null): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: PHONE, locale: 'en-US' });
  context.setDefaultTimeout(PATIENCE_MS);
  await context.addCookies(cookiesOf(client, nacre.url));
  return context;
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

test('[W41] who is invited by link signs up on the way and finds what the role includes, nothing else', async () => {
  const ownerContext = await newContext(market.owner);
  const owner = await ownerContext.newPage();
  await owner.goto(`${nacre.url}/office/${market.shop.slug}/team`);
  await button(owner, say('team.invite')).click();
  await owner.getByRole('radio', { name: say('team.role_packer') }).check();
  await button(owner, say('team.invite_do')).click();
  const link = await owner.getByLabel(say('team.link'), { exact: true }).inputValue();
  assert.match(link, /\/invite\/[A-Za-z0-9_-]{43}$/);
  await button(owner, say('team.done')).click();
  await owner.getByText(say('team.role_packer'), { exact: true }).first().waitFor();

  const context = await newContext();
  const page = await context.newPage();
  await page.goto(link);
  await page.getByRole('heading', { name: say('team.invited_title', { shop: market.shop.name }) }).waitFor();
  await button(page, say('team.invited_sign_in')).click();
  await button(page, say('signin.to_sign_up')).click();
  await page.getByLabel(say('signin.name'), { exact: true }).fill('Lin');
  await page.getByLabel(say('signin.email')).fill('lin@example.test');
  await page.getByLabel(say('signin.password')).fill(PASSWORD);
  await button(page, say('signin.do_sign_up')).click();

  // Signed in, they have joined by the tap they made before, and stand where a packer works.
  await page.waitForURL(`${nacre.url}/office/${market.shop.slug}/orders`);
  const links = page.getByRole('navigation', { name: say('office.nav') }).getByRole('link');
  const names = (await links.allInnerTexts()).map((text) => text.trim());
  assert.deepEqual(names, [
    say('office.nav_orders'), say('office.nav_counter'), say('office.nav_goods'), say('office.nav_team'),
    say('office.nav_shop'),
  ]);
  await page.goto(`${nacre.url}/office/${market.shop.slug}/goods`);
  await page.getByText(market.product.title).waitFor();
  assert.equal(await page.getByRole('link', { name: say('office.goods_add') }).count(), 0);
  await page.goto(`${nacre.url}/office/${market.shop.slug}/shows`);
  await page.getByRole('alert').filter({ hasText: say('refusal.shops.not_allowed') }).waitFor();

  const codeOf = async (path: string) => {
    const answer = await context.request.get(`${nacre.url}${path}`);
    return answer.ok() ? 'in' : ((await answer.json()) as { code: string }).code;
  };
  assert.equal(await codeOf(`/api/office/shops/${market.shop.id}/orders`), 'in');
  assert.equal(await codeOf(`/api/office/shops/${market.shop.id}/shows`), 'shops.not_allowed');
  assert.equal(await codeOf(`/api/office/shows/${market.show.id}`), 'shops.not_allowed');

  const late = await newContext();
  const tooLate = await late.newPage();
  await tooLate.goto(link);
  await tooLate.getByText(say('refusal.shops.invitation_over')).waitFor();
  await owner.reload();
  await button(owner, say('team.change_of', { name: 'Lin' })).waitFor();
  await Promise.all([ownerContext.close(), context.close(), late.close()]);
});
