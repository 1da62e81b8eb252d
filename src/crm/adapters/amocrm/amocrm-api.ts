import { z } from 'zod';
import type { CrmAnswer, CrmClient, CrmRequest } from '../../port/crm-client.js';
import type { CrmCall } from '../../port/crm-objects.js';
import { done, excerptOf, failureOf, type Failure, type Verdict } from '../../port/verdict.js';

type Question = Pick<CrmRequest, 'method' | 'path' | 'query'> & { readonly json?: unknown };

/** Blocked for asking too often, which their documents put no time to. */
const BLOCKED_MS = 900_000;

/** Null: an answer without content, which is how amoCRM says that nothing was found. */
export async function ask<Value>(
  client: CrmClient,
  question: Question,
  schema: z.ZodType<Value>,
): Promise<Verdict<Value | null>> {
  return read(question, await send(client, question), schema);
}

export function send(client: CrmClient, { json, ...request }: Question): Promise<CrmAnswer> {
  return client.request({ ...request, ...(json !== undefined && { body: { json } }) });
}

export function read<Value>(question: Question, answer: CrmAnswer, schema: z.ZodType<Value>): Verdict<Value | null> {
  const failure = amocrmFailureOf(answer);
  if (failure !== null) return failure;
  if (answer.kind === 'answered' && answer.status === 204) return done(null);
  const parsed = schema.safeParse(answer.kind === 'answered' ? answer.json : undefined);
  if (parsed.success) return done(parsed.data);
  const text = answer.kind === 'answered' ? excerptOf(answer.text) : '';
  return { verdict: 'retry', why: `${question.path} gave something unexpected: ${text}`, mayBeDone: true };
}

const problemSchema = z.object({
  title: z.string().optional(),
  detail: z.string().optional(),
  'validation-errors': z
    .array(z.object({ errors: z.array(z.object({ path: z.string().optional(), detail: z.string().optional() })) }))
    .optional(),
});

function amocrmFailureOf(answer: CrmAnswer): Failure | null {
  const failure = failureOf(answer);
  if (failure === null || answer.kind !== 'answered') return failure;
  const { status } = answer;
  const problem = problemSchema.safeParse(answer.json);
  const why = problem.success ? wordsOf(status, problem.data) : failure.why;
  // Not paid for: nothing works, whatever is asked.
  if (status === 402) return { verdict: 'credentials-refused', why };
  // The page of a gate before amoCRM: it keeps out an address that has asked too often.
  if (status === 403 && answer.text !== '' && answer.json === undefined) {
    return {
      verdict: 'rate-limited',
      why: `amoCRM keeps Ringline out for a while: ${why}`,
      afterMs: BLOCKED_MS,
    };
  }
  return { ...failure, why };
}

function wordsOf(
  status: number,
  { title, detail, 'validation-errors': wrong = [] }: z.output<typeof problemSchema>,
): string {
  const fields = wrong.flatMap(({ errors }) => errors.map((one) => `${one.path ?? ''}: ${one.detail ?? ''}`));
  const parts = [title, detail, ...fields].filter((part) => part !== undefined && part !== '');
  return `amoCRM answered ${status}${parts.length === 0 ? '' : `: ${excerptOf(parts.join('; '))}`}`;
}

/** Seconds since the epoch, as amoCRM counts. */
export function secondsOf(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

export const idSchema = z.union([z.number(), z.string().min(1)]).transform(String);

/** A list as HAL has it: below `_embedded`, under its name. */
export function listOf<One>(name: string, one: z.ZodType<One>): z.ZodType<readonly One[]> {
  return z
    .object({ _embedded: z.object({ [name]: z.array(one) }) })
    .transform(({ _embedded: embedded }) => embedded[name] ?? []);
}

/** As a call is told of: amoCRM takes a number in any form, and a word where there is none. */
export function shownNumberOf({ number }: Pick<CrmCall, 'number'>): string {
  return number.e164 ?? (number.digits === '' ? 'anonymous' : number.digits);
}
