/**
 * The room's sockets: who is connected, who is where, and that everybody hears the same in the same order.
 * No business: which rooms exist, who may enter and what their state is arrive as functions.
 *
 * Protocol: contract/src/realtime.ts. What is published goes over the bus, so that further processes can hear it too.
 */
import type { IncomingMessage } from 'node:http';
import type { FastifyPluginAsync } from 'fastify';
import type { PersonalEvent, RoomEvent } from '@nacre/contract/realtime';
import type { Actor } from '../http/actor.ts';
import type { Guests } from '../http/guest.ts';
import type { UpgradeHandler, Upgrades } from '../http/upgrade.ts';
import type { Platform } from '../platform/platform.ts';
import type { Channel } from './channel.ts';
import { eventStreamRoutes } from './event-stream.ts';
import { createGateway } from './gateway.ts';
import { REALTIME_LIMITS, type RealtimeLimits } from './limits.ts';
import { countedRooms, createPresence } from './presence.ts';
import { createRooms, message, type Snapshot } from './rooms.ts';

const ROOM_TOPIC = 'realtime.room';
const PEOPLE_TOPIC = 'realtime.people';
/** Published by accounts: `{ personId, sessionId }`, sessionId null for all of them. */
const SIGNED_OUT_TOPIC = 'accounts.signed-out';

export interface RealtimeDeps {
  platform: Pick<Platform, 'bus' | 'clock' | 'newId' | 'log'>;
  /** The person behind an upgrade (its cookies), or null; a Refusal refuses the socket. Asked once per socket. */
  findPerson(request: IncomingMessage): Promise<Actor | null>;
  guests: Guests;
  mayJoin(room: string, actor: Actor): Promise<boolean>;
  /** State of a room for who joins it, at least as new as the call; null for rooms without. */
  snapshot(room: string): Promise<Snapshot>;
  limits?: Partial<RealtimeLimits>;
}

export interface Realtime extends Channel {
  /** Called at most once a second per room whose count has changed. Returns what ends it. */
  onViewers(listener: (room: string, count: number) => void): () => void;
  /** Called when a person or guest comes who was not in the room lately. */
  onCame(listener: (room: string, actor: Actor) => void): () => void;
  /** Called when a viewer's first socket is in the room, and when the last one has left it. */
  onPresence(listener: (room: string, viewer: string, isHere: boolean) => void): () => void;
  /** Names of the viewers in the room now (`viewerOf`). */
  viewersIn(room: string): string[];
  /** The guests that the browsers on which this person has a page open are when they sign out. */
  guestsOf(personId: string): string[];
  handleUpgrade: UpgradeHandler;
  /** Registers `/realtime`. */
  attach(upgrades: Upgrades): void;
  /** `/realtime/events` and `/realtime/messages/<line>`, for pages without sockets. */
  routes: FastifyPluginAsync;
  stats(): { connections: number; rooms: number; thinned: number };
  stop(): Promise<void>;
}

function createListeners<Args extends unknown[]>(): {
  add(listener: (...args: Args) => void): () => void;
  call(...args: Args): void;
} {
  const listeners = new Set<(...args: Args) => void>();
  return {
    add(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    call(...args) {
      for (const listener of listeners) listener(...args);
    },
  };
}

export function createRealtime(deps: RealtimeDeps): Realtime {
  const { bus, clock, log, newId } = deps.platform;
  const limits = { ...REALTIME_LIMITS, ...deps.limits };
  const nowMs = (): number => clock.now().getTime();
  const viewerListeners = createListeners<[string, number]>();
  const cameListeners = createListeners<[string, Actor]>();
  const presenceListeners = createListeners<[string, string, boolean]>();

  const rooms = createRooms({ limits, nowMs, newEpoch: newId, snapshot: deps.snapshot });
  const presence = createPresence({
    clock,
    limits,
    onCount(room, count) {
      rooms.publish(room, { type: 'viewers', count });
      viewerListeners.call(room, count);
    },
    onCame: cameListeners.call,
    onPresence: presenceListeners.call,
  });
  const gateway = createGateway({
    clock, log, limits, rooms,
    guests: deps.guests,
    findPerson: deps.findPerson,
    mayJoin: deps.mayJoin,
    onRooms(connection, before) {
      const was = countedRooms(before);
      const is = countedRooms(connection.rooms);
      for (const room of was) if (!is.has(room)) presence.leave(room, connection.actor);
      for (const room of is) if (!was.has(room)) presence.enter(room, connection.actor);
    },
  });

  const unsubscribe = [
    bus.subscribe(ROOM_TOPIC, (told) => {
      const { room, event } = told as { room: string; event: RoomEvent };
      rooms.publish(room, event);
    }),
    bus.subscribe(PEOPLE_TOPIC, (told) => {
      const { personIds, event } = told as { personIds: readonly string[]; event: PersonalEvent };
      const connections = personIds.flatMap((personId) => [...gateway.of(personId)]);
      if (connections.length === 0) return;
      const frame = message({ type: 'own', event });
      for (const connection of connections) connection.write(frame);
    }),
    bus.subscribe(SIGNED_OUT_TOPIC, (told) => {
      const { personId, sessionId } = told as { personId: string; sessionId: string | null };
      gateway.signOut(personId, sessionId);
    }),
  ];

  return {
    publish: (room, event) => bus.publish(ROOM_TOPIC, { room, event }),
    tell: (personId, event) => bus.publish(PEOPLE_TOPIC, { personIds: [personId], event }),
    tellAll: (personIds, event) => bus.publish(PEOPLE_TOPIC, { personIds, event }),
    viewers: presence.count,
    onViewers: viewerListeners.add,
    onCame: cameListeners.add,
    onPresence: presenceListeners.add,
    viewersIn: presence.viewersIn,
    recheck: gateway.recheck,
    putOut: gateway.putOut,
    guestsOf: (personId) => [...gateway.of(personId)].flatMap(({ actor }) => (
      actor.kind === 'person' && actor.guestId !== undefined ? [actor.guestId] : []
    )),
    handleUpgrade: gateway.upgrade,
    routes: eventStreamRoutes({ gateway, limits, now: () => clock.now() }),
    attach: (upgrades) => upgrades.route('/realtime', gateway.upgrade),
    stats: () => ({ connections: gateway.count(), ...rooms.stats() }),
    async stop() {
      for (const end of unsubscribe) end();
      await gateway.stop();
      presence.stop();
      rooms.stop();
    },
  };
}
