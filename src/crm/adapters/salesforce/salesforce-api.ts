import { z } from 'zod';
import type { CrmAnswer, CrmClient, CrmRequest } from '../../port/crm-client.js';
import { readAnswer } from '../../port/read-answer.js';
import { done, excerptOf, failureOf, type Failure, type Verdict } from '../../port/verdict.js';

/** Winter '25. Salesforce keeps a version for three years at least. */
const DATA = '/services/data/v62.0';
export const dataPath = (rest: string): string => `${DATA}${rest}`;
export const recordPath = (type: string, ...parts: readonly string[]): string =>
  dataPath(`/sobjects/${[type, ...parts].map(encodeURIComponent).join('/')}`);

const DAY_IS_USED_UP_MS = 900_000;
const TOO_MANY_AT_ONCE_MS = 5_000;

const errorsShape = z
  .array(z.object({ errorCode: z.string(), message: z.string().catch(''), fields: z.array(z.string()).catch([]) }))
  .min(1);

export const idShape = z.string().regex(/^[a-zA-Z\d]{15}([a-zA-Z\d]{3})?$/);
export const textShape = z.string().nullish().catch(null);

export async function ask<Value>(
  client: CrmClient,
  request: CrmRequest,
  shape: z.ZodType<Value>,
): Promise<Verdict<Value>> {
  const answer = await client.request(request);
  return salesforceFailureOf(answer) ?? readAnswer('Salesforce', answer, shape);
}

/** It tells by `errorCode` what it means, and by the status often something else. */
export function salesforceFailureOf(answer: CrmAnswer): Failure | null {
  const failure = failureOf(answer);
  if (failure === null || answer.kind !== 'answered') return failure;
  const { status } = answer;
  if (status === 300) {
    return { verdict: 'rejected', why: 'Several tasks have our id of this call: the field for it is not unique.' };
  }
  const errors = errorsShape.safeParse(answer.json);
  const [error] = errors.success ? errors.data : [];
  if (error === undefined) return failure;
  const { errorCode, message, fields } = error;
  const where = fields.length === 0 ? '' : ` (${fields.join(', ')})`;
  const why = `Salesforce answered ${errorCode}: ${excerptOf(message)}${where}`;
  switch (errorCode) {
    case 'REQUEST_LIMIT_EXCEEDED': {
      const afterMs = /concurrent/i.test(message) ? TOO_MANY_AT_ONCE_MS : DAY_IS_USED_UP_MS;
      return { verdict: 'rate-limited', why, afterMs };
    }
    case 'INVALID_SESSION_ID':
    case 'INVALID_AUTH_HEADER':
    case 'API_DISABLED_FOR_ORG':
    case 'API_CURRENTLY_DISABLED':
      return { verdict: 'credentials-refused', why };
    case 'UNABLE_TO_LOCK_ROW':
    case 'SERVER_UNAVAILABLE':
    case 'QUERY_TIMEOUT':
      return { verdict: 'retry', why };
    case 'ENTITY_IS_DELETED':
      return { verdict: 'gone', why };
    case 'NOT_FOUND':
      // Of a field that is not there it says the same as of a record.
      return /external id field/i.test(message) ? { verdict: 'rejected', why } : { verdict: 'gone', why };
    default:
      // A right that the user lacks, while others work.
      return failure.verdict === 'credentials-refused' ? { verdict: 'rejected', why } : { ...failure, why };
  }
}

const madeShape = z.object({ id: idShape, success: z.literal(true) });

export async function upsert(
  client: CrmClient,
  idField: string,
  ourId: string,
  json: Readonly<Record<string, unknown>>,
): Promise<Verdict<string>> {
  const path = recordPath('Task', idField, ourId);
  const made = await ask(client, { method: 'PATCH', path, body: { json } }, madeShape);
  // Taken meanwhile, by a request of ours whose answer was lost.
  if (made.verdict === 'rejected' && made.why.includes('DUPLICATE_VALUE') && made.why.includes(idField)) {
    return { verdict: 'retry', why: made.why, mayBeDone: true };
  }
  if (made.verdict === 'gone') return { verdict: 'rejected', why: made.why };
  return made.verdict === 'done' ? done(made.value.id) : made;
}

export async function create(
  client: CrmClient,
  type: string,
  json: Readonly<Record<string, unknown>>,
): Promise<Verdict<string>> {
  const made = await ask(client, { method: 'POST', path: recordPath(type), body: { json } }, madeShape);
  if (made.verdict === 'gone') return { verdict: 'rejected', why: made.why };
  return made.verdict === 'done' ? done(made.value.id) : made;
}

export async function change(
  client: CrmClient,
  type: string,
  id: string,
  json: Readonly<Record<string, unknown>>,
): Promise<Verdict> {
  const changed = await ask(client, { method: 'PATCH', path: recordPath(type, id), body: { json } }, z.unknown());
  return changed.verdict === 'done' ? done() : changed;
}

const pageOf = <Row>(row: z.ZodType<Row>) =>
  z.object({ records: z.array(row), done: z.boolean().catch(true), nextRecordsUrl: textShape });

export async function query<Row>(
  client: CrmClient,
  soql: string,
  row: z.ZodType<Row>,
): Promise<Verdict<readonly Row[]>> {
  const page = await ask(client, { method: 'GET', path: dataPath('/query'), query: { q: soql } }, pageOf(row));
  return page.verdict === 'done' ? done(page.value.records) : page;
}

/** To the last page. */
export async function queryAll<Row>(
  client: CrmClient,
  soql: string,
  row: z.ZodType<Row>,
): Promise<Verdict<readonly Row[]>> {
  const rows: Row[] = [];
  const seen = new Set<string>();
  let request: CrmRequest = { method: 'GET', path: dataPath('/query'), query: { q: soql } };
  for (;;) {
    const page = await ask(client, request, pageOf(row));
    if (page.verdict !== 'done') return page;
    rows.push(...page.value.records);
    const { nextRecordsUrl: next } = page.value;
    if (page.value.done || next == null || !next.startsWith(`${DATA}/query/`) || seen.has(next)) return done(rows);
    seen.add(next);
    request = { method: 'GET', path: next };
  }
}

/** In a SOQL text, between apostrophes. */
export function soqlText(value: string): string {
  return `'${value.replace(/[\\']/g, '\\$&').replace(/\p{Cc}/gu, ' ')}'`;
}

/** In a SOSL search, as one phrase: what has a meaning in it is escaped. */
export function soslPhrase(value: string): string {
  return `"${value.replace(/[?&|!{}[\]()^~*:\\"'+-]/g, '\\$&').replace(/\p{Cc}/gu, ' ')}"`;
}
