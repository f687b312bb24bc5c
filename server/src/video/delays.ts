/**
 * How far behind the viewers of each show are, as each of them measured it (`web/src/lib/player`): the median, for the
 * host. What one browser says can be wrong or a lie; the median stands while most are right.
 */
import { liveDelay } from '@nacre/contract/live';

/** How often hosts are told. Shorter is a figure that jitters, longer is one that comes too late to act on. */
const tellEveryMs = 5_000;
/** Viewers of one show that are asked for; as many as it may have at most. */
const viewersMax = 10_000;

export interface MeasuredDelay {
  /** In ms; null when nobody has measured. */
  medianMs: number | null;
  /** Viewers that have. */
  measured: number;
}

export interface Delays {
  /** `viewer`: whatever stands for one; what it said before is over. */
  note(showId: string, viewer: object | string, delayMs: number): void;
  forget(showId: string, viewer: object | string): void;
  stop(): void;
}

export function createDelays(deps: {
  /** Unix epoch, ms. */
  now: () => number;
  /** Every few seconds while somebody measures, and once more when nobody does any longer. */
  tell: (showId: string, delay: MeasuredDelay) => void;
  tellEveryMs?: number;
}): Delays {
  const shows = new Map<string, Map<object | string, { delayMs: number; atMs: number }>>();

  function tellAll(): void {
    const oldest = deps.now() - liveDelay.holdsMs;
    for (const [showId, viewers] of shows) {
      for (const [viewer, { atMs }] of viewers) if (atMs < oldest) viewers.delete(viewer);
      if (viewers.size === 0) shows.delete(showId);
      const all = [...viewers.values()].map(({ delayMs }) => delayMs);
      deps.tell(showId, { medianMs: medianOf(all), measured: all.length });
    }
  }
  const timer = setInterval(tellAll, deps.tellEveryMs ?? tellEveryMs);
  timer.unref();

  return {
    note(showId, viewer, delayMs) {
      const viewers = shows.get(showId) ?? new Map<object | string, { delayMs: number; atMs: number }>();
      shows.set(showId, viewers);
      if (viewers.size < viewersMax || viewers.has(viewer)) viewers.set(viewer, { delayMs, atMs: deps.now() });
    },
    forget: (showId, viewer) => void shows.get(showId)?.delete(viewer),
    stop: () => clearInterval(timer),
  };
}

/** Of two in the middle the smaller; null of none. */
export function medianOf(values: readonly number[]): number | null {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? null;
}
