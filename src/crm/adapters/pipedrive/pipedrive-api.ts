import { z } from 'zod';
import type { CrmAnswer, CrmClient, CrmRequest } from '../../port/crm-client.js';
import { readAnswer } from '../../port/read-answer.js';
import { excerptOf, failureOf, type Failure, type Verdict } from '../../port/verdict.js';

/**
 * In tokens of the daily budget; those of version 2 cost half. What would cost less than 5 is counted as 5: so a limit in tokens
 * bounds requests as well, of which so many may come in two seconds.
 */
export const cost = {
  v1: { one: 5, list: 20, write: 10, remove: 6 },
  v2: { one: 5, list: 10, write: 5, remove: 5, search: 20 },
} as const;
export const LEAST_COST = 5;
export const SEARCH = 'search';

const DAY_IS_USED_UP_MS = 900_000;
const KEPT_OUT_MS = 60_000;

export const idShape = z.union([z.number(), z.string().min(1)]).transform(String);
export const textShape = z.string().nullish().catch(null);
const errorShape = z.object({ error: textShape, error_info: textShape });

export async function ask<Value>(
  client: CrmClient,
  request: CrmRequest,
  shape: z.ZodType<Value>,
): Promise<Verdict<Value>> {
  const answer = await client.request(request);
  return pipedriveFailureOf(answer) ?? readAnswer('Pipedrive', answer, shape);
}

/** Of what is made: that something it names is gone does not mean that it is. */
export async function create<Value>(
  client: CrmClient,
  request: CrmRequest,
  shape: z.ZodType<Value>,
): Promise<Verdict<Value>> {
  const made = await ask(client, request, shape);
  return made.verdict === 'gone' ? { verdict: 'rejected', why: made.why } : made;
}

export const dataOf = <Value>(data: z.ZodType<Value>) => z.object({ data });

export function pipedriveFailureOf(answer: CrmAnswer): Failure | null {
  const failure = failureOf(answer);
  if (failure === null || answer.kind !== 'answered') return failure;
  const { status, headers } = answer;
  const error = errorShape.safeParse(answer.json);
  const words = error.success ? [error.data.error, error.data.error_info].filter((one) => one != null).join('. ') : '';
  const why = words === '' ? failure.why : `Pipedrive answered ${status}: ${excerptOf(words)}`;
  // The company does not pay any more: nothing works.
  if (status === 402) return { verdict: 'credentials-refused', why };
  if (status === 403) {
    // The page of a gate before Pipedrive: it keeps out who goes on asking too often.
    if (!error.success) return { verdict: 'rate-limited', why, afterMs: KEPT_OUT_MS };
    return { verdict: 'rejected', why };
  }
  if (failure.verdict !== 'rate-limited') return { ...failure, why };
  const afterMs = failure.afterMs ?? waitOf(headers);
  return { verdict: 'rate-limited', why, ...(afterMs !== undefined && { afterMs }) };
}

/** Of the two seconds it tells how long they last still; a day without tokens lasts longer. */
function waitOf(headers: Readonly<Record<string, string>>): number | undefined {
  const left = headers['x-daily-ratelimit-token-remaining'];
  if (left !== undefined && Number(left) <= 0) return DAY_IS_USED_UP_MS;
  const seconds = Number(headers['x-ratelimit-reset'] ?? Number.NaN);
  return seconds >= 0 ? seconds * 1000 : undefined;
}

/** Ids are numbers, and version 2 takes no text for one. */
export function numberOf(id: string | null | undefined): number | undefined {
  return id != null && /^\d{1,15}$/.test(id) ? Number(id) : undefined;
}

/** `YYYY-MM-DD HH:MM:SS`, UTC, without a zone. */
export function timeOf(date: Date): string {
  return date.toISOString().slice(0, 19).replace('T', ' ');
}
