import { setTimeout as delay } from 'node:timers/promises';

export interface WaitOptions {
  /** What is waited for, in words: it stands in the error. */
  readonly what: string;
  readonly timeoutMs?: number;
  readonly everyMs?: number;
}

/** Asks until the answer is neither undefined, null nor false, and gives that answer; throws after `timeoutMs` (10 s). */
export async function waitFor<T>(
  ask: () => T | Promise<T>,
  { what, timeoutMs = 10_000, everyMs = 25 }: WaitOptions,
): Promise<Exclude<T, undefined | null | false>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== null && answer !== false) {
      return answer as Exclude<T, undefined | null | false>;
    }
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await delay(everyMs);
  }
}
