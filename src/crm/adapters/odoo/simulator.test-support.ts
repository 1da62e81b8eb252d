import { randomUUID } from 'node:crypto';
import type { CrmSimulator, SimulatedCall } from '../../../../lab/crm/crm-simulator.js';
import { sendSignedClick } from '../../../../lab/crm/signed-click.js';
import { SimulatorServer, type SimulatedAnswer, type SimulatedRequest } from '../../../../lab/crm/simulator-server.js';
import { GOES_ON } from './odoo-notes.js';
import {
  checkValues,
  matches,
  modelsOf,
  OdooException,
  sanitized,
  sanitizedNumber,
  type Row,
  type Value,
} from './simulated-models.test-support.js';

const DATABASE = 'example';
const LOGIN = 'ringline@example.com';
const API_KEY = 'f2c1d0a9b8e7463554a1b2c3d4e5f60718293a4b';
const CLICK_SECRET = 'odoo-click-secret-0123456789abcdef';
const WEBHOOK_TOKEN = 'odoo-webhook-token';

export type OdooSimulatorOptions = {
  /** From 19 on it speaks JSON-2 besides, from 22 on alone. */
  readonly version?: number;
  /** The add-on `crm_phonecall`. */
  readonly hasPhonecall?: boolean;
  /** The field `x_ringline_id` on it. */
  readonly hasIdField?: boolean;
  readonly hasMobileSearch?: boolean;
  readonly hasLeads?: boolean;
  /** Only an administrator may move a note. */
  readonly isAdmin?: boolean;
  /** Rights that the user has not: `crm.phonecall: create`. */
  readonly lacks?: readonly string[];
  readonly now?: () => Date;
};

export interface OdooSimulator extends CrmSimulator {
  rows(model: string): readonly Row[];
  row(model: string, id: string | number): Row | undefined;
  /** As somebody with all rights. */
  insert(model: string, values: Readonly<Record<string, Value>>): number;
  change(model: string, id: string | number, values: Readonly<Record<string, Value>>): void;
  remove(model: string, id: string | number): void;
  tellChange(doorUrl: string, model?: string): Promise<Response>;
  /** The next requests of a method are answered with this exception. */
  raise(exception: string, message: string, times: number, method?: string): void;
  readonly ownId: number;
  readonly clickSecret: string;
}

/** Odoo 14 to 19: its two APIs, its ORM's exceptions, the models that a call touches. */
export async function startSimulator(options: OdooSimulatorOptions = {}): Promise<OdooSimulator> {
  const {
    version = 17,
    hasPhonecall = true,
    hasIdField = true,
    hasMobileSearch = version >= 15,
    hasLeads = true,
    isAdmin = false,
    lacks = [],
    now = () => new Date(),
  } = options;
  const all = modelsOf({ version, hasPhonecall, hasIdField, hasMobileSearch });
  const models = hasLeads ? all : Object.fromEntries(Object.entries(all).filter(([name]) => name !== 'crm.lead'));
  const tables = new Map(Object.keys(models).map((name) => [name, new Map<number, Row>()]));
  const made: { model: string; id: number }[] = [];
  const raised: { exception: string; message: string; left: number; method: string | undefined }[] = [];
  let lastId = 0;

  const table = (model: string): Map<number, Row> => {
    const rows = tables.get(model);
    if (rows !== undefined) return rows;
    throw version >= 19
      ? new OdooException('werkzeug.exceptions.NotFound', `the model '${model}' does not exist`)
      : new OdooException('odoo.exceptions.UserError', `Object ${model} doesn't exist`);
  };
  const stamp = (): string => now().toISOString().slice(0, 19).replace('T', ' ');

  function insert(model: string, values: Readonly<Record<string, unknown>>): Row {
    const row = { ...values, id: ++lastId, write_date: stamp() } as unknown as Row;
    table(model).set(row.id, computed(row));
    return row;
  }

  function computed(row: Row): Row {
    if ('phone' in row || 'mobile' in row) row['phone_sanitized'] = sanitizedNumber(row);
    for (const field of ['body', 'note', 'comment']) {
      if (typeof row[field] === 'string') row[field] = sanitized(row[field]);
    }
    return row;
  }

  insert('mail.message.subtype', { name: 'Discussions', internal: false, res_model: null, sequence: 0 });
  insert('mail.message.subtype', { name: 'Activities', internal: true, res_model: null, sequence: 90 });
  insert('mail.message.subtype', { name: 'Note', internal: true, res_model: null, sequence: 100 });
  insert('mail.activity.type', { name: 'To-Do', category: 'default' });
  insert('mail.activity.type', { name: 'Call', category: 'phonecall' });
  const ownPartner = insert('res.partner', { name: 'Ringline', is_company: false, active: true });
  const own = insert('res.users', {
    name: 'Ringline',
    login: LOGIN,
    email: LOGIN,
    active: true,
    share: false,
    partner_id: ownPartner.id,
  });

  function handle(request: SimulatedRequest): SimulatedAnswer {
    if (request.path === '/jsonrpc' && version < 22) return jsonRpc(request);
    if (request.path === '/web/version' && version >= 19) {
      return { status: 200, json: { version_info: [version, 0, 0, 'final', 0, ''], version: `${version}.0` } };
    }
    const path = /^\/json\/2\/([\w.]+)\/(\w+)$/.exec(request.path);
    if (version >= 19 && path !== null && request.method === 'POST')
      return json2(request, path[1] ?? '', path[2] ?? '');
    return { status: 404, text: '<!doctype html><title>404 Not Found</title><h1>Not Found</h1>' };
  }

  function jsonRpc({ json }: SimulatedRequest): SimulatedAnswer {
    const { id = null, params } = (json ?? {}) as { id?: unknown; params?: Record<string, unknown> };
    const { service, method, args } = (params ?? {}) as {
      service?: string;
      method?: string;
      args?: readonly unknown[];
    };
    const answer = (body: object): SimulatedAnswer => ({ status: 200, json: { jsonrpc: '2.0', id, ...body } });
    try {
      return answer({ result: dispatch(service ?? '', method ?? '', args ?? []) });
    } catch (error) {
      if (!(error instanceof OdooException)) throw error;
      const { exception: name, message } = error;
      const debug = `Traceback (most recent call last):\n  File "/odoo/http.py", line 1788, in dispatch\n${name}: ${message}\n`;
      const data = { name, debug, message, arguments: [message], context: {} };
      return answer({ error: { code: 200, message: 'Odoo Server Error', data } });
    }
  }

  function dispatch(service: string, method: string, args: readonly unknown[]): unknown {
    if (service === 'common' && method === 'version') {
      const serie = `${version}.0`;
      return {
        server_version: serie,
        server_version_info: [version, 0, 0, 'final', 0, ''],
        server_serie: serie,
        protocol_version: 1,
      };
    }
    const [database, who, key] = args;
    if (database !== DATABASE) {
      throw new OdooException(
        'psycopg2.OperationalError',
        `FATAL:  database "${typeof database === 'string' ? database : ''}" does not exist\n`,
      );
    }
    if (service === 'common' && (method === 'authenticate' || method === 'login')) {
      // A wrong password is no error here.
      return who === LOGIN && key === API_KEY ? own.id : false;
    }
    if (service !== 'object' || method !== 'execute_kw') throw new OdooException('builtins.KeyError', `'${service}'`);
    if (who !== own.id || key !== API_KEY) throw new OdooException('odoo.exceptions.AccessDenied', 'Access Denied');
    const [model, name, placed, named = {}] = args.slice(3) as [
      string,
      string,
      readonly unknown[],
      Record<string, unknown>?,
    ];
    return call(model, name, byName(name, placed, named));
  }

  /** Arguments by place, given their names. */
  function byName(method: string, placed: readonly unknown[], named: Record<string, unknown>): Record<string, unknown> {
    const parameters: Readonly<Record<string, readonly string[]>> = {
      search_read: ['domain', 'fields', 'offset', 'limit', 'order'],
      create: ['vals_list'],
      fields_get: ['allfields', 'attributes'],
      context_get: [],
      write: ['ids', 'vals'],
      unlink: ['ids'],
      action_feedback: ['ids', 'feedback'],
    };
    const names = parameters[method] ?? [];
    if (method === 'create' && placed.length === 0) {
      // As on real servers: it looks at the first argument by place.
      throw new OdooException('builtins.IndexError', 'tuple index out of range');
    }
    if (placed.length > names.length)
      throw new OdooException('builtins.TypeError', `${method}() takes ${names.length} positional arguments`);
    return { ...Object.fromEntries(placed.map((value, index) => [names[index] ?? '', value])), ...named };
  }

  function json2({ headers, json }: SimulatedRequest, model: string, method: string): SimulatedAnswer {
    const failed = (status: number, name: string, message: string): SimulatedAnswer => ({
      status,
      json: {
        name,
        message,
        arguments: [message, status],
        context: {},
        debug: `Traceback (most recent call last):\n${name}: ${message}`,
      },
    });
    if (headers['x-odoo-database'] !== undefined && headers['x-odoo-database'] !== DATABASE) {
      return failed(404, 'werkzeug.exceptions.NotFound', 'No database is selected.');
    }
    if (headers['authorization']?.replace(/^bearer /i, '') !== API_KEY) {
      return failed(401, 'werkzeug.exceptions.Unauthorized', 'Invalid apikey');
    }
    if (typeof json !== 'object' || json === null) return failed(400, 'werkzeug.exceptions.BadRequest', 'Invalid JSON');
    try {
      return { status: 200, json: call(model, method, json as Record<string, unknown>) };
    } catch (error) {
      if (!(error instanceof OdooException)) throw error;
      const statuses: Readonly<Record<string, number>> = {
        'odoo.exceptions.AccessError': 403,
        'odoo.exceptions.AccessDenied': 403,
        'odoo.exceptions.MissingError': 404,
        'odoo.exceptions.UserError': 422,
        'odoo.exceptions.ValidationError': 422,
        'werkzeug.exceptions.NotFound': 404,
        'werkzeug.exceptions.UnprocessableEntity': 422,
      };
      return failed(statuses[error.exception] ?? 500, error.exception, error.message);
    }
  }

  function call(model: string, method: string, given: Record<string, unknown>): unknown {
    const { context = {}, ids = [], ...args } = given;
    const fault = raised.find((one) => one.left > 0 && (one.method === undefined || one.method === method));
    if (fault !== undefined) {
      fault.left--;
      throw new OdooException(fault.exception, fault.message);
    }
    const rows = table(model);
    const right =
      { search_read: 'read', fields_get: 'read', create: 'create', write: 'write', unlink: 'unlink' }[method] ?? 'read';
    if (lacks.includes(`${model}: ${right}`)) {
      throw new OdooException('odoo.exceptions.AccessError', `You are not allowed to ${right} '${model}' records.`);
    }
    switch (method) {
      case 'context_get':
        return { lang: 'en_US', tz: 'Europe/Berlin', uid: own.id };
      case 'fields_get':
        return Object.fromEntries(Object.entries(models[model] ?? {}).map(([name, { type }]) => [name, { type }]));
      case 'search_read':
        return searchRead(model, args, context as Record<string, unknown>);
      case 'create':
        return (args['vals_list'] as readonly Record<string, unknown>[]).map((values) =>
          create(model, values, context as Record<string, unknown>),
        );
      case 'write':
        return write(model, ids as readonly number[], args['vals'] as Record<string, unknown>);
      case 'unlink':
        for (const id of ids as readonly number[]) unlink(model, rows, id);
        return true;
      case 'action_feedback':
        if (model !== 'mail.activity') break;
        return feedback(ids as readonly number[], args['feedback']);
    }
    throw version >= 19
      ? new OdooException('werkzeug.exceptions.NotFound', `The method '${model}.${method}' does not exist`)
      : new OdooException('builtins.AttributeError', `The method '${method}' does not exist on the model '${model}'`);
  }

  function searchRead(model: string, args: Record<string, unknown>, context: Record<string, unknown>): unknown {
    const { domain = [], fields, order = 'id asc', limit, offset = 0 } = args;
    const definition = models[model] ?? {};
    const asked = (fields as readonly string[] | undefined) ?? Object.keys(definition);
    const unknown = asked.find((name) => definition[name] === undefined);
    if (unknown !== undefined)
      throw new OdooException('builtins.ValueError', `Invalid field '${unknown}' on model '${model}'`);
    const seesAll = context['active_test'] === false;
    const rows = [...table(model).values()]
      .filter((row) => seesAll || row['active'] !== false)
      .filter((row) => matches(model, definition, domain, row))
      .toSorted((a, b) => ordered(String(order), a, b));
    const from = Number(offset);
    return rows
      .slice(from, limit === undefined ? undefined : from + Number(limit))
      .map((row) => shown(model, row, asked));
  }

  function ordered(order: string, a: Row, b: Row): number {
    for (const part of order.split(',')) {
      const [field = 'id', direction = 'asc'] = part.trim().split(' ');
      const [left, right] = [a[field] ?? '', b[field] ?? ''];
      if (left !== right) return (left < right ? -1 : 1) * (direction === 'desc' ? -1 : 1);
    }
    return 0;
  }

  /** Nothing is `false`, and a link comes with the name of what it leads to. */
  function shown(model: string, row: Row, asked: readonly string[]): unknown {
    const definition = models[model] ?? {};
    const value = (name: string): unknown => {
      const stored = row[name];
      const { type, of = '' } = definition[name] ?? {};
      if (type === 'many2many') return stored ?? [];
      if (stored === null || stored === undefined || stored === '')
        return type === 'boolean' || type !== 'integer' ? false : 0;
      if (type !== 'many2one' || typeof stored !== 'number') return stored;
      return [stored, String(tables.get(of)?.get(stored)?.['name'] ?? `${of},${stored}`)];
    };
    return { id: row.id, ...Object.fromEntries(asked.map((name) => [name, value(name)])) };
  }

  const exists = (model: string, id: number): boolean => tables.get(model)?.has(id) === true;

  function create(model: string, values: Record<string, unknown>, context: Record<string, unknown>): number {
    const definition = models[model] ?? {};
    checkValues(model, definition, values, exists);
    const defaults: Record<string, unknown> = { ...defaultsOf(model) };
    if (model === 'mail.activity') {
      const on = context['default_res_model'];
      if (typeof on !== 'string' || !tables.has(on)) {
        throw new OdooException(
          'psycopg2.errors.NotNullViolation',
          'null value in column "res_model_id" of relation "mail_activity"',
        );
      }
      defaults['res_model'] = on;
      if (!exists(on, Number(values['res_id']))) throw missing(on, Number(values['res_id']));
    }
    const whole: Record<string, unknown> = { ...defaults, ...values };
    for (const [name, { required }] of Object.entries(definition)) {
      if (required === true && (whole[name] === undefined || whole[name] === false || whole[name] === '')) {
        throw new OdooException(
          'odoo.exceptions.ValidationError',
          `The operation cannot be completed:\n- Create/update: a mandatory field is not set.\nField: ${name}`,
        );
      }
    }
    if (model === 'mail.message') {
      whole['message_id'] ??= `<${randomUUID()}@odoo>`;
      whole['attachment_ids'] = linkedIds([], whole['attachment_ids']);
      if (typeof whole['model'] === 'string' && !exists(whole['model'], Number(whole['res_id']))) {
        throw missing(whole['model'], Number(whole['res_id']));
      }
    }
    const row = insert(model, whole);
    made.push({ model, id: row.id });
    return row.id;
  }

  function defaultsOf(model: string): Record<string, unknown> {
    switch (model) {
      case 'mail.message':
        return { message_type: 'comment', date: stamp(), author_id: ownPartner.id, attachment_ids: [] };
      case 'crm.phonecall':
        return { state: 'open', direction: 'out', date: stamp(), duration: 0, user_id: own.id };
      case 'res.partner':
      case 'crm.lead':
      case 'mail.activity':
        return { active: true };
      default:
        return {};
    }
  }

  function write(model: string, ids: readonly number[], vals: Record<string, unknown>): true {
    checkValues(model, models[model] ?? {}, vals, exists);
    for (const id of ids) {
      const row = table(model).get(id);
      if (row === undefined) throw missing(model, id);
      const values = { ...vals };
      if (model === 'mail.message' && ('model' in values || 'res_id' in values) && !isAdmin) {
        throw new OdooException(
          'odoo.exceptions.AccessError',
          "Only administrators can modify 'model' and 'res_id' fields.",
        );
      }
      if ('attachment_ids' in values)
        values['attachment_ids'] = linkedIds(row['attachment_ids'], values['attachment_ids']);
      // As the add-on does: it reckons a length that nobody gives, and an opened call has none.
      if (model === 'crm.phonecall' && values['state'] === 'done' && !('duration' in values)) {
        values['duration'] = (now().getTime() - Date.parse(`${String(row['date']).replace(' ', 'T')}Z`)) / 60_000;
      }
      if (model === 'crm.phonecall' && values['state'] === 'open') values['duration'] = 0;
      Object.assign(row, values, { write_date: stamp() });
      computed(row);
    }
    return true;
  }

  /** Commands: `[4, id, 0]` adds, `[6, 0, ids]` sets. */
  function linkedIds(before: unknown, commands: unknown): readonly number[] {
    const ids = new Set(Array.isArray(before) ? (before as readonly number[]) : []);
    for (const command of Array.isArray(commands) ? (commands as readonly unknown[]) : []) {
      if (!Array.isArray(command)) continue;
      const [code, id, list] = command as [number, number, readonly number[]];
      if (code === 4) ids.add(id);
      if (code === 6) {
        ids.clear();
        list.forEach((one) => ids.add(one));
      }
    }
    return [...ids];
  }

  function unlink(model: string, rows: Map<number, Row>, id: number): void {
    rows.delete(id);
    for (const [fileId, file] of table('ir.attachment')) {
      if (file['res_model'] === model && file['res_id'] === id) table('ir.attachment').delete(fileId);
    }
  }

  function feedback(ids: readonly number[], words: unknown): number | false {
    for (const id of ids) {
      const activity = table('mail.activity').get(id);
      if (activity === undefined) throw missing('mail.activity', id);
      table('mail.activity').delete(id);
      const said = `${String(activity['summary'])} done: ${typeof words === 'string' ? words : ''}`;
      const on = { model: activity['res_model'] ?? null, res_id: activity['res_id'] ?? null };
      insert('mail.message', {
        ...on,
        body: `<p>${said}</p>`,
        message_id: `<${randomUUID()}@odoo>`,
        attachment_ids: [],
      });
    }
    return ids[0] ?? false;
  }

  function missing(model: string, id: number): OdooException {
    return new OdooException(
      'odoo.exceptions.MissingError',
      `Record does not exist or has been deleted.\n(Record: ${model}(${id},), User: ${own.id})`,
    );
  }

  function phonecallOf(row: Row): SimulatedCall {
    const description = typeof row['description'] === 'string' ? row['description'] : '';
    const state = row['state'];
    const file = [...table('ir.attachment').values()].find(
      (one) => one['res_model'] === 'crm.phonecall' && one['res_id'] === row.id,
    );
    return {
      id: String(row.id),
      externalId:
        (row['x_ringline_id'] as string | undefined) ?? /^» Ringline ([0-9a-f-]{36})$/m.exec(description)?.[1] ?? null,
      direction: row['direction'] === 'in' ? 'inbound' : 'outbound',
      number: typeof row['partner_phone'] === 'string' ? row['partner_phone'] : null,
      seconds: Math.round(Number(row['duration'] ?? 0) * 60),
      wasAnswered: state === 'open' ? null : state === 'done',
      isOpen: state === 'open',
      startedAt: new Date(`${String(row['date']).replace(' ', 'T')}Z`),
      ownerId: typeof row['user_id'] === 'number' ? String(row['user_id']) : null,
      contactIds: [row['partner_id'], row['opportunity_id']].flatMap((id) =>
        typeof id === 'number' ? [String(id)] : [],
      ),
      text: `${String(row['name'])}\n${description}`,
      recording: recordingOf(file, description),
    };
  }

  function noteOf(row: Row): SimulatedCall {
    const body = String(row['body'] ?? '');
    const author = [...table('res.users').values()].find((one) => one['partner_id'] === row['author_id']);
    const [fileId] = row['attachment_ids'] as readonly number[];
    const words = wordsOf(body);
    return {
      id: String(row['message_id']).slice(1).split('@')[0] ?? '',
      externalId: /^<ringline-(.*)@ringline>$/.exec(String(row['message_id']))?.[1] ?? null,
      direction: null,
      number: null,
      seconds: null,
      wasAnswered: null,
      isOpen: words.includes(GOES_ON),
      startedAt: new Date(`${String(row['date']).replace(' ', 'T')}Z`),
      ownerId: author === undefined ? null : String(author.id),
      contactIds: row['res_id'] === ownPartner.id ? [] : [String(row['res_id'])],
      text: `${String(row['subject'])}\n${words}`,
      recording: recordingOf(fileId === undefined ? undefined : table('ir.attachment').get(fileId), words),
    };
  }

  function recordingOf(file: Row | undefined, words: string): SimulatedCall['recording'] {
    if (file !== undefined) return { bytes: Buffer.from(String(file['datas']), 'base64').length };
    const url = /^» Recording: (.*)$/m.exec(words)?.[1];
    return url === undefined ? null : { url };
  }

  const ownMessages = (): readonly Row[] =>
    [...table('mail.message').values()].filter((row) => String(row['message_id']).startsWith('<ringline-'));
  const server = await SimulatorServer.start({ handle });
  const post = (url: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });

  return {
    settings: {
      url: server.url,
      database: DATABASE,
      login: LOGIN,
      apiKey: API_KEY,
      hasLeads,
      extensionField: 'x_extension',
      webhookToken: WEBHOOK_TOKEN,
      clickSecret: CLICK_SECRET,
    },
    ownId: own.id,
    clickSecret: CLICK_SECRET,
    addUser: ({ name, email = null, extension = null }) => {
      const partner = insert('res.partner', { name, is_company: false, active: true });
      const login = email ?? name.toLowerCase().replace(/\W+/g, '.');
      const user = { name, login, email, active: true, share: false, partner_id: partner.id, x_extension: extension };
      return String(insert('res.users', user).id);
    },
    addContact: ({ name, numbers, kind = 'contact', ownerId }) => {
      const [phone = null, mobile = null] = numbers;
      const type = kind === 'lead' ? 'crm.lead' : 'res.partner';
      const values = {
        name,
        phone,
        ...(version < 19 && { mobile }),
        user_id: ownerId === undefined ? null : Number(ownerId),
        active: true,
        ...(type === 'res.partner' ? { is_company: kind === 'company' } : { contact_name: name }),
      };
      return { type, id: String(insert(type, values).id) };
    },
    calls: () => [
      ...(hasPhonecall ? [...table('crm.phonecall').values()].map(phonecallOf) : []),
      ...ownMessages().map(noteOf),
    ],
    tasks: () =>
      [...table('mail.activity').values()].map((row) => ({
        id: String(row.id),
        ownerId: String(row['user_id']),
        subject: String(row['summary']),
        isOpen: true,
      })),
    created: () =>
      made.flatMap(({ model, id }) => {
        const row = model === 'res.partner' || model === 'crm.lead' ? table(model).get(id) : undefined;
        if (row === undefined) return [];
        const numbers = [row['phone'], row['mobile']].filter((one): one is string => typeof one === 'string');
        return [{ kind: model === 'crm.lead' ? 'lead' : 'contact', id: String(id), numbers }];
      }),
    pops: () => [],
    writeNote: (callId, text) => {
      const message = ownMessages().find((row) => noteOf(row).id === callId);
      if (message !== undefined) message['body'] = `${String(message['body'])}<p>${text}</p>`;
      const phonecall = tables.get('crm.phonecall')?.get(Number(callId));
      if (phonecall !== undefined) phonecall['description'] = `${String(phonecall['description'] ?? '')}${text}`;
    },
    click: ({ userId, number, doorUrl }) => sendSignedClick(doorUrl, { userId: Number(userId), number }, CLICK_SECRET),
    tellChange: (doorUrl, model = 'res.partner') =>
      post(
        `${doorUrl}?token=${WEBHOOK_TOKEN}`,
        JSON.stringify({ _action: 'Tell Ringline(#12)', _id: 7, _model: model, id: 7, write_date: stamp() }),
      ),
    rows: (model) => [...table(model).values()],
    row: (model, id) => table(model).get(Number(id)),
    insert: (model, values) => insert(model, values).id,
    change: (model, id, values) => {
      const row = table(model).get(Number(id));
      if (row !== undefined) computed(Object.assign(row, { write_date: stamp() }, values));
    },
    remove: (model, id) => unlink(model, table(model), Number(id)),
    raise: (exception, message, times, method) => raised.push({ exception, message, left: times, method }),
    fail: (fault) => server.fail(fault),
    expireTokens: () => undefined,
    requests: server.requests,
    get violations() {
      return server.violations;
    },
    stop: () => server.stop(),
  };
}

/** The text of a note, a line for each paragraph. */
export function wordsOf(html: string): string {
  return html
    .replace(/<\/p>/g, '\n')
    .replace(/<[^>]*>/g, '')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&amp;/g, '&');
}
