/**
 * The HTTP application that every route is mounted on: limits, actor, headers, errors, OpenAPI.
 *
 * Invariants: no request without a bound on body, time and rate; a request that changes something and comes with a
 * cookie comes from our own pages; nothing secret is logged.
 */
import type { IncomingMessage } from 'node:http';
import cookie from '@fastify/cookie';
import rateLimit from '@fastify/rate-limit';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { Problem } from '@nacre/contract/common';
import Fastify, {
  LogController, type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest,
} from 'fastify';
import { Refusal } from '../lib/refusal.ts';
import type { Log } from '../platform/log.ts';
import { viewerOf, type PersonActor } from './actor.ts';
import { networkOf } from './client-network.ts';
import { replyWithError } from './error-reply.ts';
import type { Guests } from './guest.ts';
import { answerPlainHttp } from './one-port.ts';
import { describeApi } from './openapi.ts';
import { SAFE_HEADERS } from './safe-headers.ts';
import { EAGER, LAZY, refuseUnkeepableText } from './validation.ts';

export type App = FastifyInstance<
  import('node:http').Server,
  IncomingMessage,
  import('node:http').ServerResponse,
  Log,
  TypeBoxTypeProvider
>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The answer is the same for everybody and may be kept by caches: no cookie goes with it. */
    isShared?: boolean;
  }
}

/** Largest JSON body: a product with a hundred variants needs 30 KB. Uploads state a bound of their own. */
const BODY_BYTES_MAX = 256 * 1024;
/**
 * From the first byte to the last of a request. Shorter cuts off a 15 MB picture on a slow uplink (1 Mbit/s), longer
 * lets a client that sends nothing hold a socket.
 */
const REQUEST_TIMEOUT_MS = 150_000;
/** Two packets each way. Shorter cuts off phones on a bad network, longer lets silent connections be held. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Requests of one person, guest or address in a minute. A page in use makes 20–60. */
const REQUESTS_PER_MINUTE = 600;
/** Requests that change something, of one person or guest in a minute: chat, likes, buying, the office. */
export const WRITES_PER_MINUTE = 180;

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

export interface AppDeps {
  log: Log;
  guests: Guests;
  /** The person of the request's session, or null. Refuses a demo account from elsewhere. */
  findPerson(request: FastifyRequest): Promise<PersonActor | null>;
  /** Hosts or addresses of proxies whose X-Forwarded-* is believed; false for none. */
  trustProxy: boolean | string;
  /** PEM; null or left out: plain http. */
  tls?: { certificate: string; key: string } | null;
  /** Whether all schemas are compiled before the first request, which takes long: so that a test finds a wrong one. */
  compilesSchemas?: boolean;
  /** For tests, which do in a minute what people do in an hour. Default: `WRITES_PER_MINUTE`. */
  writesPerMinute?: number;
}

/** Whether the request comes from a page of the same host, or from no page at all (a programme). */
export function isSameOrigin(headers: IncomingMessage['headers'], host: string): boolean {
  if (headers['sec-fetch-site'] === 'cross-site') return false;
  if (headers.origin === undefined) return true;
  const origin = URL.parse(headers.origin);
  return origin !== null && origin.host === host;
}

/** Fastify itself, on https where there is a certificate; to everything else that is the same thing. */
function createBareApp(deps: AppDeps): App {
  const options = {
    loggerInstance: deps.log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    trustProxy: deps.trustProxy,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
    // Closing waits for answers that are on their way, not for idle keep-alive sockets.
    forceCloseConnections: 'idle',
    // An address that cannot be read meets no route and no error handler.
    frameworkErrors: (error: FastifyError, request: unknown, reply: FastifyReply) => (
      replyWithError(error, request as FastifyRequest, reply)
    ),
    schemaController: { compilersFactory: deps.compilesSchemas === true ? EAGER : LAZY },
  } as const;
  const { tls } = deps;
  if (tls === null || tls === undefined) return Fastify(options).withTypeProvider<TypeBoxTypeProvider>();
  const https = { cert: tls.certificate, key: tls.key, handshakeTimeout: HANDSHAKE_TIMEOUT_MS };
  const app = Fastify({ ...options, https }).withTypeProvider<TypeBoxTypeProvider>() as unknown as App;
  const port = answerPlainHttp(app.server);
  app.addHook('preClose', async () => port.stop());
  return app;
}

export async function createApp(deps: AppDeps): Promise<App> {
  const app = createBareApp(deps);
  app.setErrorHandler(replyWithError);
  app.setNotFoundHandler(() => {
    throw new Refusal('request.not_found');
  });
  app.addSchema(Problem);
  await app.register(cookie);
  // On the answer itself, where also those find them who write it past Fastify, as the pages do.
  app.addHook('onRequest', (_request, reply, done) => {
    for (const [name, value] of SAFE_HEADERS) reply.raw.setHeader(name, value);
    done();
  });

  app.decorateRequest('actor');
  app.addHook('onRequest', async (request, reply) => {
    const person = await deps.findPerson(request);
    const known = deps.guests.read(request.headers.cookie);
    if (person !== null) {
      request.actor = known === null ? person : { ...person, guestId: known };
      return;
    }
    if (known !== null) {
      request.actor = { kind: 'guest', guestId: known };
      return;
    }
    const guest = deps.guests.create(request.protocol === 'https');
    // Files, video, probes and what is shared are nobody's: a cookie would keep them out of every cache.
    const { rateLimit: limit, isShared } = request.routeOptions.config;
    if (limit !== false && isShared !== true) reply.header('Set-Cookie', guest.setCookie);
    request.actor = { kind: 'guest', guestId: guest.guestId, isNew: true };
  });
  app.addHook('onRequest', async (request) => {
    if (SAFE_METHODS.has(request.method) || request.headers.authorization !== undefined) return;
    if (!isSameOrigin(request.headers, request.host)) throw new Refusal('request.origin');
  });
  await app.register(rateLimit, {
    global: true,
    timeWindow: 60_000,
    max: ({ method }) => (
      SAFE_METHODS.has(method) ? REQUESTS_PER_MINUTE : deps.writesPerMinute ?? WRITES_PER_MINUTE
    ),
    // A guest without a cookie is a new guest each time: the address counts then.
    keyGenerator: ({ actor, ip, method }) => {
      const isNewGuest = actor.kind === 'guest' && actor.isNew === true;
      return `${SAFE_METHODS.has(method) ? 'r' : 'w'} ${isNewGuest ? networkOf(ip) : viewerOf(actor)}`;
    },
    errorResponseBuilder: (_request, context) =>
      new Refusal('request.too_many', { retryAfterSeconds: Math.ceil(context.ttl / 1000) }),
  });
  app.addHook('preValidation', refuseUnkeepableText);
  await describeApi(app);
  return app;
}
