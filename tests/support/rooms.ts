/** The room's sockets on a real port without any business, and clients that keep what they hear. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientMessage, RoomEvent, ServerMessage } from '@nacre/contract/realtime';
import { WebSocket } from 'ws';
import type { Actor } from '../../server/src/http/actor.ts';
import { createGuests } from '../../server/src/http/guest.ts';
import { createUpgrades } from '../../server/src/http/upgrade.ts';
import { createMemoryBus } from '../../server/src/platform/bus.ts';
import { newId } from '../../server/src/platform/ids.ts';
import { createLog } from '../../server/src/platform/log.ts';
import type { RealtimeLimits } from '../../server/src/realtime/limits.ts';
import { createRealtime, type Realtime } from '../../server/src/realtime/realtime.ts';
import type { Snapshot } from '../../server/src/realtime/rooms.ts';

/** Longer than anything takes on a busy machine; a test that waits for what never comes fails after it. */
const PATIENCE_MS = 10_000;

type Of<T extends ServerMessage['type']> = Extract<ServerMessage, { type: T }>;

export interface RoomClient {
  webSocket: WebSocket;
  messages: ServerMessage[];
  /** Events of a room in the order heard. */
  events(room: string): RoomEvent[];
  say(message: ClientMessage): void;
  /** Joins and resolves with the answer. */
  join(room: string, position?: Of<'joined'>['position']): Promise<Of<'joined'> | Of<'reload'> | Of<'refused'>>;
  /** Resolves with the first message, old or new, that is so. */
  until<T extends ServerMessage>(isSo: (message: ServerMessage) => message is T): Promise<T>;
  untilTrue(isSo: () => boolean, what: string): Promise<void>;
  /** Resolves with the close code. */
  closed: Promise<number>;
  close(): Promise<number>;
}

export function isType<T extends ServerMessage['type']>(type: T): (message: ServerMessage) => message is Of<T> {
  return (message): message is Of<T> => message.type === type;
}

/** Connects and resolves once the server has said welcome. */
export async function connectRoom(url: string, headers: Record<string, string> = {}): Promise<RoomClient> {
  const webSocket = new WebSocket(url, { headers, perMessageDeflate: false });
  const messages: ServerMessage[] = [];
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const look of waiting) look();
  };
  const closed = new Promise<number>((resolve) => webSocket.once('close', (code) => {
    resolve(code);
    wake();
  }));
  webSocket.on('message', (data) => {
    messages.push(JSON.parse(String(data)) as ServerMessage);
    wake();
  });

  function untilTrue(isSo: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(look);
        reject(new Error(`waited in vain for ${what}; heard ${JSON.stringify(messages.slice(-5))}`));
      }, PATIENCE_MS);
      const look = (): void => {
        if (!isSo()) return;
        clearTimeout(timer);
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  }

  const client: RoomClient = {
    webSocket,
    messages,
    events: (room) => messages.flatMap((said) => (said.type === 'events' && said.room === room ? said.events : [])),
    say: (message) => webSocket.send(JSON.stringify(message)),
    async join(room, position) {
      const from = messages.length;
      client.say({ type: 'join', room, ...(position === undefined ? {} : { position }) });
      const isAnswer = (said: ServerMessage): said is Of<'joined'> | Of<'reload'> | Of<'refused'> =>
        (said.type === 'joined' || said.type === 'reload' || said.type === 'refused') && said.room === room;
      await untilTrue(() => messages.slice(from).some(isAnswer), `the answer to joining ${room}`);
      const answer = messages.slice(from).find(isAnswer);
      if (answer === undefined) throw new Error('no answer');
      return answer;
    },
    async until<T extends ServerMessage>(isSo: (message: ServerMessage) => message is T): Promise<T> {
      await untilTrue(() => messages.some(isSo), isSo.toString());
      const found = messages.find(isSo);
      if (found === undefined) throw new Error('no message');
      return found;
    },
    untilTrue,
    closed,
    close() {
      webSocket.close();
      return closed;
    },
  };
  await new Promise<void>((resolve, reject) => {
    webSocket.once('open', resolve);
    webSocket.once('error', reject);
    webSocket.once('unexpected-response', (_request, response) => {
      reject(Object.assign(new Error(`refused with ${response.statusCode}`), { status: response.statusCode }));
    });
  });
  await client.until(isType('welcome'));
  return client;
}

export interface RoomServer {
  realtime: Realtime;
  bus: ReturnType<typeof createMemoryBus>;
  port: number;
  url: string;
  /** Rooms that exist; all may join unless `mayJoin` says otherwise. */
  mayJoin: (room: string, actor: Actor) => Promise<boolean>;
  snapshot: (room: string) => Promise<Snapshot>;
  snapshotsTaken: number;
  connect(options?: { person?: string; session?: string; guest?: string }): Promise<RoomClient>;
  /** A guest's cookie that the server takes. */
  guestCookie(): string;
  stop(): Promise<void>;
}

/** A socket's person comes from the header `x-person` (and `x-session`), as tests choose. */
export async function createRoomServer(limits: Partial<RealtimeLimits> = {}): Promise<RoomServer> {
  const log = createLog('silent', false);
  const bus = createMemoryBus({ log });
  const guests = createGuests({ secret: 'rooms of tests' });
  const http = createServer((_request, response) => response.writeHead(404).end());
  const upgrades = createUpgrades({ log });
  const realtime = createRealtime({
    platform: { bus, log, newId, clock: { now: () => new Date() } },
    guests,
    limits,
    async findPerson(request) {
      await sleep(Number(request.headers['x-slow-ms'] ?? 0));
      const personId = request.headers['x-person'];
      if (typeof personId !== 'string') return null;
      const sessionId = String(request.headers['x-session'] ?? 'session');
      return { kind: 'person', personId, name: 'Mei Lin', isOperator: false, isDemo: false, sessionId };
    },
    mayJoin: (room, actor) => server.mayJoin(room, actor),
    snapshot: (room) => {
      server.snapshotsTaken += 1;
      return server.snapshot(room);
    },
  });
  realtime.attach(upgrades);
  upgrades.listenOn(http);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const server: RoomServer = {
    realtime,
    bus,
    port,
    url: `ws://127.0.0.1:${port}/realtime?v=1`,
    mayJoin: async () => true,
    snapshot: async () => null,
    snapshotsTaken: 0,
    guestCookie: () => guests.create(false).setCookie.split(';')[0] ?? '',
    connect: ({ person, session, guest } = {}) => connectRoom(server.url, {
      ...(person === undefined ? {} : { 'x-person': person }),
      ...(session === undefined ? {} : { 'x-session': session }),
      ...(guest === undefined ? {} : { cookie: guest }),
    }),
    async stop() {
      await realtime.stop();
      upgrades.stop();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
      await bus.stop();
    },
  };
  return server;
}
