/** Being found: what pages say of themselves to strangers and machines, a product's page, sharing, posters. */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Product, ProductCreate } from '@nacre/contract/catalog';
import type { Show } from '@nacre/contract/shows';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.ts';
import { openMarket, startNacre, type Market, type Nacre } from '../support/nacre.ts';
import { textsOf } from '../support/texts.ts';

/** Generous: a browser and a server share two cores. */
const PATIENCE_MS = 20_000;
const PUBLIC_URL = 'https://live.example.org';
const ATTACK = '</script><script>globalThis.broken = 1</script><img src=x onerror="globalThis.broken=1"><!-- "&amp;';
const say = textsOf('en');

let nacre: Nacre;
let browser: Browser;
let market: Market;
before(async () => {
  nacre = await startNacre({ env: { NACRE_PUBLIC_URL: PUBLIC_URL } });
  browser = await launchChromium(['--disable-gpu']);
  const startsAt = new Date(Date.now() + 26 * 3_600_000).toISOString();
  market = await openMarket(nacre.url, { show: { startsAt } });
});
after(async () => {
  await browser?.close();
  await nacre?.remove();
});

async function open(path: string): Promise<Page> {
  const context = await browser.newContext({ locale: 'en-US', permissions: ['clipboard-read', 'clipboard-write'] });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  await page.addInitScript(() => {
    const told: string[] = [];
    Object.assign(globalThis, { told });
    document.addEventListener('securitypolicyviolation', (event) => told.push(event.violatedDirective));
  });
  await page.goto(nacre.url + path);
  return page;
}

const htmlOf = async (path: string, cookie = '') => {
  const answer = await fetch(nacre.url + path, { headers: { cookie, 'accept-language': 'en' } });
  return { status: answer.status, html: await answer.text() };
};
const metaOf = (html: string, name: string) => (
  new RegExp(`<(?:meta|link) (?:property|name|rel)="${name}" (?:content|href)="([^"]*)"`).exec(html)?.[1]
);
const dataOf = (html: string) => {
  const text = /<script type="application\/ld\+json">(.*?)<\/script>/s.exec(html)?.[1];
  return text === undefined ? null : JSON.parse(text) as Record<string, unknown>;
};
const goods = (changes: Partial<ProductCreate>) => (
  market.owner.must<Product>(201, 'POST', `/api/office/shops/${market.shop.id}/products`, {
    title: 'Felt hat', description: '', imageIds: [], state: 'active', options: [],
    variants: [{ optionValues: [], sku: `H${Math.round(performance.now())}`, priceMinor: 4_900, stock: 3 }], ...changes,
  })
);

test('[W60] show, shop and product have title, preview, absolute address and data, before any script', async () => {
  const { shop, show, product } = market;
  for (const [path, name, type] of [
    [`/shows/${show.id}`, show.title, 'VideoObject'],
    [`/shops/${shop.slug}`, shop.name, 'OnlineStore'],
    [`/shops/${shop.slug}/goods/${product.id}`, product.title, 'Product'],
  ] as const) {
    const { html } = await htmlOf(path);
    assert.ok(html.includes(`<title>${name}`), path);
    assert.deepEqual([metaOf(html, 'og:title'), metaOf(html, 'og:url')], [name, PUBLIC_URL + path]);
    assert.equal(metaOf(html, 'canonical'), PUBLIC_URL + path);
    assert.ok((metaOf(html, 'description') ?? '').length > 5, path);
    assert.ok(metaOf(html, 'twitter:card'));
    const data = dataOf(html);
    assert.deepEqual([data?.['@type'], data?.['url']], [type, PUBLIC_URL + path]);
    assert.equal(html.match(/<title>/g)?.length, 1);
  }
  const home = (await htmlOf('/')).html;
  for (const html of [home, (await htmlOf(`/shops/${shop.slug}`)).html]) {
    const feed = /type="application\/rss\+xml" href="([^"]*)"/.exec(html)?.[1] ?? assert.fail('no feed');
    const rss = await (await fetch(nacre.url + feed)).text();
    assert.ok(rss.includes(`${PUBLIC_URL}/shows/${show.id}`));
  }
});

test('[W146] a page comes gzipped, its small styles in it, and asks for few scripts', async () => {
  const page = await (await browser.newContext()).newPage();
  const files: string[] = [];
  page.on('request', (request) => files.push(new URL(request.url()).pathname));
  const answer = await page.goto(nacre.url, { waitUntil: 'networkidle' });
  assert.equal(answer?.headers()['content-encoding'], 'gzip');
  assert.ok(files.filter((path) => path.endsWith('.js')).length <= 24, files.join(' '));
  assert.equal(files.filter((path) => path.endsWith('.css')).length, 1);
  await page.context().close();
  const plain = await fetch(nacre.url, { headers: { 'accept-encoding': 'gzip;q=0, identity' } });
  assert.deepEqual([plain.headers.get('content-encoding'), plain.headers.get('vary')?.includes('accept-encoding')],
    [null, true]);
  assert.match(await plain.text(), /<\/html>/);
});

test('[W61] words of people break out of no page, and the policy has nothing to refuse', async () => {
  const { owner, shop } = market;
  const product = await goods({ title: ATTACK.slice(0, 110), description: ATTACK });
  const planned = await owner.must<Show>(201, 'POST', `/api/office/shops/${shop.id}/shows`, {
    title: ATTACK.slice(0, 110), description: ATTACK, coverImageId: null, visibility: 'public',
    startsAt: new Date(Date.now() + 3_600_000).toISOString(), productIds: [product.id],
  });
  for (const [path, description] of [
    [`/shows/${planned.id}`, ATTACK], [`/shops/${shop.slug}/goods/${product.id}`, ATTACK],
    [`/shows/${planned.id}/poster`],
  ] as const) {
    const page = await open(path);
    const found = await page.evaluate(() => ({
      told: Reflect.get(globalThis, 'told') as string[],
      broken: Reflect.get(globalThis, 'broken') as unknown,
      data: document.querySelector('script[type="application/ld+json"]')?.textContent ?? null,
    }));
    assert.deepEqual([found.told, found.broken], [[], undefined], path);
    if (description === undefined) assert.equal(found.data, null);
    else assert.equal((JSON.parse(found.data ?? '') as { description: string }).description, description);
    await page.context().close();
  }
});

test('[W63] what not everybody may see is not found, and says nothing of itself', async () => {
  const { owner, shop, show } = market;
  const hidden = await owner.must<Show>(201, 'POST', `/api/office/shops/${shop.id}/shows`, {
    title: 'Hidden rehearsal', description: '', coverImageId: null, visibility: 'private', productIds: [],
    startsAt: new Date(Date.now() + 3_600_000).toISOString(),
  });
  const draft = await goods({ title: 'Hidden draft', state: 'draft' });
  const archived = await goods({ title: 'Hidden archive' });
  await owner.must(200, 'PATCH', `/api/office/products/${archived.id}`, { state: 'archived' });
  const paths = [draft, archived].map(({ id }) => `/shops/${shop.slug}/goods/${id}`);
  for (const path of [...paths, `/shows/${hidden.id}`, `/shows/${hidden.id}/poster`]) {
    const { status, html } = await htmlOf(path);
    assert.equal(status, 404, path);
    assert.doesNotMatch(html, /Hidden|og:title|ld\+json/, path);
  }
  const own = await htmlOf(`/shows/${hidden.id}`, owner.cookie());
  assert.equal(own.status, 200);
  assert.equal(metaOf(own.html, 'robots'), 'noindex');
  assert.doesNotMatch(own.html, /og:title|ld\+json/);
  assert.equal((await htmlOf(`/shows/${show.id}/poster`)).status, 200);
});

test('[W64] a product’s page sells it and leads to its show; under another shop it is not found', async () => {
  const { shop, show, product, owner } = market;
  const page = await open(`/shops/${shop.slug}`);
  await page.getByRole('link', { name: say('viewer.details_of', { title: product.title }) }).click();
  await page.getByRole('heading', { level: 1, name: product.title }).waitFor();
  assert.equal(new URL(page.url()).pathname, `/shops/${shop.slug}/goods/${product.id}`);
  await page.getByRole('main').getByText('$49').waitFor();
  assert.equal(await page.getByRole('main').locator(`a[href="/shows/${show.id}"]`).count(), 1);
  await page.getByRole('button', { name: say('viewer.buy'), exact: true }).click();
  await page.getByRole('dialog').getByText('Coral').waitFor();
  await page.context().close();
  const other = await owner.must<{ slug: string }>(201, 'POST', '/api/shops', {
    name: 'Other', slug: 'other-shop', story: '', imageId: null, region: 'Gansu', category: 'other', currency: 'USD',
  });
  assert.equal((await htmlOf(`/shops/${other.slug}/goods/${product.id}`)).status, 404);
});

test('[W67] without a system’s share sheet the public address is copied, and said so', async () => {
  const { shop, product } = market;
  const page = await open(`/shops/${shop.slug}/goods/${product.id}`);
  await page.getByRole('button', { name: say('viewer.share'), exact: true }).click();
  await page.getByText(say('viewer.shared')).waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied, `${PUBLIC_URL}/shops/${shop.slug}/goods/${product.id}`);
  await page.context().close();
});

test('[W68] a planned show goes into a calendar from its page; a shop’s calendar is subscribed to', async () => {
  const { shop, show } = market;
  const page = await open(`/shows/${show.id}`);
  const href = await page.getByRole('link', { name: say('viewer.calendar_add') }).getAttribute('href');
  const file = await fetch(nacre.url + (href ?? ''));
  assert.match(await file.text(), new RegExp(`UID:${show.id}`));
  await page.goto(`${nacre.url}/shops/${shop.slug}`);
  const subscribe = page.getByRole('link', { name: say('viewer.calendar_subscribe') });
  assert.equal(await subscribe.getAttribute('href'), `webcal://live.example.org/api/shops/${shop.slug}/calendar.ics`);
  await page.context().close();
});

test('[W65] a poster is one sheet of A4 with shop, time and code, without the page’s buttons', async () => {
  const page = await open(`/shops/${market.shop.slug}/poster`);
  const pdf = (await page.pdf({ preferCSSPageSize: true })).toString('latin1');
  assert.equal(pdf.match(/\/Type \/Page\b/g)?.length, 1);
  const [, width, height] = /\/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]/.exec(pdf) ?? [];
  assert.deepEqual([width, height].map((points) => Math.round(Number(points) / 72 * 25.4)), [210, 297]);
  await page.emulateMedia({ media: 'print' });
  assert.equal(await page.getByRole('button', { name: say('viewer.poster_print') }).isVisible(), false);
  const sheet = page.getByRole('main');
  await sheet.getByRole('heading', { name: market.shop.name }).waitFor();
  await sheet.locator('time').waitFor();
  await sheet.getByRole('img', { name: `live.example.org/shops/${market.shop.slug}` }).waitFor();
  await page.context().close();
});
