import { randomBytes } from 'node:crypto';
import type { CrmSimulator, SimulatedCall } from '../../../../lab/crm/crm-simulator.js';
import { sendSignedClick } from '../../../../lab/crm/signed-click.js';
import { SimulatorServer, type SimulatedAnswer, type SimulatedRequest } from '../../../../lab/crm/simulator-server.js';
import type { Limit } from '../../port/limit.js';
import { Malformed, parseReturning, parseSoql, type Query } from './soql.test-support.js';

const CLICK_SECRET = 'salesforce-click-secret-0123456789abcdef';
const CLIENT = { id: '3MVG9ringline.consumer.key', secret: '8F2A6C41D0E9B7355A1C' };
const REFRESH = '5Aep861ringline.refresh.token1';

export type SalesforceSimulatorOptions = {
  readonly grant?: 'client_credentials' | 'refresh_token';
  /** Whether the admin has made the fields of the README. */
  readonly hasFields?: boolean;
  readonly limits?: readonly Limit[];
};

export interface SalesforceSimulator extends CrmSimulator {
  /** As it is stored. */
  record(type: ObjectType, id: string): Row | undefined;
  /** Somebody changes one in Salesforce. */
  change(type: ObjectType, id: string, fields: Row): void;
  remove(type: ObjectType, id: string): void;
  /** One more task with the same external id, as there may be where the field is not unique. */
  duplicate(taskId: string): void;
  addAs(type: 'Contact' | 'Lead' | 'Account', fields: Row): string;
}

export type ObjectType = 'Task' | 'Contact' | 'Lead' | 'Account' | 'User' | 'Organization';
type Row = { readonly [name: string]: unknown };
type Field = {
  readonly length?: number;
  readonly options?: readonly string[];
  readonly kind?: 'id' | 'int' | 'boolean' | 'datetime' | 'date' | 'phone' | 'url';
  readonly isFixed?: boolean;
};

const reference: Field = { kind: 'id' };
const phone: Field = { kind: 'phone', length: 40 };
const readOnly: Field = { isFixed: true };
const system = { Id: readOnly, CreatedDate: readOnly, SystemModstamp: readOnly, LastModifiedDate: readOnly };
const closedStatuses = ['Completed'];
const schema: { readonly [type in ObjectType]: { readonly [name: string]: Field } } = {
  Task: {
    ...system,
    Subject: { length: 255 },
    Description: { length: 32_000 },
    Status: { options: ['Not Started', 'In Progress', 'Completed', 'Waiting on someone else', 'Deferred'] },
    Priority: { options: ['High', 'Normal', 'Low'] },
    CallType: { options: ['Inbound', 'Outbound', 'Internal'] },
    CallDurationInSeconds: { kind: 'int' },
    CallDisposition: { length: 255 },
    CallObject: { length: 255 },
    TaskSubtype: { options: ['Task', 'Email', 'Call', 'Cadence', 'ListEmail'] },
    ActivityDate: { kind: 'date' },
    IsReminderSet: { kind: 'boolean' },
    ReminderDateTime: { kind: 'datetime' },
    OwnerId: reference,
    WhoId: reference,
    WhatId: reference,
    IsClosed: readOnly,
  },
  Contact: {
    ...system,
    Name: readOnly,
    FirstName: { length: 40 },
    LastName: { length: 80 },
    'Account.Name': readOnly,
    AccountId: reference,
    OwnerId: reference,
    LeadSource: { length: 255 },
    Phone: phone,
    MobilePhone: phone,
    HomePhone: phone,
    OtherPhone: phone,
    AssistantPhone: phone,
  },
  Lead: {
    ...system,
    Name: readOnly,
    FirstName: { length: 40 },
    LastName: { length: 80 },
    Company: { length: 255 },
    OwnerId: reference,
    LeadSource: { length: 255 },
    IsConverted: readOnly,
    Phone: phone,
    MobilePhone: phone,
  },
  Account: { ...system, Name: { length: 255 }, OwnerId: reference, Phone: phone },
  User: { ...system, Name: readOnly, Email: readOnly, Extension: readOnly, IsActive: readOnly, UserType: readOnly },
  Organization: { Id: readOnly, Name: readOnly },
};
const custom: { readonly [name: string]: Field } = {
  Ringline_Id__c: { length: 60 },
  Ringline_Recording__c: { kind: 'url', length: 255 },
  Ringline_Number__c: phone,
  Ringline_Started_At__c: { kind: 'datetime' },
};
const required: { readonly [type: string]: readonly string[] } = {
  Lead: ['LastName', 'Company'],
  Contact: ['LastName'],
};
const prefixes: { readonly [type in ObjectType]: string } = {
  Task: '00T',
  Contact: '003',
  Lead: '00Q',
  Account: '001',
  User: '005',
  Organization: '00D',
};
const PAGE = 2000;
const allowed: readonly Limit[] = [
  { kind: 'daily', budget: 100_000 },
  { kind: 'concurrent', most: 25 },
];

class Refusal extends Error {
  constructor(readonly answer: SimulatedAnswer) {
    super('refused');
  }
}

function problem(status: number, errorCode: string, message: string, fields?: readonly string[]): SimulatedAnswer {
  return { status, json: [{ message, errorCode, ...(fields !== undefined && { fields }) }] };
}

const notFound = (message = 'The requested resource does not exist'): Refusal =>
  new Refusal(problem(404, 'NOT_FOUND', message));

/** As Salesforce writes it: to the second, without a colon in the zone. */
function timeText(at: number): string {
  return `${new Date(Math.floor(at / 1000) * 1000).toISOString().slice(0, -1)}+0000`;
}

export async function startSimulator(options: SalesforceSimulatorOptions = {}): Promise<SalesforceSimulator> {
  const { grant = 'client_credentials', hasFields = true, limits = allowed } = options;
  const tables: { [type in ObjectType]: Map<string, Row> } = {
    Task: new Map(),
    Contact: new Map(),
    Lead: new Map(),
    Account: new Map(),
    User: new Map(),
    Organization: new Map(),
  };
  const made = new Set<string>();
  const deleted = new Set<string>();
  const tokens = new Set<string>();
  const rests = new Map<string, readonly object[]>();
  let ids = 1000;
  const nextId = (type: ObjectType): string => `${prefixes[type]}5g00000${String(++ids).padStart(5, '0')}AAA`;

  const fieldsOf = (type: ObjectType): { readonly [name: string]: Field } => ({
    ...schema[type],
    ...(type === 'Task' && hasFields && custom),
  });

  const insert = (type: ObjectType, fields: Row): string => {
    const id = nextId(type);
    const now = timeText(Date.now());
    store(type, id, { Id: id, CreatedDate: now, ...fields });
    return id;
  };

  const store = (type: ObjectType, id: string, fields: Row): void => {
    const now = timeText(Date.now());
    const row: { [name: string]: unknown } = {
      ...tables[type].get(id),
      ...fields,
      SystemModstamp: now,
      LastModifiedDate: now,
    };
    if (type === 'Task') row['IsClosed'] = closedStatuses.includes(textOf(row['Status']));
    if (type === 'Lead') row['IsConverted'] ??= false;
    if (type === 'Contact' || type === 'Lead') {
      row['Name'] = [row['FirstName'], row['LastName']].filter((part) => part !== undefined && part !== '').join(' ');
    }
    tables[type].set(id, row);
  };

  const check = (type: ObjectType, given: Row, isNew: boolean): Row => {
    const known = fieldsOf(type);
    const stored: { [name: string]: unknown } = {};
    for (const [name, value] of Object.entries(given)) {
      const field = known[name];
      if (field === undefined) {
        throw new Refusal(problem(400, 'INVALID_FIELD', `No such column '${name}' on sobject of type ${type}`));
      }
      if (field.isFixed === true || (name === 'TaskSubtype' && !isNew)) {
        const message = `Unable to create/update fields: ${name}. Please check the security settings of this field and verify that it is read/write for your profile or permission set.`;
        throw new Refusal(problem(400, 'INVALID_FIELD_FOR_INSERT_UPDATE', message, [name]));
      }
      stored[name] = value === null || value === '' ? null : typed(type, name, field, value);
    }
    const missing = isNew ? (required[type] ?? []).filter((name) => (stored[name] ?? '') === '') : [];
    if (missing.length > 0) {
      throw new Refusal(
        problem(400, 'REQUIRED_FIELD_MISSING', `Required fields are missing: [${missing.join(', ')}]`, missing),
      );
    }
    return stored;
  };

  const typed = (type: ObjectType, name: string, field: Field, value: unknown): unknown => {
    const text = String(value);
    const wrong = (code: string, message: string): Refusal => new Refusal(problem(400, code, message, [name]));
    if (field.options?.includes(text) === false) {
      throw wrong(
        'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST',
        `${name}: bad value for restricted picklist field: ${text}`,
      );
    }
    if (field.length !== undefined && text.length > field.length) {
      throw wrong(
        'STRING_TOO_LONG',
        `${name}: data value too large: ${text.slice(0, 20)} (max length=${field.length})`,
      );
    }
    switch (field.kind) {
      case 'int':
        if (!Number.isInteger(value))
          throw new Refusal(problem(400, 'JSON_PARSER_ERROR', `Cannot deserialize ${name}`));
        return value;
      case 'boolean':
        if (typeof value !== 'boolean')
          throw new Refusal(problem(400, 'JSON_PARSER_ERROR', `Cannot deserialize ${name}`));
        return value;
      case 'date':
        if (!/^\d{4}-\d\d-\d\d$/.test(text))
          throw new Refusal(problem(400, 'JSON_PARSER_ERROR', `Cannot deserialize ${name}`));
        return text;
      case 'datetime':
        if (!/^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:?\d\d)$/.test(text)) {
          throw new Refusal(problem(400, 'JSON_PARSER_ERROR', `Cannot deserialize ${name}`));
        }
        return timeText(Date.parse(text));
      case 'id': {
        const targets = name === 'OwnerId' ? ['User'] : name === 'WhoId' ? ['Contact', 'Lead'] : ['Account'];
        const isThere = targets.some((target) => tables[target as ObjectType].has(text));
        if (!isThere) throw wrong('INVALID_CROSS_REFERENCE_KEY', `invalid cross reference id (${type}.${name})`);
        return text;
      }
      case 'phone':
      case 'url':
      case undefined:
        return text;
    }
  };

  const shown = (type: ObjectType, row: Row, fields: readonly string[]): object => {
    const json: { [name: string]: unknown } = {
      attributes: { type, url: `/services/data/v62.0/sobjects/${type}/${String(row['Id'])}` },
    };
    for (const field of fields) {
      const [parent, name] = field.split('.');
      if (name === undefined) json[field] = row[field] ?? null;
      else json[parent ?? ''] = row[field] === undefined ? null : { attributes: { type: parent }, [name]: row[field] };
    }
    return json;
  };

  const run = ({ from, fields, asked, fits, orderBy, limit }: Query, rows?: readonly Row[]): object[] => {
    if (!(from in tables)) throw new Refusal(problem(400, 'INVALID_TYPE', `sObject type '${from}' is not supported.`));
    const type = from as ObjectType;
    for (const name of [...fields, ...asked, ...orderBy.map(({ field }) => field)]) {
      if (!(name in fieldsOf(type))) {
        throw new Refusal(problem(400, 'INVALID_FIELD', `No such column '${name}' on entity '${from}'.`));
      }
    }
    return [...(rows ?? tables[type].values())]
      .filter(fits)
      .sort((a, b) => {
        for (const { field, isDescending } of orderBy) {
          const [left, right] = [String(a[field]), String(b[field])];
          if (left !== right) return (left < right ? -1 : 1) * (isDescending ? -1 : 1);
        }
        return 0;
      })
      .slice(0, limit)
      .map((row) => shown(type, row, fields));
  };

  const answerRows = (rows: readonly object[], total: number): SimulatedAnswer => {
    const page = rows.slice(0, PAGE);
    const rest = rows.slice(PAGE);
    if (rest.length === 0) return { status: 200, json: { totalSize: total, done: true, records: page } };
    const locator = `01g5g0000${randomBytes(4).toString('hex')}-${PAGE}`;
    rests.set(locator, rest);
    const nextRecordsUrl = `/services/data/v62.0/query/${locator}`;
    return { status: 200, json: { totalSize: total, done: false, nextRecordsUrl, records: page } };
  };

  const search = (q: string): SimulatedAnswer => {
    const parts = /^FIND \{((?:[^{}\\]|\\.)*)\} IN PHONE FIELDS RETURNING (.*)$/s.exec(q);
    if (parts === null) throw new Malformed('No viable SOSL');
    const phrases = [...(parts[1] ?? '').matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, phrase]) =>
      (phrase ?? '').replace(/\\(.)/g, '$1'),
    );
    const wanted = phrases.map((phrase) => phrase.replace(/\D/g, '')).filter((digits) => digits.length >= 2);
    if (wanted.length === 0) throw new Malformed('search term must be longer than one character');
    const records = parseReturning(parts[2] ?? '').flatMap((query) => {
      const type = query.from as ObjectType;
      const phones = Object.entries(schema[type]).flatMap(([name, { kind }]) => (kind === 'phone' ? [name] : []));
      const rows = [...tables[type].values()].filter((row) =>
        phones.some((name) => wanted.includes(textOf(row[name]).replace(/\D/g, ''))),
      );
      return run(query, rows);
    });
    return { status: 200, json: { searchRecords: records } };
  };

  const byExternalId = (field: string, value: string): readonly string[] => {
    if (!hasFields || field !== 'Ringline_Id__c') {
      throw notFound(`Provided external ID field does not exist or is not accessible: ${field}`);
    }
    return [...tables.Task].filter(([, row]) => row[field] === value).map(([id]) => id);
  };

  const aboutRecords = ({ method, query, json }: SimulatedRequest, rest: readonly string[]): SimulatedAnswer => {
    const [name = '', first, second] = rest;
    if (!(name in tables)) throw notFound();
    const type = name as ObjectType;
    const given = (json ?? {}) as Row;
    if (first === undefined) {
      if (method !== 'POST') return problem(405, 'METHOD_NOT_ALLOWED', `HTTP Method '${method}' not allowed`);
      const id = insert(type, check(type, given, true));
      made.add(id);
      return { status: 201, json: { id, success: true, errors: [] } };
    }
    const found = second === undefined ? [first] : byExternalId(first, second);
    if (found.length > 1) {
      return { status: 300, json: found.map((id) => `/services/data/v62.0/sobjects/${type}/${id}`) };
    }
    const [id] = found;
    const row = id === undefined ? undefined : tables[type].get(id);
    if (second !== undefined && method === 'PATCH') {
      if (id === undefined) {
        const added = insert(type, { ...check(type, given, true), [first]: second });
        made.add(added);
        return { status: 201, json: { id: added, success: true, errors: [], created: true } };
      }
      store(type, id, check(type, given, false));
      return { status: 200, json: { id, success: true, errors: [], created: false } };
    }
    if (id !== undefined && deleted.has(id)) return problem(404, 'ENTITY_IS_DELETED', 'entity is deleted');
    if (row === undefined || id === undefined) throw notFound();
    if (method === 'GET') {
      const fields = query.get('fields')?.split(',') ?? Object.keys(row);
      return { status: 200, json: shown(type, row, fields) };
    }
    if (method === 'PATCH') {
      store(type, id, check(type, given, false));
      return { status: 204 };
    }
    if (method === 'DELETE') {
      tables[type].delete(id);
      deleted.add(id);
      return { status: 204 };
    }
    return problem(405, 'METHOD_NOT_ALLOWED', `HTTP Method '${method}' not allowed`);
  };

  const token = (form: Readonly<{ [name: string]: string }>): SimulatedAnswer => {
    const refuse = (error: string, text: string): SimulatedAnswer => ({
      status: 400,
      json: { error, error_description: text },
    });
    if (form['client_id'] !== CLIENT.id) return refuse('invalid_client_id', 'client identifier invalid');
    if (form['client_secret'] !== CLIENT.secret) return refuse('invalid_client', 'invalid client credentials');
    if (form['grant_type'] !== grant) return refuse('unsupported_grant_type', 'grant type not supported');
    if (grant === 'refresh_token' && form['refresh_token'] !== REFRESH) {
      return refuse('invalid_grant', 'expired access/refresh token');
    }
    const access = `00D5g0000000001!${randomBytes(24).toString('base64url')}`;
    tokens.add(access);
    return {
      status: 200,
      // How long it lives is the organization's setting: the answer does not say.
      json: { access_token: access, instance_url: server.url, token_type: 'Bearer', issued_at: String(Date.now()) },
    };
  };

  const handle = (request: SimulatedRequest): SimulatedAnswer => {
    const { method, path, query, headers, form } = request;
    if (path === '/services/oauth2/token') return token(form);
    if (!tokens.has((headers['authorization'] ?? '').replace(/^Bearer /, ''))) {
      return problem(401, 'INVALID_SESSION_ID', 'Session expired or invalid');
    }
    const version = /^\/services\/data\/v(\d+)\.0\//.exec(path);
    if (version === null || Number(version[1]) < 31 || Number(version[1]) > 68) return notFound().answer;
    const [what, ...rest] = path.slice(version[0].length).split('/').map(decodeURIComponent);
    try {
      if (what === 'query' && rest[0] !== undefined) {
        const more = rests.get(rest[0]);
        if (more === undefined) return problem(400, 'INVALID_QUERY_LOCATOR', 'invalid query locator');
        return answerRows(more, more.length);
      }
      if (what === 'query' && method === 'GET') {
        const rows = run(parseSoql(query.get('q') ?? ''));
        return answerRows(rows, rows.length);
      }
      if (what === 'search' && method === 'GET') return search(query.get('q') ?? '');
      if (what === 'sobjects') return aboutRecords(request, rest);
    } catch (error) {
      if (error instanceof Refusal) return error.answer;
      if (error instanceof Malformed) return problem(400, 'MALFORMED_QUERY', error.message);
      throw error;
    }
    return notFound().answer;
  };

  const server = await SimulatorServer.start({
    handle,
    limits,
    refuse: ({ kind }) =>
      kind === 'daily'
        ? problem(403, 'REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.')
        : problem(403, 'REQUEST_LIMIT_EXCEEDED', 'ConcurrentPerOrgLongTxn Limit exceeded.'),
  });
  insert('Organization', { Name: 'Acme GmbH' });

  const isFollowUp = (row: Row): boolean => textOf(row['Ringline_Id__c']).startsWith('task-');
  const isCall = (row: Row): boolean => row['TaskSubtype'] === 'Call';
  return {
    settings: {
      url: server.url,
      clientId: CLIENT.id,
      clientSecret: CLIENT.secret,
      clickSecret: CLICK_SECRET,
      ...(grant === 'refresh_token' && { refreshToken: REFRESH }),
      ...(hasFields && {
        recordingField: 'Ringline_Recording__c',
        numberField: 'Ringline_Number__c',
        startedAtField: 'Ringline_Started_At__c',
      }),
    },
    addUser: ({ name, email, extension }) =>
      insert('User', {
        Name: name,
        Email: email ?? null,
        Extension: extension ?? null,
        IsActive: true,
        UserType: 'Standard',
      }),
    addContact: ({ name, numbers, kind = 'contact', ownerId }) => {
      const type = ({ contact: 'Contact', lead: 'Lead', company: 'Account' } as const)[kind];
      const [Phone = null, MobilePhone = null] = numbers;
      const names = type === 'Account' ? { Name: name } : { LastName: name, MobilePhone };
      const id = insert(type, { ...names, Phone, OwnerId: ownerId ?? null, ...(type === 'Lead' && { Company: name }) });
      return { type, id };
    },
    addAs: (type, fields) => insert(type, fields),
    calls: () => [...tables.Task.values()].filter(isCall).map(neutral),
    tasks: () =>
      [...tables.Task.values()].filter(isFollowUp).map((row) => ({
        id: String(row['Id']),
        ownerId: (row['OwnerId'] as string | undefined) ?? null,
        subject: String(row['Subject']),
        isOpen: row['IsClosed'] !== true,
      })),
    created: () =>
      (['Contact', 'Lead'] as const)
        .flatMap((type) =>
          [...tables[type].values()]
            .filter(({ Id }) => made.has(String(Id)))
            .map(({ Id, Phone }) => ({ kind: type.toLowerCase(), id: String(Id), numbers: [String(Phone)] })),
        )
        .sort((a, b) => (a.id.slice(-8) < b.id.slice(-8) ? -1 : 1)),
    pops: () => [],
    click: ({ userId, number, doorUrl }) => sendSignedClick(doorUrl, { userId, number }, CLICK_SECRET),
    writeNote: (id, text) => {
      const row = tables.Task.get(id);
      if (row === undefined) throw new Error(`there is no task ${id}`);
      store('Task', id, { Description: `${textOf(row['Description'])}${text}` });
    },
    record: (type, id) => tables[type].get(id),
    change: (type, id, fields) => store(type, id, fields),
    remove: (type, id) => {
      tables[type].delete(id);
      deleted.add(id);
    },
    duplicate: (taskId) => {
      const { Id: _, ...fields } = tables.Task.get(taskId) ?? {};
      insert('Task', fields);
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

function neutral(row: Row): SimulatedCall {
  const text = (name: string): string | null => (typeof row[name] === 'string' ? row[name] : null);
  const type = text('CallType');
  const startedAt = text('Ringline_Started_At__c');
  const url = text('Ringline_Recording__c');
  const disposition = text('CallDisposition');
  const who = [text('WhoId'), text('WhatId')].filter((id) => id !== null);
  return {
    id: String(row['Id']),
    externalId: text('Ringline_Id__c'),
    direction: type === 'Inbound' ? 'inbound' : type === 'Outbound' ? 'outbound' : null,
    number: text('Ringline_Number__c'),
    seconds: (row['CallDurationInSeconds'] as number | undefined) ?? null,
    wasAnswered: disposition === null ? null : disposition === 'Answered',
    isOpen: row['IsClosed'] !== true,
    startedAt: startedAt === null ? null : new Date(startedAt.replace(/\+0000$/, 'Z')),
    ownerId: text('OwnerId'),
    contactIds: who,
    text: `${text('Subject') ?? ''}\n${text('Description') ?? ''}`,
    recording: url === null ? null : { url },
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
