/** Waiting in line over HTTP. */
import { Id } from '@nacre/contract/common';
import { LineLengths, Wait, WaitJoin, Waits } from '@nacre/contract/waiting';
import { Type } from 'typebox';
import { personOf } from '../http/actor.ts';
import type { App } from '../http/app.ts';
import { refusals } from '../http/openapi.ts';
import type { Clock } from '../platform/clock.ts';
import type { Catalog } from './catalog.ts';

const tags = ['waiting'];

export function waitingRoutes(app: App, { catalog, clock }: { catalog: Catalog; clock: Clock }): void {
  app.get('/api/waits', {
    schema: {
      operationId: 'listMyWaits', summary: 'Where one waits in line oneself, and what is kept', tags,
      response: { 200: Waits, ...refusals },
    },
  }, async (request) => ({
    items: await catalog.waitsOf(personOf(request).personId), now: clock.now().toISOString(),
  }));

  app.post('/api/waits', {
    schema: {
      operationId: 'joinLine', summary: 'Wait in line for a variant that is sold out', tags,
      body: WaitJoin, response: { 201: Wait, ...refusals },
    },
  }, async (request, reply) => (
    reply.code(201).send(await catalog.joinLine(personOf(request).personId, request.body))
  ));

  app.delete('/api/waits/:waitId', {
    schema: {
      operationId: 'leaveLine', summary: 'Leave the line, or let go of what is kept', tags,
      params: Type.Object({ waitId: Id }), response: { 204: Type.Null(), ...refusals },
    },
  }, async (request, reply) => {
    await catalog.leaveLine(personOf(request).personId, request.params.waitId);
    return reply.code(204).send(null);
  });

  app.get('/api/office/shops/:shopId/waiting', {
    schema: {
      operationId: 'listLines', summary: 'How many wait for which variant, the longest lines first', tags,
      params: Type.Object({ shopId: Id }), response: { 200: LineLengths, ...refusals },
    },
  }, async (request) => catalog.linesOf(personOf(request).personId, request.params.shopId));
}
