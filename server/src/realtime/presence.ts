/**
 * Who is in which room: persons and guests, however many tabs each has.
 *
 * Invariant: a viewer counts from the first socket in the room to the last, and a changed count is told at most once
 * per `viewersEveryMs`.
 */
import { LRUCache } from 'lru-cache';
import { viewerOf, type Actor } from '../http/actor.ts';
import type { Clock } from '../platform/clock.ts';

export interface Presence {
  enter(room: string, actor: Actor): void;
  leave(room: string, actor: Actor): void;
  count(room: string): number;
  /** Names of those who are there (`viewerOf`). */
  viewersIn(room: string): string[];
  stop(): void;
}

export interface PresenceDeps {
  clock: Clock;
  limits: { viewersEveryMs: number; cameAgainMs: number; cameRemembered: number };
  onCount(room: string, count: number): void;
  /** Somebody is there who was not lately. */
  onCame(room: string, actor: Actor): void;
  /** A viewer's first socket is there, or the last one is gone. */
  onPresence(room: string, viewer: string, isHere: boolean): void;
}

/**
 * The rooms in which a socket counts as a viewer: shows that it watches. Who works in a show's studio does not watch.
 */
export function countedRooms(rooms: ReadonlySet<string>): Set<string> {
  const counted = new Set<string>();
  for (const room of rooms) {
    if (room.startsWith('show/') && !rooms.has(`studio/${room.slice('show/'.length)}`)) counted.add(room);
  }
  return counted;
}

export function createPresence(deps: PresenceDeps): Presence {
  const { clock, limits } = deps;
  /** Sockets of each viewer, by room. */
  const rooms = new Map<string, Map<string, number>>();
  const leftAtMs = new LRUCache<string, number>({ max: limits.cameRemembered });
  const changed = new Set<string>();

  const timer = setInterval(() => {
    const due = [...changed];
    changed.clear();
    for (const room of due) deps.onCount(room, rooms.get(room)?.size ?? 0);
  }, limits.viewersEveryMs);
  timer.unref();

  return {
    enter(room, actor) {
      const viewer = viewerOf(actor);
      const viewers = rooms.get(room) ?? new Map<string, number>();
      rooms.set(room, viewers);
      const sockets = viewers.get(viewer) ?? 0;
      viewers.set(viewer, sockets + 1);
      if (sockets > 0) return;
      changed.add(room);
      deps.onPresence(room, viewer, true);
      const leftMs = leftAtMs.get(`${room} ${viewer}`);
      if (leftMs === undefined || clock.now().getTime() - leftMs > limits.cameAgainMs) deps.onCame(room, actor);
    },
    leave(room, actor) {
      const viewer = viewerOf(actor);
      const viewers = rooms.get(room);
      const sockets = viewers?.get(viewer);
      if (viewers === undefined || sockets === undefined) return;
      if (sockets > 1) {
        viewers.set(viewer, sockets - 1);
        return;
      }
      viewers.delete(viewer);
      if (viewers.size === 0) rooms.delete(room);
      leftAtMs.set(`${room} ${viewer}`, clock.now().getTime());
      changed.add(room);
      deps.onPresence(room, viewer, false);
    },
    viewersIn: (room) => [...(rooms.get(room)?.keys() ?? [])],
    count: (room) => rooms.get(room)?.size ?? 0,
    stop: () => clearInterval(timer),
  };
}
