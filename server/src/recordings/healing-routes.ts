/** Parts of a show from the host's device over HTTP, and what they are for. */
import { Id } from '@nacre/contract/common';
import { healingLimits, RecordingHoles } from '@nacre/contract/healing';
import { Type, type Static } from 'typebox';
import { personOf } from '../http/actor.ts';
import type { App } from '../http/app.ts';
import { refusals } from '../http/openapi.ts';
import { Refusal } from '../lib/refusal.ts';
import type { Healing } from './healing.ts';

const params = Type.Object({ showId: Id });
const partParams = Type.Object({ showId: Id, startedAtMs: Type.Integer({ minimum: 0, maximum: 2e12 }) });
const tags = ['office: shows'];
/** Parts on their way in at a time, each up to 4 MB in memory. */
const RECEIVING_MAX = 8;
const BUSY_SECONDS = 5;

export async function healingRoutes(parent: App, { healing }: { healing: Healing }): Promise<void> {
  parent.get('/api/office/shows/:showId/recording/holes', {
    schema: {
      operationId: 'getRecordingHoles', summary: 'What is missing in a replay that the host’s device may have kept',
      tags, params, response: { 200: RecordingHoles, ...refusals },
    },
  }, (request) => healing.holes(personOf(request), request.params.showId));

  parent.post('/api/office/shows/:showId/recording/heal', {
    schema: {
      operationId: 'healRecording', summary: 'Puts the parts that were sent into the replay; a repeat changes nothing',
      tags, params, response: { 204: Type.Null(), ...refusals },
    },
  }, async (request, reply) => {
    await healing.heal(personOf(request), request.params.showId);
    return reply.code(204).send(null);
  });

  let receiving = 0;
  await parent.register(async (app) => {
    const asBytes = { parseAs: 'buffer', bodyLimit: healingLimits.partBytes } as const;
    app.addContentTypeParser('application/octet-stream', asBytes, (_request, body, done) => done(null, body));
    app.put('/api/office/shows/:showId/recording/parts/:startedAtMs', {
      bodyLimit: healingLimits.partBytes,
      schema: {
        operationId: 'putRecordingPart',
        summary: 'A part of what the host’s device kept, by the time of its first picture; a repeat changes nothing',
        tags, params: partParams, consumes: ['application/octet-stream'], body: Type.Unknown(),
        response: { 204: Type.Null(), ...refusals },
      },
      // Before the body is read: nobody's line is held when there is no room for it here.
      async onRequest(request, reply) {
        personOf(request);
        if (receiving >= RECEIVING_MAX) throw new Refusal('server.busy', { retryAfterSeconds: BUSY_SECONDS });
        receiving += 1;
        reply.raw.once('close', () => (receiving -= 1));
      },
    }, async (request, reply) => {
      const { showId, startedAtMs } = request.params as Static<typeof partParams>;
      const part = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      await healing.take(personOf(request), showId, startedAtMs, part);
      return reply.code(204).send(null);
    });
  });
}
