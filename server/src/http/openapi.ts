/** OpenAPI 3.1 of everything under /api, generated from the routes' own schemas. */
import swagger from '@fastify/swagger';
import type { App } from './app.ts';
import { nameComponents } from './openapi-components.ts';

export async function describeApi(app: App): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Nacre',
        version: '1',
        description:
          'Everything the web does goes through this API. Errors are RFC 9457 problem details with a stable `code`. ' +
          'Lists are paged by cursor. Sign in at /api/auth/sign-in/email; the session is a cookie.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, i) => String(json['$id'] ?? `def-${i}`) },
  });
  let document: object | null = null;
  app.get('/api/openapi.json', { schema: { hide: true } }, async () => {
    document ??= nameComponents(app.swagger());
    return document;
  });
}

/** Answers that every documented route may give besides its own. */
export const refusals = { '4xx': { $ref: 'Problem#' }, '5xx': { $ref: 'Problem#' } } as const;
