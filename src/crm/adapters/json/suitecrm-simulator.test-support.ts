import { randomBytes, randomUUID } from 'node:crypto';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { CrmSimulator, SimulatedCall } from '../../../../lab/crm/crm-simulator.js';
import { SimulatorServer, type SimulatedAnswer, type SimulatedRequest } from '../../../../lab/crm/simulator-server.js';

const CLIENT = { id: 'c8c1e3f1-9f5a-4f3e-8a55-0b2f4a7d9e10', secret: 'suite-client-secret' };
const PERSON = { name: 'ringline', password: 'suite-password' };
const CLICK_SECRET = 'suite-click-secret-0123456789abcdef';
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;
const DB_TIME = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/;

type Attributes = Record<string, unknown>;
type Bean = {
  readonly id: string;
  readonly attributes: Attributes;
  isDeleted: boolean;
  readonly isOurs: boolean;
  modified: number;
};

const common = ['name', 'description', 'assigned_user_id', 'date_entered', 'date_modified', 'deleted'];
const parent = ['parent_type', 'parent_id'];
const person = ['first_name', 'last_name', 'account_name', 'phone_mobile', 'phone_work', 'phone_home', 'phone_other'];
const fields: Readonly<Record<string, readonly string[]>> = {
  Calls: [...common, ...parent, 'direction', 'status', 'date_start', 'date_end', 'duration_hours', 'duration_minutes'],
  Contacts: [...common, ...person, 'lead_source'],
  Leads: [...common, ...person, 'status', 'lead_source'],
  Accounts: [...common, 'phone_office', 'phone_alternate'],
  Users: [...common, 'user_name', 'first_name', 'last_name', 'status', 'phone_work', 'email1'],
  Tasks: [...common, ...parent, 'status', 'priority', 'date_due'],
  Notes: [...common, ...parent, 'filename', 'filecontents'],
};
/** The bean’s name, which answers bear instead of the module’s. */
const beans: Readonly<Record<string, string>> = {
  Calls: 'Call',
  Contacts: 'Contact',
  Leads: 'Lead',
  Accounts: 'Account',
  Users: 'User',
  Tasks: 'Task',
  Notes: 'Note',
};
/** SuiteCRM’s forms ask for them; what is saved without them is of no use there, so that they are asked for here. */
const required: Readonly<Record<string, readonly string[]>> = {
  Calls: ['name', 'date_start', 'duration_hours', 'status'],
  Contacts: ['last_name'],
  Leads: ['last_name'],
  Accounts: ['name'],
  Tasks: ['name', 'status', 'priority'],
  Notes: ['name'],
};
const enums: Readonly<Record<string, readonly string[]>> = {
  'Calls.status': ['Planned', 'Held', 'Not Held'],
  'Calls.direction': ['Inbound', 'Outbound'],
  'Tasks.status': ['Not Started', 'In Progress', 'Completed', 'Pending Input', 'Deferred'],
  'Tasks.priority': ['High', 'Medium', 'Low'],
};
const links: Readonly<Record<string, string>> = { contacts: 'Contacts', leads: 'Leads', users: 'Users' };
const operators = ['eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'like'];

export type SuitecrmOptions = { readonly grant?: 'client_credentials' | 'password' };

export interface SuitecrmSimulator extends CrmSimulator {
  record(module: string, id: string): Attributes | undefined;
  change(module: string, id: string, attributes: Attributes): void;
  remove(module: string, id: string): void;
}

/** The description that the README gives an admin. */
export function suitecrmDescription(): Record<string, unknown> {
  return JSON.parse(readFileSync(new URL('suitecrm.json', import.meta.url), 'utf8')) as Record<string, unknown>;
}

/** SuiteCRM 7.12 and later, its API V8, as its source has it. */
export async function startSimulator({
  grant = 'client_credentials',
}: SuitecrmOptions = {}): Promise<SuitecrmSimulator> {
  const tables = new Map<string, Map<string, Bean>>(Object.keys(fields).map((module) => [module, new Map()]));
  const table = (module: string): Map<string, Bean> => tables.get(module) as Map<string, Bean>;
  const related = new Map<string, Set<string>>();
  const tokens = new Set<string>();
  let clock = 0;

  const insert = (module: string, attributes: Attributes, id: string = randomUUID(), isOurs = false): Bean => {
    const bean: Bean = { id, attributes, isDeleted: false, isOurs, modified: ++clock };
    table(module).set(id, bean);
    return bean;
  };
  const own = insert('Users', { user_name: PERSON.name, first_name: '', last_name: 'Ringline', status: 'Active' });

  function handle(request: SimulatedRequest): SimulatedAnswer {
    const { method, path, headers } = request;
    if (path === '/Api/access_token' && method === 'POST') return token(request);
    if (!path.startsWith('/Api/V8/')) return { status: 404, text: '<h1>Page Not Found</h1>' };
    if (!tokens.has((headers['authorization'] ?? '').replace('Bearer ', ''))) {
      const words = 'The resource owner or authorization server denied the request.';
      return { status: 401, json: { error: 'access_denied', error_description: words, message: words } };
    }
    try {
      return api(request);
    } catch (error) {
      if (error instanceof Refused) return refused(error.message);
      throw error;
    }
  }

  function token({ form }: SimulatedRequest): SimulatedAnswer {
    const isClient = form['client_id'] === CLIENT.id && form['client_secret'] === CLIENT.secret;
    if (!isClient) return oauthError('invalid_client', 'Client authentication failed');
    if (form['grant_type'] !== grant) return oauthError('unsupported_grant_type', 'The grant type is not supported.');
    const isPerson = form['username'] === PERSON.name && form['password'] === PERSON.password;
    if (grant === 'password' && !isPerson) return oauthError('invalid_grant', 'The user credentials were incorrect.');
    const access_token = randomBytes(40).toString('hex');
    tokens.add(access_token);
    return { status: 200, json: { token_type: 'Bearer', expires_in: 3600, access_token } };
  }

  function api({ method, path, query, json }: SimulatedRequest): SimulatedAnswer {
    const [, , what, module, id, relationships, link] = path.split('/').slice(1).map(decodeURIComponent);
    if (what === 'current-user' && method === 'GET') return { status: 200, json: { data: shown('Users', own) } };
    if (what !== 'module') return { status: 404, text: '<h1>Page Not Found</h1>' };
    if (module === undefined) return write(method, json);
    if (!tables.has(module)) throw new Refused(`Module ${module} does not exist`);
    if (id === undefined && method === 'GET') return list(module, query);
    if (id === undefined) return { status: 405, text: '<h1>Method not allowed</h1>' };
    if (!/^(\d+|[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12})$/i.test(id)) {
      throw new Refused(`The option "id" with value "${id}" is invalid.`);
    }
    const bean = find(module, id);
    if (relationships === 'relationships' && method === 'POST') return relate(module, bean, link ?? '', json);
    if (method === 'GET') return { status: 200, json: { data: shown(module, bean) } };
    if (method !== 'DELETE') return { status: 405, text: '<h1>Method not allowed</h1>' };
    bean.isDeleted = true;
    return { status: 200, json: { meta: { message: `Record with id ${id} is deleted` }, data: [] } };
  }

  function find(module: string, id: string): Bean {
    const bean = table(module).get(id);
    // Every failure of a module’s is 400.
    if (bean === undefined || bean.isDeleted) throw new Refused(`${module} module with id ${id} is not found`);
    return bean;
  }

  function write(method: string, json: unknown): SimulatedAnswer {
    const { data } = (json ?? {}) as { data?: { type?: string; id?: string; attributes?: Attributes } };
    if (data === undefined) throw new Refused('The required option "data" is missing.');
    const { type: module, id, attributes = {} } = data;
    if (module === undefined) throw new Refused('The required option "type" is missing.');
    if (!tables.has(module)) throw new Refused(`Module ${module} does not exist`);
    for (const name of Object.keys(attributes)) {
      if (fields[module]?.includes(name) !== true) {
        throw new Refused(`Property ${name} in ${beans[module] ?? module} module is invalid`);
      }
    }
    if (id !== undefined && !UUID.test(id)) throw new Refused(`The option "id" with value "${id}" is invalid.`);
    if (method === 'POST') return create(module, id, attributes);
    if (method !== 'PATCH') return { status: 405, text: '<h1>Method not allowed</h1>' };
    if (id === undefined) throw new Refused('The required option "id" is missing.');
    const bean = find(module, id);
    const after = { ...bean.attributes, ...attributes };
    const broken = brokenBy(module, after);
    if (broken !== null) return broken;
    Object.assign(bean.attributes, attributes);
    bean.modified = ++clock;
    return { status: 201, json: { data: shown(module, bean) } };
  }

  function create(module: string, id: string | undefined, attributes: Attributes): SimulatedAnswer {
    // A deleted one keeps its id.
    if (id !== undefined && table(module).has(id)) throw new Refused(`Bean ${module} with id ${id} is already exist`);
    if (module === 'Notes' && attributes['filename'] !== undefined && !/\.\w+$/.test(textOf(attributes['filename']))) {
      throw new Refused('File upload failed: File extension is not included or is not valid.');
    }
    const broken = brokenBy(module, attributes);
    if (broken !== null) return broken;
    const bean = insert(module, { ...attributes }, id, true);
    if (module === 'Calls') setEnd(bean);
    return { status: 201, json: { data: shown(module, bean) } };
  }

  function brokenBy(module: string, attributes: Attributes): SimulatedAnswer | null {
    for (const name of required[module] ?? []) {
      if (attributes[name] === undefined || attributes[name] === '') throw new Refused(`Field ${name} is required`);
    }
    for (const [name, value] of Object.entries(attributes)) {
      const allowed = enums[`${module}.${name}`];
      if (allowed !== undefined && !allowed.includes(textOf(value))) throw new Refused(`${name} is no known value`);
      // What is no time of the database is taken for one in the user’s own form, and becomes another.
      if (/^date_(start|due)$/.test(name) && !DB_TIME.test(textOf(value))) throw new Refused(`${name} is no time`);
      if (name.startsWith('duration_') && !Number.isInteger(Number(value)))
        throw new Refused(`${name} is no whole number`);
      const most = name === 'name' && ['Calls', 'Tasks'].includes(module) ? 50 : 255;
      if (name !== 'description' && name !== 'filecontents' && [...textOf(value)].length > most) {
        return { status: 500, text: 'Database failure. Please refer to suitecrm.log for details.' };
      }
    }
    if (textOf(attributes['assigned_user_id']) !== '' && !table('Users').has(textOf(attributes['assigned_user_id']))) {
      throw new Refused('assigned_user_id is nobody');
    }
    return null;
  }

  function relate(module: string, bean: Bean, link: string, json: unknown): SimulatedAnswer {
    const { data } = (json ?? {}) as { data?: { type?: string; id?: string } };
    const of = links[link];
    if (of === undefined) throw new Refused(`Cannot load relationship ${link} for ${module} module`);
    const other = find(data?.type ?? '', data?.id ?? '');
    const key = `${bean.id}/${of}`;
    related.set(key, (related.get(key) ?? new Set()).add(other.id));
    return { status: 201, json: { meta: { message: `${other.id} has been added to ${bean.id}` }, data: [] } };
  }

  function list(module: string, query: URLSearchParams): SimulatedAnswer {
    const filters: ((bean: Bean) => boolean)[] = [];
    for (const [name, value] of query) {
      const [, field, operator] = /^filter\[(\w+)\]\[(\w+)\]$/.exec(name) ?? [];
      if (field === undefined || operator === undefined) continue;
      if (fields[module]?.includes(field) !== true) {
        throw new Refused(`Filter field ${field} in ${beans[module] ?? module} module is not found`);
      }
      if (!operators.includes(operator)) throw new Refused(`Filter operator ${operator} is invalid`);
      filters.push(({ attributes }) => compare(textOf(attributes[field]), operator, value));
    }
    const sort = query.get('sort')?.replace(/^-/, '');
    if (sort !== undefined && fields[module]?.includes(sort) !== true) {
      throw new Refused(`Sort field ${sort} in ${beans[module] ?? module} module is not found`);
    }
    const joined = (query.get('filter[operator]') ?? 'and').toLowerCase();
    if (joined !== 'and' && joined !== 'or') throw new Refused(`Filter operator ${joined} is invalid`);
    const found = [...table(module).values()]
      .filter(({ isDeleted }) => !isDeleted)
      .filter(
        (bean) =>
          filters.length === 0 || (joined === 'or' ? filters.some((f) => f(bean)) : filters.every((f) => f(bean))),
      )
      .toSorted((a, b) => b.modified - a.modified);
    const size = Number(query.get('page[size]') ?? found.length);
    const number = Number(query.get('page[number]') ?? 1);
    const page = found.slice((number - 1) * size, number * size);
    const meta =
      page.length === 0
        ? { message: 'Request was successful, but there is no result' }
        : { 'total-pages': Math.ceil(found.length / size), 'records-on-this-page': page.length };
    return { status: 200, json: { meta, data: page.map((bean) => shown(module, bean)) } };
  }

  function shown(module: string, { id, attributes }: Bean): unknown {
    // Times with an offset, all else as texts.
    const all = Object.entries(attributes).map(([name, value]) => {
      const text = textOf(value);
      return [name, DB_TIME.test(text) ? `${text.replace(' ', 'T')}+00:00` : text];
    });
    return { type: beans[module], id, attributes: Object.fromEntries(all) as unknown, relationships: {} };
  }

  function toCall({ id, attributes }: Bean): SimulatedCall {
    const text = textOf(attributes['description']);
    const [note] = [...table('Notes').values()].filter((one) => one.attributes['parent_id'] === id && !one.isDeleted);
    const url = /» Recording: (\S+)/.exec(text)?.[1];
    const bytes = Buffer.from(textOf(note?.attributes['filecontents']), 'base64').length;
    const status = attributes['status'];
    const contacts = ['Contacts', 'Leads'].flatMap((module) => [...(related.get(`${id}/${module}`) ?? [])]);
    const parentId = textOf(attributes['parent_id']);
    return {
      id,
      externalId: id,
      direction: attributes['direction'] === 'Inbound' ? 'inbound' : 'outbound',
      number: null,
      seconds: Number(attributes['duration_hours']) * 3600 + Number(attributes['duration_minutes']) * 60,
      wasAnswered: status === 'Planned' ? null : status === 'Held',
      isOpen: status === 'Planned',
      startedAt: new Date(`${textOf(attributes['date_start']).replace(' ', 'T')}Z`),
      ownerId: textOf(attributes['assigned_user_id']) || null,
      // Shown with a person where it is related, and with a company by its parent.
      contactIds: attributes['parent_type'] === 'Accounts' ? [parentId] : contacts.filter((one) => one === parentId),
      text: `${textOf(attributes['name'])}\n${text}`,
      recording: url !== undefined ? { url } : note !== undefined ? { bytes } : null,
    };
  }

  const kinds = { contact: 'Contacts', lead: 'Leads', company: 'Accounts' } as const;
  const alive = (module: string): readonly Bean[] => [...table(module).values()].filter(({ isDeleted }) => !isDeleted);
  const server = await SimulatorServer.start({ handle, limits: [{ kind: 'concurrent', most: 5 }] });
  return {
    settings: {
      url: server.url,
      description: { ...suitecrmDescription(), ...(grant === 'password' && { auth: withPassword() }) },
      clientId: CLIENT.id,
      clientSecret: CLIENT.secret,
      ...(grant === 'password' && { user: PERSON.name, password: PERSON.password }),
      clickSecret: CLICK_SECRET,
    },
    addUser: ({ name, email = '', extension = '' }) => {
      const [first_name = '', ...rest] = name.split(' ');
      const attributes = { user_name: email, first_name, last_name: rest.join(' '), status: 'Active' };
      return insert('Users', { ...attributes, email1: email, phone_work: extension }).id;
    },
    addContact: ({ name, numbers, kind = 'contact', ownerId = '' }) => {
      const [first, second] = numbers;
      const phones = kind === 'company' ? ['phone_office', 'phone_alternate'] : ['phone_work', 'phone_mobile'];
      const [first_name = '', ...rest] = name.split(' ');
      const named = kind === 'company' ? { name } : { first_name, last_name: rest.join(' '), name };
      const numbered = { [phones[0] ?? '']: first ?? '', [phones[1] ?? '']: second ?? '' };
      const type = kinds[kind];
      return { type, id: insert(type, { ...named, ...numbered, assigned_user_id: ownerId }).id };
    },
    calls: () => alive('Calls').map(toCall),
    tasks: () =>
      alive('Tasks').map(({ id, attributes }) => ({
        id,
        ownerId: textOf(attributes['assigned_user_id']) || null,
        subject: textOf(attributes['name']),
        isOpen: attributes['status'] !== 'Completed',
      })),
    created: () =>
      (['Leads', 'Contacts'] as const).flatMap((module) =>
        alive(module)
          .filter(({ isOurs }) => isOurs)
          .map(({ id, attributes }) => ({
            kind: module === 'Leads' ? 'lead' : 'contact',
            id,
            numbers: [textOf(attributes['phone_work'])],
          })),
      ),
    pops: () => [],
    writeNote: (callId, text) => {
      const { attributes } = find('Calls', callId);
      attributes['description'] = `${textOf(attributes['description'])}${text}`;
    },
    click: ({ userId, number, doorUrl }) => {
      const body = JSON.stringify({ id: randomUUID(), userId, number });
      const signature = createHmac('sha256', CLICK_SECRET).update(body).digest('hex');
      const headers = { 'content-type': 'application/json', 'x-ringline-signature': signature };
      return fetch(doorUrl, { method: 'POST', headers, body });
    },
    record: (module, id) => table(module).get(id)?.attributes,
    change: (module, id, attributes) => {
      Object.assign(find(module, id).attributes, attributes);
    },
    remove: (module, id) => {
      find(module, id).isDeleted = true;
    },
    fail: (fault) => server.fail(fault),
    expireTokens: () => tokens.clear(),
    requests: server.requests,
    get violations() {
      return server.violations;
    },
    stop: () => server.stop(),
  };
}

class Refused extends Error {}

function withPassword(): unknown {
  return { ...(suitecrmDescription()['auth'] as object), grant: 'password' };
}

/** All of `errors` is one object, with no list in it. */
function refused(detail: string): SimulatedAnswer {
  return { status: 400, json: { errors: { status: 400, title: null, detail } } };
}

function oauthError(error: string, message: string): SimulatedAnswer {
  const status = error === 'invalid_client' ? 401 : 400;
  return { status, json: { error, error_description: message, message } };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

/** The length sets the end. */
function setEnd({ attributes }: Bean): void {
  const minutes = Number(attributes['duration_hours']) * 60 + Number(attributes['duration_minutes'] ?? 0);
  const start = Date.parse(`${textOf(attributes['date_start']).replace(' ', 'T')}Z`);
  attributes['date_end'] = new Date(start + minutes * 60_000).toISOString().slice(0, 19).replace('T', ' ');
}

function compare(held: string, operator: string, value: string): boolean {
  if (operator === 'eq') return held.toLowerCase() === value.toLowerCase();
  if (operator === 'neq') return held.toLowerCase() !== value.toLowerCase();
  if (operator === 'like') {
    const pattern = value.split('%').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`^${pattern.join('.*')}$`, 'is').test(held);
  }
  return operator.startsWith('g') ? held > value : held < value;
}
