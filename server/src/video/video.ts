/**
 * Live video's face in the server: publishers come in by WHIP, viewers watch by `/live/<showId>/socket`, and the rest
 * of the server hears when a show's picture comes and goes. Wires the media supervisor to the hub.
 */
import type { FastifyPluginAsync } from 'fastify';
import type { MediaEvent, MediaLog, MediaStats, MediaSupervisor, StreamDownReason } from '@nacre/media/hooks';
import { createAacRenditions } from '@nacre/media/aac/renditions';
import { createHlsLadder } from '@nacre/media/hls/ladder';
import type { Recorder } from '@nacre/media/recording/recorder';
import { createStreamHub } from '@nacre/media/stream/hub';
import type { StreamHubLimits, StreamHubStats } from '@nacre/media/stream/hub';
import { createPublisherRegistry } from '@nacre/media/publishing/registry';
import type { EncoderProblem } from '@nacre/media/rtmp/problems';
import { createRtmpPublishers } from '@nacre/media/rtmp/rtmp-publishers';
import { createSocketPublishers } from '@nacre/media/socket/socket-publishers';
import { publishLimits, publishPath } from '@nacre/contract/publish';
import { sendProblem } from '../http/error-reply.ts';
import type { FastPathHandler } from '../http/fast-path.ts';
import type { Upgrades } from '../http/upgrade.ts';
import { Refusal } from '../lib/refusal.ts';
import { delayRoutes } from './delay-routes.ts';
import { createDelays, type MeasuredDelay } from './delays.ts';
import { createConnectionTrials } from './connection-trials.ts';
import { createHlsRoutes } from './hls-routes.ts';
import { iceServersFor, type IceServer } from './ice-servers.ts';
import { createLiveSocket, type MayWatch } from './live-socket.ts';
import { liveWire } from './live-wire.ts';
import { createPictureReports } from './picture-reports.ts';
import { createPublishSocket } from './publish-socket.ts';
import { createPublishingSessions } from './publishing-sessions.ts';
import { createRtmpListener, rtmpSilenceMs } from './rtmp-listener.ts';
import { problemOfRefusal, whipRoutes } from './whip.ts';

export interface VideoDeps {
  /**
   * Starts the media process's supervisor; called once, at once. For example
   * `(onEvent) => createMediaSupervisor({ udpPort, log, onEvent })`.
   */
  startMedia: (onEvent: (event: MediaEvent) => void) => MediaSupervisor;
  /** The show that a stream key publishes; null when it opens none (unknown, rotated, show over). */
  authorizeStreamKey: (key: string) => Promise<{ showId: string } | null>;
  /**
   * The names by which the sender of this request (its cookies) is put out, when they may watch the show; else null.
   * Asked once per socket, at its opening.
   */
  mayWatch: MayWatch;
  /** Whether somebody is kept out of a show that everybody else may watch. Answered from memory. */
  hasBans: (showId: string) => Promise<boolean>;
  /** Whether everybody may watch the show, so that caches may keep its picture. */
  isPublic: (showId: string) => Promise<boolean>;
  /** The show has a picture. May be called again after `onPictureDown`; called again when it rejects. */
  onPictureUp: (showId: string) => void | Promise<void>;
  /** The picture is gone (not on a takeover). Called again when it rejects, unless with a Refusal. */
  onPictureDown: (showId: string, reason: StreamDownReason) => void | Promise<void>;
  /** Keeps what goes out. */
  recorder?: Pick<Recorder, 'onPart' | 'onSegment'>;
  /** How far behind viewers are, every few seconds while one of them measures it. */
  onDelay: (showId: string, delay: MeasuredDelay) => void;
  /** What is wrong with the stream of a show's encoder; null when one is on the air and nothing is. */
  onEncoderProblem: (showId: string, problem: EncoderProblem | null) => void;
  /** TURN servers for publishers (`ice-servers.ts`), and the secret shared with them; null or left out for none. */
  turn?: { urls: readonly string[]; secret: string } | null;
  log: MediaLog;
  /** Unix epoch, ms. */
  now: () => number;
  limits?: Partial<StreamHubLimits>;
}

export interface Video {
  /**
   * `/whip…`, and a plain GET on the viewers' socket. Register it as a plugin of its own (it has its own error
   * replies).
   */
  routes: FastifyPluginAsync;
  /** HLS of shows that everybody may watch, past the framework. */
  fastPath: FastPathHandler;
  /** What a publisher of the show may send through besides the straight way. */
  iceServers(showId: string): IceServer[];
  /** Answers an offer as for publishing, of which no show knows (`connection-trials.ts`). */
  tryConnection(offerSdp: string): Promise<string>;
  /** Registers the viewers' socket and the publishers'. */
  attach(upgrades: Upgrades): void;
  /** Takes encoders by RTMP; resolves to the port, rejects when it cannot be had. */
  listenRtmp(port: number, host: string): Promise<number>;
  /** Null while none are taken. */
  rtmpPort(): number | null;
  /** The show is over: its publisher is cut, its viewers are told and closed. A repeat does nothing. */
  endShow(showId: string): Promise<void>;
  /** The key was rotated: whoever publishes with the old one is cut; viewers stay. */
  dropPublisher(showId: string): Promise<void>;
  /** Who may watch has changed: viewers are closed with 1001, and who still may comes back. */
  dismissViewers(showId: string): void;
  /** These viewers, by name, are closed with 1001 at once; nobody else notices. */
  putOut(showId: string, names: readonly string[]): void;
  /** Open viewers' sockets of a show. */
  viewers(showId: string): number;
  /** For `/metrics`. `media` is null while the media process restarts. */
  stats(): Promise<{ hub: StreamHubStats; media: MediaStats | null; publishersHere: number }>;
  /** Resolves when publishers are taken; rejects with a clear sentence when the media process cannot start. */
  ready(): Promise<{ udpPort: number }>;
  /** For tests and the operator: the media process's id; null while it restarts. */
  mediaPid(): number | null;
  /** Closes viewers with 1001 and ends the media process. Idempotent. */
  stop(): Promise<void>;
}

export function createVideo(deps: VideoDeps): Video {
  const hub = createStreamHub({ wire: liveWire, now: deps.now, ...(deps.limits ? { limits: deps.limits } : {}) });
  const reports = createPictureReports({
    onUp: deps.onPictureUp,
    onDown: deps.onPictureDown,
    isFinal: (error) => error instanceof Refusal,
    log: deps.log,
  });
  const hls = createHlsLadder({ now: deps.now, ...(deps.recorder ? { recorder: deps.recorder } : {}) });
  const aac = createAacRenditions({ hls, now: deps.now, log: deps.log });
  const { mayWatch, isPublic, hasBans } = deps;
  const hlsRoutes = createHlsRoutes({ hls, aac, mayWatch, isPublic, hasBans });
  const sessions = createPublishingSessions({ onPictureUp: reports.up, onPictureDown: reports.down });
  const onMediaEvent = (event: MediaEvent): void => {
    hub.onMediaEvent(event);
    hls.onMediaEvent(event);
    aac.onMediaEvent(event);
    sessions.onMediaEvent(event);
  };
  const trials = createConnectionTrials(() => supervisor, (code) => problemOfRefusal[code]);
  const supervisor = deps.startMedia((event) => {
    if (trials.takes(event)) return;
    if (event.type === 'up') registry.replace(event.streamId);
    onMediaEvent(event);
  });
  const { authorizeStreamKey, now, log } = deps;
  const registry = createPublisherRegistry({
    onEvent: onMediaEvent, takeOver: (showId) => supervisor.replace(showId), log,
  });
  const publishSocket = createPublishSocket({
    publishers: createSocketPublishers({ registry, silenceMs: publishLimits.silenceMs }), authorizeStreamKey, now, log,
  });
  const rtmp = createRtmpListener({
    publishers: createRtmpPublishers({ registry, silenceMs: rtmpSilenceMs }),
    authorizeStreamKey, onProblem: deps.onEncoderProblem, now, log,
  });
  const delays = createDelays({ now: deps.now, tell: deps.onDelay });
  const socket = createLiveSocket({ hub, mayWatch, delays, now: deps.now });

  async function dropPublisher(showId: string): Promise<void> {
    registry.drop(showId);
    await Promise.all(sessions.of(showId).map((sessionId) => supervisor.remove(sessionId)));
  }

  const iceServers = (showId: string): IceServer[] => iceServersFor(deps.turn ?? null, showId, deps.now());

  let stopping: Promise<void> | null = null;
  return {
    iceServers,
    tryConnection: trials.open,
    fastPath: hlsRoutes.fastPath,
    routes: async (app) => {
      await app.register(whipRoutes({ supervisor, sessions, authorizeStreamKey, iceServers }));
      await app.register(socketHint(deps.mayWatch, deps.now));
      await app.register(hlsRoutes.routes);
      await app.register(delayRoutes({ delays, mayWatch }));
    },
    attach(upgrades) {
      upgrades.route('/live/:showId/socket', socket.upgrade);
      upgrades.route(publishPath, publishSocket.upgrade);
    },
    listenRtmp: rtmp.listen,
    rtmpPort: rtmp.port,
    async endShow(showId) {
      hub.end(showId);
      hls.end(showId);
      aac.end(showId);
      await dropPublisher(showId);
    },
    dropPublisher,
    dismissViewers(showId) {
      hub.dismiss(showId);
      hlsRoutes.forget(showId);
      hls.dismiss(showId);
      aac.dismiss(showId);
    },
    putOut(showId, names) {
      socket.putOut(showId, names);
      hlsRoutes.forget(showId);
    },
    viewers: hub.viewers,
    stats: async () => ({
      hub: hub.stats(), media: await supervisor.stats(),
      publishersHere: registry.count('socket') + registry.count('rtmp'),
    }),
    ready: () => supervisor.ready(),
    mediaPid: () => supervisor.pid(),
    stop() {
      stopping ??= (async () => {
        hub.stop();
        hls.stop();
        reports.stop();
        delays.stop();
        // Told to come back before its session ends, which would tell it that the show is over.
        const publishing = Promise.all([publishSocket.stop(), rtmp.stop()]);
        registry.stop();
        await Promise.all([publishing, socket.stop(), supervisor.stop(), aac.stop()]);
      })();
      return stopping;
    },
  };
}

/**
 * A browser does not tell its page why a socket was refused. A player that could not open one asks this address by
 * plain HTTP: 426 means that it may watch and should try again, 404 that there is nothing to watch.
 */
function socketHint(mayWatch: VideoDeps['mayWatch'], now: () => number): FastifyPluginAsync {
  return async (app) => {
    const schema = { hide: true };
    app.get<{ Params: { showId: string } }>('/live/:showId/socket', { schema }, async (request, reply) => {
      reply.header('cache-control', 'no-store');
      if ((await mayWatch(request.params.showId, request.raw)) === null) return sendProblem(reply, 'shows.not_found');
      // The clock that pictures are timed by: without a socket it is told here.
      const details = { now: now() };
      reply.header('upgrade', 'websocket').header('connection', 'upgrade');
      return sendProblem(reply, 'video.socket_only', undefined, details);
    });
  };
}
