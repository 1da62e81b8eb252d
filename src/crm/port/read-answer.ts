import type { z } from 'zod';
import type { CrmAnswer } from './crm-client.js';
import { done, type Verdict } from './verdict.js';

/** What a CRM gave, read by what it documents. What does not fit may have been done all the same. */
export function readValue<Value>(title: string, value: unknown, shape: z.ZodType<Value>): Verdict<Value> {
  const parsed = shape.safeParse(value);
  if (parsed.success) return done(parsed.data);
  const where = parsed.error.issues[0]?.path.join('.') ?? '';
  const why = `${title}’s answer is not what it documents: ${where === '' ? 'all of it' : where}.`;
  return { verdict: 'retry', why, mayBeDone: true };
}

/** The same of the JSON of an answer in which nothing failed. */
export function readAnswer<Value>(title: string, answer: CrmAnswer, shape: z.ZodType<Value>): Verdict<Value> {
  return readValue(title, answer.kind === 'answered' ? answer.json : undefined, shape);
}
