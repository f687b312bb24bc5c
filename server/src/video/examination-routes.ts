/** What a host's page asks before going live: the server's clock and disk, a connection tried, an upload measured. */
import { Id } from '@nacre/contract/common';
import { Examination, TrialAnswer, TrialOffer, TrialUpload, trialUploadBytesMax } from '@nacre/contract/examination';
import { Type } from 'typebox';
import { personOf } from '../http/actor.ts';
import type { App } from '../http/app.ts';
import { refusals } from '../http/openapi.ts';
import { Refusal } from '../lib/refusal.ts';
import { showBytesPerHour } from '../platform/disk-space.ts';
import type { IceServer } from './ice-servers.ts';

export interface ExaminationDeps {
  /** Throws a Refusal unless the person may run the show. */
  assertRuns(personId: string, showId: string): Promise<void>;
  tryConnection(offerSdp: string): Promise<string>;
  iceServers(showId: string): IceServer[];
  /** In bytes; null where the system cannot tell. */
  freeBytes(): Promise<number | null>;
  now(): Date;
}

const params = Type.Object({ showId: Id });
const tags = ['office: shows'];
/** Nobody plans a longer show; more would tell strangers how large the disk is. */
const maxDiskHours = 48;

export async function examinationRoutes(parent: App, deps: ExaminationDeps): Promise<void> {
  parent.get('/api/office/shows/:showId/examination', {
    schema: {
      operationId: 'examineShow', summary: 'What the server knows of whether a show could go live now', tags, params,
      response: { 200: Examination, ...refusals },
    },
  }, async (request, reply) => {
    const { showId } = request.params;
    await deps.assertRuns(personOf(request).personId, showId);
    const free = await deps.freeBytes();
    const hours = free === null ? null : Math.min(maxDiskHours, Math.floor((free / showBytesPerHour) * 10) / 10);
    reply.header('cache-control', 'no-store');
    return { now: deps.now().toISOString(), tookMs: reply.elapsedTime, diskHours: hours, iceServers: deps.iceServers(showId) };
  });

  parent.post('/api/office/shows/:showId/examination/connection', {
    schema: {
      operationId: 'tryConnection', summary: 'Answers an offer as for publishing, of which nobody sees anything', tags,
      params, body: TrialOffer, response: { 200: TrialAnswer, ...refusals },
    },
  }, async (request, reply) => {
    await deps.assertRuns(personOf(request).personId, request.params.showId);
    reply.header('cache-control', 'no-store');
    return { sdp: await deps.tryConnection(request.body.sdp) };
  });

  await parent.register(async (app) => {
    // Counted and let go: none of it is kept.
    app.addContentTypeParser('application/octet-stream', async (_request: unknown, payload: AsyncIterable<Buffer>) => {
      let bytes = 0;
      for await (const chunk of payload) {
        bytes += chunk.length;
        if (bytes > trialUploadBytesMax) throw new Refusal('request.too_large');
      }
      return bytes;
    });
    app.post('/api/office/shows/:showId/examination/upload', {
      bodyLimit: trialUploadBytesMax,
      schema: {
        operationId: 'tryUpload', summary: 'Counts the bytes of an upload, to measure how fast it went', tags, params,
        consumes: ['application/octet-stream'], body: Type.Integer({ format: 'binary' }),
        response: { 200: TrialUpload, ...refusals },
      },
      validatorCompiler: () => () => true,
    }, async (request) => {
      await deps.assertRuns(personOf(request).personId, (request.params as { showId: string }).showId);
      return { bytes: typeof request.body === 'number' ? request.body : 0 };
    });
  });
}
