/** Buyers with sessions, put directly into the tables: signing up is made to be slow. */
import { createHmac, randomBytes } from 'node:crypto';
import type pg from 'pg';
import { newId } from '../../server/src/platform/ids.ts';

export async function insertPeople(pool: pg.Pool, ids: readonly string[]): Promise<void> {
  await pool.query(
    `insert into person (id, name, email, created_at, updated_at)
     select id, 'Buyer', id || '@bench.test', now(), now() from unnest($1::uuid[]) as id`, [ids],
  );
}

/** @param secret that of the server's accounts. @returns their cookie headers */
export async function newBuyers(pool: pg.Pool, secret: string, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, newId);
  const tokens = ids.map(() => randomBytes(24).toString('base64url'));
  await insertPeople(pool, ids);
  await pool.query(
    `insert into session (id, token, person_id, expires_at, created_at, updated_at)
     select gen_random_uuid(), token, id, now() + interval '1 day', now(), now()
       from unnest($1::uuid[], $2::text[]) as new (id, token)`, [ids, tokens],
  );
  return tokens.map((token) => {
    const signature = createHmac('sha256', secret).update(token).digest('base64');
    return `nacre.session_token=${encodeURIComponent(`${token}.${signature}`)}`;
  });
}
