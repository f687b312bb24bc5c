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
/** Tries of a transaction that lost against another one. Two lose in a row seldom, five mean something else is wrong. */
const TRANSACTION_TRIES = 5;

const INT8_OID = 20;
const SERIALIZATION_FAILURE = '40001';
const DEADLOCK = '40P01';

const afterCommitOf = new WeakMap<Tx, Array<() => void>>();

/** Has `action` run once the transaction is committed, and not at all if it is rolled back. It must not throw. */
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
    application_name: 'nacre',
    types,
  });
  // An idle connection that dies (a restarted database) must not take the process with it.
  pool.on('error', (error) => deps.log.warn({ err: error }, 'database connection lost'));
  const db = new Kysely<DB>({ dialect: new PostgresDialect({ pool }) });

  async function once<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    const actions: Array<() => void> = [];
    const result = await db.transaction().execute(async (tx) => {
      afterCommitOf.set(tx, actions);
      return work(tx);
    });
    for (const action of actions) action();
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

  return { db, pool, transaction, stop: () => db.destroy() };
}

/** Whether `error` is a violation of the named constraint. */
export function violates(error: unknown, constraint: string): boolean {
  return error instanceof pg.DatabaseError && error.constraint === constraint;
}
