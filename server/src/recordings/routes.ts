/** Replays over HTTP: what there is to see, how far somebody has seen it, and what the shop reads and decides. */
import { ClipsMade } from '@nacre/contract/clips';
import { Id } from '@nacre/contract/common';
import {
  OfficeRecording, Replay, ReplayQuery, ReplayTilesAnswer, ReplayTilesQuery, WatchedUntil, WatchedUntilAnswer,
  WatchingAnswer, WatchingQuery,
} from '@nacre/contract/replays';
import { Type } from 'typebox';
import { personOf } from '../http/actor.ts';
import type { App } from '../http/app.ts';
import { refusals } from '../http/openapi.ts';
import type { Recordings } from './recordings.ts';

const params = Type.Object({ showId: Id });

export function recordingsRoutes(app: App, { recordings }: { recordings: Recordings }): void {
  app.get('/api/shows/:showId/replay', {
    schema: {
      operationId: 'getReplay', summary: 'What can be seen again of a show, and what was on screen when',
      tags: ['shows'], params, querystring: ReplayQuery, response: { 200: Replay, ...refusals },
    },
  }, ({ actor, params: { showId }, query: { as } }) => recordings.replay(actor, showId, as === 'aired'));

  app.get('/api/replays', {
    schema: {
      operationId: 'listReplayTiles', summary: 'Of these shows those that can be seen again, in the order asked for',
      tags: ['shows'], querystring: ReplayTilesQuery, response: { 200: ReplayTilesAnswer, ...refusals },
    },
  }, async ({ actor, query }) => ({ items: await recordings.replayTiles(actor, query.showIds) }));

  watchingRoutes(app, recordings);

  app.get('/api/office/shows/:showId/recording', {
    schema: {
      operationId: 'getRecording', summary: 'The recording of a show: size, how long it is kept, whether it is whole',
      tags: ['office: shows'], params, response: { 200: OfficeRecording, ...refusals },
    },
  }, (request) => recordings.forOffice(personOf(request), request.params.showId));

  app.post('/api/office/shows/:showId/clips', {
    schema: {
      operationId: 'makeClips', summary: 'Makes the clips that a show which is over has not; a repeat makes none',
      tags: ['office: shows'], params, response: { 200: ClipsMade, ...refusals },
    },
  }, async (request) => ({ made: await recordings.makeClips(personOf(request), request.params.showId) }));

  app.delete('/api/office/shows/:showId/recording', {
    schema: {
      operationId: 'removeRecording', summary: 'Takes the replay of a show away for good; a repeat changes nothing',
      tags: ['office: shows'], params, response: { 204: Type.Null(), ...refusals },
    },
  }, async (request, reply) => {
    await recordings.remove(personOf(request), request.params.showId);
    return reply.code(204).send(null);
  });
}

/** What somebody has begun; of guests nothing is kept. */
function watchingRoutes(app: App, recordings: Recordings): void {
  app.get('/api/me/watching', {
    schema: {
      operationId: 'listWatching', summary: 'Replays that one began and did not finish, the latest first',
      tags: ['shows'], querystring: WatchingQuery, response: { 200: WatchingAnswer, ...refusals },
    },
  }, async (request) => ({ items: await recordings.watching(personOf(request), request.query) }));

  app.get('/api/me/watching/:showId', {
    schema: {
      operationId: 'getWatchedUntil', summary: 'How far one has watched a replay',
      tags: ['shows'], params, response: { 200: WatchedUntilAnswer, ...refusals },
    },
  }, async (request) => ({
    positionMs: await recordings.watchedUntil(personOf(request), request.params.showId),
  }));

  app.put('/api/me/watching/:showId', {
    schema: {
      operationId: 'setWatchedUntil', summary: 'Notes how far one has watched a replay; its end is forgotten',
      tags: ['shows'], params, body: WatchedUntil, response: { 204: Type.Null(), ...refusals },
    },
  }, async (request, reply) => {
    await recordings.noteWatched(personOf(request), request.params.showId, request.body);
    return reply.code(204).send(null);
  });

  app.delete('/api/me/watching/:showId', {
    schema: {
      operationId: 'forgetWatched', summary: 'Takes a replay off the list of those that one began',
      tags: ['shows'], params, response: { 204: Type.Null(), ...refusals },
    },
  }, async (request, reply) => {
    await recordings.forgetWatched(personOf(request), request.params.showId);
    return reply.code(204).send(null);
  });
}
