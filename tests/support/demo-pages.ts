/** The paths of every page, with the demo's own shop, shows and goods, for tests that look at all of them. */
import assert from 'node:assert/strict';
import type { CounterGoods, Product } from '@nacre/contract/catalog';
import type { Shop } from '@nacre/contract/shops';
import type { ShowTile } from '@nacre/contract/shows';
import { DEMO_PASSWORD } from '../../server/src/demo/market.ts';
import type { Browser } from 'playwright-core';
import { DRAWN_CAMERA, launchChromium } from './chromium.ts';
import { createClient, startNacre, until, type Client, type Nacre } from './nacre.ts';

const LIVE_WITHIN_MS = 30_000;
export const DEMO_OWNER = { email: 'liu@demo.nacre', password: DEMO_PASSWORD };

export interface DemoPages {
  /** Of a server that has been started with the demo. */
  guest: string[];
  /** Signed in as `DEMO_OWNER`. */
  owner: string[];
  /** Signed in as an operator, which no demo account can be. */
  operator: string[];
  /** Without the site's frame, for paper. */
  print: string[];
  /** Those that strangers find first. */
  found: { home: string; show: string; shop: string; product: string };
}

export interface DemoStage {
  nacre: Nacre;
  browser: Browser;
  pages: DemoPages;
  stop(): Promise<void>;
}

/** A server with the demo, and a browser with a camera to look at its pages. */
export async function openDemo(): Promise<DemoStage> {
  const nacre = await startNacre({ demo: true });
  let browser: Browser | undefined;
  const stop = async (): Promise<void> => {
    await browser?.close();
    await nacre.remove();
  };
  try {
    browser = await launchChromium(DRAWN_CAMERA);
    return { nacre, browser, pages: await demoPages(nacre.url), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function demoPages(url: string): Promise<DemoPages> {
  const owner = createClient(url);
  await owner.must(200, 'POST', '/api/auth/sign-in/email', DEMO_OWNER);
  const read = <T>(path: string) => owner.must<{ items: T[] }>(200, 'GET', path).then(({ items }) => items);
  let live: ShowTile | undefined;
  await until('the demo show is live', LIVE_WITHIN_MS, async () => {
    [live] = await read<ShowTile>('/api/shows?state=live');
    return live !== undefined;
  });
  const [planned] = await read<ShowTile>('/api/shows?state=planned');
  let ended: ShowTile | undefined;
  await until('there is a replay', LIVE_WITHIN_MS, async () => {
    ended = (await read<ShowTile>('/api/shows?state=ended')).find(({ replayMs }) => replayMs !== null);
    return ended !== undefined;
  });
  assert.ok(live && planned && ended);
  const shop = live.shop as Pick<Shop, 'id' | 'slug'>;
  const [product] = await read<Product>(`/api/office/shops/${shop.id}/products`);
  const lines = (product?.variants ?? []).slice(0, 3).map(({ id: variantId }) => (
    { variantId, quantity: 1, seenPriceMinor: 1, showId: live?.id ?? null }
  ));
  await owner.must(200, 'POST', '/api/cart/put', { putId: crypto.randomUUID(), lines });
  const [own] = await read<ShowTile>(`/api/office/shops/${shop.id}/shows?state=planned`);
  const office = `/office/${shop.slug}`;
  return {
    guest: [
      '/', '/?category=toys', '/search', '/search?q=dres', '/search?q=xyzzy', '/ranking',
      `/shows/${live.id}`, `/shows/${live.id}?t=0`, `/shows/${planned.id}`, `/shows/${ended.id}`, `/shops/${shop.slug}`,
      `/shops/${shop.slug}/goods/${product?.id}`, '/sign-in', `/receipts/${await soldAtCounter(owner,
      shop.id)}`, '/nowhere', '/new-password', '/new-email', '/my-email', '/old-email', '/invite/over',
      '/cart',
    ],
    print: [`/shops/${shop.slug}/poster`, `/shows/${planned.id}/poster`],
    found: {
      home: '/', show: `/shows/${live.id}`, shop: `/shops/${shop.slug}`,
      product: `/shops/${shop.slug}/goods/${product?.id}`,
    },
    operator: ['/platform', '/platform/appeals', '/platform/decisions'],
    owner: [
      '/orders', '/cart', '/account/measures', '/account/coupons', `${office}/coupons`,
      '/account', '/studio', `/studio/${live.id}`, `/studio/${own?.id}`, '/office/new', `${office}/goods`,
      `${office}/goods/${product?.id}`, `${office}/goods/new`, `${office}/shows`, `${office}/shows/${own?.id}`,
      `${office}/shows/new`, `${office}/shows/${live.id}/figures`, `${office}/shows/${ended.id}`, `${office}/orders`,
      `${office}/team`, `${office}/settings`, `${office}/talk`,
      `${office}/counter`, `${office}/orders?state=to_pick_up`,
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
