/**
 * Work that gathers what has come meanwhile: woken often, done once in a while. For what many events ask for at once,
 * such as telling a room how things stand.
 */

export interface Paced {
  /** There is something to do: it is begun after the pause, or with what is waiting already. */
  wake(): void;
  /** Nothing is begun any more; what is under way is waited for. */
  stop(): Promise<void>;
}

export interface PacedDeps {
  /** Between being woken and the work, milliseconds; asked anew each time. */
  pauseMs(): number;
  /** Takes what is there and does it. Must not throw. */
  work(): Promise<void>;
  /** Whether something has come while it worked, or was put back. */
  isDue(): boolean;
}

export function createPaced({ pauseMs, work, isDue }: PacedDeps): Paced {
  let timer: NodeJS.Timeout | null = null;
  let working: Promise<void> = Promise.resolve();
  let stopped = false;

  function wake(): void {
    if (stopped) return;
    timer ??= setTimeout(() => {
      working = work().finally(() => {
        timer = null;
        if (isDue()) wake();
      });
    }, pauseMs());
  }

  return {
    wake,
    async stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      await working;
    },
  };
}
