import { within } from '../../common/within.js';
import type { Verdict } from '../port/verdict.js';

/** What is answered after so long is not waited for: whether it was done is not known then. */
export function inTime<Value>(asked: Promise<Verdict<Value>>, ms: number): Promise<Verdict<Value>> {
  const why = `It took longer than ${Math.round(ms / 1000)} s.`;
  return within(ms, asked, { verdict: 'retry', why, mayBeDone: true });
}
