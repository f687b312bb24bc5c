/**
 * Browsers in which somebody has signed in before, by a cookie of ours: what strangers try elsewhere with an e-mail or
 * a number does not shut its owner out there ("Slow Down Online Guessing Attacks with Device Cookies", OWASP).
 *
 * Invariants: the cookie lets nobody in and does not tell who came in; only signing in makes one; each browser counts
 * for itself.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { cookieOf } from '../lib/cookie.ts';

export const KNOWN_COOKIE = 'nacre_known';
/** As long as somebody may be away and still be known; it only spares them what strangers use up. */
const KNOWN_SECONDS = 365 * 24 * 3600;
/** E-mails and numbers of one browser, newest first: of a family, or of a till. */
const MARKS_MAX = 8;
const ID = /^[A-Za-z0-9_-]{22}$/;

interface Asking {
  headers: { cookie?: string | undefined };
  isHttps: boolean;
}

export interface KnownBrowsers {
  /** The browser's own name where `who` has come in there before; null elsewhere. */
  idOf(asking: Asking, who: string): string | null;
  /** The `Set-Cookie` value that makes the browser known for `who`, besides those whom it was known for. */
  cookieFor(asking: Asking, who: string): string;
}

/** @param deps.secret signs; another one makes all browsers strangers */
export function createKnownBrowsers(deps: { secret: string }): KnownBrowsers {
  const markOf = (id: string, who: string) =>
    createHmac('sha256', deps.secret).update(`known ${id} ${who}`).digest('base64url').slice(0, 22);

  function read({ headers }: Asking): { id: string; marks: string[] } | null {
    const [id = '', ...marks] = cookieOf(headers.cookie, KNOWN_COOKIE)?.split('.') ?? [];
    return ID.test(id) ? { id, marks: marks.filter((mark) => ID.test(mark)).slice(0, MARKS_MAX) } : null;
  }

  return {
    idOf(asking, who) {
      const known = read(asking);
      if (known === null) return null;
      const expected = Buffer.from(markOf(known.id, who));
      return known.marks.some((mark) => timingSafeEqual(Buffer.from(mark), expected)) ? known.id : null;
    },
    cookieFor(asking, who) {
      const { id, marks } = read(asking) ?? { id: randomBytes(16).toString('base64url'), marks: [] };
      const own = markOf(id, who);
      const all = [own, ...marks.filter((mark) => mark !== own)].slice(0, MARKS_MAX);
      const secure = asking.isHttps ? '; Secure' : '';
      // What is asked with it lies under this path: pages and files are spared it.
      const attributes = `Path=/api; HttpOnly; SameSite=Lax; Max-Age=${KNOWN_SECONDS}${secure}`;
      return `${KNOWN_COOKIE}=${[id, ...all].join('.')}; ${attributes}`;
    },
  };
}
