/** Retries of many deliveries that failed together are spread by this share, up and down. */
const JITTER = 0.2;

/**
 * How long to wait before the next try, ms; `null` when the schedule is over.
 * @param schedule seconds before each attempt.
 * @param attempts tries made, at least 1.
 * @param retryAfterSeconds what a 429 or 503 asked for: obeyed between once and twice the scheduled delay.
 * @param random from [0, 1).
 */
export function retryDelayMs(
  schedule: readonly number[],
  attempts: number,
  retryAfterSeconds: number | undefined,
  random: number,
): number | null {
  const base = schedule[attempts];
  if (base === undefined) return null;
  if (retryAfterSeconds === undefined) return Math.round(base * 1000 * (1 - JITTER + 2 * JITTER * random));
  const asked = Math.min(Math.max(retryAfterSeconds, base), 2 * base);
  // Never earlier than asked for.
  return Math.round(Math.min(asked * (1 + JITTER * random), 2 * base) * 1000);
}
