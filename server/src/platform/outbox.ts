/**
 * Facts for other modules, written in the transaction that made them true.
 *
 * Each fact is taken out of the table in the transaction in which its reactions run, so what reactions do to the
 * database happens exactly once; a reaction that fails leaves the fact there, to be tried again later, and does not
 * hold up the others. A fact of several that fails is told again piece by piece. Several processes share the work by
 * `skip locked`. No fact is ever given up: what keeps failing is logged each time and stands in the figures until it is
 * mended.
 */
import { sql } from 'kysely';
import type { Clock } from './clock.ts';
import type { Database, Tx } from './database.ts';
import { afterCommit, isUnavailable } from './database.ts';
import type { Log } from './log.ts';

/** A module's fact: past tense, e.g. `payments.captured`. Payload is JSON. */
export interface Fact {
  topic: string;
  payload: Record<string, unknown>;
}

export type Reaction = (tx: Tx, payload: never) => Promise<void>;

export interface Outbox {
  /** Writes the fact in the caller's transaction; delivered after its commit. */
  publish(tx: Tx, fact: Fact): Promise<void>;
  /** Registers a reaction; before `start`. */
  on(topic: string, reaction: Reaction): void;
  start(): void;
  /** What waits now, whether for its first delivery or another try; for `/metrics`. */
  backlog(): Promise<Backlog>;
  /** Resolves when everything that was due is delivered, or has failed and waits; for tests and a graceful stop. */
  drain(): Promise<void>;
  stop(): Promise<void>;
}

export interface Backlog {
  facts: number;
  /** Of these, such as failed before. */
  failing: number;
  /** Age of the oldest; 0 when none waits. */
  oldestSeconds: number;
}

/** How often to look for facts that another process left behind; our own wake us at once. */
const POLL_MS = 1_000;
/** A fact that fails waits 1 s, 2 s, 4 s … up to this, for a database or a bug to be mended. */
const RETRY_MAX_SECONDS = 300;

interface Taken {
  id: bigint;
  topic: string;
  payload: object;
  attempts: number;
}

/** One list in a payload makes it a fact of several: `{ orders: […] }`. Each piece has the same shape. */
function piecesOf(payload: object): object[] {
  const [[name, list] = [], ...others] = Object.entries(payload) as Array<[string, unknown]>;
  if (name === undefined || others.length > 0 || !Array.isArray(list)) return [];
  return list.map((one: unknown) => ({ [name]: [one] }));
}

export function createOutbox(deps: { database: Database; clock: Clock; log: Log }): Outbox {
  const { database, clock, log } = deps;
  const reactions = new Map<string, Reaction[]>();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | null = null;
  let again = false;
  let stopped = false;

  /** Delivers one fact; false when none was due. */
  async function deliverOne(): Promise<boolean> {
    let taken: Taken | undefined;
    try {
      await database.transaction(async (tx) => {
        taken = undefined;
        const { rows } = await sql<Taken>`
          delete from outbox where id = (
            select id from outbox where next_try_at <= ${clock.now()} order by next_try_at, id
            limit 1 for update skip locked
          ) returning id, topic, payload, attempts`.execute(tx);
        const fact = rows[0];
        if (fact === undefined) return;
        taken = fact;
        for (const reaction of reactions.get(fact.topic) ?? []) await reaction(tx, fact.payload as never);
      });
    } catch (error) {
      if (taken === undefined) throw error;
      const pieces = piecesOf(taken.payload);
      if (pieces.length > 1 && !isUnavailable(error)) {
        log.warn({ err: error, topic: taken.topic, pieces: pieces.length }, 'a fact of several failed: piece by piece');
        await tellApart(taken.id, taken.topic, pieces);
        return true;
      }
      const waitSeconds = Math.min(2 ** taken.attempts, RETRY_MAX_SECONDS);
      const attempts = taken.attempts + 1;
      log.error({ err: error, topic: taken.topic, fact: String(taken.id), attempts, waitSeconds },
        waitSeconds < RETRY_MAX_SECONDS ? 'a reaction failed' : 'a reaction keeps failing: somebody must mend it');
      await database.db
        .updateTable('outbox')
        .set({ attempts, next_try_at: new Date(clock.now().getTime() + waitSeconds * 1000) })
        .where('id', '=', taken.id)
        .execute();
    }
    return taken !== undefined;
  }

  /** In the place of the fact of several, unless another process was quicker. */
  async function tellApart(id: bigint, topic: string, pieces: readonly object[]): Promise<void> {
    const now = clock.now();
    await database.transaction(async (tx) => {
      const { numDeletedRows } = await tx.deleteFrom('outbox').where('id', '=', id).executeTakeFirstOrThrow();
      if (numDeletedRows === 0n) return;
      await sql`
        insert into outbox (topic, payload, created_at, next_try_at)
        select ${topic}, payload::jsonb, ${now}, ${now}
          from unnest(${pieces.map((piece) => JSON.stringify(piece))}::text[]) as payload`.execute(tx);
    });
  }

  /** Ends in the same step in which it has seen that nothing is asked for any more, so that no call gets lost. */
  async function deliverAll(): Promise<void> {
    try {
      while (again && !stopped) {
        again = false;
        while (!stopped && (await deliverOne()));
      }
    } catch (error) {
      log.warn({ err: error }, 'the outbox cannot be read');
    }
    running = null;
  }

  function wake(): Promise<void> {
    if (stopped) return Promise.resolve();
    again = true;
    running ??= deliverAll();
    return running;
  }

  return {
    async publish(tx, fact) {
      const now = clock.now();
      await tx
        .insertInto('outbox')
        .values({ topic: fact.topic, payload: JSON.stringify(fact.payload), created_at: now, next_try_at: now })
        .execute();
      // A process that only writes (a command, a server that is not started yet) has no reactions: what it delivered
      // would be lost.
      afterCommit(tx, () => {
        if (timer !== undefined) void wake();
      });
    },
    on(topic, reaction) {
      reactions.set(topic, [...(reactions.get(topic) ?? []), reaction]);
    },
    start() {
      timer = setInterval(() => void wake(), POLL_MS);
      void wake();
    },
    async backlog() {
      const { rows } = await sql<{ facts: bigint; failing: bigint; oldest: Date | null }>`
        select count(*) as facts, count(*) filter (where attempts > 0) as failing, min(created_at) as oldest
        from outbox`.execute(database.db);
      const [row] = rows;
      const oldestMs = row?.oldest?.getTime() ?? clock.now().getTime();
      return {
        facts: Number(row?.facts ?? 0),
        failing: Number(row?.failing ?? 0),
        oldestSeconds: Math.max(0, clock.now().getTime() - oldestMs) / 1000,
      };
    },
    drain: wake,
    async stop() {
      clearInterval(timer);
      stopped = true;
      await running;
    },
  };
}
