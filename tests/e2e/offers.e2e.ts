/**
 * A live price in a real browser: the owner sets it in the studio's bag, a viewer sees it begin under her eyes and buys
 * at it, is told when she has had hers and goes on at the price of the day; when it ends her page shows that again.
 */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.ts';
import { cookiesOf } from '../support/cookies.ts';
import { ADDRESS } from '../support/market.ts';
import {
  createClient, goLive, openMarket, startNacre, type Client, type Market, type Nacre,
} from '../support/nacre.ts';
import { textsOf } from '../support/texts.ts';

const PHONE = { width: 360, height: 740 };
const PATIENCE_MS = 20_000;

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

async function pageOf(client: Client, locale = 'en-US'): Promise<Page> {
  const context = await browser.newContext({ viewport: PHONE, locale });
  context.setDefaultTimeout(PATIENCE_MS);
  await context.addCookies(cookiesOf(client, nacre.url));
  return context.newPage();
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

test('[OF11] [OF5] [W210] a live price begins, is bought at and ends under a viewer’s eyes', async () => {
  const { show, owner, product } = market;
  const say = textsOf('en');
  const [variant] = product.variants;
  const buyer = createClient(nacre.url);
  await buyer.signUp('Mei');
  await buyer.must(201, 'POST', '/api/me/addresses', ADDRESS);
  await owner.must(200, 'PUT', `/api/office/shows/${show.id}/on-screen`, { productId: product.id });
  const viewer = await pageOf(buyer);
  await viewer.goto(`${nacre.url}/shows/${show.id}`, { waitUntil: 'networkidle' });

  const office = await pageOf(owner);
  await office.goto(`${nacre.url}/office/${market.shop.slug}/shows/${show.id}`, { waitUntil: 'networkidle' });
  await button(office, say('office.live_price_of', { name: product.title })).click();
  const sheet = office.getByRole('dialog');
  const [, ...others] = product.variants.map(({ optionValues }) => optionValues.join(' · '));
  for (const name of others) await sheet.getByRole('button', { name, exact: true }).click();
  await sheet.getByLabel(say('office.live_price')).fill('60');
  await sheet.getByLabel(say('office.live_quota')).fill('3');
  await button(office, say('office.live_price_begin')).click();
  await sheet.getByText(say('office.live_price_lower', { price: '$49' })).waitFor();
  await sheet.getByLabel(say('office.live_price')).fill('39');
  await button(office, say('common.one_less')).click();
  await button(office, say('office.live_price_begin')).click();
  await sheet.getByText(say('office.live_price_on')).waitFor();

  // Under the viewer's eyes.
  await viewer.getByText('Live price, 3 left').first().waitFor();
  const choose = async () => {
    await viewer.locator('.dock .bag').click();
    await viewer.getByRole('dialog').getByRole('button', { name: say('viewer.buy'), exact: true }).first().click();
    const sheet = viewer.getByRole('dialog').last();
    // By key: a tap on a sheet that is still coming up can miss.
    for (const value of variant!.optionValues) await sheet.getByRole('radio', { name: value, exact: true }).press(' ');
    return sheet;
  };
  let buying = await choose();
  await buying.getByText('Live price: 3 left, one for each person').waitFor();
  assert.match(await buying.locator('.was').innerText(), /\$49/);
  await button(viewer, say('buy.pay', { amount: '$39.00' })).click();
  await viewer.frameLocator('dialog iframe').getByRole('button').first().click();
  await viewer.locator('[data-order-state=paid]').waitFor();

  // She has had hers: the next costs what it costs the day.
  await viewer.keyboard.press('Escape');
  buying = await choose();
  await button(viewer, say('buy.pay', { amount: '$39.00' })).click();
  await buying.getByText(say('buy.live_had')).waitFor();
  await button(viewer, say('buy.pay', { amount: '$49.00' })).waitFor();

  // An Arabic reader sees it; then the owner ends it.
  const guest = await pageOf(createClient(nacre.url), 'ar-EG');
  await guest.goto(`${nacre.url}/shows/${show.id}`, { waitUntil: 'networkidle' });
  await guest.getByText('سعر البث، بقيت قطعتان').first().waitFor();
  await button(office, say('office.live_end')).click();
  await guest.getByText('سعر البث، بقيت قطعتان').first().waitFor({ state: 'hidden' });
});
