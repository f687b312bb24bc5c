/**
 * The two database roles: the owner makes tables, the server works in them with less.
 *
 * Invariants: the working role owns nothing, is no superuser and no member of the owner, and can neither UPDATE, DELETE
 * nor TRUNCATE a table whose comment says `append-only`: a fault in the server cannot rewrite the ledger or a log. Nor
 * can it DELETE from one that says `never-deleted`: what other rows refer to without a foreign key stays. The start
 * checks that and refuses. Runs after the migrations, so that what they made is granted.
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { StartRefusal, errorCode } from './start-refusal.ts';

/** The business tables, and those of the job queue. */
export const SCHEMAS = ['public', 'pgboss'] as const;
/** In a table's comment: rows are added and read, never changed. */
const APPEND_ONLY_MARK = 'append-only';
/** In a table's comment: rows are added, read and changed, never deleted. */
const NEVER_DELETED_MARK = 'never-deleted';
/** PostgreSQL cuts longer names (NAMEDATALEN - 1), which would make two roles one. */
const MAX_NAME_BYTES = 63;
/** PostgreSQL's own default (scram_iterations). */
const SCRAM_ITERATIONS = 4096;
const SCRAM_SALT_BYTES = 16;
/** The owner has just been let in; a server that now takes this long is overloaded. */
const SIGN_IN_TIMEOUT_MS = 10_000;
/** A server that has just ended is still listed for a moment. Fewer refuse a restart, more delay the refusal. */
const LOOKS_FOR_OTHERS = 20;
const LOOK_AGAIN_MS = 100;

/** `<database>_server`, shortened so that it stays distinct. */
export function serverRoleName(database: string): string {
  const name = `${database}_server`;
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  return `nacre_${createHash('sha256').update(database).digest('hex').slice(0, 24)}_server`;
}

/**
 * Makes or updates the working role; a repeat changes nothing.
 * @returns its name
 */
export async function ensureServerRole(owner: pg.Client, database: string, password: string): Promise<string> {
  const role = serverRoleName(database);
  const { rows } = await owner.query<{ exists: boolean; may_create: boolean }>(
    `select exists (select from pg_roles where rolname = $1) as exists,
            (select rolsuper or rolcreaterole from pg_roles where rolname = current_user) as may_create`,
    [role],
  );
  if (rows[0]?.exists && await canSignIn(owner, role, password)) return role;
  if (!rows[0]?.may_create) throw cannotMakeRole(role);
  if (rows[0].exists) await refuseRoleInUse(owner, role);
  const verb = rows[0].exists ? 'alter' : 'create';
  try {
    // The verifier instead of the password: a statement may be logged.
    await owner.query(
      `${verb} role ${pg.escapeIdentifier(role)} with login password ${pg.escapeLiteral(scramVerifier(password))}`,
    );
  } catch (error) {
    if (errorCode(error) === '42501') throw cannotMakeRole(role, error);
    throw error;
  }
  return role;
}

/**
 * A new password would lock out, at its next connection, a server that works with the one before. Two servers are kept
 * apart by server-lock.ts; this is for `nacre migrate` with another data folder than the server's.
 */
async function refuseRoleInUse(owner: pg.Client, role: string): Promise<void> {
  for (let look = 0; look < LOOKS_FOR_OTHERS; look += 1) {
    if (look > 0) await sleep(LOOK_AGAIN_MS);
    const { rows } = await owner.query('select 1 from pg_stat_activity where usename = $1 limit 1', [role]);
    if (rows.length === 0) return;
  }
  throw new StartRefusal(
    `Another Nacre, with a data folder of its own, works in this database as ${role}. Name its folder (--data DIR), or `
    + 'its login role in NACRE_DATABASE_SERVER_URL; or stop it.',
  );
}

function cannotMakeRole(role: string, cause?: unknown): StartRefusal {
  return new StartRefusal(
    `The database user of DATABASE_URL may not make the role ${role}, as which the server works. Either let it: `
    + 'ALTER ROLE … CREATEROLE; or make a login role yourself and give it in NACRE_DATABASE_SERVER_URL.',
    { cause },
  );
}

async function canSignIn(owner: pg.Client, user: string, password: string): Promise<boolean> {
  const { host, port, database } = owner;
  const client = new pg.Client({
    host, port, database, user, password, ssl: owner.ssl, connectionTimeoutMillis: SIGN_IN_TIMEOUT_MS,
  });
  try {
    await client.connect();
    return true;
  } catch (error) {
    // invalid_password, invalid_authorization_specification
    if (['28P01', '28000'].includes(errorCode(error))) return false;
    throw error;
  } finally {
    await client.end().catch(() => {
      // It may never have been connected.
    });
  }
}

/** What PostgreSQL keeps instead of the password (RFC 5803; RFC 5802, section 3). */
export function scramVerifier(password: string, salt: Buffer = randomBytes(SCRAM_SALT_BYTES)): string {
  const salted = pbkdf2Sync(password, salt, SCRAM_ITERATIONS, 32, 'sha256');
  const hmac = (text: string) => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${SCRAM_ITERATIONS}:${salt.toString('base64')}$${storedKey}:`
    + hmac('Server Key').toString('base64');
}

/** Gives the working role what it needs on all that exists and will be made, in one transaction; repeatable. */
export async function grantServerRole(owner: pg.Client, role: string): Promise<void> {
  const name = pg.escapeIdentifier(role);
  const { rows: tables } = await owner.query<{ table: string; rights: string }>(
    `select format('%I.%I', n.nspname, c.relname) as table,
            case when c.relname = 'schema_migration' then 'select'
                 when comment like '%' || $2 || '%' then 'select, insert'
                 when comment like '%' || $3 || '%' then 'select, insert, update'
                 else 'select, insert, update, delete' end as rights
       from pg_class c join pg_namespace n on n.oid = c.relnamespace, obj_description(c.oid, 'pg_class') as comment
      where n.nspname = any ($1) and c.relkind in ('r', 'p', 'v', 'm') and c.relpersistence = 'p'`,
    [SCHEMAS, APPEND_ONLY_MARK, NEVER_DELETED_MARK],
  );
  const statements = tables.flatMap(({ table, rights }) => [
    `revoke all on ${table} from ${name}`, `grant ${rights} on ${table} to ${name}`,
  ]);
  for (const schema of SCHEMAS) {
    statements.push(
      `grant usage on schema ${schema} to ${name}`,
      `grant usage, select on all sequences in schema ${schema} to ${name}`,
      `alter default privileges in schema ${schema} grant select, insert, update, delete on tables to ${name}`,
      `alter default privileges in schema ${schema} grant usage, select on sequences to ${name}`,
    );
  }
  await owner.query(`begin; ${statements.join('; ')}; commit`);
  const { rows } = await owner.query<{ may_connect: boolean; database: string }>(
    'select has_database_privilege($1, current_database(), \'connect\') as may_connect, current_database() as database',
    [role],
  );
  if (!rows[0]?.may_connect) {
    await owner.query(`grant connect on database ${pg.escapeIdentifier(rows[0]?.database ?? '')} to ${name}`);
  }
}

interface RolePower {
  role: string;
  superuser: boolean;
  /** A table whose owner the role is or can become. */
  owns: string | null;
  /** An append-only table whose rows it may change. */
  changes: string | null;
  /** A table whose rows stay, and of which it may delete some. */
  deletes: string | null;
}

/** Refuses a working role that could do what only the owner may. */
export async function refusePowerfulRole(server: pg.Client): Promise<void> {
  const { rows } = await server.query<RolePower>(
    `with tables as (
       select c.oid, c.relowner, format('%I.%I', n.nspname, c.relname) as name,
              coalesce(comment like '%' || $2 || '%', false) as append_only,
              coalesce(comment like '%' || $3 || '%', false) as never_deleted
         from pg_class c join pg_namespace n on n.oid = c.relnamespace, obj_description(c.oid, 'pg_class') as comment
        where n.nspname = any ($1) and c.relkind in ('r', 'p')
     )
     select current_user as role,
            (select rolsuper from pg_roles where rolname = current_user) as superuser,
            (select min(name) from tables where pg_has_role(current_user, relowner, 'member')) as owns,
            (select min(name) from tables
              where append_only and (has_any_column_privilege(oid, 'update')
                or has_table_privilege(oid, 'delete') or has_table_privilege(oid, 'truncate'))) as changes,
            (select min(name) from tables
              where never_deleted
                and (has_table_privilege(oid, 'delete') or has_table_privilege(oid, 'truncate'))) as deletes`,
    [SCHEMAS, APPEND_ONLY_MARK, NEVER_DELETED_MARK],
  );
  const found = rows[0];
  if (!found) throw new Error('the check of the working role returned nothing');
  const fault = found.superuser ? 'is a superuser'
    : found.owns ? `can act as the owner of ${found.owns}`
      : found.changes ? `may change rows of ${found.changes}, which only grows`
        : found.deletes ? `may delete rows of ${found.deletes}, which all stay` : null;
  if (!fault) return;
  throw new StartRefusal(
    `The database role ${found.role}, as which the server would work, ${fault}. Give NACRE_DATABASE_SERVER_URL a login `
    + 'role of its own that owns nothing; Nacre grants it what it needs.',
  );
}
