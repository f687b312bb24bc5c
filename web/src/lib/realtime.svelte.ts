/**
 * The page's one connection to the rooms (contract/src/realtime.ts): joins them, keeps each one's position, and after a
 * lost connection gets what it missed or has the room loaded anew. Acts by nothing but joining; everything that a
 * person does goes over HTTP. A WebSocket where one gets through, else an event stream.
 *
 * Invariant: the events of a room reach its handler once each and in order, or `reload` is called.
 */
import type { PersonalEvent, Position, RoomEvent, ServerMessage } from '@nacre/contract/realtime';
import { openSocket, openStream, type Link } from './realtime-link.ts';

export type JoinedMessage = Extract<ServerMessage, { type: 'joined' }>;
export type Snapshot = NonNullable<JoinedMessage['snapshot']>;

export interface RoomHandlers {
  /** The state as of now, on the first join and whenever the history did not reach back. */
  snapshot: (snapshot: Snapshot) => void;
  events: (events: RoomEvent[]) => void;
  /** What was missed is gone: load the room by HTTP. The room is joined again when the promise settles. */
  reload: () => Promise<void>;
  refused?: (code: string) => void;
}

export type Connection = 'connecting' | 'open' | 'lost';

export interface Realtime {
  readonly connection: Connection;
  join: (room: string, handlers: RoomHandlers) => () => void;
  /** Own orders, on every socket of the person. Returns the way out. */
  onOwn: (listener: (event: PersonalEvent) => void) => () => void;
  /**
   * Whenever the connection stands anew, the first time included: what was told to the person before has not been
   * heard, so whoever shows it reads it again. Returns the way out.
   */
  onOpen: (listener: () => void) => () => void;
  /** After signing in or out: the server must see who this is now. */
  reconnect: () => void;
  stop: () => void;
}

const closeVersion = 4000;
const closeSignedOut = 4003;
/** First pause before coming back. Shorter makes thousands of pages knock at a restarting server at once. */
const backoffBaseMs = 500;
/** Longest pause. Longer leaves people before a dead chat; shorter knocks too often at a server that is down. */
const backoffCapMs = 15_000;
/** How often the page asks for a sign of life when it hears nothing by itself. */
const pingEveryMs = 10_000;
/** The protocol's own limit: a page that hears nothing for so long connects anew. */
const silenceLimitMs = 25_000;
/** A socket that does not open within this hangs (a lift, a dead cell); the browser itself would wait for minutes. */
const connectWithinMs = 10_000;
/** Sockets in a row that did not get as far as a welcome, before the other way is tried. Once may be a restart. */
const socketTries = 2;
/**
 * When a page on an event stream tries whether a socket gets through by now: soon after, because the server may only
 * have been away, and then now and then.
 */
const trySocketAfterMs = 5_000;
const trySocketEveryMs = 60_000;

interface JoinedRoom {
  handlers: RoomHandlers;
  position: Position | null;
  /** True while the page loads the room by HTTP; events of that time come with the next join. */
  reloading: boolean;
  /** A join is on its way; until it is answered gaps need no further one. */
  asked: boolean;
  /** Answers of a server that could not let in just now, since the last time it could. */
  putOff: number;
}

/** Pause before attempt number `attempt` (0 the first): exponential with full jitter over the upper half. */
export function backoffMs(attempt: number, random: () => number): number {
  const ceiling = Math.min(backoffCapMs, backoffBaseMs * 2 ** Math.min(attempt, 10));
  return ceiling / 2 + (random() * ceiling) / 2;
}

/**
 * Of the events of one frame, those that are new after `offset`; null when some between are missing.
 * `lastOffset` is the offset of the last event in `events`.
 */
export function newEvents<T>(events: T[], lastOffset: number, offset: number): T[] | null {
  const firstOffset = lastOffset - events.length + 1;
  if (firstOffset > offset + 1) return null;
  return events.slice(Math.max(0, offset + 1 - firstOffset));
}

export function createRealtime(): Realtime {
  const rooms = new Map<string, JoinedRoom>();
  const ownListeners = new Set<(event: PersonalEvent) => void>();
  const openListeners = new Set<() => void>();
  let connection = $state<Connection>('connecting');
  let link: Link | null = null;
  /** A socket that is tried while an event stream serves. */
  let trial: Link | null = null;
  let attempt = 0;
  /** Sockets lost before a welcome, since the last welcome on one. */
  let socketFailures = 0;
  let connectingMs = 0;
  let heardAtMs = 0;
  let stopped = false;
  let retryTimer: ReturnType<typeof setTimeout> | undefined;

  const pulse = setInterval(() => {
    const nowMs = performance.now();
    if (link?.state() === 'connecting' && nowMs - connectingMs > connectWithinMs) {
      link.close();
      return lost(link, 0);
    }
    if (link?.state() !== 'open') return;
    if (nowMs - heardAtMs > silenceLimitMs) restart();
    else link.send({ type: 'ping' });
  }, pingEveryMs);
  const trials = setInterval(trySocket, trySocketEveryMs);
  const online = (): void => {
    // Another network may let sockets through.
    socketFailures = 0;
    if (connection !== 'open') restart();
    else trySocket();
  };
  addEventListener('online', online);
  // A connection without a network stays open in silence; trying a new one tells at once how it stands.
  addEventListener('offline', restart);

  function sendJoin(room: string, joined: JoinedRoom): void {
    joined.asked = true;
    link?.send({ type: 'join', room, ...(joined.position ? { position: joined.position } : {}) });
  }

  function connect(): void {
    if (stopped) return;
    connectingMs = performance.now();
    // Alternately, so that neither way is given up for good.
    const open = socketFailures >= socketTries && socketFailures % 2 === 0 ? openStream : openSocket;
    const own: Link = open({
      onMessage(message) {
        if (link !== own) return;
        heardAtMs = performance.now();
        receive(message);
      },
      onClose(code) {
        if (link === own) lost(own, code);
      },
    });
    link = own;
  }

  function lost(ended: Link, code: number): void {
    link = null;
    if (stopped) return;
    if (connection !== 'open' || ended.way === 'stream') socketFailures += 1;
    connection = 'lost';
    if (code === closeVersion && reloadOnce()) return;
    const pauseMs = code === closeSignedOut ? 0 : backoffMs(attempt, Math.random);
    attempt += 1;
    clearTimeout(retryTimer);
    retryTimer = setTimeout(connect, pauseMs);
  }

  /** On an event stream: goes over to a socket when one says welcome. Nothing is missed, as after any reconnect. */
  function trySocket(): void {
    if (stopped || link?.way !== 'stream' || link.state() !== 'open') return;
    trial?.close();
    const own: Link = openSocket({
      onMessage(message) {
        if (trial === own && message.type === 'welcome') {
          link?.close();
          link = own;
          trial = null;
        }
        if (link !== own) return;
        heardAtMs = performance.now();
        receive(message);
      },
      onClose(code) {
        if (trial === own) trial = null;
        if (link === own) lost(own, code);
      },
    });
    trial = own;
  }

  function restart(): void {
    if (stopped) return;
    clearTimeout(retryTimer);
    const old = link;
    link = null;
    old?.close();
    attempt = 0;
    connect();
  }

  function receive(message: ServerMessage): void {
    switch (message.type) {
      case 'welcome':
        attempt = 0;
        if (link?.way === 'socket') socketFailures = 0;
        else setTimeout(trySocket, trySocketAfterMs);
        connection = 'open';
        for (const [room, joined] of rooms) if (!joined.reloading) sendJoin(room, joined);
        for (const listener of openListeners) listener();
        break;
      case 'joined': {
        const joined = rooms.get(message.room);
        if (!joined) break;
        joined.asked = false;
        joined.putOff = 0;
        if (!message.caughtUp || !joined.position) joined.position = message.position;
        if (message.snapshot) joined.handlers.snapshot(message.snapshot);
        break;
      }
      case 'events':
        receiveEvents(message);
        break;
      case 'reload':
        void reload(message.room);
        break;
      case 'own':
        for (const listener of ownListeners) listener(message.event);
        break;
      case 'refused':
        if (message.room) refused(message.room, message.code);
        break;
      case 'pong':
        break;
    }
  }

  function refused(room: string, code: string): void {
    const joined = rooms.get(room);
    if (!joined) return;
    joined.asked = false;
    if (!code.startsWith('server.')) return joined.handlers.refused?.(code);
    // A server that starts again with a crowd: it has no room for us yet.
    setTimeout(() => {
      if (rooms.get(room) === joined && !joined.asked && !joined.reloading) sendJoin(room, joined);
    }, backoffMs(joined.putOff, Math.random));
    joined.putOff += 1;
  }

  function receiveEvents(message: Extract<ServerMessage, { type: 'events' }>): void {
    const joined = rooms.get(message.room);
    if (!joined?.position || joined.reloading) return;
    const fresh =
      joined.position.epoch === message.epoch
        ? newEvents(message.events, message.offset, joined.position.offset)
        : null;
    if (fresh === null) {
      // Something between is missing: asking with the old position brings it, or "reload".
      if (!joined.asked) sendJoin(message.room, joined);
      return;
    }
    joined.position = { epoch: message.epoch, offset: Math.max(message.offset, joined.position.offset) };
    if (fresh.length > 0) joined.handlers.events(fresh);
  }

  async function reload(room: string): Promise<void> {
    const joined = rooms.get(room);
    if (!joined || joined.reloading) return;
    joined.reloading = true;
    joined.position = null;
    for (let failures = 0; rooms.get(room) === joined; failures += 1) {
      try {
        await joined.handlers.reload();
        break;
      } catch {
        // All pages ask a restarted server at once. What is shown stays until it has an answer.
        await new Promise((resolve) => setTimeout(resolve, backoffMs(failures, Math.random)));
      }
    }
    joined.reloading = false;
    if (rooms.get(room) === joined) sendJoin(room, joined);
  }

  connect();

  return {
    get connection() {
      return connection;
    },
    join(room, handlers) {
      const joined: JoinedRoom = { handlers, position: null, reloading: false, asked: false, putOff: 0 };
      rooms.set(room, joined);
      if (connection === 'open') sendJoin(room, joined);
      return () => {
        if (rooms.get(room) !== joined) return;
        rooms.delete(room);
        link?.send({ type: 'leave', room });
      };
    },
    onOwn(listener) {
      ownListeners.add(listener);
      return () => ownListeners.delete(listener);
    },
    onOpen(listener) {
      openListeners.add(listener);
      return () => openListeners.delete(listener);
    },
    reconnect: restart,
    stop() {
      stopped = true;
      clearInterval(pulse);
      clearInterval(trials);
      clearTimeout(retryTimer);
      removeEventListener('online', online);
      removeEventListener('offline', restart);
      link?.close();
      trial?.close();
      rooms.clear();
      ownListeners.clear();
      openListeners.clear();
    },
  };
}

/** Once per tab: a server and a page that never agree must not reload for ever. */
function reloadOnce(): boolean {
  const key = 'nacre-reloaded-for-version';
  if (sessionStorage.getItem(key)) return false;
  sessionStorage.setItem(key, '1');
  location.reload();
  return true;
}
