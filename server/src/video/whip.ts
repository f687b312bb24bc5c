/**
 * WHIP (RFC 9725): `POST /whip` publishes, `/whip/<session>` is the publishing session (DELETE ends it, PATCH carries
 * trickle ICE, GET tells whether it is there). The stream key is the bearer token and decides which show is published;
 * it is never logged.
 *
 * Pages of other sites and foreign encoders may publish: who holds the key may. No cookie is looked at here.
 */
import type { FastifyError, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { RefusalCode } from '@nacre/contract/refusals';
import { PublishRefusal } from '@nacre/media/hooks';
import type { MediaSupervisor, PublishRefusalCode } from '@nacre/media/hooks';
import { replyWithError } from '../http/error-reply.ts';
import { iceServerLinks, type IceServer } from './ice-servers.ts';
import { sendProblem } from '../http/error-reply.ts';
import type { PublishingSessions } from './publishing-sessions.ts';

/** A browser's offer has 5–10 KB; with many codecs and candidates 30. Less refuses real ones, more is an open door. */
const offerBytes = 64 * 1024;

/** Longer is no key of ours; looking it up would only cost. */
const keyCharacters = 256;

/** A media process that has ended is back within this. Sooner meets the same refusal, later is picture lost. */
const retryAfterSeconds = 1;

const exposedHeaders = 'Location, ETag, Link, Accept-Patch, Accept-Post, Retry-After, WWW-Authenticate';
const sdpType = 'application/sdp';
const fragmentType = 'application/trickle-ice-sdpfrag';
const endpointMethods = 'GET, HEAD, OPTIONS, POST';
const sessionMethods = 'GET, HEAD, OPTIONS, PATCH, DELETE';

export interface WhipDeps {
  supervisor: Pick<MediaSupervisor, 'publish' | 'patch' | 'remove'>;
  sessions: PublishingSessions;
  /**
   * Null when the key opens no show (unknown, rotated, show over). Must take as long for a wrong key as for a right
   * one.
   */
  authorizeStreamKey: (key: string) => Promise<{ showId: string } | null>;
  /** What a publisher of this show may send through besides the straight way. */
  iceServers: (showId: string) => IceServer[];
}

export function whipRoutes(deps: WhipDeps): FastifyPluginAsync {
  return async (app) => {
    app.removeAllContentTypeParsers();
    const asText = { parseAs: 'string', bodyLimit: offerBytes } as const;
    app.addContentTypeParser([sdpType, fragmentType], asText, (_request, body, done) => done(null, body));
    app.setErrorHandler((error: FastifyError, request, reply) => answerError(error, request, reply));
    app.addHook('onRequest', async (_request, reply) => {
      reply.header('access-control-allow-origin', '*');
      reply.header('access-control-expose-headers', exposedHeaders);
      // Answers carry addresses and credentials of one connection.
      reply.header('cache-control', 'no-store');
    });

    const schema = { hide: true };
    const authorize = (request: FastifyRequest, reply: FastifyReply) => requireKey(deps, request, reply);
    app.post('/whip', { schema, onRequest: authorize }, (request, reply) => publish(deps, request, reply));
    // Nothing stands here to be read; whoever asks hears that the address is right (RFC 9725 §4.1).
    app.get('/whip', { schema }, (_request, reply) => reply.code(204).header('accept-post', sdpType).send());
    app.options('/whip', { schema }, async (request, reply) => {
      preflight(reply, endpointMethods).header('accept-post', sdpType);
      // §4.6: browsers need them before they offer. Preflights have no key, and a wrong one is told by the POST.
      const show = await showOfKey(deps, keyIn(request));
      if (show !== null) tellIceServers(deps, reply, show.showId);
      return reply.send();
    });
    app.route({
      method: ['PUT', 'PATCH', 'DELETE'],
      url: '/whip',
      schema,
      onRequest: async (_request, reply) => sendProblem(reply.header('allow', endpointMethods), 'request.method'),
      handler: unreachable,
    });

    app.get('/whip/:sessionId', { schema, onRequest: authorize }, (request, reply) => look(deps, request, reply));
    app.delete('/whip/:sessionId', { schema, onRequest: authorize }, (request, reply) => remove(deps, request, reply));
    app.patch('/whip/:sessionId', { schema, onRequest: authorize }, (request, reply) => patch(deps, request, reply));
    app.options('/whip/:sessionId', { schema }, (_request, reply) =>
      preflight(reply, sessionMethods).header('accept-patch', fragmentType).send(),
    );
    app.route({
      method: ['PUT', 'POST'],
      url: '/whip/:sessionId',
      schema,
      onRequest: async (_request, reply) => sendProblem(reply.header('allow', sessionMethods), 'request.method'),
      handler: unreachable,
    });
  };
}

function unreachable(): never {
  throw new Error('a method that was refused before');
}

function preflight(reply: FastifyReply, methods: string): FastifyReply {
  return reply
    .code(204)
    .header('allow', methods)
    .header('access-control-allow-methods', methods)
    .header('access-control-allow-headers', 'Authorization, Content-Type, If-Match')
    .header('access-control-max-age', '7200');
}

/** Answers 401 itself, before the body is read; otherwise leaves the show in `publishedShows`. */
async function requireKey(deps: WhipDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | void> {
  const key = keyIn(request);
  if (!key) return sendProblem(reply.header('www-authenticate', 'Bearer realm="nacre"'), 'video.key_missing');
  const show = await showOfKey(deps, key);
  if (show) {
    publishedShows.set(request, show.showId);
    return;
  }
  reply.header('www-authenticate', 'Bearer realm="nacre", error="invalid_token"');
  return sendProblem(reply, 'video.key_wrong');
}

function keyIn(request: FastifyRequest): string | null {
  return /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i.exec(request.headers.authorization ?? '')?.[1] ?? null;
}

async function showOfKey(deps: WhipDeps, key: string | null): Promise<{ showId: string } | null> {
  return key === null || key.length > keyCharacters ? null : deps.authorizeStreamKey(key);
}

function tellIceServers(deps: WhipDeps, reply: FastifyReply, showId: string): void {
  const links = iceServerLinks(deps.iceServers(showId));
  if (links !== null) reply.header('link', links);
}

/** The show that the request's key opens. */
const publishedShows = new WeakMap<FastifyRequest, string>();

function showOf(request: FastifyRequest): string {
  const showId = publishedShows.get(request);
  if (showId === undefined) throw new Error('a request without a checked key');
  return showId;
}

async function publish(deps: WhipDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  if (mediaType(request) !== sdpType || typeof request.body !== 'string') {
    return refuseType(reply, 'accept-post', sdpType);
  }
  const showId = showOf(request);
  let answer: { sessionId: string; answerSdp: string };
  try {
    answer = await deps.supervisor.publish({ streamId: showId, offerSdp: request.body });
  } catch (error) {
    if (!(error instanceof PublishRefusal)) throw error;
    const code = problemOfRefusal[error.code];
    if (code === 'video.down' || code === 'video.full') reply.header('retry-after', String(retryAfterSeconds));
    return sendProblem(reply, code, error.message);
  }
  deps.sessions.opened({ sessionId: answer.sessionId, showId, iceUfrag: iceUfragOf(request.body) });
  tellIceServers(deps, reply, showId);
  return reply
    .code(201)
    .header('location', `/whip/${answer.sessionId}`)
    .header('etag', etagOf(answer.sessionId))
    .header('accept-patch', fragmentType)
    .type(sdpType)
    .send(answer.answerSdp);
}

export const problemOfRefusal: Record<PublishRefusalCode, RefusalCode> = {
  // Cannot be read (400), unlike the others, which can and ask for what is not done here (422): RFC 9110 §15.5.21.
  offer_malformed: 'request.invalid',
  not_sending: 'video.offer_unusable',
  too_many_tracks: 'video.offer_unusable',
  not_bundled: 'video.offer_unusable',
  no_h264: 'video.codec',
  no_opus: 'video.codec',
  too_many_publishers: 'video.full',
  unavailable: 'video.down',
};

async function look(deps: WhipDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const sessionId = sessionIdOf(request);
  return deps.sessions.isOf(sessionId, showOf(request)) ? reply.code(204).send() : gone(deps, sessionId, reply);
}

async function remove(deps: WhipDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const sessionId = sessionIdOf(request);
  if (!deps.sessions.isOf(sessionId, showOf(request))) return gone(deps, sessionId, reply);
  await deps.supervisor.remove(sessionId);
  return reply.code(200).send();
}

async function patch(deps: WhipDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  if (mediaType(request) !== fragmentType || typeof request.body !== 'string') {
    return refuseType(reply, 'accept-patch', fragmentType);
  }
  const sessionId = sessionIdOf(request);
  if (!deps.sessions.isOf(sessionId, showOf(request))) return gone(deps, sessionId, reply);
  // RFC 9725 §4.3.1: whoever offers trickle ICE asks for the tag, so that nothing late reaches another ICE session.
  const wanted = request.headers['if-match']?.split(',').map((tag) => tag.trim());
  if (wanted === undefined) return sendProblem(reply, 'video.tag_missing');
  const ufrag = iceUfragOf(request.body);
  // §4.3.3: a restart comes with `*` (in the example there `"*"`) or new credentials; without restarts here, 422.
  const isRestart = wanted.some((tag) => tag === '*' || tag === '"*"');
  if (isRestart || (ufrag !== null && ufrag !== deps.sessions.iceUfrag(sessionId))) {
    return sendProblem(reply, 'video.ice_restart');
  }
  if (!wanted.includes(etagOf(sessionId))) return sendProblem(reply, 'video.stale_session');
  if (!/^a=(candidate|end-of-candidates|ice-)/m.test(request.body)) {
    return sendProblem(reply, 'request.invalid', 'This is not an SDP fragment with ICE candidates (RFC 8840).');
  }
  if (!(await deps.supervisor.patch(sessionId, request.body))) return gone(deps, sessionId, reply);
  // Without the tag: only a restart makes a new one (§4.3.2).
  return reply.code(204).send();
}

/** A publisher that was taken over learns that, so that two devices do not take the show from each other for ever. */
function gone(deps: WhipDeps, sessionId: string, reply: FastifyReply): FastifyReply {
  const replaced = deps.sessions.endedBecause(sessionId) === 'replaced';
  return sendProblem(reply, replaced ? 'video.replaced' : 'video.session_not_found');
}

function refuseType(reply: FastifyReply, header: string, type: string): FastifyReply {
  return sendProblem(reply.header(header, type), 'request.media_type', `The body must be ${type}.`);
}

function sessionIdOf(request: FastifyRequest): string {
  return (request.params as { sessionId: string }).sessionId;
}

function mediaType(request: FastifyRequest): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

function iceUfragOf(sdp: string): string | null {
  return /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1] ?? null;
}

/** RFC 9725 §4.3.1: a strong tag for the ICE session, of which a publishing session here has exactly one. */
function etagOf(sessionId: string): string {
  return `"${sessionId}"`;
}

/** What is said here in this route's own words; everything else as everywhere. */
function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply | void {
  if (error.statusCode === 415) {
    const onSession = request.url.startsWith('/whip/');
    return refuseType(reply, onSession ? 'accept-patch' : 'accept-post', onSession ? fragmentType : sdpType);
  }
  if (error.statusCode === 413) {
    return sendProblem(reply, 'request.too_large', `The body may have ${offerBytes} bytes.`);
  }
  replyWithError(error, request, reply);
}
