/**
 * What a room said lately, so that a page that was away for a moment gets what it missed.
 *
 * Invariants: offsets are consecutive; an answer is complete or null, never with a hole.
 */

export interface History {
  /** Names this life of the history; another one means that offsets cannot be compared. */
  readonly epoch: string;
  /** Offset of the last event; 0 before the first. */
  offset(): number;
  /** Adds events, each as JSON text. */
  append(events: readonly string[]): void;
  /** Events after `offset`, oldest first; null when they are not all here, or `offset` was never given out. */
  since(offset: number): string[] | null;
}

export function createHistory(epoch: string, limits: { historyEvents: number; historyBytes: number }): History {
  let kept: string[] = [];
  /** Index in `kept` of the oldest event; the part before it is cut off from time to time. */
  let first = 0;
  let bytes = 0;
  let last = 0;

  function forget(): void {
    while (kept.length - first > limits.historyEvents || (bytes > limits.historyBytes && first < kept.length)) {
      bytes -= kept[first]?.length ?? 0;
      kept[first] = '';
      first += 1;
    }
    if (first > limits.historyEvents) {
      kept = kept.slice(first);
      first = 0;
    }
  }

  return {
    epoch,
    offset: () => last,
    append(events) {
      for (const event of events) {
        kept.push(event);
        bytes += event.length;
        last += 1;
      }
      forget();
    },
    since(offset) {
      const missing = last - offset;
      if (missing < 0 || missing > kept.length - first) return null;
      return missing === 0 ? [] : kept.slice(-missing);
    },
  };
}
