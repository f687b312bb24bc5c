/** Where the keeper of the test database and those who use it meet, and what they say to each other. */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export interface KeeperRequest {
  /** The test file, for the database's name. */
  file: string;
  /** Without our tables; for tests of the migrations themselves. */
  empty: boolean;
}

export type KeeperReply =
  | { name: string; ownerUrl: string; serverUrl: string; superuserUrl: string }
  | { error: string };

export interface KeeperPlace {
  folder: string;
  /** A file named like a database says that its tests have passed. */
  passedFolder: string;
  socket: string;
  /** Null for the embedded PostgreSQL. */
  binariesFolder: string | null;
}

/**
 * `NACRE_TEST_POSTGRES` chooses the server: unset for the embedded one, a major version for Debian's (`15`), or the
 * folder of its programs.
 */
export function keeperPlace(): KeeperPlace {
  const choice = process.env['NACRE_TEST_POSTGRES'] ?? '';
  const root = resolve(import.meta.dirname, '../..');
  const label = choice === '' ? 'embedded' : choice.replace(/[^a-z0-9]+/gi, '-');
  const folder = join(root, '.cache', `test-postgres-${label}`);
  // A local socket's path may have 107 bytes (unix(7)), which a deep checkout exceeds.
  const sockets = join(tmpdir(), `nacre-test-${process.getuid?.() ?? 0}`);
  mkdirSync(sockets, { recursive: true, mode: 0o700 });
  return {
    folder,
    passedFolder: join(folder, 'passed'),
    socket: join(sockets, `${createHash('sha256').update(folder).digest('hex').slice(0, 20)}.sock`),
    binariesFolder: choice === '' ? null : /^\d+$/.test(choice) ? `/usr/lib/postgresql/${choice}/bin` : choice,
  };
}
