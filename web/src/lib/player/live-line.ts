/**
 * Holds the socket to the server open: connects, notices a dead line, comes back with growing, jittered pauses, and
 * finds out why a socket could not be opened (browsers do not tell).
 */
import { decodeLiveBinary, liveClose, liveSubprotocol } from '@nacre/contract/live';
import type {
  LiveFragment, LiveInit, LiveRendition, LiveServerMessage, LiveViewerMessage,
} from '@nacre/contract/live';

/** First pause after a loss; doubles up to the longest. Shorter floods a server that starts, longer is black screen. */
const firstPauseMs = 200;
const longestPauseMs = 1_200;
/** A restart is over after so many tries, some ten seconds. What is away for longer is asked more rarely. */
const restartTries = 12;
const longestPauseThenMs = 4_000;
/** After a server's goodbye all its viewers come back: spread over this. */
const spreadMs = 800;
/** A line too slow needs a moment to drain before it is worth trying again. */
const tooSlowPauseMs = 3_000;
const pingEveryMs = 2_000;
/**
 * No word for this long after a ping: the line is dead. Shorter cuts lines with a hiccup, longer shows a frozen
 * picture.
 */
const silenceMs = 5_000;
/** A socket that does not open within this hangs (a lift, a dead cell); the browser itself would wait for minutes. */
const connectWithinMs = 10_000;

/** Of contract/src/refusals.ts, which the first bytes of the page leave out. */
const notOpenCode = 'shows.not_found';
const socketOnlyCode = 'video.socket_only';
/** Once may be chance, at the moment that a server comes back. */
const blockedAfter = 2;
/** How often a socket is tried where something on the way lets none through: the network may have changed. */
const blockedPauseMs = 20_000;

export interface LiveLine {
  /** False when there is no open socket. */
  send(message: LiveViewerMessage): boolean;
  /** Closes the socket, if any, and opens a new one, not before `pauseMs`. */
  reconnect(pauseMs?: number): void;
  reconnects(): number;
  stop(): void;
}

export function connectLive(deps: {
  url: string;
  /** Asked at each opening. */
  rendition: () => LiveRendition;
  onOpen: () => void;
  onText: (message: LiveServerMessage) => void;
  onBinary: (message: LiveInit | LiveFragment) => void;
  /** It goes on trying. */
  onTrouble: (reason: 'offline' | 'unreachable') => void;
  /** Ordinary requests get through and sockets do not. It goes on trying, rarely. */
  onBlocked: () => void;
  /** The server's clock, told to an ordinary request that left at `sentMs`. */
  onClock: (sentMs: number, serverNowMs: number) => void;
  /** How old the picture on the screen is, in ms; null while it is unknown. */
  delayMs: () => number | null;
  /** It does not. */
  onFinal: (reason: 'ended' | 'not-open') => void;
}): LiveLine {
  const httpUrl = new URL(deps.url, location.href);
  httpUrl.protocol = httpUrl.protocol.replace('ws', 'http');
  const socketUrl = httpUrl.href.replace('http', 'ws');
  let socket: WebSocket | null = null;
  let failures = 0;
  /** Sockets in a row that brought nothing while ordinary requests were answered. */
  let blocked = 0;
  let attempts = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let openedMs = 0;
  let pingedMs = 0;
  let heardMs = 0;
  /** Of this socket. */
  let hasHeard = false;
  let isStopped = false;

  function open(): void {
    clearTimeout(timer);
    if (isStopped || socket) return;
    attempts += 1;
    openedMs = performance.now();
    const rendition = deps.rendition();
    const query = rendition === 'whole' ? '' : `?rendition=${rendition}`;
    const own = new WebSocket(socketUrl + query, liveSubprotocol);
    own.binaryType = 'arraybuffer';
    socket = own;
    hasHeard = false;
    own.onopen = () => {
      pingedMs = heardMs = performance.now();
      deps.onOpen();
      ping();
    };
    own.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      heardMs = performance.now();
      hasHeard = true;
      blocked = 0;
      if (typeof data === 'string') return deps.onText(JSON.parse(data) as LiveServerMessage);
      failures = 0;
      const message = decodeLiveBinary(data);
      if (message) deps.onBinary(message);
    };
    own.onclose = ({ code }) => {
      if (socket !== own) return;
      socket = null;
      if (code === liveClose.ended) return deps.onFinal('ended');
      if (hasHeard) again(code);
      else void askWhy();
    };
  }

  /** Lets go of the socket without hearing of it again. */
  function abandon(): void {
    const old = socket;
    socket = null;
    if (!old) return;
    old.onmessage = old.onclose = old.onopen = null;
    old.close();
  }

  function again(code: number, atLeastMs = 0): void {
    if (isStopped) return;
    if (blocked >= blockedAfter) atLeastMs = blockedPauseMs;
    else if (!navigator.onLine) deps.onTrouble('offline');
    else if (failures > 1) deps.onTrouble('unreachable');
    const longestMs = failures < restartTries ? longestPauseMs : longestPauseThenMs;
    let pauseMs = Math.max(atLeastMs, Math.min(longestMs, firstPauseMs * 2 ** failures));
    if (code === liveClose.goingAway) pauseMs = Math.max(pauseMs, spreadMs);
    if (code === liveClose.tooSlow || code === liveClose.policy) pauseMs = tooSlowPauseMs;
    failures += 1;
    timer = setTimeout(open, pauseMs * (0.5 + Math.random() / 2));
  }

  async function askWhy(): Promise<void> {
    try {
      const sentMs = performance.now();
      const response = await fetch(httpUrl, { cache: 'no-store', signal: AbortSignal.timeout(silenceMs) });
      const { code, details } = (await response.json()) as { code?: string; details?: { now?: number } };
      // The status alone may be a proxy's, whose server is away for a moment.
      if (!isStopped && code === notOpenCode) return deps.onFinal('not-open');
      if (!isStopped && code === socketOnlyCode) {
        blocked += 1;
        if (details?.now !== undefined) deps.onClock(sentMs, details.now);
        if (blocked >= blockedAfter) deps.onBlocked();
      }
    } catch {
      // Unreachable, which is what `again` reports.
    }
    again(0);
  }

  function ping(): void {
    pingedMs = performance.now();
    const delayMs = deps.delayMs() ?? undefined;
    socket?.send(JSON.stringify({ type: 'ping', sent: pingedMs, delayMs } satisfies LiveViewerMessage));
  }

  const pinger = setInterval(() => {
    const nowMs = performance.now();
    if (socket?.readyState === WebSocket.CONNECTING && nowMs - openedMs > connectWithinMs) return hang();
    if (socket?.readyState !== WebSocket.OPEN) return;
    // Only a ping that was really sent counts: a sleeping page's timers may run minutes late.
    if (heardMs < pingedMs && nowMs - pingedMs > silenceMs) reconnect();
    else if (heardMs >= pingedMs) ping();
  }, pingEveryMs);

  /** Neither open nor refused: something on the way swallows it. */
  function hang(): void {
    abandon();
    void askWhy();
  }

  function reconnect(pauseMs = 0): void {
    abandon();
    if (!isStopped) again(0, pauseMs);
  }

  function onOnline(): void {
    // The network may have changed under an open socket: its path is gone, and only a timeout would tell.
    abandon();
    failures = blocked = 0;
    open();
  }

  addEventListener('online', onOnline);
  open();

  return {
    send(message) {
      if (socket?.readyState !== WebSocket.OPEN) return false;
      socket.send(JSON.stringify(message));
      return true;
    },
    reconnect,
    reconnects: () => Math.max(0, attempts - 1),
    stop() {
      isStopped = true;
      clearTimeout(timer);
      clearInterval(pinger);
      removeEventListener('online', onOnline);
      abandon();
    },
  };
}
