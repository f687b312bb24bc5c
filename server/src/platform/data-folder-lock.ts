/**
 * One Nacre per data folder, held by the operating system's kernel.
 *
 * An exclusive SQLite transaction keeps a kernel lock on an empty file. The kernel lets go of it however the process
 * ends, `kill -9` included, so there is no stale lock to recognise, and it holds across containers that share a volume.
 * Who holds it stands in a second file, for the sentence only; nothing is decided by it.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartRefusal, errorText } from './start-refusal.ts';

/** SQLITE_BUSY: somebody else holds the lock (https://www.sqlite.org/rescode.html#busy). */
const SQLITE_BUSY = 5;
const LOCK_FILE = 'nacre.lock';
const HOLDER_FILE = 'nacre.running.json';
/**
 * How long to wait for a Nacre that is just stopping. Shorter: a quick restart is refused although the old one is on
 * its way out. Longer: someone who really has a second Nacre waits for the sentence.
 */
const DEFAULT_WAIT_MS = 6_000;
const RETRY_MS = 100;

export interface DataFolderLock {
  /** Writes where this Nacre is reached, for the sentence that a second one prints. */
  announce(url: string): void;
  release(): void;
}

/** Takes the lock or throws a StartRefusal that names the holder. */
export async function lockDataFolder(folder: string, waitMs = DEFAULT_WAIT_MS): Promise<DataFolderLock> {
  const attempts = Math.max(1, Math.ceil(waitMs / RETRY_MS));
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const database = tryLock(folder);
    if (database) return heldLock(folder, database);
    if (attempt < attempts) await sleep(RETRY_MS);
  }
  throw new StartRefusal(
    `Another Nacre is using the data folder ${folder}${describeHolder(folder)}. `
    + 'Stop it first, or start this one with a folder of its own: npm start -- --data DIR',
  );
}

function tryLock(folder: string): DatabaseSync | null {
  const file = join(folder, LOCK_FILE);
  try {
    const database = new DatabaseSync(file, { timeout: 0 });
    try {
      // The journal in memory: nothing is ever written, and no second file may appear beside the lock.
      database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'errcode' in error && error.errcode === SQLITE_BUSY) return null;
    throw new StartRefusal(
      `The data folder cannot be locked (${file}: ${errorText(error)}). `
      + 'Check that the disk is not full and that the folder belongs to the user who starts Nacre.',
      { cause: error },
    );
  }
}

function heldLock(folder: string, database: DatabaseSync): DataFolderLock {
  const holderFile = join(folder, HOLDER_FILE);
  const write = (url: string | null) => {
    writeFileSync(holderFile, `${JSON.stringify({ pid: process.pid, url })}\n`);
  };
  write(null);
  return {
    announce: write,
    release() {
      rmSync(holderFile, { force: true });
      database.close();
    },
  };
}

function describeHolder(folder: string): string {
  try {
    const holder: unknown = JSON.parse(readFileSync(join(folder, HOLDER_FILE), 'utf8'));
    if (typeof holder !== 'object' || holder === null) return '';
    const pid = 'pid' in holder ? ` (process ${String(holder.pid)}` : ' (';
    const url = 'url' in holder && typeof holder.url === 'string' ? `, ${holder.url})` : ')';
    return pid + url;
  } catch {
    // Without the note the sentence is still right, only less precise.
    return '';
  }
}
