/**
 * The files of replays, by HLS (RFC 8216): `/replay/<showId>/index.m3u8`, `media.m3u8` and what they name;
 * `aired.m3u8` and `aired-media.m3u8` as it went out; with `?audio=aac` the same with AAC sound, below `aac/`. For
 * those who may see the show and nobody else; what everybody may see any HTTP cache may keep.
 */
import { writeReplay, type ReplaySound } from '@nacre/media/recording/replay-playlist';
import { finished } from 'node:stream';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { SharedAccess } from '../http/shared-access.ts';
import { sendProblem } from '../http/error-reply.ts';
import { Refusal } from '../lib/refusal.ts';
import { findExcerpt } from './clips.ts';
import type { ReplayAac } from './replay-aac.ts';
import type { PlaylistName, Shelf } from './shelf.ts';

const playlistType = 'application/vnd.apple.mpegurl';
const mediaType = 'video/mp4';
/** Of a show that is over. What was taken away may be seen from caches for so long. */
const keepOver = 300;
/** It grows every two seconds. */
const keepRunning = 1;
/** Names are never used again. */
const keepFile = 86_400;
const keepMissing = 2;
/** Segments with AAC that are on their way to somebody: each lies in memory, 0.5 MB and more, until it is there. */
const sentAtOnceMost = 200;
const busySeconds = 2;
/** From one place to another, in ms. */
const fileName = /^(?:(\d{1,15})\.m4s|([a-z0-9-]{1,60})\.mp4)$/;
const partName = /^(\d{1,9})-(\d{1,9})\.m3u8$/;

type ShowRequest = FastifyRequest<{ Params: { showId: string }; Querystring: { audio?: unknown } }>;
type FileRequest = FastifyRequest<{ Params: { showId: string; name: string } }>;

export function replayRoutes(
  { shelf, aac, access }: { shelf: Shelf; aac: Pick<ReplayAac, 'segment' | 'map'>; access: SharedAccess },
): FastifyPluginAsync {
  let beingSent = 0;

  /** Null when it was refused. */
  async function open(request: ShowRequest | FileRequest, reply: FastifyReply): Promise<'public' | 'private' | null> {
    const to = await access.of(request.params.showId, request.raw);
    if (to === 'public') reply.header('access-control-allow-origin', '*');
    if (to === null) sendProblem(reply.header('cache-control', 'no-store'), 'shows.not_found');
    return to;
  }
  const keep = (reply: FastifyReply, to: 'public' | 'private', seconds: number): FastifyReply => (
    reply.header('cache-control', to === 'public' ? `public, max-age=${seconds}` : 'private, no-store')
  );

  async function sendPlaylist(request: ShowRequest, reply: FastifyReply, name: PlaylistName, sound: ReplaySound) {
    const to = await open(request, reply);
    if (to === null) return reply;
    const playlist = await shelf.playlist(request.params.showId, name, sound);
    if (playlist === null) return sendProblem(keep(reply, to, keepMissing), 'video.no_picture');
    keep(reply, to, playlist.isOver ? keepOver : keepRunning).type(playlistType).header('vary', 'accept-encoding');
    if (!/\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) return reply.send(playlist.text);
    return reply.header('content-encoding', 'gzip').send(playlist.gzipped);
  }

  /** A part of a replay that is over, short enough to be a clip. */
  async function sendPart(request: FileRequest, reply: FastifyReply, to: 'public' | 'private', part: RegExpExecArray) {
    const found = await findExcerpt(shelf, request.params.showId, Number(part[1]), Number(part[2]));
    if (found === null) return sendProblem(keep(reply, to, keepMissing), 'video.no_picture');
    const { index: { maps }, excerpt: { segments } } = found;
    return keep(reply, to, keepOver).type(playlistType).send(writeReplay({ maps, segments }, { isOver: true }));
  }

  async function sendWithAac(request: FileRequest, reply: FastifyReply) {
    const to = await open(request, reply);
    if (to === null) return reply;
    const { showId, name } = request.params;
    const part = partName.exec(name);
    if (part !== null) return sendPart(request, reply, to, part);
    const [, sequence, map] = fileName.exec(name) ?? [];
    // Until it is known how long this may be kept.
    reply.header('cache-control', 'no-store');
    if (beingSent >= sentAtOnceMost) throw new Refusal('server.busy', { retryAfterSeconds: busySeconds });
    beingSent += 1;
    finished(reply.raw, () => (beingSent -= 1));
    const file = map !== undefined ? await aac.map(showId, map)
      : sequence !== undefined ? await aac.segment(showId, Number(sequence)) : null;
    if (file === null) return sendProblem(keep(reply, to, keepMissing), 'video.no_picture');
    return keep(reply, to, keepFile).type(mediaType).send(file);
  }

  return async (app) => {
    // A viewer who leafs through asks often, and many may share one address.
    const options = { schema: { hide: true }, config: { rateLimit: false } } as const;
    type Show = { Params: { showId: string }; Querystring: { audio?: unknown } };
    type File = { Params: { showId: string; name: string } };
    for (const name of ['index', 'aired'] as const) {
      app.get<Show>(`/replay/:showId/${name}.m3u8`, options, (request, reply) => (
        // By a player that knows that it cannot play Opus.
        sendPlaylist(request, reply, name, request.query.audio === 'aac' ? 'aac' : 'as-recorded')
      ));
    }
    for (const name of ['media', 'aired-media'] as const) {
      app.get<Show>(`/replay/:showId/${name}.m3u8`, options, (request, reply) => (
        sendPlaylist(request, reply, name, 'as-recorded')
      ));
      app.get<Show>(`/replay/:showId/aac/${name}.m3u8`, options, (request, reply) => (
        sendPlaylist(request, reply, name, 'aac')
      ));
    }
    app.get<File>('/replay/:showId/aac/:name', options, sendWithAac);
    app.get<File>('/replay/:showId/:name', options, async (request, reply) => {
      const to = await open(request, reply);
      if (to === null) return reply;
      const part = partName.exec(request.params.name);
      if (part !== null) return sendPart(request, reply, to, part);
      const file = await shelf.file(request.params.showId, request.params.name);
      if (file === null) return sendProblem(keep(reply, to, keepMissing), 'video.no_picture');
      return keep(reply, to, keepFile).type(mediaType).header('content-length', file.size).send(file.stream);
    });
  };
}
