/** Shows over HTTP for everybody, guests included. */
import { Id, Page } from '@nacre/contract/common';
import {
  Aside, ExplainAnswer, ExplainBody, InterestBody, LikesAnswer, LikesBody, Show, ShowQuery, ShowTile,
} from '@nacre/contract/shows';
import { Type } from 'typebox';
import type { FastifyRequest } from 'fastify';
import type { Actor } from '../http/actor.ts';
import type { App } from '../http/app.ts';
import { refusals } from '../http/openapi.ts';
import type { Crowd } from './crowd.ts';
import type { Shows } from './shows.ts';

const params = Type.Object({ showId: Id });
const tags = ['shows'];

export function showsRoutes(app: App, deps: { shows: Shows; counted: Crowd['counted'] }): void {
  readRoutes(app, deps.shows);
  viewerRoutes(app, deps.shows, ({ actor, ip }) => deps.counted(actor, ip));
  asideRoutes(app, deps.shows);
}

function readRoutes(app: App, shows: Shows): void {
  app.get(
    '/api/shows',
    {
      schema: {
        operationId: 'listShows',
        summary: 'Public shows; `live` includes interrupted ones. Live and ended: newest first, planned: next first',
        tags,
        querystring: ShowQuery,
        response: { 200: Page(ShowTile), ...refusals },
      },
    },
    async (request) => shows.list(request.query),
  );

  app.get(
    '/api/shows/:showId',
    {
      schema: {
        operationId: 'getShow',
        summary: 'A show with its bag; a private one for members of its shop only',
        tags,
        params,
        response: { 200: Show, ...refusals },
      },
    },
    async (request) => shows.get(request.actor, request.params.showId),
  );
}

function viewerRoutes(app: App, shows: Shows, counted: (request: FastifyRequest) => Actor): void {
  app.post(
    '/api/shows/:showId/explain',
    {
      schema: {
        operationId: 'askToExplain',
        summary: 'Asks the host to explain a product; counts once per viewer until it comes on screen',
        tags,
        params,
        body: ExplainBody,
        response: { 200: ExplainAnswer, ...refusals },
      },
    },
    async (request) => ({
      explainRequests: await shows.explain(counted(request), request.params.showId, request.body.productId),
    }),
  );

  app.post(
    '/api/shows/:showId/interest',
    {
      schema: {
        operationId: 'noteInterest',
        summary: 'A card was opened or a product put aside (`bagged`); counts once per viewer, product and kind',
        tags,
        params,
        body: InterestBody,
        response: { 204: Type.Null(), ...refusals },
      },
    },
    async (request, reply) => {
      const { productId, kind } = request.body;
      await shows.noteInterest(counted(request), request.params.showId, productId, kind);
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/api/shows/:showId/likes',
    {
      schema: {
        operationId: 'like',
        summary: 'Adds likes, up to 300 per viewer and minute; what is over is not counted. Answers the total',
        tags,
        params,
        body: LikesBody,
        response: { 200: LikesAnswer, ...refusals },
      },
    },
    async (request) => ({ likes: await shows.like(counted(request), request.params.showId, request.body.count) }),
  );
}

/** Putting aside is an interest (above); here is what becomes of it. */
function asideRoutes(app: App, shows: Shows): void {
  app.get(
    '/api/shows/:showId/aside',
    {
      schema: {
        operationId: 'listAside',
        summary: 'What the viewer has put aside in this show, also as a guest before signing in',
        tags,
        params,
        response: { 200: Aside, ...refusals },
      },
    },
    async (request) => ({ productIds: await shows.aside(request.actor, request.params.showId) }),
  );

  app.delete(
    '/api/shows/:showId/aside/:productId',
    {
      schema: {
        operationId: 'takeBack',
        summary: 'Takes back what was put aside; the count of interest stays. A repeat changes nothing',
        tags,
        params: Type.Object({ showId: Id, productId: Id }),
        response: { 204: Type.Null(), ...refusals },
      },
    },
    async (request, reply) => {
      await shows.takeBack(request.actor, request.params.showId, request.params.productId);
      return reply.code(204).send(null);
    },
  );
}
