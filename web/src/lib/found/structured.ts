/**
 * What a page tells search engines and link previews: schema.org data and its text form. Pure.
 *
 * Invariants: addresses are absolute; people's words cannot end the script element that the data stands in.
 */
import type { Product } from '@nacre/contract/catalog';
import type { Clip } from '@nacre/contract/clips';
import type { Image } from '@nacre/contract/common';
import type { Replay } from '@nacre/contract/replays';
import type { Shop, ShopPlace } from '@nacre/contract/shops';
import type { Show } from '@nacre/contract/shows';
import { priceRange, totalAvailable } from '../catalog.ts';
import { decimalOf } from '../i18n/format.ts';

export type Data = { [name: string]: unknown };

// Longer is cut by whoever shows it, in the middle of a word.
const descriptionLimit = 200;
const hourMs = 3_600_000;
const context = 'https://schema.org';

/** `<`, `>` and `&` as escapes of JSON: no `</script>` and no `<!--` can come of what people wrote. */
export function scriptText(data: Data): string {
  const escape = (sign: string) => `\\u${(sign.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(data).replaceAll(/[<>&\u2028\u2029]/g, escape);
}

/** One line, cut at a word; `fallback` where nothing was written. */
export function descriptionOf(words: string, fallback: string): string {
  const line = words.replaceAll(/\s+/g, ' ').trim();
  if (line === '') return fallback;
  if (line.length <= descriptionLimit) return line;
  const cut = line.slice(0, descriptionLimit).toWellFormed();
  const atWord = cut.lastIndexOf(' ');
  // Chinese has no spaces to cut at.
  return `${(atWord > descriptionLimit / 2 ? cut.slice(0, atWord) : cut).trimEnd()}…`;
}

/** The largest of the picture. */
export function pictureOf(image: Image | null | undefined, origin: string): string | undefined {
  const url = image?.sources.at(-1)?.url;
  return url === undefined ? undefined : new URL(url, origin).href;
}

type ShopNames = Pick<Shop, 'slug' | 'name' | 'image'>;

function shopPart(shop: ShopNames, origin: string): Data {
  return { '@type': 'OnlineStore', name: shop.name, url: `${origin}/shops/${shop.slug}` };
}

const dayNames = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

/** A shop to walk into is a Store with its address; one that is online only has none. */
function placeData({ address, hours }: ShopPlace): Data {
  const { phone, line1, line2, city, region, postalCode, country } = address;
  const opening = (hours ?? []).flatMap((day, index) =>
    day === null
      ? []
      : [{ '@type': 'OpeningHoursSpecification', dayOfWeek: `${context}/${dayNames[index]}`, ...day }],
  );
  return {
    '@type': 'Store',
    address: {
      '@type': 'PostalAddress',
      streetAddress: [line1, line2].filter((line) => line !== '').join(', '),
      addressLocality: city,
      ...(region === '' ? {} : { addressRegion: region }),
      ...(postalCode === '' ? {} : { postalCode }),
      addressCountry: country,
    },
    ...(phone === '' ? {} : { telephone: phone }),
    ...(opening.length === 0 ? {} : { openingHoursSpecification: opening }),
  };
}

export function shopData(shop: Shop, origin: string): Data {
  const image = pictureOf(shop.image, origin);
  return {
    '@context': context,
    ...shopPart(shop, origin),
    ...(shop.place === null ? {} : placeData(shop.place)),
    ...(shop.story === '' ? {} : { description: shop.story }),
    ...(image === undefined ? {} : { image, logo: image }),
    ...(shop.region === '' ? {} : { areaServed: shop.region }),
  };
}

/** A live video with its broadcast; until the end is known an hour is expected, as in calendars. */
export function showData(show: Show, description: string, origin: string): Data {
  const start = show.wentLiveAt ?? show.startsAt;
  const end = show.endedAt ?? new Date(Date.parse(start) + hourMs).toISOString();
  const url = `${origin}/shows/${show.id}`;
  const picture = pictureOf(show.cover, origin) ?? pictureOf(show.shop.image, origin);
  const status = show.state === 'cancelled' ? 'EventCancelled' : 'EventScheduled';
  const pictures = picture === undefined ? {} : { thumbnailUrl: [picture] };
  return {
    '@context': context,
    '@type': 'VideoObject',
    name: show.title,
    description,
    url,
    embedUrl: url,
    uploadDate: start,
    ...pictures,
    publisher: shopPart(show.shop, origin),
    publication: {
      '@type': 'BroadcastEvent',
      name: show.title,
      isLiveBroadcast: true,
      startDate: start,
      endDate: end,
      eventStatus: `${context}/${status}`,
      location: { '@type': 'VirtualLocation', url },
      organizer: shopPart(show.shop, origin),
    },
  };
}

/** ISO 8601, in whole seconds. */
const isoDuration = (ms: number): string => `PT${Math.round(ms / 1_000)}S`;

/** A video that can be seen, with what was on screen as its clips (https://schema.org/Clip), each with its address. */
export function replayData(show: Show, replay: Replay, description: string, origin: string): Data {
  const { publication: _, ...video } = showData(show, description, origin);
  const titles = new Map(show.bag.map(({ product }) => [product.id, product.title]));
  return {
    ...video,
    contentUrl: `${origin}/replay/${show.id}/index.m3u8`,
    duration: isoDuration(replay.durationMs),
    hasPart: replay.chapters.map(({ productId, fromMs, toMs }) => ({
      '@type': 'Clip',
      name: titles.get(productId) ?? show.title,
      startOffset: Math.floor(fromMs / 1_000),
      endOffset: Math.ceil(toMs / 1_000),
      url: `${origin}/shows/${show.id}?t=${Math.floor(fromMs / 1_000)}`,
    })),
  };
}

/** As a file, which messengers and other sites play. Of a public show only. */
export const clipFile = ({ id }: Clip): string => `/api/clips/${id}/video.mp4`;

/** A video of its own, that is part of the show's. */
export function clipData(clip: Clip, description: string, origin: string): Data {
  const picture = pictureOf(clip.poster, origin);
  return {
    '@context': context,
    '@type': 'VideoObject',
    name: clip.product.title,
    description,
    url: `${origin}/clips/${clip.id}`,
    contentUrl: origin + clipFile(clip),
    uploadDate: clip.shownAt,
    duration: isoDuration(clip.toMs - clip.fromMs),
    ...(picture === undefined ? {} : { thumbnailUrl: [picture] }),
    publisher: shopPart(clip.shop, origin),
    isPartOf: { '@type': 'VideoObject', name: clip.showTitle, url: `${origin}/shows/${clip.showId}` },
  };
}

export function productData(product: Product, shop: ShopNames, description: string, origin: string): Data {
  const url = `${origin}/shops/${shop.slug}/goods/${product.id}`;
  const images = product.images.flatMap((image) => pictureOf(image, origin) ?? []);
  const { fromMinor, toMinor } = priceRange(product);
  const [only, ...more] = product.variants;
  const common = {
    url,
    priceCurrency: product.currency,
    availability: `${context}/${totalAvailable(product) > 0 ? 'InStock' : 'OutOfStock'}`,
    seller: shopPart(shop, origin),
  };
  const priceOf = (amountMinor: number) => decimalOf({ amountMinor, currency: product.currency });
  const offers =
    more.length === 0
      ? { '@type': 'Offer', ...common, price: priceOf(fromMinor), ...(only === undefined ? {} : { sku: only.sku }) }
      : {
          '@type': 'AggregateOffer',
          ...common,
          lowPrice: priceOf(fromMinor),
          highPrice: priceOf(toMinor),
          offerCount: product.variants.length,
        };
  return {
    '@context': context,
    '@type': 'Product',
    name: product.title,
    description,
    url,
    ...(images.length === 0 ? {} : { image: images }),
    offers,
  };
}
