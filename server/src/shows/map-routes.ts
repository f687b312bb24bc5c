/**
 * `/robots.txt` and the map of public pages: an index of the newest shops, and of each shop its page, shows and goods.
 * Bounded: search engines find the rest by links.
 */
import type { Product } from '@nacre/contract/catalog';
import type { Page, PageQuery } from '@nacre/contract/common';
import type { Shop } from '@nacre/contract/shops';
import { Type } from 'typebox';
import type { App } from '../http/app.ts';
import { originOf } from '../http/origin.ts';
import type { Shows } from './shows.ts';
import { robotsFile, siteMap, siteMapIndex } from './site-map.ts';

export interface MapRoutesDeps {
  shows: Pick<Shows, 'announcements'>;
  /** Newest first. */
  listShops(query: PageQuery): Promise<Page<Shop>>;
  /** @throws Refusal `shops.not_found` */
  shopBySlug(slug: string): Promise<Shop>;
  /** For sale, newest first. */
  listProducts(slug: string, query: PageQuery): Promise<Page<Product>>;
  publicUrl: string | null;
}

/** Pages of a list that one map reads, of 100 each. More makes one request costly; fewer leaves more to links. */
const LIST_PAGES_MAX = 10;
/** Search engines ask once a day or so. */
const KEEP_SECONDS = 3600;
const TEXT = 'text/plain; charset=utf-8';
const XML = 'application/xml; charset=utf-8';

const options = { config: { isShared: true }, schema: { hide: true } } as const;

export function mapRoutes(app: App, deps: MapRoutesDeps): void {
  const keep = `public, max-age=${KEEP_SECONDS}`;

  app.get('/robots.txt', options, async (request, reply) => (
    reply.header('cache-control', keep).type(TEXT).send(robotsFile(originOf(request, deps.publicUrl)))
  ));

  app.get('/sitemap.xml', options, async (request, reply) => {
    const shops = await allOf((query) => deps.listShops(query));
    const maps = shops.map(({ slug }) => ({ path: `/sitemap/${slug}.xml`, changedAt: null }));
    return reply.header('cache-control', keep).type(XML).send(siteMapIndex(maps, originOf(request, deps.publicUrl)));
  });

  app.get('/sitemap/:slug.xml', {
    config: { isShared: true }, schema: { hide: true, params: Type.Object({ slug: Type.String() }) },
  }, async (request, reply) => {
    const shop = await deps.shopBySlug(request.params.slug);
    const [goods, news] = await Promise.all([
      allOf((query) => deps.listProducts(shop.slug, query)),
      deps.shows.announcements.news(shop.id),
    ]);
    const page = `/shops/${shop.slug}`;
    const entries = [
      { path: page, changedAt: null },
      ...news.map((show) => ({ path: `/shows/${show.id}`, changedAt: show.changedAt })),
      // Price and stock change without a date of their own.
      ...goods.map((product) => ({ path: `${page}/goods/${product.id}`, changedAt: null })),
    ];
    return reply.header('cache-control', keep).type(XML).send(siteMap(entries, originOf(request, deps.publicUrl)));
  });
}

async function allOf<T>(list: (query: PageQuery) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  for (let read = 0; read < LIST_PAGES_MAX; read += 1) {
    const page: Page<T> = await list({ limit: 100, ...(cursor === null ? {} : { cursor }) });
    items.push(...page.items);
    cursor = page.next;
    if (cursor === null) break;
  }
  return items;
}
