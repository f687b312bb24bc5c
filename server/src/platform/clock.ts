/** Time arrives as a dependency, so that a test or a simulation can own it. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };
