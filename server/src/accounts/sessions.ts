/**
 * Whose session a cookie names. better-auth would take 2.6 ms of CPU and two queries for it, ten times what an order
 * costs: its cookie's signature is checked here, who asks at the same time is looked up together, and the answer is
 * kept for a while.
 *
 * Invariants: what is kept is bounded in number and time; a sign-out anywhere empties it at once in every process that
 * hears the bus, and after `KEPT_MS` in one that does not; an answer that was on its way during a sign-out is not kept.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { PersonActor } from '../http/actor.ts';
import { cookieOf } from '../lib/cookie.ts';
import { Refusal } from '../lib/refusal.ts';
import { createBatcher } from '../platform/batcher.ts';
import type { Bus } from '../platform/bus.ts';
import type { Clock } from '../platform/clock.ts';
import { SESSION_COOKIE } from './auth.ts';
import { PERSON_CHANGED_TOPIC, SIGNED_OUT_TOPIC } from './events.ts';

/** Sessions kept, 0.5 KB each: as many as one process has people at a time. */
const KEPT_MAX = 50_000;
/** The longest that a lost message on the bus keeps a signed-out person in. */
const KEPT_MS = 60_000;
/** How exactly the list of devices knows when one was last seen. Shorter writes more, longer looks wrong there. */
const SEEN_EVERY_MS = 5 * 60_000;
/** Sessions of one query. */
const BATCH_MAX = 1_000;
/** Who waits for an answer: all of a full server once. */
const WAITING_MAX = 20_000;
/** A token of 32 characters with its signature has about 80; longer is not ours and not worth hashing. */
const COOKIE_LENGTH_MAX = 300;

export interface Sessions {
  /** The person of a `Cookie` header; null when there is no session, or it is forged or over. */
  find(cookieHeader: string | undefined): Promise<PersonActor | null>;
  stop(): void;
}

export interface SessionsDeps {
  /** What better-auth signs cookies with. */
  secret: string;
  bus: Bus;
  clock: Clock;
  /** By token; a session that is over or never was is missing. */
  read(tokens: readonly string[]): Promise<ReadonlyMap<string, LiveSession>>;
  /** Writes down when a session was last seen. */
  noteSeen(sessionId: string, at: Date): Promise<void>;
}

export interface LiveSession {
  id: string;
  token: string;
  expiresAt: Date;
  /** When it was last seen, about. */
  seenAt: Date;
  personId: string;
  name: string;
  isOperator: boolean;
  isDemo: boolean;
}

interface Kept {
  actor: PersonActor | null;
  untilMs: number;
}

export function createSessions(deps: SessionsDeps): Sessions {
  const { secret, bus, clock } = deps;
  const kept = new LRUCache<string, Kept>({ max: KEPT_MAX });
  const asked = new Map<string, Promise<PersonActor | null>>();
  let generation = 0;
  const questions = createBatcher<string, LiveSession | null>({
    async run(tokens) {
      const found = await deps.read(tokens);
      return tokens.map((token) => found.get(token) ?? null);
    },
    batchMax: BATCH_MAX,
    waitingMax: WAITING_MAX,
    full: () => new Refusal('server.busy', { retryAfterSeconds: 1 }),
  });

  function forget(message: unknown): void {
    const { personId } = message as { personId: string };
    generation += 1;
    asked.clear();
    for (const [cookie, { actor }] of kept.entries()) {
      if (actor?.personId === personId) kept.delete(cookie);
    }
  }
  const unsubscribe = [SIGNED_OUT_TOPIC, PERSON_CHANGED_TOPIC].map((topic) => bus.subscribe(topic, forget));

  async function ask(cookie: string): Promise<PersonActor | null> {
    const askedIn = generation;
    const token = tokenOf(cookie, secret);
    const found = token === null ? null : await questions.add(token);
    const now = clock.now().getTime();
    const actor: PersonActor | null = found === null ? null : {
      kind: 'person',
      personId: found.personId,
      name: found.name,
      isOperator: found.isOperator,
      isDemo: found.isDemo,
      sessionId: found.id,
    };
    if (found !== null && now - found.seenAt.getTime() >= SEEN_EVERY_MS) {
      await deps.noteSeen(found.id, new Date(now));
    }
    if (askedIn === generation) {
      const endsMs = found === null ? Infinity : found.expiresAt.getTime();
      kept.set(cookie, { actor, untilMs: Math.min(now + KEPT_MS, endsMs) });
    }
    return actor;
  }

  return {
    async find(cookieHeader) {
      const cookie = cookieOf(cookieHeader, SESSION_COOKIE);
      if (cookie === undefined || cookie.length > COOKIE_LENGTH_MAX) return null;
      const known = kept.get(cookie);
      if (known !== undefined && known.untilMs > clock.now().getTime()) return known.actor;
      const pending = asked.get(cookie);
      if (pending !== undefined) return pending;
      const answer = ask(cookie).finally(() => {
        if (asked.get(cookie) === answer) asked.delete(cookie);
      });
      asked.set(cookie, answer);
      return answer;
    },
    stop() {
      for (const end of unsubscribe) end();
      kept.clear();
    },
  };
}

/**
 * The token of better-auth's cookie, `<token>.<signature>`; null when the signature is not ours. It is the base64 of
 * HMAC-SHA-256 (better-call, `crypto.mjs`).
 */
function tokenOf(cookie: string, secret: string): string | null {
  const dot = cookie.lastIndexOf('.');
  if (dot < 1) return null;
  const token = cookie.slice(0, dot);
  const signature = Buffer.from(cookie.slice(dot + 1));
  const right = Buffer.from(createHmac('sha256', secret).update(token).digest('base64'));
  return signature.length === right.length && timingSafeEqual(signature, right) ? token : null;
}
