import { z } from 'zod';
import type { CrmAnswer, CrmClient, CrmRequest } from '../../port/crm-client.js';
import { readAnswer } from '../../port/read-answer.js';
import { done, failureOf, type Failure, type Verdict } from '../../port/verdict.js';

/** EspoCRM gives so many records at a time at most, unless its admin allows more. */
export const PAGE = 200;

/** Asks, and reads the answer. */
export async function ask<Value>(
  client: CrmClient,
  request: CrmRequest,
  shape: z.ZodType<Value>,
): Promise<Verdict<Value>> {
  const answer = await client.request(request);
  return failureFrom(answer) ?? readAnswer('EspoCRM', answer, shape);
}

/** A new record's address is always there: when it is not, it is not EspoCRM's. */
export async function create(
  client: CrmClient,
  entity: string,
  json: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Verdict<string> | { readonly verdict: 'duplicate'; readonly records: readonly Found[] }> {
  const answer = await client.request({ method: 'POST', path: `/${entity}`, body: { json }, headers });
  if (answer.kind === 'answered' && answer.status === 409) {
    const found = z.array(foundShape).safeParse(answer.json);
    if (found.success) return { verdict: 'duplicate', records: found.data };
  }
  const failure = failureFrom(answer);
  if (failure?.verdict === 'gone') return { verdict: 'rejected', why: failure.why };
  if (failure !== null) return failure;
  const made = readAnswer('EspoCRM', answer, z.object({ id: idShape }));
  return made.verdict === 'done' ? done(made.value.id) : made;
}

export const idShape = z.string().regex(/^[\w.=-]{1,50}$/);
const foundShape = z.looseObject({
  id: idShape,
  phoneNumber: z.string().nullish(),
  phoneNumberData: z.array(z.looseObject({ phoneNumber: z.string() })).nullish(),
});
export type Found = z.output<typeof foundShape>;

export const listOf = <Shape extends z.ZodType>(record: Shape) =>
  z.object({ list: z.array(record), total: z.number().nullish() });

/**
 * What EspoCRM says went wrong. It tells why in a header, with an empty body. 401 is the key; 403 is a right that the role of
 * the API user lacks, while others work.
 */
export function failureFrom(answer: CrmAnswer): Failure | null {
  const failure = failureOf(answer);
  if (failure === null || answer.kind !== 'answered') return failure;
  const { status, headers } = answer;
  const reason = headers['x-status-reason'];
  const why = reason === undefined || reason === '' ? failure.why : `It answered ${status}: ${reason.slice(0, 300)}`;
  if (status === 403) return { verdict: 'rejected', why: `The role of the API user does not allow it. ${why}` };
  if (status === 401) return { verdict: 'credentials-refused', why: `EspoCRM does not take the API key. ${why}` };
  return { ...failure, why };
}

export type Filter = {
  readonly type: string;
  readonly attribute?: string;
  readonly value?: string | readonly string[] | readonly Filter[];
};

/** Filters as PHP reads them: `where[0][type]=equals`. */
export function whereOf(filters: readonly Filter[], prefix = 'where'): Record<string, string | readonly string[]> {
  const query: Record<string, string | readonly string[]> = {};
  filters.forEach(({ type, attribute, value }, index) => {
    const at = `${prefix}[${index}]`;
    query[`${at}[type]`] = type;
    if (attribute !== undefined) query[`${at}[attribute]`] = attribute;
    if (typeof value === 'string') query[`${at}[value]`] = value;
    else if (value !== undefined && isTexts(value)) query[`${at}[value][]`] = value;
    else if (value !== undefined) Object.assign(query, whereOf(value, `${at}[value]`));
  });
  return query;
}

function isTexts(value: readonly string[] | readonly Filter[]): value is readonly string[] {
  return value.length > 0 && value.every((one) => typeof one === 'string');
}

/** `YYYY-MM-DD HH:MM:SS`, UTC, without a zone. */
export function timeOf(date: Date): string {
  return date.toISOString().slice(0, 19).replace('T', ' ');
}

/** Names take no `<`, `>` and `=`, and 100 characters of a field are sure. */
export function nameOf(text: string): string {
  const plain = text
    .replace(/[<>=\p{Cc}]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return plain === '' ? '-' : [...plain].slice(0, 100).join('');
}
