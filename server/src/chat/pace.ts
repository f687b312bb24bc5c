/** How fast one person may talk in one show. Pure but for the clock. */
import { LRUCache } from 'lru-cache';
import type { Clock } from '../platform/clock.ts';

/** Messages at once: a greeting and a few quick questions. Fewer refuses eager buyers, more is a burst of spam. */
const BURST = 5;
/** One more each two seconds. Slower stops a conversation, faster lets one person fill the screen. */
const REFILL_MS = 2_000;
/** The host answers many people at once. */
const HOST_BURST = 20;
const HOST_REFILL_MS = 500;
/** The same words again within this time are a repeat. Shorter lets spam through, longer refuses a second "yes". */
const SAME_TEXT_MS = 20_000;
/** Talkers remembered. Fewer forgets who was fast, more is memory. */
const TALKERS = 20_000;

interface Talker {
  tokens: number;
  atMs: number;
  lastText: string;
  lastTextMs: number;
}

export interface Pace {
  /** Counts the message and returns null, or says in how many seconds to try again. */
  admit(who: { personId: string; showId: string; isHost: boolean }, text: string): number | null;
  /** Seconds until this person's next message in slow mode; null when it may come now. Counts nothing. */
  slowWait(who: { personId: string; showId: string }, slowSeconds: number): number | null;
}

export function createPace(deps: { clock: Clock }): Pace {
  const talkers = new LRUCache<string, Talker>({ max: TALKERS });
  return {
    slowWait({ personId, showId }, slowSeconds) {
      const known = talkers.get(`${showId} ${personId}`);
      if (known === undefined || slowSeconds === 0) return null;
      const waitMs = known.lastTextMs + slowSeconds * 1000 - deps.clock.now().getTime();
      return waitMs > 0 ? Math.ceil(waitMs / 1000) : null;
    },
    admit({ personId, showId, isHost }, text) {
      const nowMs = deps.clock.now().getTime();
      const burst = isHost ? HOST_BURST : BURST;
      const refillMs = isHost ? HOST_REFILL_MS : REFILL_MS;
      const key = `${showId} ${personId}`;
      const known = talkers.get(key) ?? { tokens: burst, atMs: nowMs, lastText: '', lastTextMs: -Infinity };
      const tokens = Math.min(burst, known.tokens + Math.max(0, nowMs - known.atMs) / refillMs);
      const sameForMs = nowMs - known.lastTextMs;
      if (!isHost && text === known.lastText && sameForMs < SAME_TEXT_MS) {
        return Math.ceil((SAME_TEXT_MS - sameForMs) / 1000);
      }
      if (tokens < 1) return Math.ceil(((1 - tokens) * refillMs) / 1000);
      talkers.set(key, { tokens: tokens - 1, atMs: nowMs, lastText: text, lastTextMs: nowMs });
      return null;
    },
  };
}
