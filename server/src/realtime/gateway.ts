/**
 * The door: upgrades sockets and opens event streams, reads what pages send, and keeps who is connected.
 *
 * Invariants: nobody is in a room that `mayJoin` did not allow; what one socket sends costs a bounded amount, and more
 * closes that socket and no other; who signs out is closed, also while connecting.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { Compile } from 'typebox/compile';
import { CLOSE, ClientMessage, REALTIME_VERSION, type ServerMessage } from '@nacre/contract/realtime';
import type { RefusalCode } from '@nacre/contract/refusals';
import { namesOf, personIdOf, viewerOf, type Actor } from '../http/actor.ts';
import type { Guests } from '../http/guest.ts';
import { refuseUpgrade, type UpgradeHandler } from '../http/upgrade.ts';
import { Refusal } from '../lib/refusal.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { createAdmission, createConnection, type Connection } from './connection.ts';
import type { RealtimeLimits } from './limits.ts';
import { message, type Rooms } from './rooms.ts';

export interface GatewayDeps {
  clock: Clock;
  log: Log;
  limits: RealtimeLimits;
  guests: Guests;
  /** The person of the request's session, or null. A Refusal refuses the socket. */
  findPerson(request: IncomingMessage): Promise<Actor | null>;
  mayJoin(room: string, actor: Actor): Promise<boolean>;
  rooms: Rooms;
  /** The connection's rooms have changed from `before`. */
  onRooms(connection: Connection, before: ReadonlySet<string>): void;
}

/** What a page is connected by. */
export interface Line {
  connection: Connection;
  /** Called once, when it is closed, however. */
  onClose(listener: () => void): void;
}

export interface Gateway {
  upgrade: UpgradeHandler;
  /**
   * Takes a page that listens by an event stream; `guest` is who asks when nobody is signed in.
   * @returns its line, and what takes the page's messages. @throws Refusal `server.busy`, `request.too_many`
   */
  openStream(ask: {
    request: IncomingMessage;
    guest: Actor;
    version: string | null;
    /** To be named in `welcome`. */
    name: string;
    open(actor: Actor): Line;
  }): Promise<{ line: Line; receive(text: string): void }>;
  /** Sockets of one person. */
  of(personId: string): ReadonlySet<Connection>;
  /** Closes sockets of a person (of one session, or of all when null) with 4003. */
  signOut(personId: string, sessionId: string | null): void;
  /** Puts out of the room who may not be there any more. */
  recheck(room: string): Promise<void>;
  /** Of these viewers alone. */
  putOut(room: string, names: readonly string[]): Promise<void>;
  count(): number;
  /** Closes everybody with 1001 and takes nobody more. */
  stop(): Promise<void>;
}

const clientMessage = Compile(ClientMessage);
/** What a room may be called; which of them exist is `mayJoin`'s to say. */
const ROOM_NAME = /^[a-z]{1,16}\/[A-Za-z0-9_-]{1,40}$/;
const GOING_AWAY = 1001;
const NONE: ReadonlySet<Connection> = new Set();

interface Handshake {
  signedOut: Array<{ personId: string; sessionId: string | null }>;
}

function readMessage(text: string): ClientMessage | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return clientMessage.Check(value) ? value : null;
}

function isSignedOut(actor: Actor, out: { personId: string; sessionId: string | null }): boolean {
  if (actor.kind !== 'person' || actor.personId !== out.personId) return false;
  return out.sessionId === null || out.sessionId === actor.sessionId;
}

/** A person together with the guest that their browser is when they sign out. */
function withGuest(actor: Actor, guestId: string | null): Actor {
  return actor.kind === 'person' && guestId !== null ? { ...actor, guestId } : actor;
}

export function createGateway(deps: GatewayDeps): Gateway {
  const { clock, log, limits, rooms } = deps;
  const byViewer = new Map<string, Set<Connection>>();
  const handshakes = new Set<Handshake>();
  const guestCookies = new WeakMap<IncomingMessage, string>();
  const silent = new WeakSet<WebSocket>();
  let open = 0;
  let stopping = false;
  /** Grows with each recheck: a join that was allowed before one and done after it is asked about again. */
  let rechecks = 0;

  const server = new WebSocketServer({
    noServer: true,
    clientTracking: true,
    // Per client it costs a hundred times the write itself.
    perMessageDeflate: false,
    maxPayload: limits.frameBytes,
  });
  server.on('headers', (headers, request) => {
    const cookie = guestCookies.get(request);
    if (cookie !== undefined) headers.push(`Set-Cookie: ${cookie}`);
  });
  const probe = setInterval(() => {
    for (const webSocket of server.clients) {
      if (silent.has(webSocket)) webSocket.terminate();
      silent.add(webSocket);
      webSocket.ping();
    }
  }, limits.probeEveryMs);
  probe.unref();

  async function actorOf(request: IncomingMessage): Promise<Actor> {
    const person = await deps.findPerson(request);
    const known = deps.guests.read(request.headers.cookie);
    if (person !== null) return withGuest(person, known);
    if (known !== null) return { kind: 'guest', guestId: known };
    const guest = deps.guests.create(request.headers.origin?.startsWith('https:') ?? false);
    guestCookies.set(request, guest.setCookie);
    return { kind: 'guest', guestId: guest.guestId };
  }

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const handshake: Handshake = { signedOut: [] };
    handshakes.add(handshake);
    try {
      assertFree();
      const actor = await actorOf(request);
      if (socket.destroyed) return;
      assertPlaceFor(actor);
      server.handleUpgrade(request, socket, head, (webSocket) => {
        const connection = createConnection({ webSocket, line: socket, actor, limits });
        serveSocket(connection, webSocket, versionOf(request));
        if (handshake.signedOut.some((out) => isSignedOut(actor, out))) connection.close(CLOSE.signedOut);
      });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refuseUpgrade(socket, error.code);
    } finally {
      handshakes.delete(handshake);
    }
  }

  const openStream: Gateway['openStream'] = async ({ request, guest, version, name, open: openLine }) => {
    const handshake: Handshake = { signedOut: [] };
    handshakes.add(handshake);
    try {
      assertFree();
      const person = await deps.findPerson(request);
      const actor = person === null ? guest : withGuest(person, deps.guests.read(request.headers.cookie));
      assertPlaceFor(actor);
      const line = openLine(actor);
      const receive = serve(line, version, name);
      if (handshake.signedOut.some((out) => isSignedOut(actor, out))) line.connection.close(CLOSE.signedOut);
      return { line, receive: (text) => void receive(text, Buffer.byteLength(text)) };
    } finally {
      handshakes.delete(handshake);
    }
  };

  function assertFree(): void {
    if (stopping || open >= limits.connections) throw new Refusal('server.busy');
  }

  function assertPlaceFor(actor: Actor): void {
    if ((byViewer.get(viewerOf(actor))?.size ?? 0) >= limits.connectionsPerViewer) {
      throw new Refusal('request.too_many');
    }
  }

  function serveSocket(connection: Connection, webSocket: WebSocket, version: string | null): void {
    webSocket.on('error', (error) => log.debug({ err: error }, 'a room socket failed'));
    webSocket.on('pong', () => silent.delete(webSocket));
    const receive = serve({ connection, onClose: (listener) => webSocket.once('close', listener) }, version);
    webSocket.on('message', (data, isBinary) => {
      if (!connection.isOpen()) return;
      silent.delete(webSocket);
      const isFlood = !receive(isBinary ? null : String(data), sizeOf(data));
      // What it still sends is not read; the close is final after a moment.
      if (isFlood) webSocket.pause();
    });
  }

  /** @returns what takes the page's messages (null for what is no text); false when it was closed for them. */
  function serve(
    { connection, onClose }: Line, version: string | null, name?: string,
  ): (text: string | null, bytes: number) => boolean {
    const { actor } = connection;
    const viewer = viewerOf(actor);
    const own = byViewer.get(viewer) ?? new Set<Connection>();
    byViewer.set(viewer, own.add(connection));
    open += 1;
    onClose(() => {
      open -= 1;
      own.delete(connection);
      if (own.size === 0 && byViewer.get(viewer) === own) byViewer.delete(viewer);
      const before = new Set(connection.rooms);
      connection.rooms.clear();
      for (const room of before) rooms.leave(room, connection);
      deps.onRooms(connection, before);
    });
    connection.write(message({
      type: 'welcome',
      version: REALTIME_VERSION,
      personId: personIdOf(actor),
      serverTime: clock.now().toISOString(),
      ...(name === undefined ? {} : { line: name }),
    }));
    if (version !== String(REALTIME_VERSION)) connection.close(CLOSE.version);
    else if (stopping) connection.close(GOING_AWAY);
    return createReceiver(connection);
  }

  function createReceiver(connection: Connection): (text: string | null, bytes: number) => boolean {
    const admits = createAdmission({
      burst: limits.messagesBurst, perSecond: limits.messagesPerSecond, nowMs: () => clock.now().getTime(),
    });
    /** Joins under way; the object tells a later join of the same room from this one. */
    const joins = new Map<string, object>();
    return (text, bytes) => {
      if (!connection.isOpen()) return true;
      if (!admits() || bytes > limits.messageBytes) {
        connection.close(CLOSE.flood);
        return false;
      }
      const asked = text === null ? null : readMessage(text);
      if (asked === null) tellRefused(connection, null, 'request.invalid');
      else if (asked.type === 'ping') {
        connection.write(message({ type: 'pong', serverTime: clock.now().toISOString() }));
      } else if (asked.type === 'leave') {
        joins.delete(asked.room);
        leave(connection, asked.room);
      } else void join(connection, joins, asked);
      return true;
    };
  }

  async function join(
    connection: Connection,
    joins: Map<string, object>,
    asked: Extract<ClientMessage, { type: 'join' }>,
  ): Promise<void> {
    const { room } = asked;
    if (!ROOM_NAME.test(room)) return tellRefused(connection, room, 'realtime.room');
    if (joins.has(room)) return;
    if (!connection.rooms.has(room) && connection.rooms.size + joins.size >= limits.roomsPerConnection) {
      return tellRefused(connection, room, 'request.too_many');
    }
    const turn = {};
    joins.set(room, turn);
    const isWanted = (): boolean => connection.isOpen() && joins.get(room) === turn;
    const asOf = rechecks;
    try {
      const allowed = await deps.mayJoin(room, connection.actor);
      if (!isWanted()) return;
      if (!allowed) {
        leave(connection, room);
        return tellRefused(connection, room, 'realtime.room');
      }
      const outcome = await rooms.join(room, connection, { position: asked.position, isWanted });
      if (outcome === 'full') tellRefused(connection, room, 'server.busy');
      // Closed in between: its rooms are cleared already, so nobody else would take it out of this one.
      if (outcome === 'joined' && !connection.isOpen()) return rooms.leave(room, connection);
      if (outcome === 'reload') leave(connection, room);
      if (outcome !== 'joined') return;
      change(connection, () => connection.rooms.add(room));
      if (rechecks !== asOf) await putOutUnless(deps.mayJoin(room, connection.actor), connection, room);
    } catch (error) {
      log.error({ err: error, room }, 'a room could not be joined');
      tellRefused(connection, room, 'server.failed');
    } finally {
      if (joins.get(room) === turn) joins.delete(room);
    }
  }

  function leave(connection: Connection, room: string): void {
    rooms.leave(room, connection);
    if (connection.rooms.has(room)) change(connection, () => connection.rooms.delete(room));
  }

  /** Who cannot be asked about is put out too, and may come in again. */
  async function putOutUnless(answer: Promise<boolean>, connection: Connection, room: string): Promise<void> {
    if (await answer.catch(() => false)) return;
    leave(connection, room);
    tellRefused(connection, room, 'realtime.room');
  }

  async function recheckOf(room: string, isMeant: (actor: Actor) => boolean): Promise<void> {
    rechecks += 1;
    const answers = new Map<string, Promise<boolean>>();
    for (const connection of rooms.members(room)) {
      if (!isMeant(connection.actor)) continue;
      const viewer = viewerOf(connection.actor);
      const answer = answers.get(viewer) ?? deps.mayJoin(room, connection.actor);
      answers.set(viewer, answer);
      await putOutUnless(answer, connection, room);
    }
  }

  function change(connection: Connection, action: () => void): void {
    const before = new Set(connection.rooms);
    action();
    deps.onRooms(connection, before);
  }

  function forPerson(personId: string): ReadonlySet<Connection> {
    return byViewer.get(`person/${personId}`) ?? NONE;
  }

  return {
    upgrade,
    openStream,
    of: forPerson,
    signOut(personId, sessionId) {
      for (const handshake of handshakes) handshake.signedOut.push({ personId, sessionId });
      for (const connection of forPerson(personId)) {
        if (isSignedOut(connection.actor, { personId, sessionId })) connection.close(CLOSE.signedOut);
      }
    },
    recheck: (room) => recheckOf(room, () => true),
    putOut: (room, names) => recheckOf(room, (actor) => namesOf(actor).some((name) => names.includes(name))),
    count: () => open,
    async stop() {
      stopping = true;
      clearInterval(probe);
      for (const own of byViewer.values()) for (const connection of own) connection.close(GOING_AWAY);
      const rounds = Math.ceil(limits.closeLingerMs / STOP_STEP_MS);
      for (let round = 0; round < rounds && server.clients.size > 0; round += 1) {
        await new Promise((done) => setTimeout(done, STOP_STEP_MS));
      }
      for (const webSocket of server.clients) webSocket.terminate();
      server.close();
    },
  };
}

/** How often a stop looks whether all have gone; shorter spins, longer makes a stop slow. */
const STOP_STEP_MS = 20;

function tellRefused(connection: Connection, room: string | null, code: RefusalCode): void {
  const refused: ServerMessage = { type: 'refused', room, code };
  connection.write(message(refused));
}

function sizeOf(data: RawData): number {
  if (Array.isArray(data)) return data.reduce((bytes, part) => bytes + part.length, 0);
  return data.byteLength;
}

/** The protocol version of `/realtime?v=…`. */
function versionOf(request: IncomingMessage): string | null {
  return new URLSearchParams((request.url ?? '').split('?')[1] ?? '').get('v');
}
