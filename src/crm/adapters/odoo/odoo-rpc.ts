import { z } from 'zod';
import type { CrmAnswer, CrmClient } from '../../port/crm-client.js';
import { readAnswer, readValue } from '../../port/read-answer.js';
import { done, type Verdict } from '../../port/verdict.js';
import { errorOf, isUnknownModel, type OdooError } from './odoo-failure.js';
import type { OdooSettings } from './odoo-settings.js';

const HOUR = 3600;
const DAY = 24 * HOUR;

export type Condition = readonly [field: string, operator: string, value: unknown];
/** In Polish notation. */
export type Domain = readonly ('|' | Condition)[];
type Context = Readonly<Record<string, unknown>>;

type Method = {
  readonly model: string;
  readonly method: string;
  readonly ids?: readonly number[];
  /** By name, in the order of the method’s parameters. */
  readonly args: Readonly<Record<string, unknown>>;
  /** So many of them are given by place over JSON-RPC: some methods cannot be called by name there. */
  readonly byPlace?: number;
  readonly context?: Context;
};

/** What of a field matters: what kind it is. By name. */
export type Fields = Readonly<Record<string, { readonly type: string }>>;

/** The methods of Odoo’s models, over whichever API its version has. */
export class Odoo {
  constructor(
    private readonly client: CrmClient,
    private readonly settings: OdooSettings,
  ) {}

  async search<Row>(
    model: string,
    domain: Domain,
    row: z.ZodType<Row>,
    fields: readonly string[],
    more: { readonly order?: string; readonly limit?: number; readonly context?: Context } = {},
  ): Promise<Verdict<readonly Row[]>> {
    const { order, limit, context } = more;
    const args = { domain, fields, ...(order !== undefined && { order }), ...(limit !== undefined && { limit }) };
    return this.run({ model, method: 'search_read', args, byPlace: 1, ...(context && { context }) }, z.array(row));
  }

  async create(model: string, values: object, context: Context = {}): Promise<Verdict<number>> {
    const made = await this.run(
      { model, method: 'create', args: { vals_list: [values] }, byPlace: 1, context },
      z.tuple([z.int().positive()]),
    );
    return made.verdict === 'done' ? done(made.value[0]) : made;
  }

  async write(model: string, ids: readonly number[], values: object, context: Context = {}): Promise<Verdict> {
    const written = await this.run(
      { model, method: 'write', ids, args: { vals: values }, byPlace: 1, context },
      z.literal(true),
    );
    return written.verdict === 'done' ? done() : written;
  }

  /** Gone already is as good. */
  async unlink(model: string, ids: readonly number[]): Promise<Verdict> {
    const removed = await this.run({ model, method: 'unlink', ids, args: {} }, z.unknown());
    return removed.verdict === 'done' || removed.verdict === 'gone' ? done() : removed;
  }

  /** Null: there is no such model. */
  fields(model: string): Promise<Verdict<Fields | null>> {
    return this.client.remember(`fields of ${model}`, HOUR, async () => {
      const answer = await this.#send({ model, method: 'fields_get', args: { attributes: ['type'] } });
      if (answer.kind === 'not-sent') return answer.verdict;
      if (answer.kind === 'error') return isUnknownModel(answer.error) ? done(null) : answer.error.failure;
      return readValue('Odoo', answer.result, z.record(z.string(), z.looseObject({ type: z.string() })));
    });
  }

  async run<Value>(method: Method, shape: z.ZodType<Value>): Promise<Verdict<Value>> {
    const answer = await this.#send(method);
    if (answer.kind === 'not-sent') return answer.verdict;
    return answer.kind === 'error' ? answer.error.failure : readValue('Odoo', answer.result, shape);
  }

  /** Id of the user whom the API key belongs to. */
  ownId(): Promise<Verdict<number>> {
    return this.client.remember('own id', HOUR, async () => {
      const api = await this.api();
      if (api.verdict !== 'done') return api;
      if (api.value === 'json-rpc') return this.#logIn();
      const context = await this.run(
        { model: 'res.users', method: 'context_get', args: {} },
        z.looseObject({ uid: z.int().positive() }),
      );
      return context.verdict === 'done' ? done(context.value.uid) : context;
    });
  }

  api(): Promise<Verdict<'json-rpc' | 'json-2'>> {
    const { version } = this.settings;
    if (version !== 'auto') return Promise.resolve(done(version === '19+' ? 'json-2' : 'json-rpc'));
    return this.client.remember('api', DAY, async () => {
      const answer = await this.#post('/jsonrpc', rpc('common', 'version', []));
      // Odoo 22 has no JSON-RPC any more; an address that is not Odoo’s has neither.
      if (answer.kind === 'answered' && answer.status === 404) return this.#isJson2();
      const error = errorOf(answer);
      if (error !== null) return error.failure;
      const told = readValue('Odoo', resultOf(answer), versionShape);
      if (told.verdict !== 'done') return told;
      // `saas~18` is a number as well.
      const major = Number(/\d+/.exec(String(told.value.server_version_info[0]))?.[0] ?? 0);
      return done(major >= 19 ? ('json-2' as const) : ('json-rpc' as const));
    });
  }

  async #isJson2(): Promise<Verdict<'json-2'>> {
    const answer = await this.client.request({ method: 'GET', path: '/web/version' });
    const error = errorOf(answer);
    if (error !== null) return error.failure;
    const told = readAnswer('Odoo', answer, z.looseObject({ version: z.string() }));
    return told.verdict === 'done' ? done('json-2') : told;
  }

  /** A wrong password is no error: the answer is `false`. */
  async #logIn(): Promise<Verdict<number>> {
    const { database, login, apiKey } = this.settings;
    if (login === null) return { verdict: 'credentials-refused', why: 'This version of Odoo needs the setting login.' };
    const answer = await this.#post('/jsonrpc', rpc('common', 'authenticate', [database, login, apiKey, {}]));
    const error = errorOf(answer);
    if (error !== null) return error.failure;
    const id = readValue('Odoo', resultOf(answer), z.union([z.int().positive(), z.literal(false)]));
    if (id.verdict !== 'done') return id;
    return id.value === false
      ? { verdict: 'credentials-refused', why: `Odoo does not take the login ${login} with this API key.` }
      : done(id.value);
  }

  async #send(
    method: Method,
  ): Promise<
    | { readonly kind: 'result'; readonly result: unknown }
    | { readonly kind: 'error'; readonly error: OdooError }
    | { readonly kind: 'not-sent'; readonly verdict: Exclude<Verdict<never>, { verdict: 'done' }> }
  > {
    const api = await this.api();
    if (api.verdict !== 'done') return { kind: 'not-sent', verdict: api };
    if (api.value === 'json-2') {
      const answer = await this.#post(`/json/2/${method.model}/${method.method}`, json2Body(method));
      const error = errorOf(answer);
      return error === null
        ? { kind: 'result', result: answer.kind === 'answered' ? answer.json : undefined }
        : { kind: 'error', error };
    }
    const id = await this.ownId();
    if (id.verdict !== 'done') return { kind: 'not-sent', verdict: id };
    const { database, apiKey } = this.settings;
    const args = [database, id.value, apiKey, method.model, method.method, ...rpcArgs(method)];
    const answer = await this.#post('/jsonrpc', rpc('object', 'execute_kw', args));
    const error = errorOf(answer);
    return error === null ? { kind: 'result', result: resultOf(answer) } : { kind: 'error', error };
  }

  #post(path: string, json: object): Promise<CrmAnswer> {
    return this.client.request({ method: 'POST', path, body: { json } });
  }
}

const versionShape = z.looseObject({ server_version_info: z.array(z.union([z.number(), z.string()])).min(1) });

function rpc(service: string, method: string, args: readonly unknown[]): object {
  return { jsonrpc: '2.0', method: 'call', id: 1, params: { service, method, args } };
}

function rpcArgs({ ids, args, byPlace = 0, context }: Method): readonly [readonly unknown[], object] {
  const entries = Object.entries(args);
  const placed = entries.slice(0, byPlace).map(([, value]) => value);
  const named = Object.fromEntries(entries.slice(byPlace));
  return [[...(ids === undefined ? [] : [ids]), ...placed], { ...named, ...(context && { context }) }];
}

function json2Body({ ids, args, context }: Method): object {
  return { ...(ids !== undefined && { ids }), ...args, ...(context && { context }) };
}

function resultOf(answer: CrmAnswer): unknown {
  const body = z.looseObject({ result: z.unknown() }).safeParse(answer.kind === 'answered' ? answer.json : undefined);
  return body.success ? body.data.result : undefined;
}

/** An empty field is `false`. */
export const text = z
  .union([z.string(), z.literal(false), z.null()])
  .transform((value) => (value === false ? null : value));

/** Of a record that a field points to, its id. */
export const linkedId = z
  .union([z.tuple([z.int(), z.unknown()]), z.literal(false), z.null()])
  .transform((value) => (value === false || value === null ? null : value[0]));

export const linkedName = z
  .union([z.tuple([z.int(), z.string()]), z.literal(false), z.null()])
  .transform((value) => (value === false || value === null ? null : value[1]));

/** `YYYY-MM-DD HH:MM:SS`, UTC. */
export function timeOf(date: Date): string {
  return date.toISOString().slice(0, 19).replace('T', ' ');
}

/** Of a record, as it is in the API. Null for what is none. */
export function numberOf(id: string | null | undefined): number | null {
  return id != null && /^[1-9]\d{0,9}$/.test(id) ? Number(id) : null;
}

/** PostgreSQL takes no NUL; a title is one line. */
export function titleOf(words: string): string {
  const plain = words.replace(/\p{Cc}+/gu, ' ').trim();
  return plain === '' ? '-' : [...plain].slice(0, 200).join('');
}
