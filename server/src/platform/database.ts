/**
 * The server's connection to PostgreSQL, as the working role.
 *
 * Invariants: one explicit transaction per verb; nothing inside waits for the network; what others must hear of goes
 * out after the commit (`afterCommit`) or through the outbox. 64-bit integers arrive as bigint, moments as Date.
 */
import { Kysely, PostgresDialect, type Transaction } from 'kysely';
import pg from 'pg';
import type { Log } from './log.ts';
import type { DB } from './tables.ts';

export type Db = Kysely<DB>;
export type Tx = Transaction<DB>;

export interface Database {
  db: Db;
  pool: pg.Pool;
  /**
   * Runs `work` in one transaction. A throw rolls back and is thrown on. Deadlocks and serialization failures are tried
   * again, so `work` must keep no state outside the transaction.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

/** Enough to keep two cores of PostgreSQL busy; more connections make hot rows slower, not faster. */
const POOL_SIZE = 16;
/** A pool that cannot give a connection for this long is down; waiting longer only piles requests up. */
const CONNECT_TIMEOUT_MS = 5_000;
/** A statement of ours takes milliseconds. Longer ones hold locks that others wait for. */
const STATEMENT_TIMEOUT_MS = 15_000;
/**
 * What reading a page out of sequence costs beside one in sequence. PostgreSQL's own value, 4, is that of a turning
 * disk: with it, looking up a few hundred keys reads whole tables, longer the more orders there are.
 */
const PLANNING = '-c random_page_cost=1.1';
/** Tries of a transaction that lost against another. Two lose in a row seldom, five mean something else is wrong. */
const TRANSACTION_TRIES = 5;

const INT8_OID = 20;
const SERIALIZATION_FAILURE = '40001';
/** Of a statement in a transaction in which another has failed. */
const FAILED_BEFORE = '25P02';
const DEADLOCK = '40P01';

const afterCommitOf = new WeakMap<Tx, Array<() => void>>();

/**
 * Has `action` run once the transaction is committed, and not at all if it is rolled back. What it throws is logged:
 * the transaction stands, and the others must hear of it.
 */
export function afterCommit(tx: Tx, action: () => void): void {
  const actions = afterCommitOf.get(tx);
  if (actions === undefined) throw new Error('afterCommit outside of a transaction');
  actions.push(action);
}

export function createDatabase(deps: { url: string; log: Log; poolSize?: number }): Database {
  const types = new pg.TypeOverrides();
  types.setTypeParser(INT8_OID, (text: string) => BigInt(text));
  const pool = new pg.Pool({
    connectionString: deps.url,
    max: deps.poolSize ?? POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    options: PLANNING,
    // What a transaction asks at once (`together`) goes out at once; the answers come in the sequence of the questions.
    pipeline: true,
    application_name: 'nacre',
    types,
  });
  // A connection that dies (a restarted database) must not take the process with it: idle ones tell the pool, those in
  // use tell whoever listens, and without a listener that ends the process.
  let isStopping = false;
  pool.on('error', (error) => {
    if (!isStopping) deps.log.warn({ err: error }, 'database connection lost');
  });
  pool.on('connect', (client) => {
    client.on('error', (error) => deps.log.debug({ err: error }, 'database connection lost while in use'));
  });
  const db = new Kysely<DB>({ dialect: new PostgresDialect({ pool }) });

  async function once<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    const actions: Array<() => void> = [];
    const result = await db.transaction().execute(async (tx) => {
      afterCommitOf.set(tx, actions);
      return work(tx);
    });
    for (const action of actions) {
      try {
        action();
      } catch (error) {
        deps.log.error({ err: error }, 'something failed after a commit');
      }
    }
    return result;
  }

  async function transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await once(work);
      } catch (error) {
        const code = (error as { code?: unknown }).code;
        const lostRace = code === SERIALIZATION_FAILURE || code === DEADLOCK;
        if (!lostRace || attempt === TRANSACTION_TRIES) throw error;
      }
    }
  }

  async function stop(): Promise<void> {
    isStopping = true;
    await db.destroy();
  }

  return { db, pool, transaction, stop };
}

/**
 * What a transaction asks at once: one wait for all answers. As `Promise.all`, but it waits for all of them also when
 * one fails, since what went on after the end of its transaction would run within somebody else's.
 * @throws what made it fail: the others of the transaction only say that it has failed
 */
export async function together<Answers extends readonly unknown[]>(
  asked: { readonly [At in keyof Answers]: Promise<Answers[At]> },
): Promise<Answers> {
  const ended = await Promise.allSettled(asked);
  const failures = ended.flatMap((one) => (one.status === 'rejected' ? [one.reason as { code?: unknown }] : []));
  if (failures.length > 0) throw failures.find(({ code }) => code !== FAILED_BEFORE) ?? failures[0];
  return Promise.all(asked) as unknown as Promise<Answers>;
}

/** Whether `error` is a violation of the named constraint. */
export function violates(error: unknown, constraint: string): boolean {
  return error instanceof pg.DatabaseError && error.constraint === constraint;
}

/**
 * SQLSTATEs of a server that is going, coming or full (of connections, or its disk), and of a statement that took too
 * long.
 */
const UNAVAILABLE_STATES = new Set([
  '57P01', '57P02', '57P03', '53100', '53300', '57014', '08000', '08003', '08006',
]);
const UNAVAILABLE_ERRNOS = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT']);
/** What the driver says in words only. */
const UNAVAILABLE_TEXT =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;

/** Whether the database did not answer, as opposed to a fault in what it was asked. Trying again makes sense. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' && (UNAVAILABLE_STATES.has(code) || UNAVAILABLE_ERRNOS.has(code))) return true;
  if (error instanceof AggregateError) return error.errors.some(isUnavailable);
  return UNAVAILABLE_TEXT.test(error.message);
}
