/** What the processor was doing while a test of timing ran, and another chance where it had no time for the test. */
import { cpus } from 'node:os';
import type { TestContext } from 'node:test';

/**
 * Of all cores. With less left, what should happen within milliseconds waits for its turn. Less excuses too little;
 * with more, code that is too slow would get further chances on a calm machine.
 */
export const scarceIdleShare = 0.2;
/** Fewer fail beside other programs; more only take time. */
const attempts = 4;

/** What a test needs of its context to clean up. */
export type Scope = Pick<TestContext, 'after'>;

/** Processor time since the start of the machine, in ms. */
function processorTime(): { idleMs: number; allMs: number } {
  const all = cpus().map(({ times }) => ({ idleMs: times.idle, allMs: Object.values(times).reduce((a, b) => a + b) }));
  return all.reduce((sum, { idleMs, allMs }) => ({ idleMs: sum.idleMs + idleMs, allMs: sum.allMs + allMs }));
}

/** Starts watching; the answer says which share of all cores was idle since. */
export function watchProcessor(): () => number {
  const before = processorTime();
  return () => {
    const after = processorTime();
    return (after.idleMs - before.idleMs) / (after.allMs - before.allMs);
  };
}

/** Runs `work`; again when it fails while the processor had hardly any idle time. Each run cleans up after itself. */
export async function unlessStarved(t: TestContext, work: (scope: Scope) => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const cleanups: (() => unknown)[] = [];
    const scope: Scope = { after: (cleanup) => void cleanups.unshift(cleanup as () => unknown) };
    const idleShare = watchProcessor();
    try {
      await work(scope);
      return;
    } catch (error) {
      const idle = idleShare();
      t.diagnostic(`attempt ${attempt} failed with ${Math.round(idle * 100)} % of the processor idle`);
      if (idle >= scarceIdleShare || attempt === attempts) throw error;
    } finally {
      for (const cleanup of cleanups) await cleanup();
    }
  }
}
