/**
 * The folder that holds everything an installation must not lose: the database, pictures, secrets.
 *
 * Invariants: one Nacre at a time (a kernel lock); the secrets are made once and never replaced, because the database's
 * passwords are derived from them; a folder written by a newer Nacre is not touched.
 */
import { createHmac, randomBytes } from 'node:crypto';
import {
  accessSync, chmodSync, constants, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { lockDataFolder } from './data-folder-lock.ts';
import { StartRefusal, errorCode, errorText } from './start-refusal.ts';

/** Raised when what lies in the folder changes so that an older Nacre would misread it. */
const FOLDER_FORMAT = 1;
const FOLDER_FILE = 'folder.json';
const SECRETS_FILE = 'secrets.json';
/** 256 bits: as strong as the HMAC that uses it (RFC 2104, section 3). */
const SECRET_BYTES = 32;

export interface DataFolder {
  /** Absolute path. */
  path: string;
  /** True when this start made the folder's content. */
  isNew: boolean;
  /**
   * A secret of its own for each purpose, always the same in this folder: HMAC-SHA-256 of the purpose under the
   * folder's random secret, 43 characters of base64url.
   */
  secret(purpose: string): string;
  /** Writes where this Nacre is reached, for the sentence that a second one prints. */
  announce(url: string): void;
  /** Tells one that is starting on this folder that it is worth waiting. */
  announceStop(): void;
  /** Lets another Nacre have the folder. */
  release(): void;
}

export interface OpenDataFolderOptions {
  /** Made when missing; relative to the working directory. */
  path: string;
  /** Nacre's version, noted in a new folder. */
  version: string;
  /** How long to wait for a Nacre that is just stopping. */
  waitMs?: number;
}

/** Locks the folder and makes or checks its content; throws a StartRefusal with what to do. */
export async function openDataFolder(options: OpenDataFolderOptions): Promise<DataFolder> {
  const path = resolve(options.path);
  makeWritable(path);
  const lock = await lockDataFolder(path, options.waitMs);
  try {
    const isNew = checkFormat(path, options.version);
    const master = readSecrets(path, isNew);
    if (isNew) writeWhole(join(path, FOLDER_FILE), { format: FOLDER_FORMAT, madeBy: options.version }, 0o644);
    return {
      path,
      isNew,
      secret: (purpose) => derive(master, purpose),
      announce: lock.announce,
      announceStop: lock.announceStop,
      release: lock.release,
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** The secrets of a folder that another process holds, for commands beside a running server; null when it has none. */
export function secretsBeside(path: string): DataFolder['secret'] | null {
  if (!existsSync(join(path, SECRETS_FILE))) return null;
  const master = readSecrets(path, false);
  return (purpose) => derive(master, purpose);
}

function derive(master: Buffer, purpose: string): string {
  return createHmac('sha256', master).update(purpose).digest('base64url');
}

/** Writes a JSON file so that a crash leaves the old one or the new one, never half of either. */
export function writeWhole(file: string, content: object, mode: number): void {
  const partial = `${file}.partial`;
  writeFileSync(partial, `${JSON.stringify(content, null, 2)}\n`, { mode, flush: true });
  chmodSync(partial, mode);
  renameSync(partial, file);
}

function makeWritable(path: string): void {
  try {
    if (!existsSync(path)) {
      mkdirSync(path, { recursive: true });
      // Started by root, PostgreSQL runs as another user, who must be able to pass through; but nobody may list it.
      chmodSync(path, process.getuid?.() === 0 ? 0o711 : 0o700);
    }
    if (!statSync(path).isDirectory()) {
      throw new StartRefusal(`${path} is not a folder. Choose another data folder: npm start -- --data DIR`);
    }
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    probeWrite(path);
  } catch (error) {
    if (error instanceof StartRefusal) throw error;
    const why = { EACCES: 'permission denied', EPERM: 'permission denied', EROFS: 'the file system is read-only',
      ENOSPC: 'the disk is full', ENOTDIR: 'part of the path is not a folder' }[errorCode(error)] ?? errorText(error);
    throw new StartRefusal(
      `Nacre cannot write to its data folder ${path}: ${why}. `
      + (errorCode(error) === 'ENOSPC' ? 'Make room' : 'Give the user who starts Nacre the right to write there')
      + ', or choose another folder: npm start -- --data DIR',
      { cause: error },
    );
  }
}

function probeWrite(path: string): void {
  const probe = join(path, '.write-probe');
  try {
    // An empty file has room on a full disk.
    writeFileSync(probe, 'room');
  } finally {
    rmSync(probe, { force: true });
  }
}

/** Returns true for a folder without content of ours. */
function checkFormat(path: string, version: string): boolean {
  const file = join(path, FOLDER_FILE);
  if (!existsSync(file)) {
    if (!existsSync(join(path, SECRETS_FILE)) && existsSync(join(path, 'database.json'))) throw lostSecrets(path);
    return true;
  }
  const noted = readJson(file);
  const format = noted['format'];
  if (typeof format !== 'number') {
    throw new StartRefusal(`${file} is damaged. Restore it from your backup; nothing was changed.`);
  }
  if (format > FOLDER_FORMAT) {
    throw new StartRefusal(
      `The data folder ${path} was made by a newer Nacre (${String(noted['madeBy'])}); this is ${version}. `
      + 'Start the newer version, or choose another folder: npm start -- --data DIR. Nothing was changed.',
    );
  }
  return false;
}

function readSecrets(path: string, isNew: boolean): Buffer {
  const file = join(path, SECRETS_FILE);
  if (!existsSync(file)) {
    if (!isNew) throw lostSecrets(path);
    writeWhole(file, { master: randomBytes(SECRET_BYTES).toString('base64url') }, 0o600);
  }
  const master = readJson(file)['master'];
  const bytes = Buffer.from(typeof master === 'string' ? master : '', 'base64url');
  if (bytes.length !== SECRET_BYTES) {
    throw new StartRefusal(`${file} is damaged. Restore it from your backup; nothing was changed.`);
  }
  return bytes;
}

function lostSecrets(path: string): StartRefusal {
  return new StartRefusal(
    `${join(path, SECRETS_FILE)} is missing, and without it the database of this folder cannot be opened. `
    + 'Restore it from your backup; nothing was changed.',
  );
}

function readJson(file: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch (error) {
    if (errorCode(error) !== '') {
      throw new StartRefusal(`${file} cannot be read: ${errorText(error)}.`, { cause: error });
    }
  }
  return {};
}
