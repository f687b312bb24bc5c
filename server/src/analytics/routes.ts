/** Figures over HTTP: for those who work in the shop; and the page telling how its viewer came. */
import { MinutesQuery, ShowMinutes, VisitBody } from '@nacre/contract/analytics';
import { Id } from '@nacre/contract/common';
import { Type } from 'typebox';
import { personOf, type Actor } from '../http/actor.ts';
import type { App } from '../http/app.ts';
import { refusals } from '../http/openapi.ts';
import { cookieOf } from '../lib/cookie.ts';
import type { Analytics } from './analytics.ts';
import { csvOf } from './csv.ts';

const params = Type.Object({ showId: Id });
/** Set by the page; see web/src/lib/i18n/locales.ts. */
const TIME_ZONE_COOKIE = 'nacre_tz';
const CSV = 'text/csv';

export interface AnalyticsRoutesDeps {
  analytics: Analytics;
  /** The actor, when it may be counted. @throws Refusal `shows.not_counted`, `request.too_many` */
  counted(actor: Actor, address: string): Actor;
}

export function analyticsRoutes(app: App, { analytics, counted }: AnalyticsRoutesDeps): void {
  app.post('/api/shows/:showId/visit', {
    schema: {
      operationId: 'noteVisit',
      summary: 'How the viewer came to the show; the first telling counts. Who is there the server sees by itself',
      tags: ['shows'],
      params,
      body: VisitBody,
      response: { 204: Type.Null(), ...refusals },
    },
  }, async (request, reply) => {
    const { cookie, 'accept-language': acceptLanguage } = request.headers;
    const browser = { timeZone: cookieOf(cookie, TIME_ZONE_COOKIE), acceptLanguage };
    await analytics.noteVisit(counted(request.actor, request.ip), request.params.showId, request.body, browser);
    return reply.code(204).send(null);
  });

  app.get('/api/office/shows/:showId/figures/minutes', {
    schema: {
      operationId: 'getMinutes',
      summary: 'A show minute by minute, with what was on screen, its totals, sources, countries, and per product',
      tags: ['office: shows'],
      params,
      querystring: MinutesQuery,
      response: { 200: ShowMinutes, ...refusals },
    },
  }, async (request) => (
    analytics.minutes(personOf(request).personId, request.params.showId, request.query.from)
  ));

  app.get('/api/office/shows/:showId/figures/minutes.csv', {
    schema: {
      operationId: 'getMinutesFile',
      summary: 'The same rows as a file (RFC 4180, UTF-8 with a byte order mark); the units stand in the head',
      tags: ['office: shows'],
      params,
      response: {
        200: { description: 'CSV', content: { [CSV]: { schema: Type.String() } } },
        ...refusals,
      },
    },
  }, async (request, reply) => {
    const figures = await analytics.minutes(personOf(request).personId, request.params.showId);
    const day = (figures.wentLiveAt ?? 'planned').slice(0, 10);
    reply.header('content-disposition', `attachment; filename="show-${day}-minutes.csv"`);
    reply.header('cache-control', 'private, no-store');
    return reply.type(`${CSV}; charset=utf-8; header=present`).send(csvOf(figures));
  });
}
