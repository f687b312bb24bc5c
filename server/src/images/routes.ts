/** Uploading pictures, and serving blobs. */
import multipart from '@fastify/multipart';
import { Image } from '@nacre/contract/common';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { personOf } from '../http/actor.ts';
import type { App } from '../http/app.ts';
import { refusals } from '../http/openapi.ts';
import { Refusal } from '../lib/refusal.ts';
import type { Blobs } from '../platform/blobs.ts';
import { UPLOAD_BYTES_MAX, type Images } from './images.ts';

export interface ImagesRoutesDeps {
  images: Images;
  blobs: Blobs;
}

/** A form with one file; a few other fields are ignored, more are an attack. */
const FORM_LIMITS = { fileSize: UPLOAD_BYTES_MAX, files: 1, fields: 5, fieldSize: 1_000, parts: 6, headerPairs: 20 };
/** Uploads on their way in at a time, each up to 15 MB in memory. Fewer turns people away, more can fill the memory. */
const RECEIVING_MAX = 24;
/** What blobs hold; a kind that is not here is not served. */
const BLOB_TYPES: Record<string, string> = { webp: 'image/webp' };

export async function imagesRoutes(parent: App, { images, blobs }: ImagesRoutesDeps): Promise<void> {
  let receiving = 0;
  await parent.register(async (app) => {
    await app.register(multipart, { limits: FORM_LIMITS });
    app.post('/api/images', {
      schema: {
        operationId: 'uploadImage',
        summary: 'Upload a picture: JPEG, PNG, WebP, AVIF or GIF, at most 15 MB and 50 megapixels',
        tags: ['images'],
        consumes: ['multipart/form-data'],
        body: Type.Object({ file: Type.String({ format: 'binary' }) }),
        response: { 201: Image, ...refusals },
      },
      // The form is read as a stream; its schema above is for the description.
      validatorCompiler: () => () => true,
    }, async (request, reply) => {
      const { personId } = personOf(request);
      if (receiving >= RECEIVING_MAX) throw new Refusal('server.busy', { retryAfterSeconds: 5 });
      receiving += 1;
      try {
        const image = await images.upload(personId, await readFile(request));
        return await reply.code(201).send(image);
      } finally {
        receiving -= 1;
      }
    });
  });

  parent.get('/blobs/*', { schema: { hide: true }, config: { rateLimit: false } }, async (request, reply) => {
    const key = (request.params as { '*': string })['*'];
    const type = BLOB_TYPES[key.split('.').at(-1) ?? ''];
    const blob = type === undefined ? null : await blobs.read(key);
    if (blob === null) throw new Refusal('request.not_found');
    // Caches between us and the viewers keep it: it must not carry one guest's cookie to all.
    reply.removeHeader('set-cookie');
    return reply
      .header('Cache-Control', 'public, max-age=31536000, immutable')
      .header('Content-Length', blob.size)
      .type(type ?? '')
      .send(blob.stream);
  });
}

/** @throws Refusal `request.media_type`, `request.invalid`, `images.too_large` */
async function readFile(request: FastifyRequest): Promise<Buffer> {
  if (!request.isMultipart()) throw new Refusal('request.media_type');
  try {
    const part = await request.file();
    const bytes = await part?.toBuffer();
    if (part?.fieldname === 'file' && bytes !== undefined) return bytes;
  } catch (error) {
    const { statusCode } = error as { statusCode?: number };
    if (statusCode === 413) throw new Refusal('images.too_large');
    // A form that ends in the middle, or is none.
    throw new Refusal('request.invalid', { details: { field: 'file', reason: 'the form cannot be read' } });
  }
  throw new Refusal('request.invalid', { details: { field: 'file', reason: 'missing' } });
}
