import { z } from 'zod';
import type { CrmAnswer, CrmClient, CrmRequest } from '../../port/crm-client.js';
import { readAnswer } from '../../port/read-answer.js';
import { done, excerptOf, failureOf, type Failure, type Verdict } from '../../port/verdict.js';

/** HubSpot's versions are dates; each is kept for eighteen months at least. */
export const VERSION = '2026-09';
export const objectsPath = (type: string): string => `/crm/objects/${VERSION}/${type}`;

/** Our id of a call on whatever is made for it: a property whose values are unique, by which HubSpot upserts. */
export const ID_PROPERTY = 'ringline_call_id';

const second = 1000;
/** How long to wait, where it says no time itself: it names which of its limits it was. */
const policies: Readonly<Record<string, number>> = {
  SECONDLY: second,
  TEN_SECONDLY_ROLLING: 10 * second,
  DAILY: 900 * second,
};

const idShape = z.union([z.string().min(1), z.number()]).transform(String);
const text = z.string().nullish().catch(null);
export const recordShape = z.object({ id: idShape, properties: z.record(z.string(), text).catch({}) });
export type HubspotRecord = z.output<typeof recordShape>;
const errorShape = z.object({
  message: text,
  category: text,
  policyName: text,
  errors: z.array(z.unknown()).catch([]),
});

export async function ask<Value>(
  client: CrmClient,
  request: CrmRequest,
  shape: z.ZodType<Value>,
): Promise<Verdict<Value>> {
  return read(await client.request(request), shape);
}

export function read<Value>(answer: CrmAnswer, shape: z.ZodType<Value>): Verdict<Value> {
  return hubspotFailureOf(answer) ?? readAnswer('HubSpot', answer, shape);
}

/** 401 is the token; 403 is a scope that the private app lacks, while others work. */
export function hubspotFailureOf(answer: CrmAnswer): Failure | null {
  const failure = failureOf(answer);
  if (failure === null || answer.kind !== 'answered') return failure;
  const { status } = answer;
  const error = errorShape.safeParse(answer.json);
  if (!error.success) return failure;
  const { message, category, policyName } = error.data;
  const words = [category, message].filter((word) => word != null && word !== '').join(': ');
  const why = words === '' ? failure.why : `HubSpot answered ${status}: ${excerptOf(words)}`;
  if (status === 403) return { verdict: 'rejected', why };
  // 423: locked by another request. 477: the account is being moved to another data centre.
  if (status === 423 || status === 477) return { verdict: 'retry', why };
  if (failure.verdict !== 'rate-limited') return { ...failure, why };
  const afterMs = failure.afterMs ?? policies[policyName ?? ''];
  return { verdict: 'rate-limited', why, ...(afterMs !== undefined && { afterMs }) };
}

/** @returns null when there is none */
export async function readRecord(
  client: CrmClient,
  type: string,
  id: string,
  properties: readonly string[],
  idProperty?: string,
): Promise<Verdict<HubspotRecord | null>> {
  const path = `${objectsPath(type)}/${encodeURIComponent(id)}`;
  const query = { properties: properties.join(','), ...(idProperty !== undefined && { idProperty }) };
  const known = await ask(client, { method: 'GET', path, query }, recordShape);
  return known.verdict === 'gone' ? done(null) : known;
}

/** Made, or changed if it is there: by our id. */
export async function upsert(
  client: CrmClient,
  type: string,
  callId: string,
  properties: Readonly<Record<string, string>>,
): Promise<Verdict<string>> {
  const inputs = [{ idProperty: ID_PROPERTY, id: callId, properties }];
  const request = { method: 'POST', path: `${objectsPath(type)}/batch/upsert`, body: { json: { inputs } } } as const;
  const shape = z.object({ results: z.array(recordShape).catch([]), errors: z.array(errorShape).catch([]) });
  const answer = await client.request(request);
  if (answer.kind === 'answered' && answer.status === 409) {
    const why = 'HubSpot has taken our id meanwhile, from a request whose answer was lost.';
    return { verdict: 'retry', why, mayBeDone: true };
  }
  const made = read(answer, shape);
  if (made.verdict === 'gone') return { verdict: 'rejected', why: made.why };
  if (made.verdict !== 'done') return made;
  const [record] = made.value.results;
  if (record !== undefined) return done(record.id);
  // 207: it took the batch, and nothing of it.
  const [error] = made.value.errors;
  return error?.message == null
    ? { verdict: 'retry', why: 'HubSpot’s answer to an upsert is empty.', mayBeDone: true }
    : { verdict: 'rejected', why: `HubSpot: ${excerptOf(error.message)}` };
}

export async function change(
  client: CrmClient,
  type: string,
  id: string,
  properties: Readonly<Record<string, string>>,
): Promise<Verdict> {
  const path = `${objectsPath(type)}/${encodeURIComponent(id)}`;
  const changed = await ask(client, { method: 'PATCH', path, body: { json: { properties } } }, recordShape);
  return changed.verdict === 'done' ? done() : changed;
}

const paths: Readonly<Record<string, string>> = { contact: 'contacts', company: 'companies' };

/** Whoever was deleted meanwhile is no reason to keep a call out. */
export async function associate(
  client: CrmClient,
  from: 'calls' | 'tasks',
  id: string,
  to: { readonly type: string; readonly id: string } | null,
): Promise<Verdict> {
  const type = to === null ? undefined : paths[to.type];
  if (to === null || type === undefined) return done();
  const target = `${type}/${encodeURIComponent(to.id)}`;
  const path = `${objectsPath(from)}/${encodeURIComponent(id)}/associations/default/${target}`;
  const made = await ask(client, { method: 'PUT', path }, z.unknown());
  return made.verdict === 'done' || made.verdict === 'gone' ? done() : made;
}
