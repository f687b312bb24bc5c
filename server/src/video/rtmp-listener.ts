/**
 * RTMP on a TCP port of its own: the way onto the air for encoders that do not speak WHIP. The address is
 * `rtmp://<host>/live`, the stream's name is the show's stream key.
 *
 * Invariants: no media is looked at before the key was; the key is in no log; whatever is sent costs no more than its
 * own session. Encoders show little of why they were refused, so the show's studio is told too (`onProblem`).
 */
import { createServer, type Server, type Socket } from 'node:net';
import { REFUSALS } from '@nacre/contract/refusals';
import type { MediaLog, StreamDownReason } from '@nacre/media/hooks';
import { sentenceOf, type EncoderProblem } from '@nacre/media/rtmp/problems';
import { createRtmpProtocol, type RtmpProtocol } from '@nacre/media/rtmp/protocol';
import type { RtmpPublisher, RtmpPublishers } from '@nacre/media/rtmp/rtmp-publishers';
import { Refusal } from '../lib/refusal.ts';
import { createTraffic } from './traffic.ts';

/** Connections that have not shown a key yet. Fewer turn encoders away while strangers try; each may hold 128 KB. */
const maxStrangers = 50;
/** From connecting to a key. Less cuts slow lines, more keeps places for who says nothing. */
const helloWithinMs = 8_000;
/** As by WHIP and by socket. */
export const rtmpSilenceMs = 4_000;
/** What a closing encoder has to read its reason in. Shorter may lose it on a slow line, longer keeps dead ones. */
const closeLingerMs = 2_000;
/** Answers are some hundred bytes; who reads none of them has no place here. */
const maxUnread = 64 * 1024;
/**
 * Up to 20 Mbit/s, and after a line stood still some seconds of it at once. Encoders send 60 pictures and 47 sounds,
 * and an acknowledgement now and then.
 */
const trafficLimits = {
  messagesPerSecond: 250, messagesAtOnce: 1_500, bytesPerSecond: 2_500_000, bytesAtOnce: 12 * 1024 * 1024,
} as const;

const endings: Record<StreamDownReason, string> = {
  closed: 'The show is over, or its key was changed.',
  lost: 'Nothing came for some seconds.',
  replaced: 'Another device publishes this show now.',
  crashed: 'The server stops. Come back soon.',
};

export interface RtmpListenerDeps {
  publishers: Pick<RtmpPublishers, 'open'>;
  /** As for WHIP; null when the key opens no show. */
  authorizeStreamKey: (key: string) => Promise<{ showId: string } | null>;
  /** What is wrong with the stream of the show's encoder; null when one is on the air and nothing is. */
  onProblem: (showId: string, problem: EncoderProblem | null) => void;
  /** Unix epoch, ms. */
  now: () => number;
  log: Pick<MediaLog, 'error'>;
}

export interface RtmpListener {
  /** Resolves to the port; rejects when it cannot be had. Once. */
  listen(port: number, host: string): Promise<number>;
  /** Null while it does not listen. */
  port(): number | null;
  /** Closes every connection: whoever publishes comes back to the next server. */
  stop(): Promise<void>;
}

export function createRtmpListener(deps: RtmpListenerDeps): RtmpListener {
  const sockets = new Set<Socket>();
  let strangers = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    if (strangers >= maxStrangers) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    strangers += 1;
    let isStranger = true;
    const known = (): void => {
      if (isStranger) strangers -= 1;
      isStranger = false;
    };
    socket.once('close', () => {
      sockets.delete(socket);
      known();
    });
    serve(deps, socket, known);
  });
  return {
    listen: (port, host) => new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, host }, () => {
        server.off('error', reject);
        // Too many open files, for one: the next connection may be taken again.
        server.on('error', (error) => deps.log.error({ err: error }, 'an encoder could not be let in'));
        resolve(portOf(server)!);
      });
    }),
    port: () => portOf(server),
    async stop() {
      const closed = new Promise((done) => server.close(done));
      for (const socket of sockets) closeSoon(socket);
      await closed;
    },
  };
}

function portOf(server: Server): number | null {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : null;
}

/** @param onKnown the key was right */
function serve(deps: RtmpListenerDeps, socket: Socket, onKnown: () => void): void {
  let publisher: RtmpPublisher | null = null;
  let showId: string | null = null;
  let saidGoodbye = false;
  const traffic = createTraffic(trafficLimits, deps.now);

  const close = (reason?: string): void => {
    socket.off('data', onData);
    // What still comes is thrown away, so that the reason is not lost in a reset.
    socket.resume();
    if (reason !== undefined) protocol.refuse(reason);
    closeSoon(socket);
    publisher?.end('lost');
  };
  const admit = async (key: string): Promise<void> => {
    const show = await deps.authorizeStreamKey(key);
    if (socket.destroyed) return;
    if (show === null) return close('This stream key opens no show. Make a new one in the studio.');
    const streamId = showId = show.showId;
    publisher = deps.publishers.open({
      streamId,
      onUp: () => deps.onProblem(streamId, null),
      onProblem(problem, isRefused) {
        if (isRefused) refuse(problem);
        else deps.onProblem(streamId, problem);
      },
      onEnd: (reason) => close(saidGoodbye ? undefined : endings[reason]),
    });
    if (publisher === null) return close('As many encoders publish by RTMP as may. Use WHIP, or try again soon.');
    clearTimeout(waiting);
    onKnown();
    protocol.accept();
  };
  const protocol: RtmpProtocol = createRtmpProtocol({
    send(bytes) {
      if (socket.writableLength > maxUnread) socket.destroy();
      else if (socket.writable) socket.write(bytes);
    },
    onPublish(key) {
      admit(key).catch((error: unknown) => {
        if (error instanceof Refusal) return close(REFUSALS[error.code].title.replace(/[^\x20-\x7e]/g, '\''));
        deps.log.error({ err: error }, 'an encoder could not be let in');
        close('The server failed. Try again soon.');
      });
    },
    onMedia: (message) => publisher?.take(message),
    onGoodbye() {
      saidGoodbye = true;
      publisher?.end('closed');
    },
    admits: () => admits(0, 1),
  });
  /** Of the show whose key was shown, its studio is told too. */
  const refuse = (problem: EncoderProblem): void => {
    if (showId !== null) deps.onProblem(showId, problem);
    close(sentenceOf(problem));
  };
  let isTooMuch = false;
  const admits = (bytes: number, messages: number): boolean => {
    isTooMuch ||= !traffic.admits(bytes, messages);
    return !isTooMuch;
  };
  const onData = (bytes: Buffer): void => {
    const isFine = admits(bytes.length, 0) && protocol.take(bytes);
    if (!isFine && !socket.writableEnded) refuse({ code: isTooMuch ? 'too_much' : 'broken', found: null });
  };
  const waiting = setTimeout(() => close('No stream key came.'), helloWithinMs);
  socket.on('data', onData);
  socket.on('error', () => socket.destroy());
  socket.once('close', () => {
    clearTimeout(waiting);
    publisher?.end('lost');
  });
}

function closeSoon(socket: Socket): void {
  if (socket.destroyed) return;
  socket.end();
  const cut = setTimeout(() => socket.destroy(), closeLingerMs);
  cut.unref();
  socket.once('close', () => clearTimeout(cut));
}
