/**
 * Calendars and feeds of shows, for programs outside our pages. The same for everybody, so that a cache may keep them:
 * no cookie goes with them, and asking again for what has not changed costs a few bytes.
 */
import { createHash } from 'node:crypto';
import { Id } from '@nacre/contract/common';
import type { Shop } from '@nacre/contract/shops';
import { Type } from 'typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../http/app.ts';
import { refusals } from '../http/openapi.ts';
import { originOf } from '../http/origin.ts';
import type { Clock } from '../platform/clock.ts';
import { calendarFile } from './calendar.ts';
import { newsFeed } from './news-feed.ts';
import type { Shows } from './shows.ts';

export interface FoundRoutesDeps {
  shows: Pick<Shows, 'announcements'>;
  /** @throws Refusal `shops.not_found` */
  shopBySlug(slug: string): Promise<Shop>;
  publicUrl: string | null;
  clock: Clock;
}

/** How long a cache answers by itself. Longer tells late of a show that moved or was made private. */
const KEEP_SECONDS = 300;
const CALENDAR = 'text/calendar; charset=utf-8';
const RSS = 'application/rss+xml; charset=utf-8';

const tags = ['calendars and feeds'];
const config = { isShared: true };
const file = (type: string, description: string) => ({
  200: { description, content: { [type]: { schema: Type.String() } } },
  304: Type.Null({ description: 'As asked for by `If-None-Match`: not changed' }),
  ...refusals,
});
const calendarAnswer = file('text/calendar', 'iCalendar (RFC 5545)');
const feedAnswer = file('application/rss+xml', 'RSS 2.0');
const slugParams = Type.Object({ slug: Type.String() });

export function foundRoutes(app: App, deps: FoundRoutesDeps): void {
  calendarRoutes(app, deps);
  feedRoutes(app, deps);
}

function calendarRoutes(app: App, { shows, shopBySlug, publicUrl }: FoundRoutesDeps): void {
  app.get('/api/shows/:showId/calendar.ics', {
    config,
    schema: {
      operationId: 'getShowCalendar', summary: 'A public show as a calendar file', tags,
      params: Type.Object({ showId: Id }), response: calendarAnswer,
    },
  }, async (request, reply) => {
    const show = await shows.announcements.one(request.params.showId);
    reply.header('content-disposition', `attachment; filename="show-${show.id}.ics"`);
    return send(request, reply, CALENDAR, calendarFile(show.title, [show], originOf(request, publicUrl)));
  });

  app.get('/api/shops/:slug/calendar.ics', {
    config,
    schema: {
      operationId: 'getShopCalendar', summary: 'The public shows of a shop as a calendar to subscribe to', tags,
      params: slugParams, response: calendarAnswer,
    },
  }, async (request, reply) => {
    const shop = await shopBySlug(request.params.slug);
    const planned = await shows.announcements.calendar(shop.id);
    return send(request, reply, CALENDAR, calendarFile(shop.name, planned, originOf(request, publicUrl)));
  });
}

function feedRoutes(app: App, { shows, shopBySlug, publicUrl, clock }: FoundRoutesDeps): void {
  app.get('/api/shows.rss', {
    config,
    schema: { operationId: 'getShowsFeed', summary: 'Public shows of all shops as RSS', tags, response: feedAnswer },
  }, async (request, reply) => {
    const origin = originOf(request, publicUrl);
    const head = {
      title: 'Nacre', description: 'Nacre', link: `${origin}/`, self: `${origin}/api/shows.rss`, now: clock.now(),
    };
    return send(request, reply, RSS, newsFeed(head, await shows.announcements.news(null), origin));
  });

  app.get('/api/shops/:slug/shows.rss', {
    config,
    schema: {
      operationId: 'getShopFeed', summary: 'Public shows of a shop as RSS', tags, params: slugParams,
      response: feedAnswer,
    },
  }, async (request, reply) => {
    const shop = await shopBySlug(request.params.slug);
    const origin = originOf(request, publicUrl);
    const head = {
      title: shop.name, description: shop.story || shop.name, link: `${origin}/shops/${shop.slug}`,
      self: `${origin}/api/shops/${shop.slug}/shows.rss`, now: clock.now(),
    };
    return send(request, reply, RSS, newsFeed(head, await shows.announcements.news(shop.id), origin));
  });
}

function send(request: FastifyRequest, reply: FastifyReply, type: string, body: string): FastifyReply {
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  reply.header('cache-control', `public, max-age=${KEEP_SECONDS}`).header('etag', etag);
  // Read by programs of other sites too; nothing in it is anybody's own.
  reply.header('access-control-allow-origin', '*').header('cross-origin-resource-policy', 'cross-origin');
  const known = request.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (known?.includes(etag)) return reply.code(304).send();
  return reply.type(type).send(body);
}
