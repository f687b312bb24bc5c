/**
 * The pages: SvelteKit's handler behind everything that is not the API's.
 *
 * While it renders, SvelteKit reads the API through `nacreFetch` on the raw request: the same routes, checks and
 * errors as from outside, without a socket in between.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Refusal } from '../lib/refusal.ts';
import type { App } from './app.ts';

export type PageHandler = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

declare module 'node:http' {
  interface IncomingMessage {
    /** Answers a request to `/api/…` in the name of whoever asked for the page. */
    nacreFetch?: (request: Request) => Promise<Response>;
  }
}

const API_PATHS = /^\/(api|blobs|whip|live|realtime|healthz|readyz|metrics)(\/|$|\?)/;
const NO_BODY = new Set([101, 204, 205, 304]);

export async function pageRoutes(parent: App, deps: { handler: PageHandler }): Promise<void> {
  await parent.register(async (app) => {
    // SvelteKit reads bodies itself.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, done) => done(null));
    app.all('/*', { schema: { hide: true }, config: { rateLimit: false } }, async (request, reply) => {
      if (API_PATHS.test(request.url)) throw new Refusal('request.not_found');
      const { cookie, host } = request.headers;
      const guestCookie = String(reply.getHeader('set-cookie') ?? '').split(';')[0];
      request.raw.nacreFetch = async (inner) => {
        const url = new URL(inner.url);
        const answer = await parent.inject({
          method: inner.method as 'GET',
          url: url.pathname + url.search,
          headers: {
            host: host ?? 'localhost',
            ...(cookie ?? guestCookie ? { cookie: cookie ?? guestCookie } : {}),
            accept: 'application/json',
          },
          remoteAddress: request.ip,
        });
        return new Response(NO_BODY.has(answer.statusCode) ? null : new Uint8Array(answer.rawPayload), {
          status: answer.statusCode,
          headers: { 'content-type': String(answer.headers['content-type'] ?? 'application/json') },
        });
      };
      for (const [name, value] of Object.entries(reply.getHeaders())) {
        if (value !== undefined) reply.raw.setHeader(name, value);
      }
      reply.hijack();
      deps.handler(request.raw, reply.raw, () => {
        reply.raw.statusCode = 404;
        reply.raw.end();
      });
    });
  });
}
