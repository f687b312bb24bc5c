/**
 * A rush, in a real browser: a viewer on a phone, in Arabic, holds one piece while thirty real orders take the rest.
 * She sees it, pays from the picture, and reads what she was promised; the host's studio counts it all.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import test, { after, before } from 'node:test';
import type { Order, OrderPlace } from '@nacre/contract/orders';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.ts';
import { cookiesOf } from '../support/cookies.ts';
import {
  createClient, goLive, openMarket, startNacre, until, type Client, type Market, type Nacre,
} from '../support/nacre.ts';
import { textsOf } from '../support/texts.ts';

const PATIENCE_MS = 20_000;
/** Pieces of each of six variants: no buyer has more orders open than one may. */
const STOCK = 5;
const BUYERS = 6;
const say = textsOf('ar');
const sayHost = textsOf('en');
const address: NonNullable<OrderPlace['address']> = {
  name: 'Mei Tan', phone: '+1 503 555 0118', line1: '18 Harbour Lane', line2: '', city: 'Portland', region: 'OR',
  postalCode: '97209', country: 'US',
};

let nacre: Nacre;
let market: Market;
let publisher: { stop(): Promise<void> };
let browser: Browser;
before(async () => {
  nacre = await startNacre();
  market = await openMarket(nacre.url, { stock: STOCK });
  await market.owner.must(200, 'PATCH', `/api/office/shops/${market.shop.id}`, {
    terms: { shipping: 'Out within two days.', returns: 'Fourteen days.' },
  });
  publisher = await goLive(nacre.url, market);
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  await publisher?.stop();
  await nacre?.remove();
});

async function pageOf(client: Client, options: BrowserContextOptions): Promise<Page> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(PATIENCE_MS);
  await context.addCookies(cookiesOf(client, nacre.url));
  return context.newPage();
}

/** All that is left, ordered at once. */
async function rush(buyers: Client[]): Promise<Order[]> {
  const { product, show } = market;
  const wishes = product.variants.flatMap((variant, at) => (
    Array.from({ length: at === 0 ? STOCK - 1 : STOCK }, () => variant)
  ));
  return Promise.all(wishes.map((variant, at) => (
    buyers[at % BUYERS]!.must<Order>(201, 'POST', '/api/orders', {
      idempotencyKey: crypto.randomUUID(), showId: show.id, address,
      lines: [{ variantId: variant.id, quantity: 1, unitPriceMinor: variant.priceMinor }],
    })
  )));
}

test('[W200] [W201] [W202] [W203] [W204] a rush before viewer and host, and what she was promised', async () => {
  const { owner, product, show } = market;
  const buyers: Client[] = [];
  for (let at = 0; at < BUYERS; at += 1) {
    const buyer = createClient(nacre.url);
    await buyer.signUp(`Buyer ${at}`);
    buyers.push(buyer);
  }
  const mei = createClient(nacre.url);
  await mei.signUp('Mei');
  await mei.must(200, 'PATCH', '/api/me', { locale: 'ar' });
  await mei.must(201, 'POST', '/api/me/addresses', address);
  await owner.must(200, 'PUT', `/api/office/shows/${show.id}/on-screen`, { productId: product.id });
  const studio = await pageOf(owner, { viewport: { width: 1280, height: 800 }, locale: 'en-US' });
  await studio.goto(`${nacre.url}/studio/${show.id}`);
  const viewer = await pageOf(mei, { viewport: { width: 360, height: 740 }, locale: 'ar-EG', acceptDownloads: true });
  await viewer.goto(`${nacre.url}/shows/${show.id}`);

  await viewer.locator('.pcard-open').click();
  const sheet = viewer.getByRole('dialog');
  await sheet.getByText(say('promise.terms_title')).click();
  await sheet.getByText('Out within two days.').waitFor();
  await sheet.getByRole('radio', { name: 'S', exact: true }).click();
  await sheet.getByRole('radio', { name: 'Coral' }).click();
  await sheet.locator('.sheet-foot .btn-primary').click();
  await sheet.locator('iframe').waitFor();
  await viewer.keyboard.press('Escape');
  // Her own time runs over the picture, and nothing counts it aloud.
  const pill = viewer.locator('button.held');
  await pill.waitFor();
  const time = pill.locator('bdi.num');
  const first = await time.innerText();
  assert.equal(await time.getAttribute('aria-hidden'), 'true');
  await until('the time runs', 5_000, async () => (await time.innerText()) !== first);

  const placed = studio.locator('[data-figure=placed]');
  await until('the studio knows of her order', 5_000, async () => (await placed.innerText()) === '1');
  const spoken = await studio.evaluateHandle(() => {
    const said: string[] = [];
    const voice = document.querySelector('[data-voice=orders]');
    if (!voice) throw new Error('no voice');
    const watched = { childList: true, characterData: true, subtree: true };
    new MutationObserver(() => said.push(voice.textContent)).observe(voice, watched);
    return said;
  });
  const orders = await rush(buyers);
  await viewer.locator('.pcard').getByText(say('viewer.sold_out')).first().waitFor();
  await until('the studio counts all', 5_000, async () => (await placed.innerText()) === '30');
  const rate = sayHost('studio.stat_rate', { rate: '' }).trim();
  await studio.getByText(rate).waitFor();
  const paid = orders.slice(0, 4);
  await Promise.all(paid.map((order, at) => (
    buyers[at % BUYERS]!.must(200, 'POST', `/api/payments/${order.paymentUrl?.split('/').at(-1)}/sandbox`, {
      outcome: 'succeed',
    })
  )));
  await until('the studio counts the money', 5_000, async () => (
    (await studio.locator('[data-figure=paid]').innerText()) === '4'
    && (await studio.locator('dl.stat').innerText()).includes('$196')
  ));
  assert.ok((await spoken.jsonValue()).length <= 2, 'a rush is not read out order by order');
  await studio.context().close();

  await pill.click();
  await viewer.frameLocator('dialog iframe').getByRole('button').first().click();
  await viewer.locator('[data-order-state=paid]').waitFor();
  await sheet.getByRole('link', { name: say('buy.see_order') }).click();
  await viewer.getByText(say('promise.title')).click();
  await viewer.getByText('Lined to the knee.').waitFor();
  await viewer.getByText('Fourteen days.').waitFor();
  const fingerprint = (await viewer.locator('.finger').innerText()).replaceAll(/\s/g, '');
  const download = viewer.waitForEvent('download');
  const moment = viewer.getByRole('link', { name: say('promise.moment') });
  assert.match((await moment.getAttribute('href'))!, new RegExp(`^/shows/${market.show.id}\\?as=aired&at=\\d{13}$`));
  await viewer.getByText(say('promise.download')).click();
  const bytes = readFileSync(await (await download).path());
  assert.equal(createHash('sha256').update(bytes).digest('hex'), fingerprint);
  assert.equal(await viewer.evaluate(() => document.documentElement.dir), 'rtl');
  const orderId = viewer.url().split('/').at(-1) ?? '';
  const office = await owner.ask('GET', `/api/office/orders/${orderId}/promise`);
  assert.deepEqual(office.body, JSON.parse(bytes.toString('utf8')));
});
