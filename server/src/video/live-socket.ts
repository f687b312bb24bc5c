/**
 * `/live/:showId/socket`: a viewer's line into the hub. Protocol: `contract/src/live.ts`.
 *
 * Invariants: nobody who may not watch gets a byte of the stream, and no viewer's silence, flood or slowness costs more
 * than its own socket.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import {
  isLiveRendition,
  liveClose,
  liveLimits,
  liveProtocolVersion,
  liveSubprotocol,
  parseLiveViewerMessage,
} from '@nacre/contract/live';
import type { LiveRendition } from '@nacre/contract/live';
import type { StreamHub, Viewer, ViewerCloseReason, ViewerSink } from '@nacre/media/stream/hub';
import { refuseUpgrade } from '../http/upgrade.ts';
import type { UpgradeHandler } from '../http/upgrade.ts';
import type { Delays } from './delays.ts';
import { liveText } from './live-wire.ts';
import { closeSoon, createSocketServer, endSockets, refusesProtocol } from './socket-server.ts';

/**
 * How often each viewer's line is probed; one that has not answered by the next probe is cut. Shorter cuts phones that
 * change networks, longer counts viewers that have long gone.
 */
const probeEveryMs = 30_000;

const closeCodes: Record<ViewerCloseReason, number> = {
  ended: liveClose.ended,
  'going-away': liveClose.goingAway,
  'too-slow': liveClose.tooSlow,
};

/** Names by which the sender can be put out again; null when they may not watch. */
export type MayWatch = (showId: string, request: IncomingMessage) => Promise<readonly string[] | null>;

export interface LiveSocket {
  upgrade: UpgradeHandler;
  /** Closes these viewers' sockets of the show, also those just opening. */
  putOut(showId: string, names: readonly string[]): void;
  /** Cuts viewers that do not follow a close within moments. Call it after the hub's `stop`. */
  stop(): Promise<void>;
}

export function createLiveSocket(deps: {
  hub: StreamHub;
  mayWatch: MayWatch;
  delays: Pick<Delays, 'note' | 'forget'>;
  /** Unix epoch, ms. */
  now: () => number;
}): LiveSocket {
  const server = createSocketServer(liveSubprotocol, liveLimits.viewerMessageBytes);
  const silent = new WeakSet<WebSocket>();
  /** By show and name. */
  const sockets = new Map<string, Set<WebSocket>>();
  /** Grows when somebody is put out: who was let in before and opens after is asked about again. */
  let puttingsOut = 0;

  function remember(showId: string, names: readonly string[], webSocket: WebSocket): void {
    for (const name of names) {
      const key = `${showId} ${name}`;
      const own = sockets.get(key) ?? new Set();
      sockets.set(key, own.add(webSocket));
      webSocket.once('close', () => {
        own.delete(webSocket);
        if (own.size === 0 && sockets.get(key) === own) sockets.delete(key);
      });
    }
  }

  const probe = setInterval(() => {
    for (const socket of server.clients) {
      if (silent.has(socket)) socket.terminate();
      silent.add(socket);
      socket.ping();
    }
  }, probeEveryMs);
  probe.unref();

  const upgrade: UpgradeHandler = async (request, socket, head, params) => {
    const showId = params.showId ?? '';
    if (refusesProtocol(request, socket, liveSubprotocol)) return;
    const rendition = renditionOf(request.url ?? '');
    if (rendition === null) return refuseUpgrade(socket, 'request.invalid', { detail: 'There is no such rendition.' });
    let asOf: number;
    let names: readonly string[] | null;
    do {
      asOf = puttingsOut;
      names = await deps.mayWatch(showId, request);
    } while (asOf !== puttingsOut);
    if (names === null) return refuseUpgrade(socket, 'shows.not_found');
    const known = names;
    if (!deps.hub.hasRoom(showId)) return refuseUpgrade(socket, 'video.viewers_full', { retryAfterSeconds: 5 });
    if (socket.destroyed) return;
    server.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('pong', () => silent.delete(webSocket));
      remember(showId, known, webSocket);
      serve(deps, { showId, rendition }, webSocket, socket);
    });
  };

  return {
    upgrade,
    putOut(showId, names) {
      puttingsOut += 1;
      for (const name of names) {
        for (const webSocket of sockets.get(`${showId} ${name}`) ?? []) closeSoon(webSocket, liveClose.goingAway);
      }
    },
    async stop() {
      clearInterval(probe);
      await endSockets(server);
    },
  };
}

function serve(
  deps: Pick<Parameters<typeof createLiveSocket>[0], 'hub' | 'delays' | 'now'>,
  { showId, rendition }: { showId: string; rendition: LiveRendition }, socket: WebSocket, line: Duplex,
): void {
  socket.on('error', () => socket.terminate());
  const sink = sinkOf(socket, line);
  sink.write(liveText({ type: 'hello', version: liveProtocolVersion, now: deps.now() }));
  const viewer = deps.hub.join(showId, sink, rendition);
  if (viewer === null) socket.close(1013);
  socket.on('close', () => {
    viewer?.leave();
    deps.delays.forget(showId, socket);
  });
  const onDelay = (delayMs: number) => deps.delays.note(showId, socket, delayMs);
  const flood = createFloodGuard(deps.now);
  const onMessage = (data: RawData, isBinary: boolean): void => {
    if (!isBinary && flood.admits() && answer({ ...deps, onDelay }, viewer, sink, data)) return;
    socket.off('message', onMessage);
    viewer?.leave();
    closeSoon(socket, liveClose.policy);
  };
  socket.on('message', onMessage);
}

/** What the address asks for: the whole when it says nothing, null when there is no such thing. */
function renditionOf(url: string): LiveRendition | null {
  const asked = new URLSearchParams(url.split('?')[1] ?? '').get('rendition') ?? 'whole';
  return isLiveRendition(asked) ? asked : null;
}

/** False when the viewer said something that the protocol does not know. */
function answer(
  deps: { now: () => number; onDelay: (delayMs: number) => void },
  viewer: Viewer | null, sink: ViewerSink, data: RawData,
): boolean {
  const message = parseLiveViewerMessage(data.toString());
  if (!message) return false;
  if (message.type === 'pause') viewer?.pause();
  else if (message.type === 'resume') viewer?.resume();
  else if (message.type === 'rendition') viewer?.choose(message.rendition);
  else {
    if (message.delayMs !== undefined) deps.onDelay(message.delayMs);
    sink.write(liveText({ type: 'pong', sent: message.sent, now: deps.now() }));
  }
  return true;
}

function sinkOf(socket: WebSocket, line: Duplex): ViewerSink {
  return {
    write(packet) {
      if (socket.readyState === socket.OPEN) line.write(packet);
    },
    writeAll(packets) {
      if (socket.readyState !== socket.OPEN) return;
      line.cork();
      for (const packet of packets) line.write(packet);
      line.uncork();
    },
    queuedBytes: () => line.writableLength,
    close: (reason) => closeSoon(socket, closeCodes[reason]),
  };
}

function createFloodGuard(now: () => number): { admits(): boolean } {
  let windowStartMs = now();
  let count = 0;
  return {
    admits() {
      if (now() - windowStartMs >= 1_000) {
        windowStartMs = now();
        count = 0;
      }
      count += 1;
      return count <= liveLimits.viewerMessagesPerSecond;
    },
  };
}
