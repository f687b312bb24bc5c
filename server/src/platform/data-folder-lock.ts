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
 * How long to wait for a Nacre that may be about to stop. Shorter: after its npm was killed, a restart is refused
 * before the old one has noticed. Longer: someone who really has a second Nacre waits for the sentence.
 */
const DEFAULT_WAIT_MS = 1_500;
/** How long to wait for one that says it is stopping: as long as that may take. */
const STOPPING_WAIT_MS = 30_000;
const RETRY_MS = 100;

export interface DataFolderLock {
  /** Writes where this Nacre is reached, for the sentence that a second one prints. */
  announce(url: string): void;
  /** Tells one that is starting that it is worth waiting. */
  announceStop(): void;
  release(): void;
}

/** Takes the lock or throws a StartRefusal that names the holder. */
export async function lockDataFolder(folder: string, waitMs = DEFAULT_WAIT_MS): Promise<DataFolderLock> {
  for (let waitedMs = 0; ; waitedMs += RETRY_MS) {
    const database = tryLock(folder);
    if (database) return heldLock(folder, database);
    const limitMs = waitMs > 0 && readHolder(folder)['isStopping'] === true ? STOPPING_WAIT_MS : waitMs;
    if (waitedMs >= limitMs) break;
    await sleep(RETRY_MS);
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
  const write = (note: { url: string | null; isStopping: boolean }) => {
    writeFileSync(holderFile, `${JSON.stringify({ pid: process.pid, ...note })}\n`);
  };
  write({ url: null, isStopping: false });
  return {
    announce: (url) => write({ url, isStopping: false }),
    announceStop() {
      try {
        write({ url: null, isStopping: true });
      } catch {
        // A full disk or a folder that was taken away: the note is a courtesy, stopping is not.
      }
    },
    release() {
      rmSync(holderFile, { force: true });
      database.close();
    },
  };
}

function describeHolder(folder: string): string {
  const { pid, url } = readHolder(folder);
  if (typeof pid !== 'number') return '';
  return typeof url === 'string' ? ` (process ${pid}, ${url})` : ` (process ${pid})`;
}

function readHolder(folder: string): Record<string, unknown> {
  try {
    const holder: unknown = JSON.parse(readFileSync(join(folder, HOLDER_FILE), 'utf8'));
    return typeof holder === 'object' && holder !== null ? { ...holder } : {};
  } catch {
    // Just being written, or by another version: the sentence is still right without it, only less precise.
    return {};
  }
}
