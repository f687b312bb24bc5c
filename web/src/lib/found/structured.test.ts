/** What pages tell search engines: right, absolute, and without a way out of the script element. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Product } from '@nacre/contract/catalog';
import type { Shop } from '@nacre/contract/shops';
import type { Show } from '@nacre/contract/shows';
import { qrOf } from './qr.ts';
import { descriptionOf, productData, scriptText, shopData, showData } from './structured.ts';

const ORIGIN = 'https://live.example.org';
const id = '019a0000-0000-7000-8000-000000000001';
const sources = [{ url: '/blobs/s', width: 400 }, { url: '/blobs/l', width: 800 }];
const image = { id, width: 800, height: 800, sources };
const shop: Shop = {
  id, slug: 'liu', name: 'Liu', story: 'From Lanzhou.', image, region: 'Gansu', category: 'clothes', language: 'zh',
  currency: 'CNY', place: null, offersPickup: false, terms: { returns: '', shipping: '' },
  shipping: { feeMinor: 0, freeFromMinor: null }, isDemo: false, createdAt: '2026-11-01T00:00:00.000Z',
};
const show: Show = {
  id, title: 'Spring', description: '', state: 'planned', visibility: 'public', language: 'zh',
  startsAt: '2026-12-01T12:30:00.000Z', wentLiveAt: null, endedAt: null, interruptedAt: null, cover: null, shop,
  viewers: 0, isDemo: false, onScreen: null, replayMs: null,
  likes: 0, onScreenProductId: null, bag: [], livePrices: [], coupons: [],
};
const variant = (priceMinor: number, available: number) => (
  { id, optionValues: [], sku: `S${priceMinor}`, priceMinor, available, held: 0 }
);
const product: Product = {
  id, shopId: id, title: 'Dress', description: '', images: [image], options: [], variants: [variant(4_905, 3)],
  currency: 'USD', state: 'active', createdAt: '2026-11-01T00:00:00.000Z',
};

test('[W61] nothing that people wrote ends the script element, and it is read as it was written', () => {
  const attack = '</script><script>alert(1)</script><!-- <SCRIPT & \u2028 \u2029 "\\';
  const text = scriptText(showData({ ...show, title: attack }, attack, ORIGIN));
  assert.doesNotMatch(text, /[<>&\u2028\u2029]/);
  assert.equal((JSON.parse(text) as { name: string }).name, attack);
});

test('[W60] a show is a video with its broadcast; over, it has its true times, called off it says so', () => {
  const planned = showData(show, 'd', ORIGIN) as { thumbnailUrl: string[]; publication: Record<string, unknown> };
  assert.deepEqual(planned.thumbnailUrl, [`${ORIGIN}/blobs/l`], 'the shop’s picture where the show has none');
  const { startDate, endDate, eventStatus } = planned.publication;
  assert.deepEqual([startDate, endDate], ['2026-12-01T12:30:00.000Z', '2026-12-01T13:30:00.000Z']);
  assert.equal(eventStatus, 'https://schema.org/EventScheduled');
  const over = { wentLiveAt: '2026-12-01T12:31:00.000Z', endedAt: '2026-12-01T14:00:00.000Z', state: 'ended' as const };
  const past = showData({ ...show, ...over }, 'd', ORIGIN) as { publication: Record<string, unknown> };
  assert.deepEqual([past.publication['startDate'], past.publication['endDate']], [over.wentLiveAt, over.endedAt]);
  const off = showData({ ...show, state: 'cancelled' }, 'd', ORIGIN) as { publication: Record<string, unknown> };
  assert.equal(off.publication['eventStatus'], 'https://schema.org/EventCancelled');
});

test('[W60] a product has its price in digits for machines, and whether it can be had', () => {
  type Offers = { offers: Record<string, unknown> };
  const one = (productData(product, shop, 'd', ORIGIN) as Offers).offers;
  assert.deepEqual([one['@type'], one['price'], one['priceCurrency']], ['Offer', '49.05', 'USD']);
  assert.equal(one['availability'], 'https://schema.org/InStock');
  const yen = { ...product, currency: 'JPY', variants: [variant(500, 0), variant(900, 0)] };
  const several = (productData(yen, shop, 'd', ORIGIN) as Offers).offers;
  assert.deepEqual(
    [several['@type'], several['lowPrice'], several['highPrice'], several['offerCount']],
    ['AggregateOffer', '500', '900', 2],
  );
  assert.equal(several['availability'], 'https://schema.org/OutOfStock');
});

test('[W60] addresses in the data are absolute', () => {
  const data = [
    shopData(shop, ORIGIN), showData({ ...show, cover: image }, 'd', ORIGIN), productData(product, shop, 'd', ORIGIN),
  ];
  const urls = [...JSON.stringify(data).matchAll(/"(?:url|embedUrl|logo|image|thumbnailUrl)":\[?"([^"]*)"/g)];
  assert.ok(urls.length >= 8, String(urls.length));
  for (const [, url] of urls) assert.ok(url?.startsWith(`${ORIGIN}/`), url);
});

test('[W62] a description is one line, cut at a word, in any script', () => {
  assert.equal(descriptionOf(' a\n\n b ', 'x'), 'a b');
  assert.equal(descriptionOf(' \n', 'x'), 'x');
  const long = descriptionOf('word '.repeat(100), 'x');
  assert.ok(long.endsWith('word…') && long.length <= 201);
  assert.equal([...descriptionOf('裙'.repeat(300), 'x')].length, 201);
});

test('[W65] a QR code has its quiet zone, its finder patterns, and as many modules as its path draws', () => {
  const { size, path } = qrOf(`${ORIGIN}/shows/${id}`);
  const dark = new Set<string>();
  for (const [, x, y, run] of path.matchAll(/M(\d+) (\d+)h(\d+)v1H\d+z/g)) {
    for (let at = 0; at < Number(run); at += 1) dark.add(`${Number(x) + at} ${y}`);
  }
  for (let at = 0; at < size; at += 1) {
    for (const edge of [0, 1, 2, 3]) {
      assert.ok(!dark.has(`${at} ${edge}`) && !dark.has(`${edge} ${at}`));
      assert.ok(!dark.has(`${at} ${size - 1 - edge}`) && !dark.has(`${size - 1 - edge} ${at}`));
    }
  }
  for (const [x, y] of [[4, 4], [size - 11, 4], [4, size - 11]] as const) {
    for (let at = 0; at < 7; at += 1) assert.ok(dark.has(`${x + at} ${y}`) && dark.has(`${x} ${y + at}`));
    assert.ok(!dark.has(`${x + 1} ${y + 1}`) && dark.has(`${x + 3} ${y + 3}`));
  }
});

test('[W111] a shop with a street address is a store with that address and the days on which it opens', () => {
  assert.equal(shopData(shop, ORIGIN)['@type'], 'OnlineStore');
  const address = { phone: '', line1: 'Road 1', line2: '', city: 'Lanzhou', region: '', postalCode: '', country: 'CN' };
  const hours = [{ opens: '10:00', closes: '19:00' }, ...Array.from({ length: 6 }, () => null)];
  const data = shopData({ ...shop, place: { address, hours } }, ORIGIN);
  assert.equal(data['@type'], 'Store');
  assert.deepEqual(data['address'], {
    '@type': 'PostalAddress', streetAddress: 'Road 1', addressLocality: 'Lanzhou', addressCountry: 'CN',
  });
  assert.deepEqual(data['openingHoursSpecification'], [{
    '@type': 'OpeningHoursSpecification', dayOfWeek: 'https://schema.org/Monday', opens: '10:00', closes: '19:00',
  }]);
});
