/**
 * Whose session a cookie names. better-auth's answer costs 2.6 ms of CPU and two queries, so it is kept for a while.
 *
 * Invariants: what is kept is bounded in number and time; a sign-out anywhere empties it at once in every process that
 * hears the bus, and after `KEPT_MS` in one that does not; an answer that was on its way during a sign-out is not kept.
 */
import { LRUCache } from 'lru-cache';
import type { PersonActor } from '../http/actor.ts';
import { cookieOf } from '../lib/cookie.ts';
import type { Bus } from '../platform/bus.ts';
import type { Clock } from '../platform/clock.ts';
import { SESSION_COOKIE, type Auth } from './auth.ts';
import { PERSON_CHANGED_TOPIC, SIGNED_OUT_TOPIC } from './events.ts';

/** Sessions kept, 0.5 KB each: as many as one process has people at a time. */
const KEPT_MAX = 50_000;
/** The longest that a lost message on the bus keeps a signed-out person in. */
const KEPT_MS = 60_000;
/** How exactly the list of devices knows when one was last seen. Shorter writes more, longer looks wrong there. */
const SEEN_EVERY_MS = 5 * 60_000;
/** A token of 32 characters with its signature has about 80; longer is not ours and not worth hashing. */
const COOKIE_LENGTH_MAX = 300;

export interface Sessions {
  /** The person of a `Cookie` header; null when there is no session, or it is forged or over. */
  find(cookieHeader: string | undefined): Promise<PersonActor | null>;
  stop(): void;
}

export interface SessionsDeps {
  auth: Auth;
  bus: Bus;
  clock: Clock;
  /** Writes down when a session was last seen. */
  noteSeen(sessionId: string, at: Date): Promise<void>;
}

interface Kept {
  actor: PersonActor | null;
  untilMs: number;
}

export function createSessions(deps: SessionsDeps): Sessions {
  const { auth, bus, clock } = deps;
  const kept = new LRUCache<string, Kept>({ max: KEPT_MAX });
  const asked = new Map<string, Promise<PersonActor | null>>();
  let generation = 0;

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
    const headers = new Headers({ cookie: `${SESSION_COOKIE}=${encodeURIComponent(cookie)}` });
    const found = await auth.api.getSession({ headers });
    const now = clock.now().getTime();
    const actor: PersonActor | null = found === null ? null : {
      kind: 'person',
      personId: found.user.id,
      name: found.user.name,
      isOperator: found.user.isOperator,
      isDemo: found.user.isDemo,
      sessionId: found.session.id,
    };
    if (found !== null && now - found.session.updatedAt.getTime() >= SEEN_EVERY_MS) {
      await deps.noteSeen(found.session.id, new Date(now));
    }
    if (askedIn === generation) {
      const endsMs = found === null ? Infinity : found.session.expiresAt.getTime();
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
