/** Clips over HTTP. Their pictures are parts of replays (replay-routes.ts). */
import { Clip, ClipTile } from '@nacre/contract/clips';
import { Id } from '@nacre/contract/common';
import { Type } from 'typebox';
import { personOf } from '../http/actor.ts';
import type { App } from '../http/app.ts';
import { refusals } from '../http/openapi.ts';
import type { Clips } from './clips.ts';

const params = Type.Object({ clipId: Id });
const MP4 = 'video/mp4';

export function clipRoutes(app: App, { clips }: { clips: Clips }): void {
  app.get('/api/clips/:clipId', {
    schema: {
      operationId: 'getClip', summary: 'What a show showed of one product, and where in its replay',
      tags: ['shows'], params, response: { 200: Clip, ...refusals },
    },
  }, (request) => clips.get(request.actor, request.params.clipId));

  app.get('/api/products/:productId/clips', {
    schema: {
      operationId: 'listClips', summary: 'Clips of one product from public shows, the latest first; six at most',
      tags: ['shows'], params: Type.Object({ productId: Id }), response: { 200: Type.Array(ClipTile), ...refusals },
    },
  }, (request) => clips.ofProduct(request.actor, request.params.productId));

  app.get('/api/office/clips/:clipId/file', {
    schema: {
      operationId: 'getClipFile', summary: 'The clip as an MP4 file, for the shop to use elsewhere',
      tags: ['office: shows'], params,
      response: {
        200: { description: 'MP4', content: { [MP4]: { schema: Type.String({ format: 'binary' }) } } },
        ...refusals,
      },
    },
  }, async (request, reply) => {
    const file = await clips.file(personOf(request), request.params.clipId);
    reply.header('content-disposition', `attachment; filename="clip-${request.params.clipId.slice(0, 8)}.mp4"`);
    return reply.header('cache-control', 'private, no-store').type(MP4).send(file);
  });
}
