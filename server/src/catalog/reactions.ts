/** The sweep of what is kept for people in line. May run in any number of processes. */
import type { Log } from '../platform/log.ts';
import { createPeriodic, type Periodic } from '../platform/periodic.ts';
import type { Catalog } from './catalog.ts';

/** The next in line hears of it a second after the time of the one before is over. */
const SWEEP_EVERY_MS = 1_000;
/** Every so many sweeps lines are served beside which something lies: that happens when goods are put on sale again. */
const LEFT_OVER_EVERY = 15;

/** Until stopped. */
export function createLineSweep(
  deps: { catalog: Pick<Catalog, 'sweepKept' | 'serveLeftOver'>; log: Log },
): Periodic {
  let sweeps = 0;
  return createPeriodic({
    name: 'catalog.kept',
    everyMs: SWEEP_EVERY_MS,
    work: async () => {
      const ended = await deps.catalog.sweepKept();
      if (ended > 0) deps.log.info({ ended }, 'kept pieces went on to the next in line');
      if (sweeps % LEFT_OVER_EVERY === 0) await deps.catalog.serveLeftOver();
      sweeps += 1;
    },
    log: deps.log,
  });
}
