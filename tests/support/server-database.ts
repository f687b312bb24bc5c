/** The PostgreSQL that a server of `nacre.ts` has embedded, seen from beside it, as its owner. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { secretsBeside } from '../../server/src/platform/data-folder.ts';
import { clusterPlace } from '../../server/src/platform/embedded-postgres-cluster.ts';
import { ownerUrl } from '../../server/src/platform/embedded-postgres-owner.ts';
import type { Nacre } from './nacre.ts';

export interface ServerDatabase {
  /** For the owner, who may do everything. */
  url: string;
  /** What the server signs sessions with. */
  sessionSecret: string;
  /** The process id of the postmaster now. */
  postmaster(): number;
}

export function databaseOf(nacre: Pick<Nacre, 'dataFolder'>): ServerDatabase {
  const place = clusterPlace(nacre.dataFolder);
  const secret = secretsBeside(nacre.dataFolder);
  if (!secret) throw new Error('the database of the server is not found');
  return {
    url: ownerUrl(`postgres://127.0.0.1:${place.port}`, secret('database owner')),
    sessionSecret: secret('accounts'),
    postmaster: () => Number(readFileSync(join(place.cluster, 'postmaster.pid'), 'utf8').split('\n')[0]),
  };
}
