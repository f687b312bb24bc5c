/**
 * Likes and peak viewers, which change too often to be written one by one.
 *
 * Invariants: a like that was answered is in the database within a second, or at the stop; a total never goes back; one
 * viewer cannot be a crowd (who is a viewer: crowd.ts).
 */
import { LRUCache } from 'lru-cache';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';

/** A thumb taps about five times a second. Fewer ignores enthusiasm, more counts scripts. */
export const LIKES_PER_VIEWER_MINUTE = 300;
const MINUTE_MS = 60_000;
/** Viewers whose taps are remembered for a minute. Fewer lets a crowd of cookies tap without bound. */
const VIEWERS_REMEMBERED = 50_000;
/** How long counts wait. Shorter is a write per tap; with the write itself it must stay under a second. */
const FLUSH_EVERY_MS = 400;

export interface Counts {
  /** Counts what the viewer may still give this minute. @returns the total to show */
  like(showId: string, viewer: string, count: number, totalBefore: number): number;
  sawViewers(showId: string, viewers: number): void;
  /** What is not written yet. */
  pending(showId: string): Readonly<Pending>;
  /** Writes what waits; resolves when it is written. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

/** What is not in the database yet. */
export interface Pending {
  likes: number;
  peakViewers: number;
  /** The highest total that anybody was told. */
  total: number;
}

/** Likes in total; while some are being written they stand neither in the row nor among those that wait. */
export function likesNow(written: bigint, pending: Readonly<Pending>): number {
  return Math.max(Number(written) + pending.likes, pending.total);
}

export function createCounts(deps: {
  clock: Clock;
  log: Log;
  /** Adds to the database. @returns likes in total; null when the show is gone */
  write(showId: string, likes: number, peakViewers: number): Promise<bigint | null>;
  /** Likes were written; `total` is the new sum, `added` what it grew by. */
  onLikes(showId: string, total: number, added: number): void;
}): Counts {
  const { clock, log } = deps;
  const shows = new Map<string, Pending>();
  const given = new LRUCache<string, { sinceMs: number; count: number }>({ max: VIEWERS_REMEMBERED });
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  let flushing: Promise<void> = Promise.resolve();

  function pendingOf(showId: string): Pending {
    const known = shows.get(showId) ?? { likes: 0, peakViewers: 0, total: 0 };
    shows.set(showId, known);
    wake();
    return known;
  }

  function wake(): void {
    if (!stopped) timer ??= setTimeout(() => void flush(), FLUSH_EVERY_MS);
  }

  function allow(showId: string, viewer: string, count: number): number {
    const nowMs = clock.now().getTime();
    const key = `${showId} ${viewer}`;
    const known = given.get(key);
    const window = known !== undefined && nowMs - known.sinceMs < MINUTE_MS ? known : { sinceMs: nowMs, count: 0 };
    const allowed = Math.min(count, LIKES_PER_VIEWER_MINUTE - window.count);
    given.set(key, { ...window, count: window.count + allowed });
    return allowed;
  }

  async function writeOne(showId: string, counts: Pending): Promise<void> {
    const { likes, peakViewers } = counts;
    if (likes === 0 && peakViewers === 0) {
      shows.delete(showId);
      return;
    }
    counts.likes = 0;
    counts.peakViewers = 0;
    try {
      const written = await deps.write(showId, likes, peakViewers);
      if (written === null) return;
      counts.total = Math.max(counts.total, Number(written) + counts.likes);
      if (likes > 0) deps.onLikes(showId, counts.total, likes);
    } catch (error) {
      counts.likes += likes;
      counts.peakViewers = Math.max(counts.peakViewers, peakViewers);
      log.warn({ err: error, showId }, 'likes could not be written; they are kept and tried again');
    }
  }

  async function writeAll(): Promise<void> {
    timer = null;
    for (const [showId, counts] of shows) await writeOne(showId, counts);
    if (shows.size > 0) wake();
  }

  function flush(): Promise<void> {
    if (timer !== null) clearTimeout(timer);
    flushing = flushing.then(writeAll);
    return flushing;
  }

  return {
    like(showId, viewer, count, totalBefore) {
      const allowed = allow(showId, viewer, count);
      const counts = pendingOf(showId);
      counts.total = Math.max(counts.total, totalBefore + counts.likes) + allowed;
      counts.likes += allowed;
      return counts.total;
    },
    sawViewers(showId, viewers) {
      const counts = pendingOf(showId);
      counts.peakViewers = Math.max(counts.peakViewers, viewers);
    },
    pending(showId) {
      return shows.get(showId) ?? { likes: 0, peakViewers: 0, total: 0 };
    },
    flush,
    async stop() {
      stopped = true;
      await flush();
    },
  };
}
