/**
 * The database for a command: a running Nacre's, or one brought up for the command alone.
 *
 * A command may run beside the server. It then uses the server's database without taking the data folder's lock.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from '../config.ts';
import { openDataFolder, secretsBeside } from '../platform/data-folder.ts';
import type { DataFolder } from '../platform/data-folder.ts';
import { createEmbeddedPostgres } from '../platform/embedded-postgres.ts';
import { readMemory } from '../platform/embedded-postgres-cluster.ts';
import { ensureOwnedDatabase, ownerUrl } from '../platform/embedded-postgres-owner.ts';
import { createLog } from '../platform/log.ts';
import { StartRefusal } from '../platform/start-refusal.ts';

export interface DatabaseAccess {
  ownerUrl: string;
  /** Derives the working role's password as the server does. */
  serverPassword: string;
  stop(): Promise<void>;
}

const ROOT = resolve(import.meta.dirname, '../../..');

/** Throws a StartRefusal when there is no database yet. */
export async function openDatabaseAccess(config: Config, version: string): Promise<DatabaseAccess> {
  const path = resolve(ROOT, config.dataFolder);
  if (config.databaseUrl === null && !existsSync(join(path, 'database.json'))) {
    throw new StartRefusal(
      `There is no Nacre in ${path} yet. Start it once with npm start, or name its folder: --data DIR`,
    );
  }
  const folder = await openDataFolder({ path, version, waitMs: 0 }).catch((error: unknown) => {
    if (secretsBeside(path)) return null;
    throw error;
  });
  if (config.databaseUrl !== null) {
    const secret = folder?.secret ?? secretsBeside(path);
    return {
      ownerUrl: config.databaseUrl,
      serverPassword: secret?.('database server role') ?? '',
      stop: async () => folder?.release(),
    };
  }
  return folder ? bringUp(folder) : beside(path);
}

async function bringUp(folder: DataFolder): Promise<DatabaseAccess> {
  const postgres = await createEmbeddedPostgres({
    folder: folder.path, secret: folder.secret, log: createLog('error', process.stdout.isTTY),
  }).catch((error: unknown) => {
    folder.release();
    throw error;
  });
  return {
    ownerUrl: await ensureOwnedDatabase(postgres.superuserUrl, folder.secret('database owner')),
    serverPassword: folder.secret('database server role'),
    async stop() {
      await postgres.stop();
      folder.release();
    },
  };
}

function beside(path: string): DatabaseAccess {
  const port = readMemory(path)?.port;
  const secret = secretsBeside(path);
  if (!port || !secret) throw new StartRefusal(`Nacre is just starting in ${path}; try again in a moment.`);
  return {
    ownerUrl: ownerUrl(`postgres://127.0.0.1:${port}`, secret('database owner')),
    serverPassword: secret('database server role'),
    stop: async () => {},
  };
}
