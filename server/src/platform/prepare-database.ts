/**
 * From "there is a PostgreSQL" to "the server can work in it": version, migrations, job queue, roles.
 *
 * Invariants: nothing is changed in a database that is too old or too new; everything runs as the owner; the address
 * handed on belongs to a role that has less.
 */
import type pg from 'pg';
import { PgBoss } from 'pg-boss';
import { connect } from './database-connection.ts';
import { migrate, readMigrations, withMigrationLock } from './migrate.ts';
import { ensureServerRole, grantServerRole, refusePowerfulRole } from './roles.ts';
import { StartRefusal } from './start-refusal.ts';

const OLDEST_POSTGRES = 15;

export interface PrepareDatabaseOptions {
  ownerUrl: string;
  /** The role the server works as, when it is not to be made here. */
  serverUrl?: string;
  /** For the role that is made here. */
  serverPassword: string;
  /** Default: the migrations of this version. */
  migrationsFolder?: string;
}

export interface PreparedDatabase {
  /** For the server's pool. */
  serverUrl: string;
  /** File names of the migrations that ran now. */
  ran: string[];
}

/** Repeatable; throws a StartRefusal with what to do. */
export async function prepareDatabase(options: PrepareDatabaseOptions): Promise<PreparedDatabase> {
  const owner = await connect(options.ownerUrl, 'DATABASE_URL');
  try {
    await refuseOldPostgres(owner);
    await refusePoorOwner(owner);
    const ran = await migrate(owner, readMigrations(options.migrationsFolder));
    const serverUrl = await withMigrationLock(owner, async () => {
      await migrateJobs(options.ownerUrl);
      return prepareRole(owner, options);
    });
    await checkRole(serverUrl);
    return { serverUrl, ran };
  } finally {
    await owner.end();
  }
}

async function prepareRole(owner: pg.Client, options: PrepareDatabaseOptions): Promise<string> {
  if (options.serverUrl !== undefined) {
    await grantServerRole(owner, decodeURIComponent(new URL(options.serverUrl).username));
    return options.serverUrl;
  }
  const database = owner.database ?? '';
  const role = await ensureServerRole(owner, database, options.serverPassword);
  await grantServerRole(owner, role);
  const url = new URL(options.ownerUrl);
  url.username = encodeURIComponent(role);
  url.password = encodeURIComponent(options.serverPassword);
  return url.href;
}

async function checkRole(serverUrl: string): Promise<void> {
  const server = await connect(serverUrl, 'NACRE_DATABASE_SERVER_URL');
  try {
    await refusePowerfulRole(server);
  } finally {
    await server.end();
  }
}

/** The job queue keeps its own history of its own schema; as the owner, so that the server need not make tables. */
async function migrateJobs(ownerUrl: string): Promise<void> {
  const boss = new PgBoss({ connectionString: ownerUrl, schema: 'pgboss', supervise: false, schedule: false, max: 2 });
  let failure: unknown;
  boss.on('error', (error) => {
    failure = error;
  });
  try {
    await boss.start();
  } finally {
    await boss.stop({ graceful: false });
  }
  if (failure) throw failure;
}

async function refuseOldPostgres(owner: pg.Client): Promise<void> {
  const { rows } = await owner.query<{ number: number; name: string }>(
    'select current_setting(\'server_version_num\')::int as number, current_setting(\'server_version\') as name',
  );
  const version = rows[0];
  if (version && version.number >= OLDEST_POSTGRES * 10_000) return;
  throw new StartRefusal(
    `The database is PostgreSQL ${version?.name ?? '?'}; Nacre needs ${OLDEST_POSTGRES} or newer. `
    + 'Upgrade it, or leave DATABASE_URL out to use the built-in one. Nothing was changed.',
  );
}

async function refusePoorOwner(owner: pg.Client): Promise<void> {
  const { rows } = await owner.query<{ role: string; database: string; rights: boolean }>(
    `select current_user as role, current_database() as database,
            has_schema_privilege('public', 'create')
              and (has_database_privilege(current_database(), 'create')
                or exists (select from pg_namespace where nspname = 'pgboss')) as rights`,
  );
  const found = rows[0];
  if (found?.rights) return;
  throw new StartRefusal(
    `The database user ${found?.role} may not make tables in the database ${found?.database}. `
    + `Make it the owner: ALTER DATABASE ${found?.database} OWNER TO ${found?.role}. Nothing was changed.`,
  );
}
