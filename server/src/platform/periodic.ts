/**
 * Work that is done again and again while the server runs: sweeps of what expired. One run at a time; a failed run is
 * logged and the next one tries again. Several processes may run the same sweep: its SQL must allow for that.
 */
import type { Log } from './log.ts';

export interface Periodic {
  stop(): Promise<void>;
}

/** Runs `work` every `everyMs`, counted from the end of the run before. */
export function createPeriodic(deps: { name: string; everyMs: number; work: () => Promise<void>; log: Log }): Periodic {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;

  function schedule(): void {
    if (stopped) return;
    timer = setTimeout(() => {
      // In a step of its own, so that what `work` throws before its first await is caught as well.
      running = Promise.resolve()
        .then(deps.work)
        .catch((error: unknown) => deps.log.warn({ err: error, sweep: deps.name }, 'a sweep failed'))
        .then(schedule);
    }, deps.everyMs);
  }
  schedule();

  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
