import type { CrmAnswer } from './crm-client.js';

/**
 * Why a step did not come about. A closed list: by it alone the engine decides what happens next.
 * - `retry`: out of order, or the way to it is.
 * - `rate-limited`: asked too often, or a budget is used up.
 * - `rejected`: the CRM will never take this; a person has to change something.
 * - `credentials-refused`: nothing works until somebody connects it anew.
 * - `gone`: what it was about is not there any more.
 *
 * `mayBeDone`: a request that changes something went out and no answer came; or one came about, and a later one of the step did not.
 */
export type Failure = { readonly why: string; readonly mayBeDone?: boolean } & (
  | { readonly verdict: 'retry' }
  | { readonly verdict: 'rate-limited'; readonly afterMs?: number }
  | { readonly verdict: 'rejected' }
  | { readonly verdict: 'credentials-refused' }
  | { readonly verdict: 'gone' }
);

export type Done<Value> = { readonly verdict: 'done'; readonly value: Value };

/** What came of a step. */
export type Verdict<Value = void> = Done<Value> | Failure;

export function done(): Done<void>;
export function done<Value>(value: Value): Done<Value>;
export function done(value?: unknown): Done<unknown> {
  return { verdict: 'done', value };
}

/** What failed, by what HTTP itself says; null for an answer with a good status and JSON in it, or nothing. */
export function failureOf(answer: CrmAnswer): Failure | null {
  if (answer.kind === 'lost') {
    return { verdict: 'retry', why: answer.why, ...(answer.mayHaveArrived && { mayBeDone: true }) };
  }
  if (answer.kind === 'held-back') {
    return { verdict: 'rate-limited', why: 'The CRM’s limits allow no more now.', afterMs: answer.afterMs };
  }
  if (answer.kind === 'unauthorized') return { verdict: 'credentials-refused', why: answer.why };
  const { status } = answer;
  const why = `It answered ${status}${answer.text === '' ? '' : `: ${excerptOf(answer.text)}`}`;
  if (status === 429) {
    const { retryAfterMs } = answer;
    return { verdict: 'rate-limited', why, ...(retryAfterMs !== undefined && { afterMs: retryAfterMs }) };
  }
  if (status === 401 || status === 403) return { verdict: 'credentials-refused', why };
  if (status === 404 || status === 410) return { verdict: 'gone', why };
  if (status === 408 || status === 425 || status >= 500) {
    return { verdict: 'retry', why, ...(status >= 500 && { mayBeDone: true }) };
  }
  if (status >= 300) return { verdict: 'rejected', why };
  // A page of a proxy, of maintenance, or of a login that is wanted.
  if (answer.text !== '' && answer.json === undefined) {
    return {
      verdict: 'retry',
      why: `It answered ${status} with something that is not JSON: ${excerptOf(answer.text)}`,
      mayBeDone: true,
    };
  }
  return null;
}

const EXCERPT = 300;

/** What of an answer a person can read: no markup, one line, not much. */
export function excerptOf(text: string): string {
  const plain = text
    .replace(/<(script|style)\b[^]*?<\/\1>/gi, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return plain.length > EXCERPT ? `${plain.slice(0, EXCERPT)} …` : plain;
}
