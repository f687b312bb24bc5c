/**
 * Where the embedded cluster lies, and how it is made.
 *
 * Normally `postgres/` in the data folder. Started by root from a place that the PostgreSQL user cannot enter, it lies
 * in a public place under a random name, which the data folder remembers. A cluster appears under its name only when
 * it is complete, so an interrupted `initdb` leaves nothing that looks like a database.
 */
import { randomBytes } from 'node:crypto';
import {
  chmodSync, chownSync, existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync,
} from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { writeWhole } from './data-folder.ts';
import { PUBLIC_PLACE, postgresUser, runAs } from './embedded-postgres-binaries.ts';
import type { PostgresBinaries, PostgresUser } from './embedded-postgres-binaries.ts';
import { StartRefusal, errorText } from './start-refusal.ts';

const MEMORY_FILE = 'database.json';
const CLUSTER_NAME = 'postgres';
/** From this version on, PostgreSQL brings a locale provider of its own, the same on every system. */
const BUILTIN_LOCALE_SINCE = 17;

/** The name of the cluster's superuser; only this module's own start uses it. */
export const SUPERUSER = 'postgres';

export interface ClusterPlace {
  /** Absolute, without symbolic links. */
  cluster: string;
  /** Who runs it: the owner of its files. */
  user: PostgresUser;
  /** The port of the last start; 0 when there was none. */
  port: number;
}

/** Where this data folder's cluster lies or will lie; remembers nothing yet. */
export function clusterPlace(folder: string): ClusterPlace {
  const memory = readMemory(folder);
  if (memory) {
    const cluster = isAbsolute(memory.cluster) ? memory.cluster : join(folder, memory.cluster);
    if (!existsSync(join(cluster, 'PG_VERSION'))) {
      throw new StartRefusal(
        `The database of the data folder ${folder} lies in ${cluster} and is missing there. `
        + 'Restore it from your backup, or start afresh with another folder: npm start -- --data DIR',
      );
    }
    return { cluster: realpathSync(cluster), user: ownerOf(cluster), port: memory.port };
  }
  const user = postgresUser();
  const inside = join(realpathSync(folder), CLUSTER_NAME);
  // Started before, but stopped between making the cluster and remembering it.
  if (existsSync(join(inside, 'PG_VERSION'))) return { cluster: inside, user: ownerOf(inside), port: 0 };
  if (!user || canEnter(user, dirname(inside))) return { cluster: inside, user, port: 0 };
  return { cluster: join(PUBLIC_PLACE, randomBytes(8).toString('hex'), CLUSTER_NAME), user, port: 0 };
}

/** Writes down place and port for the next start. */
export function rememberPlace(folder: string, cluster: string, port: number): void {
  const inside = join(realpathSync(folder), CLUSTER_NAME);
  // Relative when it lies inside, so that the folder may be moved.
  writeWhole(join(folder, MEMORY_FILE), { cluster: cluster === inside ? CLUSTER_NAME : cluster, port }, 0o644);
}

/** Makes the cluster when it does not exist; throws a StartRefusal with PostgreSQL's own words. */
export function makeCluster(place: ClusterPlace, binaries: PostgresBinaries, superuserPassword: string): boolean {
  const { cluster, user } = place;
  if (existsSync(join(cluster, 'PG_VERSION'))) return false;
  const partial = `${cluster}.partial`;
  const passwordFile = join(partial, 'password');
  const data = join(partial, 'data');
  try {
    rmSync(partial, { recursive: true, force: true });
    makePublic(dirname(cluster), user);
    mkdirSync(partial, { mode: 0o700 });
    mkdirSync(data, { mode: 0o700 });
    writeFileSync(passwordFile, superuserPassword, { mode: 0o600 });
    for (const path of [partial, data, passwordFile]) if (user) chownSync(path, user.uid, user.gid);
    const made = runAs(user, binaries.initdb, initdbArguments(data, passwordFile, binaries.major));
    if (made.status !== 0) throw new Error(`${made.stderr || made.stdout || errorText(made.error)}`.trim());
    renameSync(data, cluster);
    return true;
  } catch (error) {
    throw new StartRefusal(
      `The database could not be made in ${cluster}: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

function initdbArguments(data: string, passwordFile: string, major: number): string[] {
  const locale = major >= BUILTIN_LOCALE_SINCE
    ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C']
    : ['--locale=C'];
  return ['-D', data, '-U', SUPERUSER, '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--encoding=UTF8', ...locale,
    '--data-checksums', '--no-instructions'];
}

/** Makes the folder that holds the cluster; a public one lets the PostgreSQL user pass through. */
function makePublic(folder: string, user: PostgresUser): void {
  if (existsSync(folder)) return;
  mkdirSync(folder, { recursive: true });
  if (user && folder.startsWith(PUBLIC_PLACE)) {
    chmodSync(PUBLIC_PLACE, 0o755);
    chmodSync(folder, 0o711);
  }
}

/** A cluster can be run only by the owner of its files; a root process becomes that user. */
function ownerOf(cluster: string): PostgresUser {
  const { uid, gid } = statSync(cluster);
  const self = process.getuid?.();
  if (self === undefined || self === uid) return null;
  if (self === 0) return { uid, gid };
  throw new StartRefusal(
    `The database in ${cluster} belongs to another user (number ${uid}). `
    + 'Start Nacre as the user who started it before, or as root.',
  );
}

function canEnter(user: PostgresUser, folder: string): boolean {
  return runAs(user, '/bin/sh', ['-c', 'test -x "$1"', 'sh', folder]).status === 0;
}

/** Where the data folder says its database is; null when it has none yet. */
export function readMemory(folder: string): { cluster: string; port: number } | null {
  const file = join(folder, MEMORY_FILE);
  if (!existsSync(file)) return null;
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as { cluster?: unknown; port?: unknown };
    if (typeof value.cluster === 'string' && typeof value.port === 'number') {
      return { cluster: value.cluster, port: value.port };
    }
  } catch (error) {
    throw new StartRefusal(`${file} cannot be read: ${errorText(error)}. Restore it from your backup.`,
      { cause: error });
  }
  throw new StartRefusal(`${file} is damaged. Restore it from your backup; nothing was changed.`);
}
