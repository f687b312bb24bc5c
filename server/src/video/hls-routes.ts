/**
 * Low-Latency HLS over HTTP: `/live/<showId>/index.m3u8` (multivariant), `media.m3u8` and the files that it names;
 * below `small/` the small picture, below `sound/` the sound alone; with `?audio=aac` whole and sound with AAC, below
 * `aac/` and `aac/sound/`; with `?size=small` the small picture in place of the whole, where there is one. For browsers
 * without Media Source Extensions or without Opus, networks without WebSockets, and whatever else plays HLS.
 *
 * Cache headers are those of draft-pantos-hls-rfc8216bis-20 §6.2.5.2 and appendix B, so that any HTTP cache in front
 * carries a public show. What is private is never stored.
 *
 * What everybody may see is also answered past Fastify (`http/fast-path.ts`), by the same functions.
 */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { targetDurationSeconds } from '@nacre/media/hls/packager';
import type { AacRenditions } from '@nacre/media/aac/renditions';
import type { HlsAnswer, PlaylistQuery, WrittenPlaylist } from '@nacre/media/hls/hls';
import type { HlsLadder, HlsReader } from '@nacre/media/hls/ladder';
import type { RefusalCode } from '@nacre/contract/refusals';
import { PROBLEM_TYPE, problemOf } from '../http/error-reply.ts';
import type { FastAnswer, FastPathHandler } from '../http/fast-path.ts';
import { createSharedAccess } from '../http/shared-access.ts';
import type { MayWatch } from './live-socket.ts';

const playlistType = 'application/vnd.apple.mpegurl';
const mediaType = 'video/mp4';
/** A waiting playlist's answer is for good: its address names what it waited for. */
const keepWaited = 6 * targetDurationSeconds;
const keepPlain = Math.floor(targetDurationSeconds / 2);
const keepMissing = targetDurationSeconds;
/** Names are never used again. */
const keepFile = 3_600;

const folders = '(?:small/|(?:aac/)?(?:sound/)?)';
const fastPathname = new RegExp(`^/live/([\\w-]{1,64})/(${folders}[\\w.-]+\\.(?:m3u8|m4s|mp4))$`);
const inFolder = new RegExp(`^(${folders})(.*)$`);

export interface HlsRoutes {
  routes: FastifyPluginAsync;
  /** The same for shows that everybody may watch. */
  fastPath: FastPathHandler;
  /** Who may watch this show has changed. */
  forget(showId: string): void;
}

/** What an address means. */
interface Wanted {
  type: typeof playlistType | typeof mediaType;
  keepSeconds(waited: boolean): number;
  read(): Promise<HlsAnswer<WrittenPlaylist | Buffer>>;
}

export function createHlsRoutes(deps: {
  hls: HlsLadder;
  /** The same with AAC sound, made while somebody asks. */
  aac: AacRenditions;
  mayWatch: MayWatch;
  /** Whether everybody may watch it, now. */
  isPublic: (showId: string) => Promise<boolean>;
  /** Whether somebody is kept out, so that each has to be asked about. */
  hasBans: (showId: string) => Promise<boolean>;
}): HlsRoutes {
  const access = createSharedAccess({
    mayFetch: async (showId, request) => (await deps.mayWatch(showId, request)) !== null,
    isPublic: deps.isPublic,
    hasBans: deps.hasBans,
  });

  function readerOf(folder: string): HlsReader {
    if (folder === 'small/') return deps.hls.small;
    const codec = folder.startsWith('aac/') ? deps.aac : deps.hls;
    return folder.endsWith('sound/') ? codec.sound : codec.whole;
  }

  function multivariantOf(showId: string, query: string): Promise<HlsAnswer<WrittenPlaylist>> {
    const asked = new URLSearchParams(query);
    // By a player that knows that it cannot play Opus.
    if (asked.get('audio') === 'aac') return deps.aac.multivariant(showId);
    return asked.get('size') === 'small' ? deps.hls.smaller(showId) : deps.hls.multivariant(showId);
  }

  /** @param name below `/live/<showId>/` @param query with its question mark, or empty */
  function wantedOf(showId: string, name: string, query: string): Wanted {
    const [, folder = '', file = ''] = inFolder.exec(name) ?? [];
    if (name === 'index.m3u8') {
      return { type: playlistType, keepSeconds: () => keepPlain, read: () => multivariantOf(showId, query) };
    }
    const reader = readerOf(folder);
    if (file !== 'media.m3u8') {
      return { type: mediaType, keepSeconds: () => keepFile, read: () => reader.file(showId, file) };
    }
    const directives = readDirectives(query);
    return {
      type: playlistType,
      keepSeconds: (waited) => (waited ? keepWaited : keepPlain),
      read: async () => (directives === null ? { kind: 'bad-request' } : reader.playlist(showId, directives)),
    };
  }

  async function reply(
    request: FastifyRequest<{ Params: { showId: string; '*': string } }>, response: FastifyReply,
  ): Promise<FastifyReply> {
    const { showId, '*': name } = request.params;
    const send = ({ status, headers, body }: FastAnswer) => response.code(status).headers(headers).send(body);
    const before = await access.of(showId, request.raw);
    if (before === null) return send(noShow());
    const wanted = wantedOf(showId, name, queryOf(request.url));
    const found = await wanted.read();
    // It may have been made private while this request waited; one that is over still says so to who waited.
    const to = found.kind === 'ok' && found.isLast ? before : await access.of(showId, request.raw);
    if (to === null) return send(noShow());
    return send(answerOf(wanted, found, to, takesGzip(request.headers['accept-encoding'])));
  }

  return {
    forget: access.forget,
    routes: async (app) => {
      // Many viewers may share one address, and each asks all the time: what bounds them are the waits of `hls`.
      app.get('/live/:showId/*', { schema: { hide: true }, config: { rateLimit: false } }, reply);
    },
    fastPath(path, query, acceptEncoding) {
      const [, showId, name] = fastPathname.exec(path) ?? [];
      if (showId === undefined || name === undefined) return null;
      return answerOpenly(showId, wantedOf(showId, name, query), takesGzip(acceptEncoding));
    },
  };

  async function answerOpenly(showId: string, wanted: Wanted, gzips: boolean): Promise<FastAnswer | null> {
    if (!(await access.isOpen(showId))) return null;
    const found = await wanted.read();
    const isStillSo = (found.kind === 'ok' && found.isLast) || (await access.isOpen(showId));
    return isStillSo ? answerOf(wanted, found, 'public', gzips) : null;
  }
}

function answerOf(
  wanted: Wanted, found: HlsAnswer<WrittenPlaylist | Buffer>, to: 'public' | 'private', gzips: boolean,
): FastAnswer {
  const keep = (seconds: number): Record<string, string> => (
    to === 'public'
      ? { 'cache-control': `public, max-age=${seconds}`, 'access-control-allow-origin': '*' }
      : { 'cache-control': 'private, no-store' }
  );
  switch (found.kind) {
    case 'ok': {
      const headers = { 'content-type': wanted.type, ...keep(wanted.keepSeconds(found.waited)) };
      if (Buffer.isBuffer(found.body)) return { status: 200, headers, body: found.body };
      const varying = { ...headers, vary: 'accept-encoding' };
      return gzips
        ? { status: 200, headers: { ...varying, 'content-encoding': 'gzip' }, body: found.body.gzip() }
        : { status: 200, headers: varying, body: found.body.bytes };
    }
    case 'not-found':
      return problem('video.no_picture', keep(keepMissing));
    case 'bad-request':
      return problem('request.invalid', keep(keepMissing), 'These delivery directives ask too far ahead.');
    case 'unavailable':
      return problem('video.down', { ...keep(0), 'cache-control': 'no-store', 'retry-after': '1' });
  }
}

const noShow = (): FastAnswer => problem('shows.not_found', { 'cache-control': 'no-store' });

/** @param detail a sentence for whoever wrote the player */
function problem(code: RefusalCode, headers: Record<string, string>, detail?: string): FastAnswer {
  const said = problemOf(code);
  return {
    status: said.status,
    headers: { 'content-type': PROBLEM_TYPE, ...headers },
    body: Buffer.from(JSON.stringify(detail === undefined ? said : { ...said, detail })),
  };
}

const queryOf = (url: string): string => (url.includes('?') ? url.slice(url.indexOf('?')) : '');

/** RFC 9110 §12.5.3; who refuses it says `q=0`. */
function takesGzip(acceptEncoding: string | string[] | undefined): boolean {
  const gzip = /\bgzip\b\s*(?:;\s*q=([\d.]+))?/i.exec(String(acceptEncoding ?? ''));
  return gzip !== null && Number(gzip[1] ?? 1) > 0;
}

/** The delivery directives (§6.2.5); null when they are none. */
function readDirectives(query: string): PlaylistQuery | null {
  const params = new URLSearchParams(query);
  const sequence = readNumber(params.getAll('_HLS_msn'));
  const part = readNumber(params.getAll('_HLS_part'));
  if (sequence === undefined || part === undefined || (part !== null && sequence === null)) return null;
  const skip = params.get('_HLS_skip');
  return { sequence, part, skip: skip === 'YES' || skip === 'v2' };
}

/** Null when it is not there, undefined when it is no number. */
function readNumber([value, ...more]: string[]): number | null | undefined {
  if (value === undefined) return null;
  return more.length === 0 && /^\d{1,12}$/.test(value) ? Number(value) : undefined;
}
