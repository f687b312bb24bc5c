/**
 * What a simulation needs of the world: chance from one seed, one clock, ids and jobs that follow both, and a process
 * that dies between any two statements.
 */
import type { Clock } from '../../server/src/platform/clock.ts';
import type { Database } from '../../server/src/platform/database.ts';
import type { NewId } from '../../server/src/platform/ids.ts';
import type { Jobs } from '../../server/src/platform/jobs.ts';
import type { Outbox } from '../../server/src/platform/outbox.ts';

export interface Chance {
  /** From 0 to below 1. */
  next(): number;
  /** A whole number from `min` to `max`, both included. */
  whole(min: number, max: number): number;
  pick<T>(all: readonly T[]): T;
  is(probability: number): boolean;
}

/** Mulberry32 (T. Ettinger, public domain): the same numbers for the same seed, everywhere. */
export function createChance(seed: number): Chance {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const whole = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return { next, whole, pick: (all) => all[whole(0, all.length - 1)]!, is: (probability) => next() < probability };
}

/** UUIDs of version 7 (RFC 9562, section 5.7) by the simulation's clock and chance. */
export function createIds(clock: Clock, chance: Chance): NewId {
  const hex = (digits: number) => chance.whole(0, 16 ** digits - 1).toString(16).padStart(digits, '0');
  return () => {
    const time = clock.now().getTime().toString(16).padStart(12, '0');
    return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(3)}-${chance.pick(['8', '9', 'a', 'b'])}${hex(3)}-${hex(12)}`;
  };
}

/** Jobs that come due by the simulation's clock: kept in the outbox, in the transaction that asks for them. */
export function jobsInOutbox(outbox: Outbox, clock: Clock): Jobs {
  const works = new Map<string, (data: never) => Promise<void>>();
  const addAll: Jobs['addAll'] = async (tx, name, jobs) => {
    if (jobs.length === 0) return;
    const now = clock.now();
    await tx.insertInto('outbox').values(jobs.map(({ data, startAfter }) => ({
      topic: 'simulation.job', payload: JSON.stringify({ name, data }), created_at: now,
      next_try_at: startAfter ?? now,
    }))).execute();
  };
  outbox.on('simulation.job', async (_tx, { name, data }: { name: string; data: never }) => works.get(name)?.(data));
  return {
    on: (name, work) => void works.set(name, work),
    add: (tx, name, data, startAfter = null) => addAll(tx, name, [{ data, startAfter }]),
    addAll,
    start: async () => {},
    stop: async () => {},
  };
}

/** Thrown by every statement of a process that has died. */
export class Crashed extends Error {}

export interface Fuse {
  /** The process dies at the n-th statement from now: before it is sent, or after it was done and before its answer. */
  light(statements: number, isBefore: boolean): void;
  /** It lives on, if it still does. */
  putOut(): void;
  hasBlown(): boolean;
}

/**
 * Lets a process die: from then on its statements throw, and what was not committed is rolled back. Statements of all
 * its connections run one at a time, in the sequence in which they were asked for, so that a seed gives the same life
 * again; a statement must therefore not have to wait for a lock of another connection.
 */
export function fuseOf(database: Database): Fuse {
  let left: number | null = null;
  let isBefore = false;
  let blown = false;
  const { pool } = database;
  const connect = pool.connect.bind(pool) as () => Promise<import('pg').PoolClient>;
  let turn: Promise<unknown> = Promise.resolve();

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = turn.then(() => work());
    turn = done.catch(() => {});
    return done;
  }

  function blow(client: import('pg').PoolClient): never {
    blown = true;
    // As a process that is gone leaves its connections.
    (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    throw new Crashed('the process has died');
  }

  const wrapped = new WeakSet<object>();
  pool.connect = (async () => {
    if (blown) throw new Crashed('the process has died');
    const client = await inTurn(connect);
    if (wrapped.has(client)) return client;
    wrapped.add(client);
    const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>;
    client.query = (async (...args: unknown[]) => {
      if (blown) blow(client);
      const isLast = left !== null && (left -= 1) === 0;
      if (isLast && isBefore) blow(client);
      const result = await inTurn(() => query(...args));
      if (isLast || blown) blow(client);
      return result;
    }) as never;
    return client;
  }) as never;

  return {
    light(statements, before) {
      left = statements;
      isBefore = before;
    },
    putOut: () => void (left = null),
    hasBlown: () => blown,
  };
}
