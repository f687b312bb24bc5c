/**
 * The evening after a show, in a real browser: the desk selects all that is to be shipped, packs it, prints labels and
 * packing lists, and sends it with pasted tracking numbers, while one buyer takes an order back and another, in Arabic,
 * watches the parcel come.
 */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Address } from '@nacre/contract/accounts';
import type { Order } from '@nacre/contract/orders';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.ts';
import { cookiesOf } from '../support/cookies.ts';
import { createClient, openMarket, startNacre, type Client, type Market, type Nacre } from '../support/nacre.ts';
import { textsOf } from '../support/texts.ts';

const PHONE = { width: 360, height: 740 };
const DESK = { width: 1280, height: 800 };
const PATIENCE_MS = 20_000;
/** A6 and A4 in points, as PDF counts. */
const A6 = [297.6, 419.5];
const A4 = [595.3, 841.9];
const say = textsOf('en');
const sayArabic = textsOf('ar');
const ADDRESSES: Address[] = [
  {
    name: '林小雨', phone: '+86 138 0000 0000', line1: '南滨河东路 518 号', line2: '3 单元 1204 室', city: '兰州',
    region: '甘肃', postalCode: '730000', country: 'CN',
  },
  {
    name: 'ليلى الحسن', phone: '+971 50 123 4567', line1: 'شارع الشيخ زايد 18، الطابق 3', line2: 'شقة 305', city: 'دبي',
    region: '', postalCode: '', country: 'AE',
  },
  {
    name: 'Mary O’Neill', phone: '+1 555 0100', line1: '18 Pearl Street', line2: '', city: 'Boston', region: 'MA',
    postalCode: '02110', country: 'US',
  },
];

let nacre: Nacre;
let market: Market;
let browser: Browser;
let buyer: Client & { signUp(name: string): Promise<void> };
before(async () => {
  nacre = await startNacre();
  market = await openMarket(nacre.url, { stock: 40 });
  buyer = createClient(nacre.url);
  await buyer.signUp('ليلى');
  await buyer.must(200, 'PATCH', '/api/me', { locale: 'ar' });
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  await nacre?.remove();
});

async function bought(address: Address, quantity: number): Promise<Order> {
  const [variant] = market.product.variants;
  assert.ok(variant);
  const order = await buyer.must<Order>(201, 'POST', '/api/orders', {
    idempotencyKey: `fulfil-${performance.now()}`.replace('.', '-'), showId: null, address,
    lines: [{ variantId: variant.id, quantity, unitPriceMinor: variant.priceMinor }],
  });
  const paymentId = order.paymentUrl?.split('/').at(-1) ?? '';
  await buyer.must(200, 'POST', `/api/payments/${paymentId}/sandbox`, { outcome: 'succeed' });
  return order;
}

async function contextOf(client: Client, viewport: typeof PHONE, locale = 'en-US'): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport, locale });
  context.setDefaultTimeout(PATIENCE_MS);
  await context.addCookies(cookiesOf(client, nacre.url));
  return context;
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

/** Width and height of each page, in points. */
async function pagesOf(page: Page): Promise<number[][]> {
  const pdf = (await page.pdf({ preferCSSPageSize: true })).toString('latin1');
  return [...pdf.matchAll(/\/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]/g)].map(([, width, height]) => (
    [Number(width), Number(height)]
  ));
}

const isSize = (found: number[] | undefined, size: number[]) => (
  found !== undefined && size.every((points, index) => Math.abs(points - (found[index] ?? 0)) < 2)
);

test('[W170] [W171] [W173] [W175] [W176] an evening’s orders leave the desk together, buyers see it', async () => {
  const orders: Order[] = [];
  for (let index = 0; index < 7; index += 1) {
    orders.push(await bought(ADDRESSES[index % 3] ?? ADDRESSES[0] as Address, 1 + (index % 2)));
  }
  const [first, mine] = orders;
  assert.ok(first && mine);
  const buyerContext = await contextOf(buyer, PHONE, 'ar');
  const own = await buyerContext.newPage();
  await own.goto(`${nacre.url}/orders/${mine.id}`);
  assert.equal(await own.locator('html').getAttribute('dir'), 'rtl');
  await button(own, sayArabic('account.cancel_order')).waitFor();

  const deskContext = await contextOf(market.owner, DESK);
  // The print window would stand before the page; that it is asked for is told by the title.
  await deskContext.addInitScript(() => (window.print = () => (document.title = 'printing')));
  const desk = await deskContext.newPage();
  await desk.goto(`${nacre.url}/office/${market.shop.slug}/orders`);
  await button(desk, say('office.select_start')).click();
  await desk.keyboard.press('Control+a');
  await desk.getByText('7 orders selected').waitFor();

  // One is taken back by its buyer in the meantime, on the page.
  const other = await buyerContext.newPage();
  await other.goto(`${nacre.url}/orders/${first.id}`);
  await button(other, sayArabic('account.cancel_order')).click();
  await other.getByRole('dialog').getByRole('button', { name: sayArabic('account.cancel_order_do') }).click();
  await other.getByText(sayArabic('account.cancelled_by_you')).waitFor();
  await other.getByText(sayArabic('account.money_is_back')).waitFor();

  const [labels] = await Promise.all([
    deskContext.waitForEvent('page'), button(desk, say('office.bulk_labels')).click(),
  ]);
  await labels.locator('.label').nth(6).waitFor();
  await labels.waitForFunction(() => document.title === 'printing');
  const labelPages = await pagesOf(labels);
  assert.equal(labelPages.length, 7);
  assert.ok(labelPages.every((size) => isSize(size, A6)), JSON.stringify(labelPages));
  const arabic = labels.locator(`[data-order="${mine.number}"] address`);
  assert.equal(await arabic.evaluate((element) => getComputedStyle(element).direction), 'rtl');
  const [lists] = await Promise.all([
    deskContext.waitForEvent('page'), button(desk, say('office.bulk_lists')).click(),
  ]);
  await lists.locator('.list').nth(6).waitFor();
  const listPages = await pagesOf(lists);
  assert.equal(listPages.length, 7);
  assert.ok(listPages.every((size) => isSize(size, A4)), JSON.stringify(listPages));
  await labels.close();
  await lists.close();

  await button(desk, say('office.bulk_pack')).click();
  await desk.getByText('1 order could not be done').waitFor();
  assert.equal(await desk.locator('.failures .mono').innerText(), first.number);
  await own.getByText(sayArabic('account.state_packed'), { exact: true }).first().waitFor();
  // Packed, it cannot be cancelled.
  await button(own, sayArabic('account.cancel_order')).waitFor({ state: 'detached' });

  await button(desk, say('office.bulk_ship')).first().click();
  const sheet = desk.getByRole('dialog');
  await sheet.getByLabel(say('office.ship_carrier')).fill('SF Express');
  const lines = orders.slice(1).map(({ number }, index) => `${number}\tSF100${index}`);
  await sheet.getByLabel(say('office.bulk_ship_lines')).fill(['nonsense\t', ...lines].join('\n'));
  await sheet.getByText(say('office.bulk_line_no_order', { line: '1' })).waitFor();
  await sheet.getByLabel(say('office.bulk_ship_lines')).fill(lines.join('\n'));
  await sheet.getByRole('button', { name: 'Ship 6 orders' }).click();
  await desk.getByText(say('office.orders_empty_to_ship')).waitFor();

  await own.getByText('SF1000').waitFor();
  const track = await own.getByRole('link', { name: sayArabic('common.parcel_track') }).getAttribute('href');
  assert.match(track ?? '', /nu=SF1000$/);
  await button(own, sayArabic('account.arrived')).click();
  await own.getByText(sayArabic('account.state_delivered'), { exact: true }).first().waitFor();
});
