import { z } from 'zod';
import type { CrmAnswer, CrmClient } from '../../port/crm-client.js';
import { done, excerptOf, failureOf, type Failure, type Verdict } from '../../port/verdict.js';

/** What Bitrix24 says is wrong: `{ error, error_description }`, with a bad status or with 200. */
export type Bitrix24Error = { readonly code: string; readonly text: string };
/** What Bitrix24 itself refused, for steps to which that may be no failure; and the failure that it is to the others. */
export type Refused = { readonly verdict: 'refused'; readonly error: Bitrix24Error; readonly failure: Failure };

const errorSchema = z.object({
  error: z.union([z.string(), z.number()]).transform(String),
  error_description: z.string().nullish(),
});

/** Ids come as numbers or as text. */
export const idSchema = z.union([z.string().min(1), z.number()]).transform(String);
/** Of an object that may be missing: `null`, `""` and `0` all mean that. */
export const maybeId = z
  .union([z.string(), z.number(), z.null()])
  .optional()
  .transform((id) => (id == null || String(id) === '' || String(id) === '0' ? null : String(id)));

type Params = Readonly<Record<string, unknown>>;

/** One method. @see https://apidocs.bitrix24.com */
export async function ask<Value>(
  client: CrmClient,
  method: string,
  params: Params,
  result: z.ZodType<Value>,
): Promise<Verdict<Value>> {
  return judged(await tryAsk(client, method, params, result));
}

export async function tryAsk<Value>(
  client: CrmClient,
  method: string,
  params: Params,
  result: z.ZodType<Value>,
): Promise<Verdict<Value> | Refused> {
  const whole = await askWhole(client, method, params, z.object({ result }));
  return whole.verdict === 'done' ? done(whole.value.result) : whole;
}

/** With what stands beside the result: `next` and `total` of lists. */
export async function askWhole<Value>(
  client: CrmClient,
  method: string,
  params: Params,
  schema: z.ZodType<Value>,
): Promise<Verdict<Value> | Refused> {
  const answer = await client.request({ method: 'POST', path: `/rest/${method}`, body: { json: params } });
  const error = errorOf(answer);
  if (error !== null) return { verdict: 'refused', error, failure: failureOfError(error, answer) };
  const failure = failureOf(answer);
  if (failure !== null) return failure;
  const read = schema.safeParse(answer.kind === 'answered' ? answer.json : undefined);
  if (read.success) return done(read.data);
  const text = answer.kind === 'answered' ? excerptOf(answer.text) : '';
  return { verdict: 'retry', why: `${method} gave something unexpected: ${text}`, mayBeDone: true };
}

export function judged<Value>(reply: Verdict<Value> | Refused): Verdict<Value> {
  return reply.verdict === 'refused' ? reply.failure : reply;
}

export function errorOf(answer: CrmAnswer): Bitrix24Error | null {
  if (answer.kind !== 'answered') return null;
  const read = errorSchema.safeParse(answer.json);
  return read.success ? { code: read.data.error, text: excerptOf(read.data.error_description ?? '') } : null;
}

/** The bucket leaks twice a second; a second later there is room again. */
const BUCKET_MS = 1000;
/** The time that methods took is counted by the minute, over ten of them. */
const OPERATING_MS = 60_000;
/** A block by hand, which their support lifts. */
const BLOCKED_MS = 900_000;

function failureOfError({ code, text }: Bitrix24Error, answer: CrmAnswer): Failure {
  const why = `Bitrix24: ${[code, text].filter((part) => part !== '').join(': ')}`;
  const told = answer.kind === 'answered' ? answer.retryAfterMs : undefined;
  switch (code.toUpperCase()) {
    case 'QUERY_LIMIT_EXCEEDED':
      return { verdict: 'rate-limited', why, afterMs: told ?? BUCKET_MS };
    case 'OPERATION_TIME_LIMIT':
      return { verdict: 'rate-limited', why, afterMs: told ?? OPERATING_MS };
    case 'OVERLOAD_LIMIT':
      return { verdict: 'rate-limited', why, afterMs: told ?? BLOCKED_MS };
    case 'NO_AUTH_FOUND':
    case 'EXPIRED_TOKEN':
    case 'INVALID_TOKEN':
    case 'INVALID_CLIENT':
    case 'INVALID_GRANT':
    case 'WRONG_AUTH_TYPE':
    case 'USER_ACCESS_ERROR':
    case 'PAYMENT_REQUIRED':
    // Looks like an outage (500), and stays.
    case 'PORTAL_DELETED':
      return { verdict: 'credentials-refused', why };
    // Without a text it is a right that the user lacks for one method; with this one, REST as a whole is not paid for.
    case 'ACCESS_DENIED':
      return { verdict: /commercial plan/i.test(text) ? 'credentials-refused' : 'rejected', why };
    case 'INSUFFICIENT_SCOPE':
      return { verdict: 'rejected', why: `${why} Give the application this right, and install it again.` };
    case 'INTERNAL_SERVER_ERROR':
    case 'ERROR_UNEXPECTED_ANSWER':
      return { verdict: 'retry', why, mayBeDone: true };
    case 'NOT_FOUND':
    case 'OWNER_NOT_FOUND':
      return { verdict: 'gone', why };
  }
  if (/database error|^DB error|Server returns HTTP error code/i.test(text)) return { verdict: 'retry', why };
  if (answer.kind === 'answered' && (answer.status >= 500 || answer.status === 429))
    return failureOf(answer) ?? { verdict: 'retry', why };
  return { verdict: 'rejected', why };
}
