/**
 * Tells the rest of the server that a show's picture came or went, until it has been heard.
 *
 * Invariants: of one show one thing is told at a time, and the last thing that is told is what is so; a picture that
 * came while the database was away is noted when it is back. Holds shows with a picture, and those whose news waits.
 */
import type { MediaLog, StreamDownReason } from '@nacre/media/hooks';

/** What is told; null: there is a picture. */
type News = StreamDownReason | null;

export interface PictureReports {
  up(showId: string): void;
  down(showId: string, reason: StreamDownReason): void;
  /** What could not be told yet is told no more. */
  stop(): void;
}

/** A restarted database is back in seconds. Shorter asks it in vain, longer shows a live show as interrupted. */
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 10_000;

export function createPictureReports(deps: {
  onUp(showId: string): void | Promise<void>;
  onDown(showId: string, reason: StreamDownReason): void | Promise<void>;
  /** Whether what was thrown will be thrown again, so that telling it once more is useless. */
  isFinal(error: unknown): boolean;
  log: MediaLog;
  retryFirstMs?: number;
}): PictureReports {
  const { log, isFinal, retryFirstMs = RETRY_FIRST_MS } = deps;
  const waiting = new Map<string, News>();
  const telling = new Set<string>();
  const pauses = new Map<string, () => void>();
  let stopped = false;

  function pause(showId: string, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        pauses.delete(showId);
        resolve();
      };
      const timer = setTimeout(end, ms);
      pauses.set(showId, end);
    });
  }

  /** @returns whether it was heard, or never will be */
  async function tellOnce(showId: string, news: News): Promise<boolean> {
    try {
      await (news === null ? deps.onUp(showId) : deps.onDown(showId, news));
      return true;
    } catch (error) {
      log.error({ err: error, showId }, 'a change of picture could not be noted');
      return isFinal(error);
    }
  }

  async function tellAll(showId: string): Promise<void> {
    let waitMs = retryFirstMs;
    for (let news = waiting.get(showId); news !== undefined && !stopped; news = waiting.get(showId)) {
      waiting.delete(showId);
      if (await tellOnce(showId, news)) continue;
      // What has come meanwhile counts more than what was not heard.
      if (!waiting.has(showId)) waiting.set(showId, news);
      await pause(showId, waitMs);
      waitMs = Math.min(waitMs * 2, RETRY_MAX_MS);
    }
    telling.delete(showId);
  }

  function tell(showId: string, news: News): void {
    if (stopped) return;
    waiting.set(showId, news);
    if (telling.has(showId)) return;
    telling.add(showId);
    void tellAll(showId);
  }

  return {
    up: (showId) => tell(showId, null),
    down: tell,
    stop() {
      stopped = true;
      for (const end of pauses.values()) end();
    },
  };
}
