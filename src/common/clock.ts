/** The time, injected wherever logic that is tested needs it. */
export abstract class Clock {
  /** Wall-clock time, ms since the epoch. */
  abstract now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };
