/**
 * One server works in a database at a time.
 *
 * Rooms, presence and the bus are in the memory of one process, and a start interrupts the shows that were live: a
 * second server would take the first one's shows off the air. PostgreSQL holds the lock for as long as the connection
 * that took it lives, so there is no stale lock to recognise after `kill -9`. Commands beside a server need no lock.
 *
 * Invariants: the connection is nobody else's; when it dies the lock is taken again, and when another server was
 * quicker, this one ends. A connection of ours that has fallen silent may hold the lock for as long as PostgreSQL
 * believes in it: all of ours are known before they ask for the lock, and whoever is in the way is ended.
 */
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { connect } from './database-connection.ts';
import type { Log } from './log.ts';
import { StartRefusal } from './start-refusal.ts';

/** Any two constants; they only have to be the same in every version ("nacr" in ASCII, and the lock's number). */
const LOCK = [0x6e_61_63_72, 1] as const;
/** A server that is ending, or was killed a moment ago. Shorter refuses a restart, longer delays the refusal. */
const WAIT_MS = 5_000;
const RETRY_MS = 100;
/** A lost lock is asked for this often. Shorter knocks at a database that starts, longer leaves the door open. */
const RETAKE_EVERY_MS = 500;
/** Shorter is only traffic, longer lets a connection be dead for longer before it is noticed. */
const BEAT_EVERY_MS = 10_000;
/** A loaded database answers within seconds; after this the connection counts as dead. */
const ANSWER_TIMEOUT_MS = 10_000;
/** A stop waits this long for the connection to give the lock back; then it is taken from it. */
const GIVE_BACK_WITHIN_MS = 2_000;
/**
 * What PostgreSQL is told of this connection: to ask a silent peer after ten seconds and to give up on it after
 * fifteen more, or the lock of a machine that lost its power would be held for hours; and never to end it for being
 * idle.
 */
const SETTINGS = [
  'tcp_keepalives_idle = 10', 'tcp_keepalives_interval = 5', 'tcp_keepalives_count = 3', 'idle_session_timeout = 0',
];
/** PostgreSQL cuts longer names (NAMEDATALEN - 1). */
const NAME_LENGTH_MAX = 63;

export interface ServerLockOptions {
  /** As the owner: the lock is taken before anything is changed in the database. */
  url: string;
  log: Log;
  /** Called once when the connection was lost and another server has the lock now. */
  onLost(refusal: StartRefusal): void;
  /** For tests. Default: `WAIT_MS`. */
  waitMs?: number;
  /** For tests. Default: `BEAT_EVERY_MS`. */
  beatEveryMs?: number;
  /** For tests. Default: `ANSWER_TIMEOUT_MS`. */
  answerTimeoutMs?: number;
}

export interface ServerLock {
  /** Lets another server have the database. */
  stop(): Promise<void>;
}

interface Holder {
  pid: number;
  /** As the connection names itself; null when it has just gone. */
  name: string | null;
}

/** @throws StartRefusal when another server works in the database, or when it cannot be reached */
export async function lockServer(options: ServerLockOptions): Promise<ServerLock> {
  const first = await openClient(options);
  try {
    const pid = await backendOf(first);
    for (let waitedMs = 0; !(await tryLock(first)); waitedMs += RETRY_MS) {
      if (waitedMs >= (options.waitMs ?? WAIT_MS)) throw refusalOf(await holderOf(first));
      await sleep(RETRY_MS);
    }
    return holdLock(options, first, pid);
  } catch (error) {
    await first.end();
    throw error;
  }
}

/** Keeps the lock until the stop. */
function holdLock(options: ServerLockOptions, first: pg.Client, firstPid: number): ServerLock {
  const { log } = options;
  const stopped = new AbortController();
  let held = first;
  /** The backends that hold, held, or may hold the lock for us: the answer to a try may have been lost. */
  const own = new Set([firstPid]);
  let retaking: Promise<void> | null = null;

  function watch(client: pg.Client): void {
    held = client;
    client.once('end', () => lost(client));
  }

  function lost(client: pg.Client): void {
    if (client !== held || stopped.signal.aborted || retaking !== null) return;
    log.warn('the connection that keeps other servers out of the database is lost');
    retaking = retake().catch((error: unknown) => {
      if (!stopped.signal.aborted) log.error({ err: error }, 'the lock of the database could not be taken again');
    }).finally(() => {
      retaking = null;
    });
    // Half dead, it may never say that it has ended.
    void endQuietly(client);
  }

  async function retake(): Promise<void> {
    while (!(await tryRetake())) await sleep(RETAKE_EVERY_MS, undefined, { signal: stopped.signal });
  }

  /** @returns true when nothing is left to try */
  async function tryRetake(): Promise<boolean> {
    const client = await openClient(options).catch((error: unknown) => {
      log.debug({ err: error }, 'the database is not back yet');
      return null;
    });
    if (client === null) return false;
    try {
      if (stopped.signal.aborted) return true;
      own.add(await backendOf(client));
      if (await tryLock(client)) {
        watch(client);
        log.info('other servers are kept out of the database again');
        return true;
      }
      const holder = await holderOf(client);
      if (holder === null || await endedOwn(client, holder)) return false;
      options.onLost(refusalOf(holder));
      return true;
    } catch (error) {
      log.debug({ err: error }, 'the database has gone again');
      return false;
    } finally {
      if (client !== held) await endQuietly(client);
    }
  }

  /** Ends a connection of ours of which PostgreSQL has not noticed yet that it is dead; false for anybody else's. */
  async function endedOwn(client: pg.Client, holder: Holder): Promise<boolean> {
    if (!own.has(holder.pid) || holder.name !== nameOfThis()) return false;
    await client.query('select pg_terminate_backend($1)', [holder.pid]);
    return true;
  }

  /** For whoever starts next, also when the connection that holds the lock does not answer. */
  async function giveBack(): Promise<void> {
    const unlocked = held.query('select pg_advisory_unlock_all()').then(() => true, () => false);
    const isFree = await Promise.race([unlocked, sleep(GIVE_BACK_WITHIN_MS, false)]);
    await Promise.race([endQuietly(held), sleep(isFree ? GIVE_BACK_WITHIN_MS : 0)]);
    if (isFree) return;
    const client = await openClient(options);
    try {
      const holder = await holderOf(client);
      if (holder !== null) await endedOwn(client, holder);
    } finally {
      await endQuietly(client);
    }
  }

  let beating = false;
  const beat = setInterval(() => {
    if (retaking !== null || beating) return;
    const client = held;
    beating = true;
    client.query('select 1').catch(() => lost(client)).finally(() => {
      beating = false;
    });
  }, options.beatEveryMs ?? BEAT_EVERY_MS);
  watch(first);

  return {
    async stop() {
      stopped.abort();
      clearInterval(beat);
      await retaking;
      await giveBack().catch((error: unknown) => {
        log.debug({ err: error }, 'the database is away; so is the lock');
      });
    },
  };
}

async function openClient(options: ServerLockOptions): Promise<pg.Client> {
  const client = await connect(options.url, 'DATABASE_URL', {
    application_name: nameOfThis(), query_timeout: options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS,
  });
  for (const setting of SETTINGS) {
    await client.query(`set ${setting}`).catch(() => {
      // Not every system has all of them; the lock works without, only a dead machine's is free later.
    });
  }
  return client;
}

/** One that has gone already is no error. */
async function endQuietly(client: pg.Client): Promise<void> {
  await client.end().catch(() => {
    // It was never made, or has gone already.
  });
}

async function tryLock(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ got: boolean }>('select pg_try_advisory_lock($1, $2) as got', [...LOCK]);
  return rows[0]?.got === true;
}

async function backendOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]?.pid ?? 0;
}

/** Null when nobody holds it any more. */
async function holderOf(client: pg.Client): Promise<Holder | null> {
  const { rows } = await client.query<Holder>(
    `select l.pid, a.application_name as name
       from pg_locks l left join pg_stat_activity a using (pid)
      where l.locktype = 'advisory' and l.granted and l.objsubid = 2
        and l.classid = $1::int::oid and l.objid = $2::int::oid
        and l.database = (select oid from pg_database where datname = current_database())`,
    [...LOCK],
  );
  return rows[0] ?? null;
}

/** Tells a person which process it is: `Nacre, process 4711 on shop-1`. */
function nameOfThis(): string {
  return `Nacre, process ${process.pid} on ${hostname()}`.replace(/[^\x20-\x7e]/g, '?').slice(0, NAME_LENGTH_MAX);
}

function refusalOf(holder: Holder | null): StartRefusal {
  const which = /^Nacre, (process \d+ on .+)$/.exec(holder?.name ?? '')?.[1];
  return new StartRefusal(
    `Another Nacre works in this database${which === undefined ? '' : ` (${which})`}, and only one can: its rooms and `
    + 'live shows are in its memory. Stop it first, or give this one a database of its own.',
  );
}
