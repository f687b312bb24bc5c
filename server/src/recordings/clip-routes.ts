/** Clips over HTTP. Their pictures are parts of replays (replay-routes.ts). */
import { Clip, ClipTile, PosterBody, ShowClip } from '@nacre/contract/clips';
import { Id } from '@nacre/contract/common';
import { Type } from 'typebox';
import { personOf } from '../http/actor.ts';
import type { App } from '../http/app.ts';
import { refusals } from '../http/openapi.ts';
import type { Clips } from './clips.ts';

const params = Type.Object({ clipId: Id });
const MP4 = 'video/mp4';
/** A clip stays as it is; one whose replay is taken away is gone from caches after that. */
const KEEP_SECONDS = 3_600;
const FILE = { description: 'MP4', content: { [MP4]: { schema: Type.String({ format: 'binary' }) } } };

export function clipRoutes(app: App, { clips }: { clips: Clips }): void {
  app.get('/api/clips/:clipId', {
    schema: {
      operationId: 'getClip', summary: 'What a show showed of one product, and where in its replay',
      tags: ['shows'], params, response: { 200: Clip, ...refusals },
    },
  }, (request) => clips.get(request.actor, request.params.clipId));

  app.put('/api/office/shows/:showId/posters/:productId', {
    schema: {
      operationId: 'putPoster', summary: 'A picture of a product as it is shown; the first one of a show stays',
      tags: ['office: shows'], params: Type.Object({ showId: Id, productId: Id }), body: PosterBody,
      response: { 204: Type.Null(), ...refusals },
    },
  }, async (request, reply) => {
    const { showId, productId } = request.params;
    await clips.notePoster(personOf(request), showId, productId, request.body.imageId);
    return reply.code(204).send(null);
  });

  app.get('/api/shows/:showId/clips', {
    schema: {
      operationId: 'listClipsOfShow', summary: 'Clips of a show that is over, in its order',
      tags: ['shows'], params: Type.Object({ showId: Id }), response: { 200: Type.Array(ShowClip), ...refusals },
    },
  }, (request) => clips.ofShow(request.actor, request.params.showId));

  app.get('/api/products/:productId/clips', {
    schema: {
      operationId: 'listClips', summary: 'Clips of one product from public shows, the latest first; six at most',
      tags: ['shows'], params: Type.Object({ productId: Id }), response: { 200: Type.Array(ClipTile), ...refusals },
    },
  }, (request) => clips.ofProduct(request.actor, request.params.productId));

  app.get('/api/clips/:clipId/video.mp4', {
    schema: {
      operationId: 'getClipVideo', summary: 'The clip of a public show as an MP4 file, for sites that show a preview',
      tags: ['shows'], params, response: { 200: FILE, ...refusals },
    },
    config: { isShared: true },
  }, async (request, reply) => {
    const file = await clips.publicFile(request.params.clipId);
    return reply.header('cache-control', `public, max-age=${KEEP_SECONDS}`).type(MP4).send(file);
  });

  app.get('/api/office/clips/:clipId/file', {
    schema: {
      operationId: 'getClipFile', summary: 'The clip as an MP4 file, for the shop to use elsewhere',
      tags: ['office: shows'], params,
      response: { 200: FILE, ...refusals },
    },
  }, async (request, reply) => {
    const file = await clips.file(personOf(request), request.params.clipId);
    reply.header('content-disposition', `attachment; filename="clip-${request.params.clipId.slice(0, 8)}.mp4"`);
    return reply.header('cache-control', 'private, no-store').type(MP4).send(file);
  });
}
