/**
 * The pages: SvelteKit's handler behind everything that is not the API's.
 *
 * While it renders, SvelteKit reads the API through `nacreFetch` on the raw request: the same routes, checks and
 * errors as from outside, without a socket in between.
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isProxyHeader } from '../lib/proxy-header.ts';
import { Refusal } from '../lib/refusal.ts';
import type { App } from './app.ts';
import { PROTOCOL_HEADER } from './kit-handler.ts';
import { originOf } from './origin.ts';

export type PageHandler = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

declare module 'node:http' {
  interface IncomingMessage {
    /** Answers a request to `/api/…` in the name of whoever asked for the page. */
    nacreFetch?: (request: Request) => Promise<Response>;
    /** `https://host` under which people reach this server, for addresses that leave it. */
    nacreOrigin?: string;
  }
}

const API_PATHS = /^\/(api|blobs|whip|live|realtime|healthz|readyz|metrics)(\/|$|\?)/;
const NO_BODY = new Set([101, 204, 205, 304]);

/** What tells who asks and from where; the rest of a page request says nothing to the API. */
const PASSED_ON = new Set(['host', 'user-agent']);
/** Files that a page consists of: dozens at once, and they cost only a read. Pages themselves ask the database. */
const PAGE_FILES = '/_app/*';

function headersForApi(headers: IncomingHttpHeaders, setCookie: unknown): Record<string, string> {
  const passed: Record<string, string> = { accept: 'application/json' };
  for (const [name, value] of Object.entries(headers)) {
    if ((PASSED_ON.has(name) || isProxyHeader(name)) && value !== undefined) passed[name] = String(value);
  }
  // A guest who has just been made is the same guest inside.
  const newGuest = setCookie === undefined ? undefined : String(setCookie).split(';')[0];
  const cookie = [headers.cookie, newGuest].filter(Boolean).join('; ');
  return cookie === '' ? passed : { ...passed, cookie };
}

export async function pageRoutes(parent: App, deps: { handler: PageHandler; publicUrl: string | null }): Promise<void> {
  await parent.register(async (app) => {
    // SvelteKit reads bodies itself.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, done) => done(null));
    const answer = async (request: FastifyRequest, reply: FastifyReply) => {
      if (API_PATHS.test(request.url)) throw new Refusal('request.not_found');
      const headers = headersForApi(request.headers, reply.getHeader('set-cookie'));
      // Only proxies speak it, and inside it would look like any other version.
      if (request.raw.httpVersion === '1.0') headers['via'] = '1.0 unknown';
      request.raw.headers[PROTOCOL_HEADER] = request.protocol;
      request.raw.nacreOrigin = originOf(request, deps.publicUrl);
      request.raw.nacreFetch = async (inner) => {
        const url = new URL(inner.url);
        const inside = await parent.inject({
          method: inner.method as 'GET',
          url: url.pathname + url.search,
          headers,
          ...(request.raw.socket.remoteAddress && { remoteAddress: request.raw.socket.remoteAddress }),
        });
        return new Response(NO_BODY.has(inside.statusCode) ? null : new Uint8Array(inside.rawPayload), {
          status: inside.statusCode,
          headers: { 'content-type': String(inside.headers['content-type'] ?? 'application/json') },
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
    };
    app.all('/*', { schema: { hide: true } }, answer);
    app.all(PAGE_FILES, { schema: { hide: true }, config: { rateLimit: false } }, answer);
  });
}
