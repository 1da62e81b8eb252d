/** s */
const FIRST = 5;
const LONGEST = 600;
/** Retries of many calls that failed together are spread by this share, up and down. */
const JITTER = 0.2;

/**
 * How long to wait before a step is given again, ms.
 * @param failures in a row, at least 1
 * @param random from [0, 1)
 */
export function retryDelayMs(failures: number, random: number): number {
  const base = Math.min(LONGEST, FIRST * 2 ** Math.min(failures - 1, 20));
  return Math.round(base * 1000 * (1 - JITTER + 2 * JITTER * random));
}
