/**
 * The socket of a publication (`contract/src/publish.ts`): opened with the key, watched, and told when it ends.
 *
 * TCP loses nothing but makes wait: `backlogMs` is how far behind the line is, and who uses it sends less before it
 * grows.
 */
import {
  encodePublished,
  publishClose,
  publishPingEveryBytes,
  publishPingEveryMs,
  publishSubprotocol,
  type PublishedMedia,
  type PublishedPiece,
  type PublishServerMessage,
} from '@nacre/contract/publish';
import type { BroadcastStats } from './face.ts';
import { PublishFailure } from './publish-failure.ts';

/** From the first byte to `welcome`. A bad mobile network takes seconds. */
const openWithinMs = 6_000;
/** No answer for so long is a loss. Shorter takes a full line for a lost one, longer shows viewers a frozen picture. */
const lostAfterMs = 3_500;
/** The same, for a while after the network changed. */
const impatientAfterMs = 900;
const impatientForMs = 5_000;
/** What went out is looked at over this. */
const rateWindowMs = 1_000;
const carriedWindowMs = 1_500;
/** Behind by so much, a line is called weak. */
const weakBacklogMs = 300;
/** A line that is so far behind is full, and what arrives is what it carries. Less takes jitter for that. */
const fullBacklogMs = 250;

export interface PublishLine {
  send(media: PublishedMedia | PublishedPiece): void;
  /** Bytes that the browser could not hand to the network yet. */
  queuedBytes(): number;
  /** Given to the network over the last second or so, bits per second. */
  sentBps(): number;
  /** Of the last ping, ms; it waits behind what was sent before it. Null while unknown. */
  roundTripMs(): number | null;
  /** How much longer than at best a message takes now, ms. */
  backlogMs(): number;
  /** What the line carries, bits per second; null while it is not full, and might carry more. */
  carriesBps(): number | null;
  /** The network changed: a line that does not answer soon is a lost one. */
  beImpatient(): void;
  wasReplaced(): boolean;
  close(goodbye: boolean): void;
}

export interface PublishLineOptions {
  url: string;
  streamKey: string;
  hasSound: boolean;
  signal: AbortSignal;
  onKeyNeeded(): void;
  /** Once, never after `close`. */
  onLost(): void;
}

/** Resolves when the server takes pictures. Throws `PublishFailure`. */
export async function openLine(options: PublishLineOptions): Promise<PublishLine> {
  const url = new URL(options.url, location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  const socket = new WebSocket(url, publishSubprotocol);
  socket.binaryType = 'arraybuffer';
  await welcome(socket, options);
  return watchLine(socket, options);
}

function welcome(socket: WebSocket, { streamKey, hasSound, signal }: PublishLineOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = new AbortController();
    const settle = (failure?: PublishFailure): void => {
      clearTimeout(timer);
      done.abort();
      if (!failure) return resolve();
      socket.close();
      reject(failure);
    };
    const timer = setTimeout(() => settle(new PublishFailure('server-unreachable', true)), openWithinMs);
    const listen = { signal: done.signal };
    signal.addEventListener('abort', () => settle(new PublishFailure('server-unreachable', false)), listen);
    const hello = JSON.stringify({ type: 'hello', key: streamKey, hasSound });
    socket.addEventListener('open', () => socket.send(hello), listen);
    socket.addEventListener('close', () => settle(new PublishFailure('server-unreachable', true)), listen);
    socket.addEventListener(
      'message',
      ({ data }) => {
        const message = readMessage(data);
        if (message?.type === 'welcome') settle();
        if (message?.type === 'refused') settle(failureOf(message));
      },
      listen,
    );
    if (signal.aborted) settle(new PublishFailure('server-unreachable', false));
  });
}

function failureOf({ code, title }: { code: string; title: string }): PublishFailure {
  if (code === 'video.key_wrong') return new PublishFailure('key-refused', false, title);
  if (code === 'video.full') return new PublishFailure('server-full', true, title);
  if (code === 'server.failed') return new PublishFailure('server-unreachable', true, title);
  return new PublishFailure('refused', false, title);
}

/** The server's own; null for what a newer one may say. */
function readMessage(data: unknown): PublishServerMessage | null {
  try {
    return JSON.parse(String(data)) as PublishServerMessage;
  } catch {
    return null;
  }
}

function watchLine(socket: WebSocket, options: PublishLineOptions): PublishLine {
  let isOver = false;
  let closeCode = 0;
  let answeredMs = performance.now();
  let impatientUntilMs = 0;
  let before: { sentMs: number; roundTripMs: number } | null = null;
  /** Pings on their way, the oldest first; a line that does not answer ends before there are thirty. */
  let pinged: number[] = [];
  let bestRoundTripMs = Infinity;
  let handedBytes = 0;
  /** Of them, what the last ping came after. */
  let pingedBytes = 0;
  let window = { fromMs: performance.now(), fromBytes: 0, bps: 0 };
  /** What the server had received, as it said then. */
  const arrived: { atMs: number; bytes: number }[] = [];

  const over = (): boolean => {
    if (isOver) return false;
    isOver = true;
    clearInterval(timer);
    clearInterval(fineTimer);
    return true;
  };
  const lost = (): void => {
    if (!over()) return;
    socket.close();
    options.onLost();
  };
  const ping = (): void => {
    const sentMs = performance.now();
    pinged.push(sentMs);
    pingedBytes = handedBytes;
    if (socket.readyState === WebSocket.OPEN) {
      socket.send(JSON.stringify({ type: 'ping', sentMs, ...(before ? { before } : {}) }));
    }
  };
  const look = (): void => {
    const nowMs = performance.now();
    const waitedMs = nowMs - Math.max(answeredMs, pinged[0] ?? nowMs);
    if (waitedMs > (nowMs < impatientUntilMs ? impatientAfterMs : lostAfterMs)) return lost();
    if (nowMs - window.fromMs < rateWindowMs) return;
    const bytes = handedBytes - socket.bufferedAmount;
    const bps = ((bytes - window.fromBytes) * 8_000) / (nowMs - window.fromMs);
    window = { fromMs: nowMs, fromBytes: bytes, bps: Math.max(0, Math.round(bps)) };
  };
  const timer = setInterval(ping, publishPingEveryMs);
  const fineTimer = setInterval(look, 200);

  socket.addEventListener('message', ({ data }) => {
    const message = readMessage(data);
    if (message?.type === 'key') options.onKeyNeeded();
    if (message?.type !== 'pong') return;
    answeredMs = performance.now();
    const roundTripMs = answeredMs - message.sentMs;
    before = { sentMs: message.sentMs, roundTripMs };
    bestRoundTripMs = Math.min(bestRoundTripMs, roundTripMs);
    pinged = pinged.filter((sentMs) => sentMs > message.sentMs);
    arrived.push({ atMs: answeredMs, bytes: message.receivedBytes });
    // One from before the window is its beginning.
    while (arrived.length > 2 && answeredMs - arrived[1]!.atMs > carriedWindowMs) arrived.shift();
  });
  socket.addEventListener('close', ({ code }) => {
    closeCode = code;
    if (over()) options.onLost();
  });
  ping();

  const backlogMs = (): number => {
    // A ping that is still on its way tells more than the last answer.
    const onItsWayMs = pinged[0] === undefined ? 0 : performance.now() - pinged[0];
    const lastMs = Math.max(before?.roundTripMs ?? 0, onItsWayMs);
    return Number.isFinite(bestRoundTripMs) ? Math.max(0, lastMs - bestRoundTripMs) : 0;
  };

  return {
    send(media) {
      if (isOver || socket.readyState !== WebSocket.OPEN) return;
      const message = encodePublished(media);
      handedBytes += message.length;
      socket.send(message);
      if (handedBytes - pingedBytes >= publishPingEveryBytes) ping();
    },
    queuedBytes: () => (isOver ? 0 : socket.bufferedAmount),
    sentBps: () => window.bps,
    roundTripMs: () => before?.roundTripMs ?? null,
    backlogMs,
    carriesBps() {
      const [first] = arrived;
      const last = arrived.at(-1);
      if (!first || !last || first === last || backlogMs() < fullBacklogMs) return null;
      // Up to now: while nothing arrives it carries less and less.
      return Math.round(((last.bytes - first.bytes) * 8_000) / (performance.now() - first.atMs));
    },
    beImpatient() {
      const nowMs = performance.now();
      impatientUntilMs = nowMs + impatientForMs;
      if (!isOver) ping();
      look();
    },
    wasReplaced: () => closeCode === publishClose.replaced,
    close(goodbye) {
      if (!over()) return;
      if (goodbye) socket.close(publishClose.ended);
      else socket.close();
    },
  };
}

/** What the host is told of her line, whatever it carries. @param usualMs that the line is behind by in any case */
export function lineStats(
  line: PublishLine, usualMs = 0,
): Omit<BroadcastStats, 'width' | 'height' | 'framesPerSecond' | 'limitedByCpu'> {
  const backlogMs = Math.max(0, line.backlogMs() - usualMs);
  return {
    bitrateBps: line.sentBps(),
    availableBps: line.carriesBps(),
    roundTripMs: line.roundTripMs(),
    lossRatio: null,
    backlogMs,
    quality: backlogMs > weakBacklogMs ? 'weak' : 'good',
  };
}
