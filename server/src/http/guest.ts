/** The guest cookie: a random id with an HMAC, so that nobody counts as many viewers by inventing ids. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { cookieOf } from '../lib/cookie.ts';

export const GUEST_COOKIE = 'nacre_guest';
/** A returning guest stays the same viewer for this long. */
const GUEST_MAX_AGE_SECONDS = 90 * 24 * 3600;
const ID = /^[A-Za-z0-9_-]{22}$/;

export interface Guests {
  /** The guest of a `Cookie` header, or null when there is none or it is forged. */
  read(cookieHeader: string | undefined): string | null;
  /** A new guest and the `Set-Cookie` value that keeps it. */
  create(secure: boolean): { guestId: string; setCookie: string };
}

export function createGuests(deps: { secret: string }): Guests {
  const sign = (id: string) => createHmac('sha256', deps.secret).update(`guest ${id}`).digest('base64url').slice(0, 22);

  return {
    read(cookieHeader) {
      const value = cookieOf(cookieHeader, GUEST_COOKIE);
      const [id, signature] = value?.split('.') ?? [];
      if (id === undefined || signature === undefined || !ID.test(id)) return null;
      const expected = Buffer.from(sign(id));
      const given = Buffer.from(signature);
      return expected.length === given.length && timingSafeEqual(expected, given) ? id : null;
    },
    create(secure) {
      const guestId = randomBytes(16).toString('base64url');
      const attributes = `Path=/; HttpOnly; SameSite=Lax; Max-Age=${GUEST_MAX_AGE_SECONDS}${secure ? '; Secure' : ''}`;
      return { guestId, setCookie: `${GUEST_COOKIE}=${guestId}.${sign(guestId)}; ${attributes}` };
    },
  };
}
