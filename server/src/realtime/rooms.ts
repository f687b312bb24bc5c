/**
 * The rooms: members, history, and the tick that turns what happened into one frame per room.
 *
 * Invariants: a frame is built once and the same bytes go to every member; a member gets every event after the position
 * it was given, once and in order; a room lives while it has members and `roomIdleMs` longer.
 */
import type { Position, RoomEvent, ServerMessage } from '@nacre/contract/realtime';
import { textFrame } from '../http/websocket-frame.ts';
import { createBatch, type Batch } from './batch.ts';
import type { Connection } from './connection.ts';
import { createHistory, type History } from './history.ts';
import type { RealtimeLimits } from './limits.ts';

export type Snapshot = Extract<ServerMessage, { type: 'joined' }>['snapshot'];

export interface Rooms {
  /** For the next frame of the room; nothing when nobody joined it lately. */
  publish(room: string, event: RoomEvent): void;
  /**
   * Makes the connection a member and tells it where it stands: what it missed since `position`, or the snapshot.
   * `reload` (told to the page, not a member) when what it missed is gone; `full` when there are too many rooms.
   */
  join(room: string, connection: Connection, ask: JoinAsk): Promise<'joined' | 'reload' | 'full' | 'unwanted'>;
  leave(room: string, connection: Connection): void;
  members(room: string): ReadonlySet<Connection>;
  /** Lines thinned in floods since the start, and rooms held. */
  stats(): { rooms: number; thinned: number };
  stop(): void;
}

export interface JoinAsk {
  position: Position | undefined;
  /** False when the page has left again while the snapshot was read. */
  isWanted(): boolean;
}

interface TakenSnapshot {
  offset: number;
  takenAtMs: number;
  snapshot: Promise<string>;
}

interface Room {
  name: string;
  history: History;
  batch: Batch;
  members: Set<Connection>;
  joining: number;
  idleSinceMs: number;
  lastSnapshot: TakenSnapshot | null;
}

export interface RoomsDeps {
  limits: RealtimeLimits;
  nowMs(): number;
  newEpoch(): string;
  /** The room's state for who joins; null for a room without any. */
  snapshot(room: string): Promise<Snapshot>;
}

const NOBODY: ReadonlySet<Connection> = new Set();

export function message(value: ServerMessage): Buffer {
  return textFrame(JSON.stringify(value));
}

export function createRooms(deps: RoomsDeps): Rooms {
  const { limits, nowMs } = deps;
  const rooms = new Map<string, Room>();
  let dirty = new Set<Room>();
  let tick: NodeJS.Timeout | null = null;
  let thinnedBefore = 0;

  const sweep = setInterval(forgetIdle, Math.max(1, limits.roomIdleMs / 4));
  sweep.unref();

  function forgetIdle(): void {
    for (const room of rooms.values()) {
      if (room.members.size > 0 || room.joining > 0 || nowMs() - room.idleSinceMs < limits.roomIdleMs) continue;
      thinnedBefore += room.batch.thinned();
      rooms.delete(room.name);
      dirty.delete(room);
    }
  }

  function open(name: string): Room | null {
    const known = rooms.get(name);
    if (known !== undefined) return known;
    if (rooms.size >= limits.rooms) return null;
    const history = createHistory(deps.newEpoch(), limits);
    const room: Room = {
      name, history, batch: createBatch(limits), members: new Set(), joining: 0, idleSinceMs: nowMs(),
      lastSnapshot: null,
    };
    rooms.set(name, room);
    return room;
  }

  function eventsFrame(room: Room, events: readonly string[]): Buffer {
    const head = JSON.stringify({
      type: 'events', room: room.name, epoch: room.history.epoch, offset: room.history.offset(),
    });
    return textFrame(`${head.slice(0, -1)},"events":[${events.join(',')}]}`);
  }

  function flush(): void {
    tick = null;
    const due = dirty;
    dirty = new Set();
    for (const room of due) {
      const events = room.batch.take().map((event) => JSON.stringify(event));
      if (!room.batch.isEmpty()) wake(room);
      if (events.length === 0) continue;
      room.history.append(events);
      if (room.members.size === 0) continue;
      const frame = eventsFrame(room, events);
      for (const member of room.members) member.write(frame);
    }
  }

  function wake(room: Room): void {
    dirty.add(room);
    tick ??= setTimeout(flush, limits.tickMs);
  }

  /** The state of the room and the offset that it is as of; shared by all who join at about the same time. */
  function takeSnapshot(room: Room): TakenSnapshot {
    const last = room.lastSnapshot;
    if (last !== null && nowMs() - last.takenAtMs < limits.snapshotReuseMs) return last;
    // The offset is read before the state: what happens meanwhile is told again, never missed.
    const taken: TakenSnapshot = {
      offset: room.history.offset(),
      takenAtMs: nowMs(),
      snapshot: deps.snapshot(room.name).then((snapshot) => JSON.stringify(snapshot)),
    };
    room.lastSnapshot = taken;
    taken.snapshot.catch(() => {
      if (room.lastSnapshot === taken) room.lastSnapshot = null;
    });
    return taken;
  }

  function admit(room: Room, connection: Connection, joined: string, missed: string[]): void {
    connection.write(textFrame(joined));
    if (missed.length > 0) connection.write(eventsFrame(room, missed));
    room.members.add(connection);
  }

  function joinedText(room: Room, offset: number, caughtUp: boolean, snapshot: string): string {
    const position: Position = { epoch: room.history.epoch, offset };
    const head = JSON.stringify({ type: 'joined', room: room.name, position, caughtUp });
    return `${head.slice(0, -1)},"snapshot":${snapshot}}`;
  }

  async function joinAnew(room: Room, connection: Connection, ask: JoinAsk): Promise<'joined' | 'reload' | 'unwanted'> {
    const taken = takeSnapshot(room);
    room.joining += 1;
    let snapshot: string;
    try {
      snapshot = await taken.snapshot;
    } finally {
      room.joining -= 1;
      room.idleSinceMs = nowMs();
    }
    if (!ask.isWanted()) return 'unwanted';
    const missed = room.history.since(taken.offset);
    if (missed === null) return 'reload';
    admit(room, connection, joinedText(room, taken.offset, false, snapshot), missed);
    return 'joined';
  }

  return {
    publish(name, event) {
      const room = rooms.get(name);
      if (room === undefined) return;
      room.batch.add(event);
      wake(room);
    },
    async join(name, connection, ask) {
      const room = open(name);
      if (room === null) return 'full';
      const { position } = ask;
      if (position === undefined) {
        const outcome = await joinAnew(room, connection, ask);
        if (outcome === 'reload') connection.write(message({ type: 'reload', room: name }));
        return outcome;
      }
      const missed = position.epoch === room.history.epoch ? room.history.since(position.offset) : null;
      if (missed === null) {
        room.members.delete(connection);
        connection.write(message({ type: 'reload', room: name }));
        return 'reload';
      }
      admit(room, connection, joinedText(room, position.offset, true, 'null'), missed);
      return 'joined';
    },
    leave(name, connection) {
      const room = rooms.get(name);
      if (room === undefined || !room.members.delete(connection)) return;
      room.idleSinceMs = nowMs();
    },
    members: (name) => rooms.get(name)?.members ?? NOBODY,
    stats() {
      let thinned = thinnedBefore;
      for (const room of rooms.values()) thinned += room.batch.thinned();
      return { rooms: rooms.size, thinned };
    },
    stop() {
      clearInterval(sweep);
      if (tick !== null) clearTimeout(tick);
      rooms.clear();
    },
  };
}
