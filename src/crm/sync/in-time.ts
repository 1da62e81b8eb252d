import type { Verdict } from '../port/verdict.js';

/** What is answered after so long is not waited for: whether it was done is not known then. */
export function inTime<Value>(asked: Promise<Verdict<Value>>, ms: number): Promise<Verdict<Value>> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<Verdict<Value>>((resolve) => {
    const why = `It took longer than ${Math.round(ms / 1000)} s.`;
    timer = setTimeout(() => resolve({ verdict: 'retry', why, mayBeDone: true }), ms);
  });
  return Promise.race([asked, timeUp]).finally(() => clearTimeout(timer));
}
