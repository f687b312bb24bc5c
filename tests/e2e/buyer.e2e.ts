/**
 * What a viewer does besides watching, in a real browser: finds shows and goods, puts goods aside and asks again, buys
 * at a price that has just changed, pays or cancels later, reads on where a list ends, loses the network.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import test, { after, before } from 'node:test';
import type { AxeResults } from 'axe-core';
import type { ShowMinutes } from '@nacre/contract/analytics';
import type { Order, OrderPlace } from '@nacre/contract/orders';
import type { Product } from '@nacre/contract/catalog';
import type { Shop } from '@nacre/contract/shops';
import type { Show, ShowFigures } from '@nacre/contract/shows';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { FOLLOWED_FIRST_MOST } from '../../server/src/discovery/home.ts';
import { NEWCOMER_PLACE, NEWCOMER_VIEWERS } from '../../server/src/discovery/ranking.ts';
import { launchChromium } from '../support/chromium.ts';
import { cookiesOf } from '../support/cookies.ts';
import {
  createClient, goLive, openMarket, startNacre, until, type Client, type Market, type Nacre,
} from '../support/nacre.ts';
import { textsOf } from '../support/texts.ts';

const PHONE = { width: 360, height: 740 };
const PATIENCE_MS = 20_000;
/** What the shop's page draws at first (web/src/routes/(viewer)/(site)/shops). */
const GOODS_AT_FIRST = 48;
const address: OrderPlace['address'] = {
  name: 'Mei Tan', phone: '+1 503 555 0118', line1: '18 Harbour Lane', line2: '', city: 'Portland', region: 'OR',
  postalCode: '97209', country: 'US',
};
const say = textsOf('en');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let nacre: Nacre;
let market: Market;
let publisher: { stop(): Promise<void> };
let browser: Browser;
before(async () => {
  nacre = await startNacre();
  market = await openMarket(nacre.url);
  publisher = await goLive(nacre.url, market);
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  await publisher?.stop();
  await nacre?.remove();
});

const show = () => market.owner.must<Show>(200, 'GET', `/api/shows/${market.show.id}`);

/** A page of a guest, or of the person that `client` is. */
async function pageOf(client: Client | null): Promise<{ page: Page; context: BrowserContext }> {
  const context = await browser.newContext({ viewport: PHONE, locale: 'en-US' });
  context.setDefaultTimeout(PATIENCE_MS);
  await context.addCookies(cookiesOf(client, nacre.url));
  return { page: await context.newPage(), context };
}

async function newBuyer(name: string): Promise<Client> {
  const client = createClient(nacre.url);
  await client.signUp(name);
  return client;
}

async function addProduct(title: string, changes: object = {}): Promise<Product> {
  return market.owner.must<Product>(201, 'POST', `/api/office/shops/${market.shop.id}/products`, {
    title, description: '', imageIds: [], state: 'active', options: [],
    variants: [{ optionValues: [], sku: title, priceMinor: 4_900, stock: 5 }], ...changes,
  });
}

async function order(buyer: Client, product: Product, showId: string | null = null): Promise<Order> {
  const [variant] = product.variants;
  assert.ok(variant);
  return buyer.must<Order>(201, 'POST', '/api/orders', {
    idempotencyKey: crypto.randomUUID(), showId, address, saveAddress: true,
    lines: [{ variantId: variant.id, quantity: 1, unitPriceMinor: variant.priceMinor }],
  });
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

test('what a guest puts aside is marked on coming back, taken back by a second tap, and counted once', async () => {
  const { page, context } = await pageOf(null);
  await page.goto(`${nacre.url}/shows/${market.show.id}`);
  await page.locator('.dock .bag').click();
  const mark = page.getByRole('dialog').getByRole('button', { name: say('viewer.put_aside', { number: '1' }) });
  await mark.focus();
  await page.keyboard.press('Enter');
  await page.getByText(say('viewer.put_aside_toast')).waitFor();
  assert.equal(await mark.getAttribute('aria-pressed'), 'true');
  const bagged = async () => (
    await market.owner.must<ShowFigures>(200, 'GET', `/api/office/shows/${market.show.id}/figures`)
  ).interest[0]?.bagged;
  await until('it is counted', PATIENCE_MS, async () => (await bagged()) === 1);
  await page.reload({ waitUntil: 'domcontentloaded' });
  await page.locator('.dock .bag').click();
  assert.equal(await mark.getAttribute('aria-pressed'), 'true');
  // A page that is left takes a request along that is still on its way.
  const taken = page.waitForResponse((response) => response.request().method() === 'DELETE');
  await mark.click();
  await taken;
  await page.reload({ waitUntil: 'domcontentloaded' });
  await page.locator('.dock .bag').click();
  assert.equal(await mark.getAttribute('aria-pressed'), 'false');
  assert.equal(await bagged(), 1);
  await context.close();
});

test('[W19] the picture goes to the whole screen, into a small window, and is named to the system', async () => {
  const { page, context } = await pageOf(null);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto(`${nacre.url}/shows/${market.show.id}`);
  await page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 0.5);
  await button(page, say('viewer.full_screen')).click();
  await page.waitForFunction(() => document.fullscreenElement?.classList.contains('stage'));
  await page.keyboard.press('f');
  await page.waitForFunction(() => document.fullscreenElement === null);
  await button(page, say('viewer.small_window')).click();
  await page.waitForFunction(() => document.pictureInPictureElement !== null);
  await page.keyboard.press('p');
  await page.waitForFunction(() => document.pictureInPictureElement === null);
  // Named while there is a picture, which a busy machine may lose for a moment.
  const named = await page.waitForFunction(() => {
    const { metadata } = navigator.mediaSession;
    return metadata === null ? null : [metadata.title, metadata.artist];
  });
  assert.deepEqual(await named.jsonValue(), [market.show.title, market.shop.name]);
  await context.close();
});

test('who asked for a product can ask again after it was on screen', async () => {
  const scarf = await addProduct('Scarf');
  const office = `/api/office/shows/${market.show.id}`;
  await market.owner.must(200, 'PUT', `${office}/bag`, { productIds: [market.product.id, scarf.id] });
  const putOn = (productId: string) => market.owner.must(200, 'PUT', `${office}/on-screen`, { productId });
  await putOn(market.product.id);
  const { page, context } = await pageOf(await newBuyer('Ada'));
  await page.goto(`${nacre.url}/shows/${market.show.id}`);
  await page.locator('.dock .bag').click();
  const ask = page.getByRole('dialog').locator('[data-number="2"] .btn-line');
  await ask.click();
  await until('it is asked', PATIENCE_MS, () => ask.isDisabled());
  await putOn(scarf.id);
  await ask.waitFor({ state: 'hidden' });
  await putOn(market.product.id);
  await until('it can be asked again', PATIENCE_MS, () => ask.isEnabled());
  await ask.click();
  await until('it is asked again', PATIENCE_MS, async () => (await show()).bag[1]?.explainRequests === 1);
  await context.close();
});

test('on the shop’s page a price that has changed is shown by the refusal, and the next tap pays it', async () => {
  const hat = await addProduct('Felt hat');
  const mei = await newBuyer('Mei');
  // With an address in the book, paying is one tap.
  await mei.must(200, 'POST', `/api/orders/${(await order(mei, hat)).id}/cancel`);
  const { page, context } = await pageOf(mei);
  await page.goto(`${nacre.url}/shops/${market.shop.slug}`);
  await page.getByText('Felt hat').click();
  const pay = page.getByRole('dialog').locator('.btn-primary');
  await pay.getByText('$49.00').waitFor();
  const variants = hat.variants.map(({ id, optionValues, sku }) => ({ id, optionValues, sku, priceMinor: 5_900 }));
  await market.owner.must(200, 'PATCH', `/api/office/products/${hat.id}`, { options: [], variants });
  await pay.click();
  await page.getByText('The price has changed.').waitFor();
  await pay.getByText('$59.00').waitFor();
  await pay.click();
  await page.frameLocator('iframe.pay-frame').getByText('$59.00').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.good', { hasText: 'Felt hat' }).getByText('$59').waitFor();
  await context.close();
});

test('an unpaid order is cancelled on its page, after asking, and the pieces are back', async () => {
  const bowl = await addProduct('Bowl');
  const tom = await newBuyer('Tom');
  const { id, number } = await order(tom, bowl);
  const { page, context } = await pageOf(tom);
  await page.goto(`${nacre.url}/orders`);
  await page.getByText(number).click();
  await button(page, say('account.cancel_order')).click();
  await button(page, say('account.keep_order')).click();
  assert.equal((await tom.must<Order>(200, 'GET', `/api/orders/${id}`)).state, 'held');
  await button(page, say('account.cancel_order')).click();
  await page.getByRole('dialog').getByRole('button', { name: say('account.cancel_order_do') }).click();
  await page.getByText(say('account.state_cancelled')).waitFor();
  assert.equal(await button(page, say('account.cancel_order')).count(), 0);
  const goods = await tom.must<{ items: Product[] }>(200, 'GET', `/api/shops/${market.shop.slug}/products`);
  assert.equal(goods.items.find((product) => product.id === bowl.id)?.variants[0]?.available, 5);
  await context.close();
});

test('the bank’s page on its own leads back to the order and home', async () => {
  const sami = await newBuyer('Sami');
  const { id, paymentUrl } = await order(sami, await addProduct('Tote'));
  const { page, context } = await pageOf(sami);
  await page.goto(`${nacre.url}${paymentUrl}`);
  await button(page, say('buy.sandbox_succeed')).click();
  await page.getByRole('link', { name: say('common.to_home') }).waitFor();
  await page.getByRole('link', { name: say('buy.see_order') }).click();
  await page.waitForURL(`**/orders/${id}`);
  await page.getByText(say('account.total_paid')).waitFor();
  await context.close();
});

test('a shop’s goods go on after the first page, by keyboard too, and are counted when all are there', async () => {
  const rest = 4;
  const market2 = await openMarket(nacre.url);
  for (let made = 1; made < GOODS_AT_FIRST + rest; made += 1) {
    await market2.owner.must(201, 'POST', `/api/office/shops/${market2.shop.id}/products`, {
      title: `Ware ${made}`, description: '', imageIds: [], state: 'active', options: [],
      variants: [{ optionValues: [], sku: `W${made}`, priceMinor: 100 * made, stock: 1 }],
    });
  }
  const { page, context } = await pageOf(null);
  await page.goto(`${nacre.url}/shops/${market2.shop.slug}`);
  const goods = page.locator('.good');
  const heading = page.locator('.hd', { hasText: say('viewer.shop_products') });
  assert.equal(await goods.count(), GOODS_AT_FIRST);
  assert.doesNotMatch((await heading.textContent()) ?? '', /\d/, 'the length of a page is not the number of goods');
  await button(page, say('common.load_more')).press('Enter');
  await until('all are there', PATIENCE_MS, async () => (await goods.count()) === GOODS_AT_FIRST + rest);
  assert.equal(await button(page, say('common.load_more')).count(), 0);
  assert.match((await heading.textContent()) ?? '', new RegExp(`${GOODS_AT_FIRST + rest}`));
  const focused = await goods.nth(GOODS_AT_FIRST).evaluate((good) => good === document.activeElement);
  assert.ok(focused, 'the focus is on the first of the new ones');
  await context.close();
});

test('every page around the shows says when the network is gone, and renews itself when it is back', async () => {
  const noor = await newBuyer('Noor');
  const { id } = await order(noor, await addProduct('Scarf in red'));
  const { page, context } = await pageOf(noor);
  for (const path of ['/', `/shops/${market.shop.slug}`, '/orders', '/account', `/orders/${id}`]) {
    // Drawn by the server it cannot hear yet that the network goes.
    await page.goto(`${nacre.url}${path}`, { waitUntil: 'networkidle' });
    await context.setOffline(true);
    await page.getByText(say('common.offline')).waitFor();
    if (path === `/orders/${id}`) await noor.must(200, 'POST', `/api/orders/${id}/cancel`);
    await context.setOffline(false);
    await page.getByText(say('common.offline')).waitFor({ state: 'hidden' });
  }
  await page.getByText(say('account.state_cancelled')).waitFor();
  await context.close();
});

test('[W80] the home page is narrowed by its address, also without scripts, and says when nothing fits', async () => {
  const other = await market.owner.must<Shop>(201, 'POST', '/api/shops', {
    name: 'Toys of Almaty', slug: 'toys-of-almaty', story: '', imageId: null, region: 'Алматы', category: 'toys',
    language: 'kk', currency: 'USD',
  });
  await market.owner.must<Show>(201, 'POST', `/api/office/shops/${other.id}/shows`, {
    title: 'Wooden horses', description: '', coverImageId: null, visibility: 'public', productIds: [],
    startsAt: new Date(Date.now() + 3_600_000).toISOString(),
  });
  const context = await browser.newContext({ javaScriptEnabled: false, locale: 'en-US' });
  const plain = await context.newPage();
  await plain.goto(`${nacre.url}/?region=алматы`);
  await plain.getByText('Wooden horses').waitFor();
  assert.equal(await plain.locator('.lives .tile').count(), 0);
  await plain.getByRole('link', { name: say('found.clear') }).click();
  assert.equal(await plain.locator('.lives .tile').count(), 1);
  await context.close();

  const { page, context: phone } = await pageOf(null);
  await page.goto(nacre.url, { waitUntil: 'networkidle' });
  await page.getByRole('link', { name: say('viewer.category_toys'), exact: true }).click();
  await page.waitForURL('**/?category=toys');
  await page.getByText(say('found.nothing_live')).waitFor();
  await button(page, say('found.language')).click();
  await page.getByRole('link', { name: 'Kazakh' }).click();
  await page.waitForURL('**/?category=toys&language=kk');
  await page.getByText('Wooden horses').waitFor();
  await phone.close();
});

test('[W81] while a list of the home page has the focus, what is new comes at its end', async () => {
  const plan = (title: string, hours: number) => (
    market.owner.must<Show>(201, 'POST', `/api/office/shops/${market.shop.id}/shows`, {
      title, description: '', coverImageId: null, visibility: 'public', productIds: [],
      startsAt: new Date(Date.now() + hours * 3_600_000).toISOString(),
    }));
  await plan('Hats tomorrow', 24);
  const { page, context } = await pageOf(null);
  await page.goto(nacre.url, { waitUntil: 'networkidle' });
  const hats = page.locator('.soon a.line', { hasText: 'Hats tomorrow' });
  await hats.focus();
  await plan('Gloves soon', 0.5);
  // Looked at again, the page renews itself at once; else every ten seconds.
  const lookAgain = () => page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  const titles = () => page.locator('.soon .med').allInnerTexts();
  const before = await titles();
  await lookAgain();
  await page.getByText('Gloves soon').waitFor();
  assert.deepEqual(await titles(), [...before, 'Gloves soon']);
  await hats.blur();
  await until('nobody holds the list', PATIENCE_MS, async () => {
    await lookAgain();
    const now = await titles();
    return now.indexOf('Gloves soon') < now.indexOf('Hats tomorrow');
  });
  await context.close();
});

test('[W82] shows of a followed shop are marked on the home page', async () => {
  const fan = await newBuyer('Fan');
  await fan.must(200, 'PUT', `/api/shops/${market.shop.slug}/follow`);
  const { page, context } = await pageOf(fan);
  await page.goto(nacre.url);
  await page.locator('.lives .tile').first().getByText(say('viewer.following')).waitFor();
  await context.close();
});

test('[W83] search answers as one types, in any script; a find in a running show opens its card there', async () => {
  for (const title of ['丝绸连衣裙', 'فُسْتان أحمر']) await addProduct(title);
  const { page, context } = await pageOf(null);
  await page.goto(nacre.url, { waitUntil: 'networkidle' });
  await page.getByRole('banner').getByRole('link', { name: say('common.search') }).click();
  const field = page.getByRole('searchbox');
  await field.waitFor();
  for (const [asked, title] of [
    ['连衣裙', '丝绸连衣裙'], ['الفستان احمر', 'فُسْتان أحمر'], ['CORÁL drss', market.product.title],
  ] as const) {
    await field.fill(asked);
    await page.getByRole('link', { name: title }).first().waitFor();
    assert.equal(new URL(page.url()).searchParams.get('q'), asked);
  }
  await page.getByText(say('found.meant', { written: 'drss', meant: 'dress' })).waitFor();
  await page.getByRole('heading', { name: say('found.selling_now') }).waitFor();
  // By keyboard: past the button that clears the field, to the first find.
  await field.focus();
  const find = page.getByRole('main').getByRole('link').first();
  for (let tabs = 0; tabs < 4 && !(await find.evaluate((link) => link === document.activeElement)); tabs += 1) {
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
  await page.waitForURL(`**/shows/${market.show.id}?product=${market.product.id}`);
  await page.getByRole('dialog').getByText(market.product.title).waitFor();
  await page.goBack();
  await page.getByRole('heading', { name: say('found.selling_now') }).waitFor();
  await context.close();
});

test('[W84] how live shows are sorted can be read from the list, with the numbers that hold', async () => {
  const { page, context } = await pageOf(null);
  await page.goto(nacre.url, { waitUntil: 'networkidle' });
  await page.getByRole('link', { name: say('found.how_sorted') }).click();
  await page.getByRole('heading', { name: say('found.rank_title') }).waitFor();
  const text = await page.getByRole('main').innerText();
  for (const number of [NEWCOMER_VIEWERS, FOLLOWED_FIRST_MOST, NEWCOMER_PLACE, 2 * NEWCOMER_PLACE]) {
    assert.match(text, new RegExp(`\\b${number}\\b`));
  }
  await context.close();
});

test('the home page stays when the server goes, and knows what is new when it is back', async () => {
  const { page, context } = await pageOf(null);
  await page.goto(nacre.url, { waitUntil: 'networkidle' });
  const tile = page.locator('.lives .tile');
  assert.equal(await tile.count(), 1);
  // Looked at again, the page renews itself at once; else every ten seconds.
  const lookAgain = () => page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await publisher.stop();
  await nacre.terminate();
  const missed = page.waitForEvent('requestfailed', { predicate: (request) => /api\/home/.test(request.url()) });
  await lookAgain();
  await missed;
  assert.equal(await tile.count(), 1);
  await nacre.startAgain();
  await lookAgain();
  await page.getByText(say('common.back_soon')).waitFor();
  await context.close();
});

test('[W90][W93] the host reads what two viewers did: chart, table and file say the same', async () => {
  const { product } = market;
  const buyer = await newBuyer('Bao');
  const { page: guestPage, context: guest } = await pageOf(null);
  const { page: buyerPage, context: bought } = await pageOf(buyer);
  const told = guestPage.waitForResponse((answer) => answer.url().endsWith('/visit'), { timeout: PATIENCE_MS });
  await Promise.all([
    guestPage.goto(`${nacre.url}/shows/${market.show.id}?from=poster`),
    buyerPage.goto(`${nacre.url}/shows/${market.show.id}`),
  ]);
  assert.equal((await told).status(), 204);
  assert.equal(new URL(guestPage.url()).search, '', 'the address that is handed on names no poster');
  const placed = await order(buyer, product, market.show.id);
  const paymentId = placed.paymentUrl?.split('/').at(-1);
  await buyer.must(200, 'POST', `/api/payments/${paymentId}/sandbox`, { outcome: 'succeed' });

  const figures = `/api/office/shows/${market.show.id}/figures/minutes`;
  const read = () => market.owner.must<ShowMinutes>(200, 'GET', figures);
  await until('both have been seen', PATIENCE_MS, async () => {
    const { totals, sources } = await read();
    return totals.paid > 0 && totals.differentViewers >= 2 && sources.some(({ source }) => source === 'poster');
  });
  const { page, context } = await pageOf(market.owner);
  await page.goto(`${nacre.url}/office/${market.shop.slug}/shows/${market.show.id}/figures`);
  await page.locator('[data-drawn=true] canvas').waitFor();
  const slider = page.getByRole('slider');
  await slider.press('Home');
  assert.equal(await slider.getAttribute('aria-valuenow'), '1');
  // What is compared is one moment: the viewers leave, and nothing moves any more.
  await Promise.all([guest.close(), bought.close()]);
  const cells = () => page.locator('tbody tr:has(td.goods)').evaluateAll((rows) => rows.map((row) => (
    [...(row as HTMLTableRowElement).cells].map((cell) => cell.textContent?.trim() ?? '')
  )));
  await until('table and file agree', PATIENCE_MS, async () => {
    const file = await fetch(`${nacre.url}${figures}.csv`, { headers: { cookie: market.owner.cookie() } });
    const lines = (await file.text()).trim().split('\r\n').slice(1).map((line) => line.split(','));
    const shown = await cells();
    // All columns of numbers stand in the same order; time watched and money are written otherwise for people.
    const numbers = [2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14];
    return lines.some((line) => Number(line[14]) > 0)
      && lines.every((line, index) => numbers.every((at) => line[at] === shown[index]?.[at]));
  });
  await page.evaluate(axe);
  assert.deepEqual(await page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run();
    return violations
      .filter(({ tags }) => tags.some((tag) => tag.startsWith('wcag')))
      .map(({ id, nodes }) => `${id} ${nodes[0]?.html}`);
  }), []);
  await context.close();
});
