/**
 * better-auth on our tables: passwords, sessions and their cookie.
 *
 * Invariants: it never migrates; its models bear our names (migration 0002, checked for drift by a test); ids are ours.
 * Only the routes in `routes.ts` reach it, so its own HTTP handler, with endpoints that nobody asked for, is not
 * mounted.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { betterAuth } from 'better-auth';
import { hashPassword, verifyPassword } from 'better-auth/crypto';
import { APIError, createAuthEndpoint } from 'better-auth/api';
import { setSessionCookie } from 'better-auth/cookies';
import type { Platform } from '../platform/platform.ts';
import { isAskedBack } from './store.ts';

/** Cookies are `nacre.session_token` and so on. */
const COOKIE_PREFIX = 'nacre';
export const SESSION_COOKIE = `${COOKIE_PREFIX}.session_token`;
/** Our own header with the client's address as Fastify knows it; never taken from outside. */
export const ADDRESS_HEADER = 'x-nacre-client-address';
/** Buyers come back weekly, not daily: shorter signs them out in the middle of a show. Longer keeps lost phones in. */
const SESSION_SECONDS = 60 * 24 * 3600;
export const PASSWORD_LENGTH_MIN = 8;
/** Longer ones only cost hashing time. */
const PASSWORD_LENGTH_MAX = 128;

/** A link that has not come by then is asked for again; a longer life is longer for whoever reads the mail later. */
const RESET_LINK_SECONDS = 3600;

/** What goes past better-auth's own arguments and answers, between its callbacks and who called it. */
export interface Told {
  resetToken?: string;
  /** Whose password is another one now. */
  resetOf?: { id: string; email: string };
  /** The hash by which a password was found right. */
  rightHash?: string;
  /** For `openSession`: who has shown to be this person. */
  opensFor?: string;
}

/** `told.run(box, …)` around a call; the box is filled when it returns. */
export const told = new AsyncLocalStorage<Told>();

/** How passwords are kept: told only whether one is right, and slow enough that a stolen table is not read. */
export interface PasswordHashing {
  hash(password: string): Promise<string>;
  verify(guess: { hash: string; password: string }): Promise<boolean>;
}

/** scrypt (RFC 7914) with N = 16,384, r = 16: 32 MB and a tenth of a second for each guess. */
export const SCRYPT: PasswordHashing = { hash: hashPassword, verify: verifyPassword };

export interface AuthDeps {
  platform: Pick<Platform, 'database' | 'newId' | 'log' | 'clock'>;
  /** Signs cookies; 32 characters or more. Another secret signs everybody out. */
  secret: string;
  passwords: PasswordHashing;
}

const models = {
  user: {
    modelName: 'person',
    fields: { emailVerified: 'email_verified', createdAt: 'created_at', updatedAt: 'updated_at' },
    additionalFields: {
      locale: { type: 'string', required: true, defaultValue: 'en' },
      timeZone: { type: 'string', required: true, defaultValue: 'UTC', fieldName: 'time_zone' },
      isOperator: { type: 'boolean', required: true, defaultValue: false, input: false, fieldName: 'is_operator' },
      isDemo: { type: 'boolean', required: true, defaultValue: false, input: false, fieldName: 'is_demo' },
    },
  },
  session: {
    modelName: 'session',
    fields: {
      userId: 'person_id', expiresAt: 'expires_at', createdAt: 'created_at', updatedAt: 'updated_at',
      ipAddress: 'ip_address', userAgent: 'user_agent',
    },
    expiresIn: SESSION_SECONDS,
    // A session ends when it said it would: nothing is written when it is only read.
    disableSessionRefresh: true,
  },
  account: {
    modelName: 'credential',
    fields: {
      userId: 'person_id', accountId: 'account_id', providerId: 'provider_id', accessToken: 'access_token',
      refreshToken: 'refresh_token', idToken: 'id_token', accessTokenExpiresAt: 'access_token_expires_at',
      refreshTokenExpiresAt: 'refresh_token_expires_at', createdAt: 'created_at', updatedAt: 'updated_at',
    },
  },
  verification: {
    modelName: 'verification',
    fields: { expiresAt: 'expires_at', createdAt: 'created_at', updatedAt: 'updated_at' },
    // Who reads the table, or a copy of it, has no link.
    storeIdentifier: 'hashed',
  },
} as const;

/**
 * A session and its cookie for whoever came in by a way that better-auth knows nothing of. Who that is comes by `told`
 * alone, which no request can fill.
 */
const openSession = createAuthEndpoint('/nacre/open-session', { method: 'POST' }, async (context) => {
  const { internalAdapter } = context.context;
  const { opensFor } = told.getStore() ?? {};
  const user = opensFor === undefined ? null : await internalAdapter.findUserById(opensFor);
  if (user === null) throw new Error('a session is opened for nobody');
  const session = await internalAdapter.createSession(user.id);
  await setSessionCookie(context, { session, user });
  return context.json({ token: session.token });
});

/** The options as better-auth takes them; the drift test reads them too. */
export function authOptions(deps: AuthDeps) {
  const { database, newId, log, clock } = deps.platform;
  return {
    ...models,
    appName: 'Nacre',
    secret: deps.secret,
    database: { db: database.db, type: 'postgres' as const, transaction: true },
    // Only for addresses that are not used: links in mails are ours, and requests never reach its own handler.
    baseURL: 'http://localhost',
    emailAndPassword: {
      enabled: true,
      minPasswordLength: PASSWORD_LENGTH_MIN,
      maxPasswordLength: PASSWORD_LENGTH_MAX,
      password: {
        hash: deps.passwords.hash,
        verify: async (guess: { hash: string; password: string }) => {
          const isRight = await deps.passwords.verify(guess);
          if (isRight) tell({ rightHash: guess.hash });
          return isRight;
        },
      },
      resetPasswordTokenExpiresIn: RESET_LINK_SECONDS,
      revokeSessionsOnPasswordReset: true,
      sendResetPassword: async ({ token }: { token: string }) => tell({ resetToken: token }),
      onPasswordReset: async ({ user }: { user: { id: string; email: string } }) => tell({ resetOf: user }),
    },
    databaseHooks: { user: { create: {
      // After better-auth has looked who has the e-mail: whoever gave it up between that and our own question is seen.
      before: async ({ email }: { email: string }) => {
        if (!(await isAskedBack(database.db, email, null, clock.now()))) return;
        throw new APIError('UNPROCESSABLE_ENTITY', { code: 'USER_ALREADY_EXISTS' });
      },
    } } },
    // Ours (attempts.ts) counts failures; its own counts requests of its handler.
    rateLimit: { enabled: false },
    plugins: [{ id: 'nacre', endpoints: { openSession } }],
    telemetry: { enabled: false },
    logger: {
      level: 'error' as const,
      log: (_level: string, message: string, ...details: unknown[]) => {
        // Only the kind of the error: its text may hold an e-mail.
        const error = details.find((detail) => detail instanceof Error) as { name: string; code?: unknown } | undefined;
        log.warn({ error: error?.name, code: error?.code }, `accounts: ${message}`);
      },
    },
    advanced: {
      cookiePrefix: COOKIE_PREFIX,
      // `Secure` is added by the route, by how the request came.
      useSecureCookies: false,
      defaultCookieAttributes: { sameSite: 'lax' as const, httpOnly: true, path: '/' },
      ipAddress: { ipAddressHeaders: [ADDRESS_HEADER] },
      database: { generateId: () => newId() },
    },
  };
}

function tell(news: Told): void {
  Object.assign(told.getStore() ?? {}, news);
}

export function createAuth(deps: AuthDeps) {
  return betterAuth(authOptions(deps));
}

export type Auth = ReturnType<typeof createAuth>;
