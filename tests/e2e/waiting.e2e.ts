/**
 * Waiting in line, in a real browser: two people wait for one piece, one in English, one in Arabic. It comes back, is
 * kept for the first, who lets it go, and is bought by the second. And money that comes too late.
 */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Order } from '@nacre/contract/orders';
import type { Product } from '@nacre/contract/catalog';
import pg from 'pg';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.ts';
import { cookiesOf } from '../support/cookies.ts';
import { ADDRESS } from '../support/market.ts';
import {
  createClient, openMarket, startNacre, until, type Client, type Market, type Nacre,
} from '../support/nacre.ts';
import { databaseOf } from '../support/server-database.ts';
import { textsOf } from '../support/texts.ts';

const PHONE = { width: 360, height: 740 };
const PATIENCE_MS = 20_000;
const say = textsOf('en');
const sayArabic = textsOf('ar');

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

async function newBuyer(name: string): Promise<Client> {
  const client = createClient(nacre.url);
  await client.signUp(name);
  await client.must(201, 'POST', '/api/me/addresses', ADDRESS);
  return client;
}

async function pageOf(client: Client, locale: string): Promise<Page> {
  const context = await browser.newContext({ viewport: PHONE, locale });
  context.setDefaultTimeout(PATIENCE_MS);
  await context.addCookies(cookiesOf(client, nacre.url));
  return context.newPage();
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const wait = (page: Page, state: 'waiting' | 'kept') => page.locator(`[data-wait=${state}]`).last();

test('[W190] [W191] [W192] [W193] [W194] [W196] two wait for one piece: kept for one, let go, bought by the other',
  async () => {
    const { owner, shop } = market;
    const product = await owner.must<Product>(201, 'POST', `/api/office/shops/${shop.id}/products`, {
      title: 'Moon bowl', description: '', imageIds: [], state: 'active',
      options: [{ name: 'Glaze', values: [{ value: 'Ash' }, { value: 'Snow' }] }],
      variants: ['Ash', 'Snow'].map((glaze, n) => (
        { optionValues: [glaze], sku: glaze, priceMinor: 8_800, stock: 1 - n }
      )),
    });
    const [holder, mei, ali] = [await newBuyer('Holder'), await newBuyer('Mei'), await newBuyer('Ali')];
    const held = await holder.must<Order>(201, 'POST', '/api/orders', {
      idempotencyKey: crypto.randomUUID(), showId: null, address: ADDRESS,
      lines: [{ variantId: product.variants[0]?.id, quantity: 1, unitPriceMinor: 8_800 }],
    });
    await ali.must(200, 'PATCH', '/api/me', { locale: 'ar' });
    const [english, arabic] = [await pageOf(mei, 'en-US'), await pageOf(ali, 'ar')];
    const path = `/shops/${shop.slug}/goods/${product.id}`;
    for (const [page, words] of [[english, say], [arabic, sayArabic]] as const) {
      await page.goto(nacre.url + path);
      await button(page, words('viewer.wait_in_line')).click();
      const sheet = page.getByRole('dialog');
      await sheet.getByRole('radio', { name: 'Ash' }).click();
      await button(page, words('wait.join')).last().click();
      await wait(page, 'waiting').waitFor();
    }
    assert.match(await wait(english, 'waiting').innerText(), /You are next in line/);
    assert.match(await wait(arabic, 'waiting').innerText(), /قبلك شخص واحد/);
    assert.equal(await arabic.locator('html').getAttribute('dir'), 'rtl');

    // The office reads it, and not who.
    const office = await pageOf(owner, 'en-US');
    await office.goto(`${nacre.url}/office/${shop.slug}/goods`);
    await office.getByText('2 people wait').waitFor();

    // It comes back under the eyes of whoever looks at the list of the own orders.
    await english.goto(`${nacre.url}/orders`);
    await arabic.goto(`${nacre.url}/orders`);
    await wait(english, 'waiting').waitFor();
    await holder.must(200, 'POST', `/api/orders/${held.id}/cancel`);
    await wait(english, 'kept').waitFor();
    assert.match(await english.getByRole('timer').innerText(), /^(10:00|9:[0-5][0-9]) left$/);
    assert.match(await wait(arabic, 'waiting').innerText(), /قبلك|التالي/);
    await button(english, say('wait.let_go')).click();
    await wait(english, 'kept').waitFor({ state: 'detached' });

    await wait(arabic, 'kept').waitFor();
    await arabic.getByRole('link', { name: sayArabic('wait.buy') }).click();
    await button(arabic, sayArabic('viewer.buy')).click();
    const sheet = arabic.getByRole('dialog');
    await wait(arabic, 'kept').waitFor();
    assert.equal(await sheet.getByRole('radio', { name: 'Ash' }).getAttribute('aria-checked'), 'true');
    await sheet.locator('.sheet-foot .btn-primary').click();
    await arabic.frameLocator('iframe').getByText(sayArabic('buy.sandbox_tests')).click();
    await arabic.frameLocator('iframe').getByRole('button', { name: sayArabic('buy.sandbox_doubled') }).click();
    await arabic.locator('[data-order-state=paid]').waitFor();
    const { items } = await ali.must<{ items: unknown[] }>(200, 'GET', '/api/waits');
    assert.deepEqual(items, []);
  });

test('[W195] money that came when the time was over: the order says that it counts, or that it goes back', async () => {
  const { owner, shop } = market;
  const product = await owner.must<Product>(201, 'POST', `/api/office/shops/${shop.id}/products`, {
    title: 'Sun bowl', description: '', imageIds: [], state: 'active', options: [],
    variants: [{ optionValues: [], sku: 'SUN', priceMinor: 8_800, stock: 2 }],
  });
  const [variant] = product.variants;
  const lines = [{ variantId: variant?.id, quantity: 2, unitPriceMinor: 8_800 }];
  const pool = new pg.Pool({ connectionString: databaseOf(nacre).url });
  const mei = await newBuyer('Late');
  const page = await pageOf(mei, 'en-US');
  try {
    for (const text of ['account.late_kept', 'account.late_returned']) {
      const order = await mei.must<Order>(201, 'POST', '/api/orders', {
        idempotencyKey: crypto.randomUUID(), showId: null, address: ADDRESS, lines,
      });
      await page.goto(`${nacre.url}/orders/${order.id}`);
      await mei.must(200, 'POST', `/api${order.paymentUrl?.replace('/pay/sandbox', '/payments')}/sandbox`, {
        outcome: 'late',
      });
      // Five minutes and ten seconds go by.
      await pool.query(`update "order" set hold_expires_at = now() where id = $1`, [order.id]);
      await page.getByText(say('account.state_expired')).waitFor();
      if (text === 'account.late_returned') {
        await owner.must(200, 'POST', `/api/office/variants/${variant?.id}/stock`, { setTo: 1 });
      }
      await pool.query(`update pgboss.job set start_after = now() where name = 'payments.sandbox-notice'`);
      await page.getByText(say(text)).waitFor();
      if (text === 'account.late_kept') {
        await owner.must(200, 'POST', `/api/office/variants/${variant?.id}/stock`, { setTo: 2 });
      }
    }
  } finally {
    await pool.end();
  }
});

test('[W230] [O141] what became of an order before its page could listen is on it: cancelled, and paid too late',
  async () => {
    const { owner, shop } = market;
    const product = await owner.must<Product>(201, 'POST', `/api/office/shops/${shop.id}/products`, {
      title: 'Moon bowl', description: '', imageIds: [], state: 'active', options: [],
      variants: [{ optionValues: [], sku: 'MOON', priceMinor: 8_800, stock: 2 }],
    });
    const lines = [{ variantId: product.variants[0]?.id, quantity: 1, unitPriceMinor: 8_800 }];
    const mei = await newBuyer('Quick');
    const order = await mei.must<Order>(201, 'POST', '/api/orders', {
      idempotencyKey: crypto.randomUUID(), showId: null, address: ADDRESS, lines,
    });
    const page = await pageOf(mei, 'en-US');
    const listens = Promise.withResolvers<void>();
    await page.routeWebSocket(/\/realtime/, async (socket) => {
      await listens.promise;
      socket.connectToServer();
    });
    await page.goto(`${nacre.url}/orders/${order.id}`);
    await page.getByText(say('account.state_held')).first().waitFor();
    const pay = order.paymentUrl?.replace('/pay/sandbox', '/payments');
    await mei.must(200, 'POST', `/api${pay}/sandbox`, { outcome: 'late' });
    await mei.must(200, 'POST', `/api/orders/${order.id}/cancel`);
    const pool = new pg.Pool({ connectionString: databaseOf(nacre).url });
    try {
      await pool.query('update pgboss.job set start_after = now() where name = \'payments.sandbox-notice\'');
    } finally {
      await pool.end();
    }
    await until('the money is back', PATIENCE_MS, async () => (
      (await mei.must<Order>(200, 'GET', `/api/orders/${order.id}`)).latePayment === 'returned'
    ));
    assert.ok(await page.getByText(say('account.state_held')).first().isVisible());
    listens.resolve();
    await page.getByText(say('account.late_over')).waitFor();
  });
