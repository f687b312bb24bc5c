/**
 * How the reader may take part in the talk: slow mode's wait, quiet, and the measure that keeps them from it. The
 * server decides; this says it before somebody has typed in vain.
 */
import type { Measure, Standing, TalkSetting } from '@nacre/contract/moderation';

export interface TalkDeps {
  held: () => TalkSetting;
  /** Hosts and moderators are neither slowed nor paused. */
  isExempt: () => boolean;
  loadStanding: () => Promise<Standing>;
  /** Milliseconds since 1970. */
  now: () => number;
}

// A measure that ends later than this is asked for when the page is opened again.
const longestTimerMs = 24 * 3_600_000;
// The server's clock may be behind the page's by a little.
const graceMs = 1_500;

export function createTalk(deps: TalkDeps) {
  let measure = $state.raw<Measure | null>(null);
  let saidMs = $state(-Infinity);
  /** What the server said when it refused: it may know of a message from another device. */
  let refusedUntilMs = $state(-Infinity);
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function renew(): Promise<void> {
    let standing: Standing;
    try {
      standing = await deps.loadStanding();
    } catch {
      // What is known stays; the next message that is refused asks again.
      return;
    }
    measure = standing.measure;
    clearTimeout(timer);
    if (measure?.until == null) return;
    const leftMs = Date.parse(measure.until) - deps.now() + graceMs;
    if (leftMs < longestTimerMs) timer = setTimeout(renew, Math.max(leftMs, graceMs));
  }

  return {
    /** In force now: a mute, a ban, or no talk anywhere; null for none. */
    get measure() {
      return measure;
    },
    get isBanned() {
      return measure?.kind === 'ban';
    },
    get isPaused() {
      return deps.held().isQuiet && !deps.isExempt();
    },
    /** Seconds between two messages; 0 for who is not slowed. */
    get slowSeconds() {
      return deps.isExempt() ? 0 : deps.held().slowSeconds;
    },
    /** When the next message may come, in milliseconds since 1970; in the past when now. */
    get waitUntilMs() {
      const { slowSeconds } = deps.held();
      if (slowSeconds === 0 || deps.isExempt()) return -Infinity;
      return Math.max(saidMs + slowSeconds * 1000, refusedUntilMs);
    },
    /** A message was taken. */
    noteSaid(): void {
      saidMs = deps.now();
    },
    /** Slow mode refused one. */
    noteSlow(seconds: number): void {
      refusedUntilMs = deps.now() + seconds * 1000;
    },
    renew,
    stop: () => clearTimeout(timer),
  };
}

export type Talk = ReturnType<typeof createTalk>;
