/**
 * The role and database that Nacre owns inside the PostgreSQL it brings along.
 *
 * The owner is no superuser: migrations that pass here also pass on a database that somebody else administers.
 */
import pg from 'pg';
import { scramVerifier } from './roles.ts';

const NAME = 'nacre';

/** Makes role and database when missing; returns the owner's connection string. A repeat changes nothing. */
export async function ensureOwnedDatabase(
  superuserUrl: (database: string) => string, password: string,
): Promise<string> {
  const superuser = new pg.Client({ connectionString: superuserUrl('postgres') });
  await superuser.connect();
  try {
    const { rows } = await superuser.query<{ role: boolean; database: boolean }>(
      `select exists (select from pg_roles where rolname = $1) as role,
              exists (select from pg_database where datname = $1) as database`,
      [NAME],
    );
    if (!rows[0]?.role) {
      const verifier = pg.escapeLiteral(scramVerifier(password));
      await superuser.query(`create role ${NAME} login createrole password ${verifier}`);
    }
    if (!rows[0]?.database) await superuser.query(`create database ${NAME} owner ${NAME}`);
  } finally {
    await superuser.end();
  }
  return ownerUrl(superuserUrl(NAME), password);
}

/** The owner's connection string, from the superuser's for the same server. */
export function ownerUrl(superuserUrl: string, password: string): string {
  const url = new URL(superuserUrl);
  url.pathname = `/${NAME}`;
  url.username = NAME;
  url.password = encodeURIComponent(password);
  return url.href;
}
