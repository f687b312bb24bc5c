/** Every page in every language, light and dark, without a finding of axe (WCAG 2.2 A and AA). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import type { AxeResults } from 'axe-core';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import type { CounterGoods } from '@nacre/contract/catalog';
import type { Shop } from '@nacre/contract/shops';
import type { ShowTile } from '@nacre/contract/shows';
import { DEMO_PASSWORD } from '../../server/src/demo/market.ts';
import { findChromium } from '../support/chromium.ts';
import { createClient, startNacre, until, type Client, type Nacre } from '../support/nacre.ts';

const PATIENCE_MS = 30_000;
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const LANGUAGES = [
  { locale: 'en-US', width: 360, height: 740, colorScheme: 'light' },
  { locale: 'zh-CN', width: 1280, height: 800, colorScheme: 'dark' },
  { locale: 'ar-SA', width: 360, height: 740, colorScheme: 'dark' },
  { locale: 'ar-SA', width: 1280, height: 800, colorScheme: 'light' },
] as const;

let nacre: Nacre;
let browser: Browser;
let paths: { guest: string[]; owner: string[] };

before(async () => {
  nacre = await startNacre({ demo: true });
  browser = await chromium.launch({
    executablePath: findChromium() ?? '',
    args: ['--no-sandbox', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream'],
  });
  paths = await allPaths();
});
after(async () => {
  await browser?.close();
  await nacre?.remove();
});

async function allPaths(): Promise<{ guest: string[]; owner: string[] }> {
  const owner = createClient(nacre.url);
  await owner.must(200, 'POST', '/api/auth/sign-in/email', { email: 'liu@demo.nacre', password: DEMO_PASSWORD });
  const read = <T>(path: string) => owner.must<{ items: T[] }>(200, 'GET', path).then(({ items }) => items);
  let live: ShowTile | undefined;
  await until('the demo show is live', PATIENCE_MS, async () => {
    [live] = await read<ShowTile>('/api/shows?state=live');
    return live !== undefined;
  });
  const [planned] = await read<ShowTile>('/api/shows?state=planned');
  const [ended] = await read<ShowTile>('/api/shows?state=ended');
  assert.ok(live && planned && ended);
  const shop = live.shop as Pick<Shop, 'id' | 'slug'>;
  const [product] = await read<{ id: string }>(`/api/office/shops/${shop.id}/products`);
  const [own] = await read<ShowTile>(`/api/office/shops/${shop.id}/shows?state=planned`);
  const office = `/office/${shop.slug}`;
  return {
    guest: [
      '/', `/shows/${live.id}`, `/shows/${planned.id}`, `/shows/${ended.id}`, `/shops/${shop.slug}`,
      `/shops/${shop.slug}/goods/${product?.id}`, '/sign-in', `/receipts/${await soldAtCounter(owner, shop.id)}`,
      '/nowhere',
    ],
    owner: [
      '/orders', '/account', '/studio', `/studio/${live.id}`, `/studio/${own?.id}`, '/office/new', `${office}/goods`,
      `${office}/goods/${product?.id}`, `${office}/goods/new`, `${office}/shows`, `${office}/shows/${own?.id}`,
      `${office}/shows/new`, `${office}/orders`, `${office}/team`, `${office}/settings`, `${office}/counter`,
      `${office}/orders?state=to_pick_up`,
    ],
  };
}

/** The id of a sale; the shop gets a street address, which its pages then show. */
async function soldAtCounter(owner: Client, shopId: string): Promise<string> {
  const address = {
    phone: '', line1: '18 Binhe South Road', line2: '', city: 'Lanzhou', region: '', postalCode: '', country: 'CN',
  };
  const hours = Array.from({ length: 7 }, () => ({ opens: '10:00', closes: '19:30' }));
  const change = { place: { address, hours }, offersPickup: true };
  await owner.must(200, 'PATCH', `/api/office/shops/${shopId}`, change);
  const goods = `/api/office/shops/${shopId}/counter/goods?text=dress`;
  const { items } = await owner.must<CounterGoods>(200, 'GET', goods);
  const good = items.find(({ available }) => available > 0);
  assert.ok(good);
  const lines = [{ variantId: good.variantId, quantity: 1, unitPriceMinor: good.priceMinor }];
  const sale = { idempotencyKey: 'axe-looks-at-it', method: 'cash', lines };
  return (await owner.must<{ id: string }>(201, 'POST', `/api/office/shops/${shopId}/counter/sales`, sale)).id;
}

async function findings(page: Page, path: string): Promise<string[]> {
  await page.goto(`${nacre.url}${path}`, { waitUntil: 'domcontentloaded' });
  // Whatever fades in has done so.
  await page.waitForTimeout(1_200);
  await page.evaluate(axe);
  const results = await page.evaluate((values) => (
    (globalThis as unknown as { axe: { run(options: object): Promise<AxeResults> } }).axe
      .run({ runOnly: { type: 'tag', values }, resultTypes: ['violations'] })
  ), RULES);
  return results.violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => {
    const [, why = ''] = failureSummary?.split('\n') ?? [];
    return `${path} ${id} ${target.join(' ')}: ${why}`;
  }));
}

for (const { locale, width, height, colorScheme } of LANGUAGES) {
  test(`[W20] axe finds nothing on any page (${locale}, ${width} px, ${colorScheme})`, async () => {
    const context: BrowserContext = await browser.newContext({ locale, viewport: { width, height }, colorScheme });
    const page = await context.newPage();
    const found: string[] = [];
    for (const path of paths.guest) found.push(...await findings(page, path));
    const credentials = { email: 'liu@demo.nacre', password: DEMO_PASSWORD };
    await context.request.post(`${nacre.url}/api/auth/sign-in/email`, { data: credentials });
    for (const path of paths.owner) found.push(...await findings(page, path));
    await context.close();
    assert.deepEqual(found, []);
  });
}
