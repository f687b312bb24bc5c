/**
 * A coupon in real browsers: the owner makes it in the office by keyboard and hands it out from the studio; a viewer on
 * a phone claims it by one tap, buys with it without thinking of it, and reads on the order what it took off. A guest
 * signs in on the way. Once more in Arabic, to look.
 */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Me } from '@nacre/contract/accounts';
import type { OfficeCoupon } from '@nacre/contract/coupons';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.ts';
import { cookiesOf } from '../support/cookies.ts';
import { ADDRESS } from '../support/market.ts';
import {
  createClient, goLive, openMarket, PASSWORD, startNacre, type Client, type Market, type Nacre,
} from '../support/nacre.ts';
import { textsOf } from '../support/texts.ts';

const PHONE = { width: 360, height: 740 };
const PATIENCE_MS = 20_000;
const say = textsOf('en');
const NAME = 'Tonight only';

let nacre: Nacre;
let market: Market;
let publisher: { stop(): Promise<void> };
let browser: Browser;
before(async () => {
  nacre = await startNacre();
  market = await openMarket(nacre.url, { stock: 6 });
  publisher = await goLive(nacre.url, market);
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  await publisher?.stop();
  await nacre?.remove();
});

async function pageOf(client: Client, locale = 'en-US', viewport = PHONE): Promise<Page> {
  const context = await browser.newContext({ viewport, locale });
  context.setDefaultTimeout(PATIENCE_MS);
  await context.addCookies(cookiesOf(client, nacre.url));
  return context.newPage();
}
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const showPage = () => `${nacre.url}/shows/${market.show.id}`;

async function newBuyer(name: string): Promise<Client> {
  const buyer = createClient(nacre.url);
  await buyer.signUp(name);
  await buyer.must(201, 'POST', '/api/me/addresses', ADDRESS);
  return buyer;
}

const listed = async () => (await market.owner.must<{ items: OfficeCoupon[] }>(
  200, 'GET', `/api/office/shops/${market.shop.id}/coupons`,
)).items;

/** The one that the first test has made, or one like it where that did not run. */
async function theCoupon(): Promise<OfficeCoupon> {
  const [known] = await listed();
  if (known !== undefined) return known;
  return market.owner.must<OfficeCoupon>(201, 'POST', `/api/office/shops/${market.shop.id}/coupons`, {
    name: NAME, amountMinor: 1_000, percent: null, mostMinor: null, minimumMinor: 2_000, productIds: null,
    showId: null, quota: 100, validFrom: new Date().toISOString(),
    validUntil: new Date(Date.now() + 86_400_000).toISOString(),
  });
}

test('[W220] a coupon is made by keyboard alone; what is wrong is said at its field', async () => {
  const page = await pageOf(market.owner, 'en-US', { width: 1200, height: 800 });
  await page.goto(`${nacre.url}/office/${market.shop.slug}/coupons`, { waitUntil: 'networkidle' });
  const make = button(page, say('coupon.make')).first();
  await make.focus();
  await page.keyboard.press('Enter');
  const sheet = page.getByRole('dialog');
  await sheet.getByLabel(say('coupon.name')).focus();
  await page.keyboard.press('Enter');
  await sheet.getByText(say('coupon.name_need')).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-invalid')), 'true');
  await page.keyboard.type(NAME);
  // On to the kinds, the amount, the minimum.
  const active = () => page.evaluate(() => (document.activeElement as HTMLInputElement).labels?.[0]?.innerText ?? '');
  for (let tab = 0; tab < 6 && (await active()) !== say('coupon.amount'); tab += 1) await page.keyboard.press('Tab');
  assert.equal(await active(), say('coupon.amount'));
  await page.keyboard.type('10');
  await page.keyboard.press('Tab');
  await page.keyboard.type('20');
  await page.keyboard.press('Enter');
  await page.getByText(say('coupon.made')).waitFor();
  await page.locator('[data-coupon]').getByText(NAME).waitFor();
  const [made] = await listed();
  assert.deepEqual([made?.amountMinor, made?.minimumMinor, made?.quota, made?.state], [1_000, 2_000, 100, 'open']);
});

test('[W221] [W222] [W224] [CO13] handed out, claimed, taken off, and told on the order', async () => {
  await theCoupon();
  const buyer = await newBuyer('Mei');
  const viewer = await pageOf(buyer);
  await viewer.goto(showPage(), { waitUntil: 'networkidle' });
  const host = await pageOf(market.owner);
  await host.goto(`${nacre.url}/studio/${market.show.id}`, { waitUntil: 'networkidle' });
  await button(host, say('office.nav_coupons')).click();
  await button(host, say('coupon.hand_out_of', { name: NAME })).click();
  await host.getByText(say('coupon.is_out')).waitFor();

  const card = viewer.locator('[data-handed-out]');
  await card.getByText(NAME).waitFor();
  const box = await card.boundingBox();
  assert.ok(box !== null && box.x >= 0 && box.x + box.width <= PHONE.width, 'it lies on the phone’s screen');
  await button(viewer, say('coupon.claim_of', { name: NAME })).click();
  await viewer.getByText(say('coupon.claimed_toast')).waitFor();
  await card.waitFor({ state: 'hidden' });
  // The host sees that there is one less.
  await host.getByText('99 left').waitFor();

  await viewer.locator('.dock .bag').click();
  const bag = viewer.getByRole('dialog');
  await bag.getByText(say('coupon.claimed'), { exact: true }).waitFor();
  await bag.getByRole('button', { name: say('viewer.buy'), exact: true }).first().click();
  const sheet = viewer.getByRole('dialog').last();
  for (const value of market.product.variants[0]!.optionValues) {
    await sheet.getByRole('radio', { name: value, exact: true }).click();
  }
  // Without a word of hers; none is one tap more.
  await button(viewer, say('buy.pay', { amount: '$39.00' })).waitFor();
  await sheet.locator('[data-coupon-choice] summary').click();
  await sheet.getByRole('radio', { name: say('coupon.use_none') }).click();
  await button(viewer, say('buy.pay', { amount: '$49.00' })).waitFor();
  await sheet.getByRole('radio', { name: new RegExp(NAME) }).click();
  await button(viewer, say('buy.pay', { amount: '$39.00' })).click();
  await viewer.frameLocator('dialog iframe').getByRole('button').first().click();
  await viewer.locator('[data-order-state=paid]').waitFor();
  await viewer.getByRole('link', { name: say('buy.see_order') }).click();
  await viewer.getByText(`${say('account.coupon')} · ${NAME}`).first().waitFor();
  await viewer.getByText('−$10.00').first().waitFor();
  assert.match(await viewer.locator('.sum').innerText(), /\$49\.00[\s\S]*−\$10\.00[\s\S]*\$39\.00/);
  await viewer.goto(`${nacre.url}/account/coupons`, { waitUntil: 'networkidle' });
  await viewer.locator('[data-state=used]').getByText(NAME).waitFor();
});

test('[W221] a guest who comes later sees it in Arabic, signs in on the way, and has claimed it', async () => {
  const arabic = textsOf('ar');
  const { id: couponId } = await theCoupon();
  await market.owner.must(200, 'PUT', `/api/office/shows/${market.show.id}/coupon`, { couponId });
  const guest = await pageOf(createClient(nacre.url), 'ar-EG');
  await guest.goto(showPage(), { waitUntil: 'networkidle' });
  await guest.locator('[data-handed-out]').getByText(NAME).waitFor();
  assert.equal(await guest.evaluate(() => document.documentElement.dir), 'rtl');
  const known = await newBuyer('Amal');
  await known.must(200, 'PATCH', '/api/me', { locale: 'ar' });
  // What is put into a sentence is isolated by signs that nobody sees.
  await guest.locator('[data-handed-out]').getByText(arabic('coupon.claim'), { exact: true }).click();
  const { person } = await known.must<Me>(200, 'GET', '/api/me');
  const signIn = guest.getByRole('dialog');
  await signIn.getByLabel(arabic('signin.email')).fill(person?.email ?? '');
  await signIn.getByLabel(arabic('signin.password'), { exact: true }).fill(PASSWORD);
  await signIn.getByRole('button', { name: arabic('signin.do_sign_in'), exact: true }).click();
  await guest.getByText(arabic('coupon.claimed_toast')).waitFor();
  const own = await known.must<{ items: unknown[] }>(200, 'GET', '/api/coupons');
  assert.equal(own.items.length, 1);
});

test('[W225] one that another order took meanwhile is told, and the purchase goes on without it', async () => {
  const buyer = await newBuyer('Lan');
  const { id: couponId } = await theCoupon();
  const claim = await buyer.must<{ claimId: string }>(200, 'POST', `/api/coupons/${couponId}/claim`);
  const page = await pageOf(buyer);
  await page.goto(`${showPage()}?product=${market.product.id}`, { waitUntil: 'networkidle' });
  const sheet = page.getByRole('dialog').last();
  const [variant] = market.product.variants;
  for (const value of variant!.optionValues) await sheet.getByRole('radio', { name: value, exact: true }).click();
  await button(page, say('buy.pay', { amount: '$39.00' })).waitFor();
  const address = (await buyer.must<{ items: Array<{ address: object }> }>(200, 'GET', '/api/me/addresses')).items[0]!;
  await buyer.must(201, 'POST', '/api/orders', {
    idempotencyKey: 'elsewhere-1', showId: null, address: address.address,
    lines: [{ variantId: variant!.id, quantity: 1, unitPriceMinor: variant!.priceMinor }],
    coupon: { claimId: claim.claimId, discountMinor: 1_000 },
  });
  await button(page, say('buy.pay', { amount: '$39.00' })).click();
  await sheet.getByText(say('refusal.coupons.used')).waitFor();
  await button(page, say('buy.pay', { amount: '$49.00' })).waitFor();
});
