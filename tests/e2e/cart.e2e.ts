/**
 * The cart in a real browser, in Arabic on a phone: filled by a guest from two shops, one of them over a show, taken
 * along at sign-in, the same on a second device, bought in one go while one shop's last piece goes to somebody else.
 */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Cart } from '@nacre/contract/carts';
import type { Order } from '@nacre/contract/orders';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.ts';
import { cookiesOf } from '../support/cookies.ts';
import { createClient, openMarket, startNacre, until, type Client, type Market, type Nacre } from '../support/nacre.ts';
import { textsOf } from '../support/texts.ts';

const PATIENCE_MS = 15_000;
const say = textsOf('ar');
/** In the digits of either part of the Arab world. */
const number = (count: number) => new RegExp(`^[${count}${'٠١٢٣٤٥٦٧٨٩'[count]}]$`);
const address = {
  name: 'مي', phone: '+962 6 000 0000', line1: 'شارع الرينبو 18', line2: '', city: 'عمّان', region: '', postalCode: '',
  country: 'JO',
};

let nacre: Nacre;
let dresses: Market;
let pots: Market;
let browser: Browser;
before(async () => {
  nacre = await startNacre();
  dresses = await openMarket(nacre.url, { stock: 1 });
  pots = await openMarket(nacre.url, { stock: 9 });
  await pots.owner.must(200, 'PATCH', `/api/office/shops/${pots.shop.id}`, {
    shipping: { feeMinor: 600, freeFromMinor: 20_000 },
  });
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  await nacre?.remove();
});

async function device(): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext({ viewport: { width: 360, height: 740 }, locale: 'ar' });
  context.setDefaultTimeout(PATIENCE_MS);
  return { context, page: await context.newPage() };
}

async function signIn(context: BrowserContext, client: Client): Promise<void> {
  await context.addCookies(cookiesOf(client, nacre.url));
}

/** In the sheet that buys: small, coral, into the cart. */
async function chooseAndPut(page: Page): Promise<void> {
  const sheet = page.getByRole('dialog').last();
  await sheet.getByRole('radio', { name: 'S', exact: true }).click();
  await sheet.getByRole('radio', { name: 'Coral' }).click();
  await sheet.getByRole('button', { name: say('cart.put_in'), exact: true }).click();
  await sheet.waitFor({ state: 'detached' });
}

const variantOf = (market: Market): string => market.product.variants[0]!.id;
const lineOf = (page: Page, market: Market) => page.locator(`[data-shop="${market.shop.slug}"] .cart-line`);
const partOf = (page: Page, market: Market) => page.locator(`li[data-shop="${market.shop.slug}"]`);

test('[W180] [W181] [W182] [W183] [W184] a guest’s cart of two shops is taken along, shared and bought', async () => {
  const { context, page } = await device();
  await page.goto(`${nacre.url}/shows/${dresses.show.id}`);
  await page.locator('.dock .bag').click();
  await page.getByRole('dialog').getByRole('button', { name: say('viewer.buy'), exact: true }).first().click();
  await chooseAndPut(page);
  // Over the picture, without leaving it.
  await page.locator('.dock').getByRole('button', { name: /السلة/ }).click();
  await page.getByRole('dialog').locator('.cart-line').waitFor();
  assert.equal(new URL(page.url()).pathname, `/shows/${dresses.show.id}`);

  await page.goto(`${nacre.url}/shops/${pots.shop.slug}/goods/${pots.product.id}`);
  await page.getByRole('button', { name: say('viewer.put_in'), exact: true }).click();
  await chooseAndPut(page);
  await page.goto(`${nacre.url}/cart`);
  assert.equal(await page.locator('html').getAttribute('dir'), 'rtl');
  await lineOf(page, pots).waitFor();
  await lineOf(page, dresses).waitFor();

  const mei = createClient(nacre.url);
  await mei.signUp('Mei');
  await mei.must(200, 'PATCH', '/api/me', { locale: 'ar' });
  await mei.must(201, 'POST', '/api/me/addresses', address);
  const cartOf = () => mei.must<Cart>(200, 'GET', '/api/cart');
  await signIn(context, mei);
  await page.reload();
  await until('the guest’s lines are the person’s', PATIENCE_MS, async () => (await cartOf()).pieces === 2);
  await page.reload();
  const [first, second] = (await cartOf()).groups;
  assert.deepEqual([first?.shop.id, second?.shop.id], [pots.shop.id, dresses.shop.id]);
  assert.equal(second?.showId, dresses.show.id);
  // The answer may have been lost by reloading: it is sent once more and put in once.
  await page.waitForFunction(() => localStorage.getItem('nacre-cart') === null);
  assert.equal((await cartOf()).pieces, 2);

  const other = await device();
  await signIn(other.context, mei);
  await other.page.goto(`${nacre.url}/cart`);
  await lineOf(other.page, pots).waitFor();
  await lineOf(page, pots).getByRole('button', { name: say('common.one_more') }).click();
  await lineOf(other.page, pots).locator('.stepper .num', { hasText: number(2) }).waitFor();
  await other.page.locator('.nav .count', { hasText: number(3) }).waitFor();
  // Taken out on one, put back from there.
  await lineOf(other.page, pots).getByRole('button', { name: pots.product.title }).click();
  await lineOf(page, pots).waitFor({ state: 'detached' });
  await other.page.getByRole('button', { name: say('cart.put_back') }).click();
  await lineOf(page, pots).locator('.stepper .num', { hasText: number(2) }).waitFor();

  // Somebody else takes the last dress while both are chosen; the page buys what it shows.
  const quick = createClient(nacre.url);
  await quick.signUp('Tao');
  await quick.must(201, 'POST', '/api/orders', {
    idempotencyKey: crypto.randomUUID(), showId: null, address,
    lines: [{ variantId: variantOf(dresses), quantity: 1, unitPriceMinor: 4_900 }],
  });
  await page.locator('.bar .btn-primary').click();
  await partOf(page, dresses).getByText(say('cart.not_placed')).waitFor();
  await page.frameLocator('iframe').getByRole('button').first().click();
  await page.locator(`li[data-shop="${pots.shop.slug}"][data-state=paid]`).waitFor();
  const { items } = await mei.must<{ items: Order[] }>(200, 'GET', '/api/orders');
  assert.deepEqual(items.map((order) => [order.shop.id, order.shippingMinor, order.totalMinor]), [
    [pots.shop.id, 600, 10_400],
  ]);
  await page.getByRole('button', { name: say('cart.back_to_cart') }).click();
  await lineOf(page, dresses).getByText(say('cart.sold_out'), { exact: true }).waitFor();
  assert.equal(await page.locator('.cart-line').count(), 1);
  await lineOf(other.page, pots).waitFor({ state: 'detached' });
});

test('[W231] of a cart of two shops one part is picked up at the shop and the other sent', async () => {
  const { context, page } = await device();
  const { name, ...at } = address;
  await pots.owner.must(200, 'PATCH', `/api/office/shops/${pots.shop.id}`, {
    place: { address: at, hours: null }, offersPickup: true,
  });
  await dresses.owner.must(200, 'POST', `/api/office/variants/${variantOf(dresses)}/stock`, { setTo: 3 });
  const mei = createClient(nacre.url);
  await mei.signUp('Fetcher');
  await mei.must(200, 'PATCH', '/api/me', { locale: 'ar' });
  await mei.must(201, 'POST', '/api/me/addresses', address);
  for (const market of [pots, dresses]) {
    await mei.must(200, 'PUT', `/api/cart/lines/${variantOf(market)}`, {
      quantity: 1, seenPriceMinor: market.product.variants[0]!.priceMinor, showId: null,
    });
  }
  await signIn(context, mei);
  await page.goto(`${nacre.url}/cart`, { waitUntil: 'networkidle' });
  const part = page.locator(`section[data-shop="${pots.shop.slug}"]`);
  await part.getByText(say('cart.delivery')).waitFor();
  await part.getByRole('button', { name: say('place.fetch') }).click();
  await page.locator('form').getByRole('textbox').first().fill(name);
  await page.locator('form').getByRole('button', { name: say('place.fetch') }).click();
  await part.getByText(at.line1).waitFor();
  assert.equal(await part.getByText(say('cart.delivery')).count(), 0);
  await page.locator('.bar .btn-primary').click();
  await page.locator('[data-paying]').first().waitFor();
  const { items } = await mei.must<{ items: Order[] }>(200, 'GET', '/api/orders');
  const placed = new Map(items.map((order) => [order.shop.id, order]));
  assert.equal(items.length, 2);
  assert.deepEqual([placed.get(pots.shop.id)?.pickup?.name, placed.get(pots.shop.id)?.shippingMinor], [name, 0]);
  assert.equal(placed.get(dresses.shop.id)?.address?.name, name);
  await context.close();
});
