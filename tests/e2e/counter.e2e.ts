/**
 * The shop as a place, in a real browser: the counter sells the last piece while a show's viewer is about to buy it, a
 * viewer buys another to pick up, the office hands it over for the code, and the receipt is there for whoever scans it.
 */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.ts';
import { cookiesOf } from '../support/cookies.ts';
import {
  createClient, goLive, openMarket, startNacre, type Client, type Market, type Nacre,
} from '../support/nacre.ts';
import { textsOf } from '../support/texts.ts';

const PHONE = { width: 360, height: 740 };
const PATIENCE_MS = 20_000;
const say = textsOf('en');
const address = {
  phone: '', line1: '18 Binhe South Road', line2: '', city: 'Lanzhou', region: '', postalCode: '', country: 'CN',
};

let nacre: Nacre;
let market: Market;
let publisher: { stop(): Promise<void> };
let browser: Browser;
before(async () => {
  nacre = await startNacre();
  market = await openMarket(nacre.url, { stock: 1 });
  const { owner, shop } = market;
  await owner.must(200, 'PATCH', `/api/office/shops/${shop.id}`, {
    place: { address, hours: null }, offersPickup: true,
  });
  publisher = await goLive(nacre.url, market);
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  await publisher?.stop();
  await nacre?.remove();
});

async function pageOf(client: Client): Promise<Page> {
  const context = await browser.newContext({ viewport: PHONE, locale: 'en-US' });
  context.setDefaultTimeout(PATIENCE_MS);
  await context.addCookies(cookiesOf(client, nacre.url));
  return context.newPage();
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

test('[W115] [W163] the counter sells the last piece under a viewer’s eyes; one bought in a rush follows', async () => {
  const { shop, show, owner } = market;
  const buyer = createClient(nacre.url);
  await buyer.signUp('Mei');
  const viewer = await pageOf(buyer);
  await viewer.goto(`${nacre.url}/shows/${show.id}`);
  await viewer.locator('.dock .bag').click();
  await viewer.getByRole('dialog').getByRole('button', { name: say('viewer.buy'), exact: true }).first().click();
  const sheet = viewer.getByRole('dialog').last();
  await sheet.getByRole('radio', { name: 'S', exact: true }).click();
  await sheet.getByRole('radio', { name: 'Coral' }).click();
  await sheet.getByText('1 left').waitFor();

  const counter = await pageOf(owner);
  await counter.goto(`${nacre.url}/office/${shop.slug}/counter`);
  const field = counter.getByLabel(say('office.counter_search'));
  await counter.waitForFunction(() => document.activeElement?.id === 'counter-search');
  await counter.keyboard.type('d-s-coral\n');
  await button(counter, say('office.counter_cash')).waitFor();
  assert.equal(await field.evaluate((input) => input === document.activeElement), true);
  await button(counter, say('office.counter_cash')).click();
  await button(counter, say('office.counter_next')).waitFor();
  await button(viewer, say('wait.join')).waitFor();

  await sheet.getByRole('radio', { name: 'Sage' }).click();
  await button(viewer, say('buy.pay', { amount: '$49.00' })).click();
  await button(viewer, say('place.fetch')).first().click();
  await sheet.getByText(address.line1).waitFor();
  await sheet.locator('form').getByRole('button', { name: say('place.fetch'), exact: true }).click();
  // A rush: twice there is no room. The sheet says so and sends the same order again by itself.
  const keys: string[] = [];
  await viewer.route('**/api/orders', async (route) => {
    keys.push((route.request().postDataJSON() as { idempotencyKey: string }).idempotencyKey);
    if (keys.length > 2) return route.continue();
    const body = JSON.stringify({ type: 'about:blank', status: 429, title: 'Wait', code: 'orders.rush' });
    await route.fulfill({
      status: 429, headers: { 'retry-after': '1' }, contentType: 'application/problem+json', body,
    });
  });
  await button(viewer, say('buy.pay', { amount: '$49.00' })).click();
  await sheet.getByText(say('buy.in_line')).waitFor();
  await viewer.frameLocator('dialog iframe').getByRole('button').first().click();
  await viewer.locator('[data-order-state=paid]').waitFor();
  assert.deepEqual([keys.length, new Set(keys).size], [3, 1]);
  await sheet.getByRole('link', { name: say('buy.see_order') }).click();
  const code = await viewer.locator('.code').innerText();
  assert.match(code, /^[2-9A-Z]{6}$/);

  await counter.goto(`${nacre.url}/office/${shop.slug}/orders?state=to_pick_up`);
  await counter.getByLabel(say('office.pickup_find')).fill(code.toLowerCase());
  await counter.keyboard.press('Enter');
  await button(counter, say('office.hand_over_do')).click();
  await viewer.getByText(say('account.state_handed_over'), { exact: true }).first().waitFor();

  await counter.goto(`${nacre.url}/office/${shop.slug}/orders?state=counter`);
  await counter.getByText(say('office.order_counter_buyer')).click();
  const receipt = await counter.getByRole('link', { name: say('office.order_receipt') }).getAttribute('href');
  const customer = await pageOf(createClient(nacre.url));
  await customer.goto(`${nacre.url}${receipt}`);
  await customer.getByText(say('place.receipt_cash')).waitFor();
  await customer.getByRole('img', { name: say('place.receipt_qr') }).waitFor();
  const pdf = await customer.pdf();
  assert.ok(pdf.length > 1_000);
});
