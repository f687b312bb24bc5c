/**
 * Work that is done again and again while the server runs: sweeps of what expired. One run at a time; a failed run is
 * logged and the next one tries again. Several processes may run the same sweep: its SQL must allow for that.
 */
import type { Log } from './log.ts';

export interface Periodic {
  stop(): Promise<void>;
}

export interface PeriodicDeps {
  /** For the log. */
  name: string;
  /** Counted from the end of the run before. */
  everyMs: number;
  /** Until the first run; as long as between two when not given. */
  firstAfterMs?: number;
  work(): Promise<void>;
  log: Log;
}

/** Runs `work` again and again until it is stopped. */
export function createPeriodic(deps: PeriodicDeps): Periodic {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;

  function schedule(afterMs: number): void {
    if (stopped) return;
    timer = setTimeout(() => {
      // In a step of its own, so that what `work` throws before its first await is caught as well.
      running = Promise.resolve()
        .then(deps.work)
        .catch((error: unknown) => deps.log.warn({ err: error, sweep: deps.name }, 'a sweep failed'))
        .then(() => schedule(deps.everyMs));
    }, afterMs);
  }
  schedule(deps.firstAfterMs ?? deps.everyMs);

  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
