/**
 * `/live/publish`: the way onto the air for browsers whose networks let no UDP through.
 * Protocol: `contract/src/publish.ts`.
 *
 * Invariants: nothing of a picture is looked at before the stream key was; the key is in no log; whatever is sent costs
 * no more than its own session.
 */
import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import {
  decodePublished,
  parsePublisherMessage,
  publishClose,
  publishLimits,
  publishProtocolVersion,
  publishSubprotocol,
} from '@nacre/contract/publish';
import type { PublishServerMessage } from '@nacre/contract/publish';
import { REFUSALS } from '@nacre/contract/refusals';
import type { RefusalCode } from '@nacre/contract/refusals';
import type { MediaLog, StreamDownReason } from '@nacre/media/hooks';
import type { SocketPublisher, SocketPublishers } from '@nacre/media/socket/socket-publishers';
import { refuseUpgrade } from '../http/upgrade.ts';
import type { UpgradeHandler } from '../http/upgrade.ts';
import { Refusal } from '../lib/refusal.ts';
import { closeSoon, createSocketServer, endSockets, refusesProtocol } from './socket-server.ts';
import { createTraffic } from './traffic.ts';

/** Sockets that have not shown a key yet. Fewer turn hosts away while strangers try; each may hold a message. */
const maxStrangers = 50;

const closeCodes: Record<StreamDownReason, number> = {
  closed: publishClose.ended,
  lost: publishClose.lost,
  replaced: publishClose.replaced,
  crashed: publishClose.goingAway,
};

export interface PublishSocketDeps {
  publishers: Pick<SocketPublishers, 'open'>;
  /** As for WHIP; null when the key opens no show. */
  authorizeStreamKey: (key: string) => Promise<{ showId: string } | null>;
  /** Unix epoch, ms. */
  now: () => number;
  log: Pick<MediaLog, 'error'>;
}

export interface PublishSocket {
  upgrade: UpgradeHandler;
  /** Closes every socket with 1001: whoever publishes comes back to the next server. */
  stop(): Promise<void>;
}

export function createPublishSocket(deps: PublishSocketDeps): PublishSocket {
  const server = createSocketServer(publishSubprotocol, publishLimits.messageBytes);
  let strangers = 0;
  let isStopped = false;

  const upgrade: UpgradeHandler = (request, socket: Duplex, head) => {
    if (refusesProtocol(request, socket, publishSubprotocol)) return;
    if (isStopped) return refuseUpgrade(socket, 'video.down', { retryAfterSeconds: 1 });
    if (strangers >= maxStrangers) return refuseUpgrade(socket, 'video.full', { retryAfterSeconds: 5 });
    server.handleUpgrade(request, socket, head, (webSocket) => {
      strangers += 1;
      let isStranger = true;
      const known = (): void => {
        if (isStranger) strangers -= 1;
        isStranger = false;
      };
      webSocket.once('close', known);
      serve(deps, webSocket, known);
    });
  };

  return {
    upgrade,
    async stop() {
      isStopped = true;
      for (const webSocket of server.clients) closeSoon(webSocket, publishClose.goingAway);
      await endSockets(server);
    },
  };
}

/** @param onKnown the key was right */
function serve(deps: PublishSocketDeps, webSocket: WebSocket, onKnown: () => void): void {
  let publisher: SocketPublisher | null = null;
  let hasAsked = false;
  let receivedBytes = 0;
  const meter = createTraffic(publishLimits, deps.now);
  const tell = (message: PublishServerMessage): void => {
    if (webSocket.readyState === webSocket.OPEN) webSocket.send(JSON.stringify(message));
  };
  const refuse = (code: RefusalCode, close: number, title: string = REFUSALS[code].title): void => {
    webSocket.off('message', onMessage);
    tell({ type: 'refused', code, title });
    closeSoon(webSocket, close);
    publisher?.end('lost');
  };
  const admit = async (key: string, hasSound: boolean): Promise<void> => {
    const show = await deps.authorizeStreamKey(key);
    if (webSocket.readyState !== webSocket.OPEN) return;
    if (show === null) return refuse('video.key_wrong', publishClose.refused);
    publisher = deps.publishers.open({
      streamId: show.showId,
      hasSound,
      onKeyNeeded: () => tell({ type: 'key' }),
      onEnd: (reason) => closeSoon(webSocket, closeCodes[reason]),
    });
    if (publisher === null) return refuse('video.full', publishClose.full);
    clearTimeout(waiting);
    onKnown();
    tell({ type: 'welcome', version: publishProtocolVersion, sessionId: publisher.sessionId });
  };
  /** False for what the protocol does not know, at this time or at all. */
  const take = (data: Buffer, isBinary: boolean): boolean => {
    if (isBinary) {
      receivedBytes += data.length;
      return publisher !== null && takeMedia(publisher, data);
    }
    const message = data.length <= publishLimits.textBytes ? parsePublisherMessage(data.toString()) : null;
    if (message?.type === 'ping' && publisher !== null) {
      publisher.ping(message.sentMs, message.before);
      tell({ type: 'pong', sentMs: message.sentMs, receivedBytes });
      return true;
    }
    if (message?.type !== 'hello' || hasAsked) return false;
    hasAsked = true;
    admit(message.key, message.hasSound).catch((error: unknown) => {
      if (error instanceof Refusal) return refuse(error.code, publishClose.refused);
      deps.log.error({ err: error }, 'a publisher could not be let in');
      refuse('server.failed', 1011);
    });
    return true;
  };
  const onMessage = (data: RawData, isBinary: boolean): void => {
    const bytes = data as Buffer;
    if (!meter.admits(bytes.length)) {
      return refuse('request.too_many', publishClose.policy, 'More comes than a show has.');
    }
    if (!take(bytes, isBinary)) refuse('request.invalid', publishClose.policy, 'This is not what a publisher sends.');
  };
  const waiting = setTimeout(() => closeSoon(webSocket, publishClose.policy), publishLimits.helloWithinMs);
  webSocket.on('error', () => webSocket.terminate());
  webSocket.on('message', onMessage);
  webSocket.once('close', (code) => {
    clearTimeout(waiting);
    publisher?.end(code === publishClose.ended ? 'closed' : 'lost');
  });
}

function takeMedia(publisher: SocketPublisher, message: Buffer): boolean {
  const media = decodePublished(message);
  if (media === null) return false;
  const bytes = Buffer.from(media.bytes.buffer, media.bytes.byteOffset, media.bytes.byteLength);
  return publisher[media.kind](bytes, media.capturedMs);
}
