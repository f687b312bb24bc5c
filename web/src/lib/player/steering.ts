/**
 * Keeps a player near the live edge: decides, from how much is buffered ahead, how fast to play and when to jump.
 *
 * The rate changes only beyond a dead band and goes back only when the goal is reached, so that it does not hunt; it
 * stays within 0.95–1.15, where voices still sound natural. After a stall the goal rises, and slowly comes back.
 */

/** Faster or slower is heard in speech. */
const slowestRate = 0.95;
const fastestRate = 1.15;

/** Dead band around the goal, in seconds. Narrower hunts with each picture's arrival, wider leaves delay standing. */
const tooMuch = 0.05;
const tooLittle = 0.07;

/** How much of what is too much per second is played away, as rate per second of excess. */
const urgency = 0.3;

/** Further behind than this, in seconds, it jumps: playing it away at 1.15 would take longer than people wait. */
const jumpBeyond = 1.5;

/** Each stall raises the goal by this factor, up to the ceiling (seconds); each calm second takes a little back. */
const raiseBy = 1.4;
const ceiling = 1.2;
const easePerSecond = 0.97;

/** Averages over roughly this many seconds: shorter follows single pictures, longer reacts late to a hiccup. */
const smoothingSeconds = 0.6;

export interface Steering {
  /**
   * `ahead`: seconds buffered beyond the screen; `elapsed`: seconds since the last call. Returns the rate to play at,
   * and whether to jump to `goal` seconds before the end of the buffer.
   */
  step(ahead: number, elapsed: number): { rate: number; jump: boolean };
  /** The buffer ran dry. */
  stalled(): void;
  /** After a jump or a new start: what was averaged before says nothing any more. */
  reset(): void;
  goal(): number;
}

/** `target` in seconds. */
export function createSteering(target: number): Steering {
  let goal = target;
  let average: number | null = null;
  let mode: 'steady' | 'faster' | 'slower' = 'steady';

  return {
    step(ahead, elapsed) {
      const share = Math.min(1, elapsed / smoothingSeconds);
      average = average === null ? ahead : average + (ahead - average) * share;
      goal = target + (goal - target) * easePerSecond ** elapsed;
      const excess = average - goal;
      if (ahead - goal > jumpBeyond) return { rate: 1, jump: true };
      if (mode === 'faster' && excess <= 0) mode = 'steady';
      else if (mode === 'slower' && excess >= 0) mode = 'steady';
      if (mode === 'steady') mode = excess > tooMuch ? 'faster' : excess < -tooLittle ? 'slower' : 'steady';
      if (mode === 'steady') return { rate: 1, jump: false };
      if (mode === 'slower') return { rate: slowestRate, jump: false };
      // In steps of 1/100, because each change of rate resets the browser's sound stretching.
      const rate = Math.round((1.02 + excess * urgency) * 100) / 100;
      return { rate: Math.min(fastestRate, rate), jump: false };
    },
    stalled() {
      goal = Math.min(ceiling, goal * raiseBy);
    },
    reset() {
      average = null;
      mode = 'steady';
    },
    goal: () => goal,
  };
}
