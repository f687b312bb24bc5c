/**
 * All publishers of one media process: offers in, sessions, one tick for all of them, events out.
 *
 * Invariants: one session per stream (a newer publisher replaces the older); `down` is sent exactly once per session
 * and is its last event.
 */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { ProcessStats } from './commands.ts';
import { PublishRefusal, type MediaEvent, type MediaLog, type PictureLayer, type StreamDownReason } from './hooks.ts';
import { buildAnswer } from './whip/answer.ts';
import { parseOffer, type Offer } from './whip/offer.ts';
import { createSession, type Session } from './whip/session.ts';
import { createTransport, localAddresses, type TransportPeer } from './whip/transport.ts';

/** What one core carries (`npm run bench -- publisher-cost`: 0.9 of it, the event loop 7 ms late). More: all get late
 * together, since native code has no backpressure; fewer: a core stands idle. */
export const maxPublishers = 100;
/** Repairs and feedback are timed by it. Shorter: idle work for every session; longer: repairs are asked for later. */
const tickMs = 10;

export interface MediaServerOptions {
  udpPort: number;
  bindAddress?: string | undefined;
  addresses?: readonly string[] | undefined;
  log: MediaLog;
  /** False when the event was dropped because the pipe is full. */
  onEvent(event: MediaEvent): boolean;
  queuedBytes(): number;
}

export interface MediaServer {
  readonly udpPort: number;
  /** The answer; throws `PublishRefusal`. */
  publish(request: { streamId: string; sessionId: string; offerSdp: string }): string;
  has(sessionId: string): boolean;
  remove(sessionId: string, reason: StreamDownReason): boolean;
  stats(): ProcessStats;
  stop(): void;
}

interface Publisher {
  session: Session;
  peer: TransportPeer;
  /** The pipe was full: fragments of the layer are dropped until its next key picture. */
  isSkipping: Record<PictureLayer, boolean>;
}

export async function createMediaServer(options: MediaServerOptions): Promise<MediaServer> {
  const { log } = options;
  const transport = await createTransport({ udpPort: options.udpPort, bindAddress: options.bindAddress, log });
  const addresses = options.addresses ?? (options.bindAddress === undefined ? localAddresses() : [options.bindAddress]);
  const publishers = new Map<string, Publisher>();
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  let fragmentsDropped = 0;
  const clockOffsetMs = performance.timeOrigin;

  const remove = (sessionId: string, reason: StreamDownReason): boolean => {
    const publisher = publishers.get(sessionId);
    if (publisher === undefined) return false;
    publisher.session.flush();
    publishers.delete(sessionId);
    publisher.peer.close();
    options.onEvent({ type: 'down', streamId: publisher.session.streamId, sessionId, reason });
    return true;
  };

  /** Ends those of the same stream, and in this state, that were opened before. */
  const replace = (ids: { streamId: string; sessionId: string }, isUp: boolean): void => {
    for (const [sessionId, { session }] of publishers) {
      if (sessionId === ids.sessionId) return;
      if (session.streamId === ids.streamId && session.isUp === isUp) remove(sessionId, 'replaced');
    }
  };

  const openSession = (ids: { streamId: string; sessionId: string }, offer: Offer): Publisher => {
    // Libdatachannel may call back before `accept` returns.
    let publisher: Publisher | null = null;
    let peer: TransportPeer | null = null;
    const session = createSession({
      ...ids,
      offer,
      send: (packet) => peer?.send(packet) ?? false,
      onUp() {
        // Not before: one that never connects must not take the show off the air.
        replace(ids, true);
        options.onEvent({ type: 'up', ...ids });
      },
      onInit(init, layer) {
        options.onEvent({
          type: 'init',
          ...ids,
          layer,
          generation: init.generation,
          mime: init.mime,
          width: init.info.width,
          height: init.info.height,
          hasVideo: true,
          hasAudio: offer.audio !== null,
          initSegment: init.initSegment,
        });
      },
      onFragment({ arrivedMs, ...fragment }, layer) {
        const isPictureKey = fragment.track === 'video' && fragment.isKey;
        if (publisher?.isSkipping[layer] === true && !isPictureKey) {
          fragmentsDropped += 1;
          return;
        }
        const arrivedAtMs = clockOffsetMs + arrivedMs;
        const isSent = options.onEvent({ type: 'fragment', ...ids, layer, ...fragment, arrivedAtMs });
        if (publisher !== null) publisher.isSkipping[layer] = !isSent;
        if (!isSent) fragmentsDropped += 1;
      },
      onSmallGone: () => void options.onEvent({ type: 'layer-down', ...ids, layer: 'small' }),
      onUplink: (uplink) => options.onEvent({ type: 'uplink', ...ids, ...uplink }),
      onLost: () => void remove(ids.sessionId, 'lost'),
    });
    peer = transport.accept(ids.sessionId, offer, {
      onUp: () => session.connected(),
      onPacket: (packet) => session.packet(packet),
      onGone: () => void remove(ids.sessionId, 'lost'),
    });
    publisher = { session, peer, isSkipping: { full: false, small: false } };
    return publisher;
  };

  const ticker = setInterval(() => {
    const nowMs = performance.now();
    for (const [sessionId, { session }] of publishers) {
      try {
        session.tick(nowMs);
      } catch (error) {
        log.error({ err: error, sessionId }, 'A session failed and is closed');
        remove(sessionId, 'lost');
      }
    }
  }, tickMs);

  return {
    udpPort: transport.udpPort,
    publish(request) {
      const offer = parseOffer(request.offerSdp);
      // Of a stream that is taken over there are two for a moment: they count as one.
      const streams = new Set([...publishers.values()].map(({ session }) => session.streamId));
      if (streams.size >= maxPublishers && !streams.has(request.streamId)) {
        const sentence = `This server already carries ${maxPublishers} shows. Try again later.`;
        throw new PublishRefusal('too_many_publishers', sentence);
      }
      let publisher: Publisher;
      try {
        publisher = openSession({ streamId: request.streamId, sessionId: request.sessionId }, offer);
      } catch (error) {
        log.warn({ err: error }, 'An offer was not accepted by the transport');
        throw new PublishRefusal('offer_malformed', 'The offer cannot be used: its ICE or DTLS parameters are wrong.');
      }
      replace(request, false);
      publishers.set(request.sessionId, publisher);
      return buildAnswer(offer, { ...publisher.peer.local, addresses, udpPort: transport.udpPort });
    },
    has: (sessionId) => publishers.has(sessionId),
    remove,
    stats() {
      const cpu = process.cpuUsage();
      const ms = (nanoseconds: number): number => Math.max(0, Math.round(nanoseconds / 1e4) / 100 - 10);
      const eventLoopDelayMs = { p50: ms(delay.percentile(50)), p99: ms(delay.percentile(99)), max: ms(delay.max) };
      delay.reset();
      return {
        pid: process.pid,
        uptimeMs: Math.round(process.uptime() * 1000),
        cpuUs: cpu.user + cpu.system,
        rssBytes: process.memoryUsage.rss(),
        eventLoopDelayMs,
        pipeQueuedBytes: options.queuedBytes(),
        fragmentsDropped,
        udpPort: transport.udpPort,
        sessions: [...publishers.values()].map(({ session }) => session.stats()),
      };
    },
    stop() {
      clearInterval(ticker);
      delay.disable();
      for (const sessionId of publishers.keys()) remove(sessionId, 'closed');
      transport.stop();
    },
  };
}
