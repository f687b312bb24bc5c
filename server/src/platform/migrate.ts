/**
 * Brings a database to the shape this version expects: `server/migrations/NNNN_name.sql`, in order, each once.
 *
 * Invariants: numbers have no gaps; each file runs in a transaction of its own together with the note that it ran; one
 * process at a time (advisory lock); a file that has run is never changed; a database that knows more than this version
 * is refused untouched. Runs as the owner role.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { StartRefusal, errorText } from './start-refusal.ts';

export const MIGRATIONS_FOLDER = join(import.meta.dirname, '../../migrations');
const FILE_NAME = /^(\d{4})_([a-z0-9_]+)\.sql$/;
/** Any constant; it only has to be the same in every version ("nacre" in ASCII). */
const ADVISORY_LOCK = 0x6e_61_63_72_65;
/** Longer than any migration of a database this size takes; then the other process hangs and a person must look. */
const LOCK_WAIT_MS = 60_000;
const LOCK_RETRY_MS = 200;

export interface Migration {
  /** From 1, without gaps. */
  number: number;
  /** File name without number and ending. */
  name: string;
  sql: string;
  /** SHA-256 of the text with line ends as \n, hexadecimal. */
  checksum: string;
}

/** Reads and checks the folder; a gap or a strange file name is a bug and throws. */
export function readMigrations(folder = MIGRATIONS_FOLDER): Migration[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.sql')).sort();
  return files.map((file, index) => {
    const [, digits, name] = FILE_NAME.exec(file) ?? [];
    if (!digits || !name) throw new Error(`${file}: a migration is named 0001_what_it_does.sql`);
    if (Number(digits) !== index + 1) {
      const due = String(index + 1).padStart(4, '0');
      throw new Error(`${file}: migrations are numbered without gaps, here ${due} is due`);
    }
    const sql = readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n');
    return { number: index + 1, name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
  });
}

/** Runs what is missing; returns the file names that ran. A repeat runs nothing. */
export async function migrate(owner: pg.Client, migrations: Migration[]): Promise<string[]> {
  return withMigrationLock(owner, async () => {
    await owner.query(`
      create table if not exists schema_migration (
        number integer primary key,
        name text not null,
        checksum text not null,
        applied_at timestamptz not null
      );
      comment on table schema_migration is 'append-only';
    `);
    const { rows } = await owner.query<AppliedMigration>(
      'select number, name, checksum from schema_migration order by number',
    );
    checkHistory(rows, migrations);
    const ran: string[] = [];
    for (const migration of migrations.slice(rows.length)) {
      await runOne(owner, migration);
      ran.push(fileName(migration));
    }
    return ran;
  });
}

interface AppliedMigration {
  number: number;
  name: string;
  checksum: string;
}

function checkHistory(applied: AppliedMigration[], known: Migration[]): void {
  if (applied.length > known.length) {
    throw new StartRefusal(
      `The database was made by a newer Nacre: it has ${applied.length} migrations, this version knows `
      + `${known.length}. `
      + 'Start the newer version, or restore the backup from before the upgrade. Nothing was changed.',
    );
  }
  for (const [index, row] of applied.entries()) {
    const migration = known[index];
    if (!migration || row.number !== migration.number || row.checksum !== migration.checksum) {
      throw new StartRefusal(
        `Migration ${fileName(row)} differs from what ran in this database. A migration that has run is never changed: `
        + 'put the file back as it was and write a new one. Nothing was changed.',
      );
    }
  }
}

async function runOne(owner: pg.Client, migration: Migration): Promise<void> {
  try {
    await owner.query('begin');
    await owner.query(migration.sql);
    await owner.query(
      'insert into schema_migration (number, name, checksum, applied_at) values ($1, $2, $3, clock_timestamp())',
      [migration.number, migration.name, migration.checksum],
    );
    await owner.query('commit');
  } catch (error) {
    await owner.query('rollback').catch(() => {
      // The connection is gone, and with it the transaction.
    });
    throw new StartRefusal(
      `Migration ${fileName(migration)} failed and was rolled back: ${errorText(error)}`, { cause: error },
    );
  }
}

function fileName(migration: { number: number; name: string }): string {
  return `${String(migration.number).padStart(4, '0')}_${migration.name}.sql`;
}

/** Runs `work` while no other process migrates this database. */
export async function withMigrationLock<T>(owner: pg.Client, work: () => Promise<T>): Promise<T> {
  for (let waitedMs = 0; ; waitedMs += LOCK_RETRY_MS) {
    const { rows } = await owner.query<{ got: boolean }>('select pg_try_advisory_lock($1) as got', [ADVISORY_LOCK]);
    if (rows[0]?.got) break;
    if (waitedMs >= LOCK_WAIT_MS) {
      throw new StartRefusal(
        'Another process has been migrating this database for a minute. Wait for it, or end it, and start again.',
      );
    }
    await sleep(LOCK_RETRY_MS);
  }
  try {
    return await work();
  } finally {
    await owner.query('select pg_advisory_unlock($1)', [ADVISORY_LOCK]).catch(() => {
      // The connection is gone, and with it the lock.
    });
  }
}
