/** People with a session, put straight into the tables: most tests need somebody, not a sign-up. */
import { createHmac, randomBytes } from 'node:crypto';
import { SESSION_COOKIE, type PasswordHashing } from '../../server/src/accounts/auth.ts';
import { insertPerson } from '../../server/src/accounts/store.ts';
import type { Platform } from '../../server/src/platform/platform.ts';

export const PASSWORD = 'pearl and shell';
const SESSION_MS = 3_600_000;

/** In place of scrypt, which takes a tenth of a second, and is to: these people's passwords hide nothing. */
export const QUICK: PasswordHashing = {
  async hash(password) {
    const salt = randomBytes(8).toString('hex');
    return `${salt}:${createHmac('sha256', salt).update(password).digest('hex')}`;
  },
  async verify({ hash, password }) {
    const [salt = '', kept] = hash.split(':');
    return createHmac('sha256', salt).update(password).digest('hex') === kept;
  },
};

/** Somebody with that password, signed in; as signing up leaves them. Returns the id and the `Cookie` header. */
export async function putPerson(
  platform: Pick<Platform, 'database' | 'newId' | 'clock'>, secret: string, who: { name: string; email: string },
): Promise<{ id: string; cookie: string }> {
  const { database, newId, clock } = platform;
  const credential = { id: newId(), passwordHash: await QUICK.hash(PASSWORD) };
  const id = newId();
  const token = randomBytes(24).toString('base64url');
  const at = clock.now();
  await database.transaction(async (tx) => {
    const person = { id, ...who, locale: 'en', time_zone: 'UTC', created_at: at, updated_at: at };
    await insertPerson(tx, person, credential, at);
    await tx
      .insertInto('session')
      .values({
        id: newId(), token, person_id: id, expires_at: new Date(at.getTime() + SESSION_MS),
        created_at: at, updated_at: at,
      })
      .execute();
  });
  const signature = createHmac('sha256', secret).update(token).digest('base64');
  return { id, cookie: `${SESSION_COOKIE}=${encodeURIComponent(`${token}.${signature}`)}` };
}
