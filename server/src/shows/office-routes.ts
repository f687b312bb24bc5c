/** Shows over HTTP for those who work in the shop. */
import { Id, Page } from '@nacre/contract/common';
import {
  BagBody, OfficeShowQuery, OnScreenBody, Show, ShowCreate, ShowFigures, ShowPatch, ShowTile, StreamKey, StreamKeyQuery,
} from '@nacre/contract/shows';
import { Type } from 'typebox';
import { personOf } from '../http/actor.ts';
import type { App } from '../http/app.ts';
import { refusals } from '../http/openapi.ts';
import { originOf, rtmpUrlAt } from '../http/origin.ts';
import type { Shows } from './shows.ts';

const params = Type.Object({ showId: Id });
const shopParams = Type.Object({ shopId: Id });
const tags = ['office: shows'];

export interface OfficeShowsDeps {
  shows: Shows;
  /** Where the server is reached from outside, as `https://host`; null: where the request came to. */
  publicUrl: string | null;
  /** Where encoders are taken by RTMP; null while none are. */
  rtmpPort: () => number | null;
}

export function officeShowsRoutes(app: App, deps: OfficeShowsDeps): void {
  planRoutes(app, deps.shows);
  runRoutes(app, deps.shows);
  keyRoutes(app, deps);
}

function planRoutes(app: App, shows: Shows): void {
  const show = { 200: Show, ...refusals };

  app.get(
    '/api/office/shops/:shopId/shows',
    {
      schema: {
        operationId: 'listOfficeShows',
        summary: 'All shows of the shop, the latest start first; with a state, in that list’s order',
        tags,
        params: shopParams,
        querystring: OfficeShowQuery,
        response: { 200: Page(ShowTile), ...refusals },
      },
    },
    async (request) => shows.listForOffice(personOf(request).personId, request.params.shopId, request.query),
  );

  app.post(
    '/api/office/shops/:shopId/shows',
    {
      schema: {
        operationId: 'planShow',
        summary: 'Plans a show',
        tags,
        params: shopParams,
        body: ShowCreate,
        response: { 201: Show, ...refusals },
      },
    },
    async (request, reply) => {
      const planned = await shows.plan(personOf(request).personId, request.params.shopId, request.body);
      return reply.code(201).send(planned);
    },
  );

  app.get(
    '/api/office/shows/:showId',
    { schema: { operationId: 'getOfficeShow', summary: 'A show of one’s shop', tags, params, response: show } },
    async (request) => shows.forOffice(personOf(request).personId, request.params.showId),
  );

  app.patch(
    '/api/office/shows/:showId',
    {
      schema: {
        operationId: 'patchShow',
        summary: 'Changes what is given; a running show can be opened to everybody but not closed',
        tags,
        params,
        body: ShowPatch,
        response: show,
      },
    },
    async (request) => shows.patch(personOf(request).personId, request.params.showId, request.body),
  );

  app.post(
    '/api/office/shows/:showId/cancel',
    {
      schema: { operationId: 'cancelShow', summary: 'Cancels a planned show', tags, params, response: show },
    },
    async (request) => shows.cancel(personOf(request).personId, request.params.showId),
  );
}

function runRoutes(app: App, shows: Shows): void {
  const show = { 200: Show, ...refusals };

  app.put(
    '/api/office/shows/:showId/bag',
    {
      schema: {
        operationId: 'setBag',
        summary: 'Makes the bag these goods in this order, also live; numbers stay with their products',
        tags,
        params,
        body: BagBody,
        response: show,
      },
    },
    async (request) => shows.setBag(personOf(request).personId, request.params.showId, request.body.productIds),
  );

  app.put(
    '/api/office/shows/:showId/on-screen',
    {
      schema: {
        operationId: 'putOnScreen',
        summary: 'Puts a product of the bag on screen for everybody; null takes it away',
        tags,
        params,
        body: OnScreenBody,
        response: show,
      },
    },
    async (request) => shows.putOnScreen(personOf(request).personId, request.params.showId, request.body.productId),
  );

  app.post(
    '/api/office/shows/:showId/end',
    {
      schema: {
        operationId: 'endShow',
        summary: 'Ends a running show, its picture included',
        tags,
        params,
        response: show,
      },
    },
    async (request) => shows.end(personOf(request).personId, request.params.showId),
  );

  app.get(
    '/api/office/shows/:showId/figures',
    {
      schema: {
        operationId: 'getFigures',
        summary: 'Viewers, likes, followers, orders and interest of a show',
        tags,
        params,
        response: { 200: ShowFigures, ...refusals },
      },
    },
    async (request) => shows.figures(personOf(request).personId, request.params.showId),
  );
}

function keyRoutes(app: App, deps: OfficeShowsDeps): void {
  app.post(
    '/api/office/shows/:showId/stream-key',
    {
      schema: {
        operationId: 'issueStreamKey',
        summary: 'A new key to publish with, told this once; the one before ends, and whoever publishes with it',
        tags,
        params,
        querystring: StreamKeyQuery,
        response: { 200: StreamKey, ...refusals },
      },
    },
    async (request, reply) => {
      const key = await deps.shows.issueStreamKey(personOf(request).personId, request.params.showId, {
        takeOver: request.query.takeOver === true,
      });
      reply.header('Cache-Control', 'no-store');
      const origin = originOf(request, deps.publicUrl);
      return { key, whipUrl: `${origin}/whip`, rtmpUrl: rtmpUrlAt(origin, deps.rtmpPort()) };
    },
  );
}
