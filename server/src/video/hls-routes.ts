/**
 * Low-Latency HLS over HTTP: `/live/<showId>/index.m3u8` (multivariant), `media.m3u8` and the files that it names; with
 * `?audio=aac` the same with AAC sound, below `aac/`. For browsers without Media Source Extensions or without Opus,
 * networks without WebSockets, and whatever else plays HLS.
 *
 * Cache headers are those of draft-pantos-hls-rfc8216bis-20 §6.2.5.2 and appendix B, so that any HTTP cache in front
 * carries a public show. What is private is never stored.
 */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { targetDurationSeconds } from '@nacre/media/hls/packager';
import type { AacRenditions } from '@nacre/media/aac/renditions';
import type { Hls, HlsAnswer, PlaylistQuery } from '@nacre/media/hls/hls';
import { createSharedAccess } from '../http/shared-access.ts';
import type { MayWatch } from './live-socket.ts';
import { sendProblem } from './problem.ts';

const playlistType = 'application/vnd.apple.mpegurl';
const mediaType = 'video/mp4';
/** A waiting playlist's answer is for good: its address names what it waited for. */
const keepWaited = 6 * targetDurationSeconds;
const keepPlain = Math.floor(targetDurationSeconds / 2);
const keepMissing = targetDurationSeconds;
/** Names are never used again. */
const keepFile = 3_600;
export interface HlsRoutes {
  routes: FastifyPluginAsync;
  /** Who may watch this show has changed. */
  forget(showId: string): void;
}

export function createHlsRoutes(deps: {
  hls: Hls;
  /** The same with AAC sound, made while somebody asks. */
  aac: AacRenditions;
  mayWatch: MayWatch;
  /** Whether everybody may watch it, now. */
  isPublic: (showId: string) => Promise<boolean>;
  /** Whether somebody is kept out, so that each has to be asked about. */
  hasBans: (showId: string) => Promise<boolean>;
}): HlsRoutes {
  const { hls, aac } = deps;
  const access = createSharedAccess({
    mayFetch: async (showId, request) => (await deps.mayWatch(showId, request)) !== null,
    isPublic: deps.isPublic,
    hasBans: deps.hasBans,
  });

  async function answer<T extends string | Buffer>(
    request: FastifyRequest<{ Params: { showId: string } }>,
    reply: FastifyReply,
    type: string,
    keep: (waited: boolean) => number,
    read: (showId: string) => Promise<HlsAnswer<T>>,
  ): Promise<FastifyReply> {
    const { showId } = request.params;
    const refuse = () => sendProblem(reply.header('cache-control', 'no-store'), 'shows.not_found');
    const before = await access.of(showId, request.raw);
    if (before === null) return refuse();
    const found = await read(showId);
    // It may have been made private while this request waited; one that is over still says so to who waited.
    const to = found.kind === 'ok' && found.isLast ? before : await access.of(showId, request.raw);
    if (to === null) return refuse();
    const cache = (seconds: number): FastifyReply =>
      reply.header('cache-control', to === 'public' ? `public, max-age=${seconds}` : 'private, no-store');
    if (to === 'public') reply.header('access-control-allow-origin', '*');
    switch (found.kind) {
      case 'ok':
        return cache(keep(found.waited)).type(type).send(found.body);
      case 'not-found':
        return sendProblem(cache(keepMissing), 'video.no_picture');
      case 'bad-request':
        return sendProblem(cache(keepMissing), 'request.invalid', 'These delivery directives ask too far ahead.');
      case 'unavailable':
        return sendProblem(reply.header('cache-control', 'no-store').header('retry-after', '1'), 'video.down');
    }
  }

  return {
    forget: access.forget,
    routes: async (app) => {
      // Many viewers may share one address, and each asks all the time: what bounds them are the waits of `hls`.
      const options = { schema: { hide: true }, config: { rateLimit: false } } as const;
      app.get<{ Params: { showId: string } }>('/live/:showId/index.m3u8', options, (request, reply) => (
        answer(request, reply, playlistType, () => keepPlain, (showId) => (
          wantsAac(request.query as Record<string, unknown>) ? aac.multivariant(showId) : hls.multivariant(showId)
        ))
      ));
      app.get<{ Params: { showId: string } }>('/live/:showId/aac/media.m3u8', options, (request, reply) => {
        const query = readDirectives(request.query as Record<string, unknown>);
        return answer(request, reply, playlistType, (waited) => (waited ? keepWaited : keepPlain), async (showId) => (
          query === null ? { kind: 'bad-request' } : aac.playlist(showId, query)
        ));
      });
      app.get<{ Params: { showId: string; name: string } }>('/live/:showId/aac/:name', options, (request, reply) => (
        answer(request, reply, mediaType, () => keepFile, (showId) => aac.file(showId, request.params.name))
      ));
      app.get<{ Params: { showId: string } }>('/live/:showId/media.m3u8', options, (request, reply) => {
        const query = readDirectives(request.query as Record<string, unknown>);
        return answer(request, reply, playlistType, (waited) => (waited ? keepWaited : keepPlain), async (showId) => (
          query === null ? { kind: 'bad-request' } : hls.playlist(showId, query)
        ));
      });
      app.get<{ Params: { showId: string; name: string } }>('/live/:showId/:name', options, (request, reply) => (
        answer(request, reply, mediaType, () => keepFile, (showId) => hls.file(showId, request.params.name))
      ));
    },
  };
}

/** By a player that knows that it cannot play Opus. */
function wantsAac({ audio }: Record<string, unknown>): boolean {
  return audio === 'aac';
}

/** The delivery directives (§6.2.5); null when they are none. */
function readDirectives(query: Record<string, unknown>): PlaylistQuery | null {
  const sequence = readNumber(query['_HLS_msn']);
  const part = readNumber(query['_HLS_part']);
  if (sequence === undefined || part === undefined || (part !== null && sequence === null)) return null;
  const skip = query['_HLS_skip'];
  return { sequence, part, skip: skip === 'YES' || skip === 'v2' };
}

/** Null when it is not there, undefined when it is no number. */
function readNumber(value: unknown): number | null | undefined {
  if (value === undefined) return null;
  return typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : undefined;
}
