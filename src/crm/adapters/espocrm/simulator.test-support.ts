import { createHmac, randomUUID } from 'node:crypto';
import type { CrmSimulator, SimulatedCall } from '../../../../lab/crm/crm-simulator.js';
import { sendSignedClick } from '../../../../lab/crm/signed-click.js';
import { SimulatorServer, type SimulatedAnswer, type SimulatedRequest } from '../../../../lab/crm/simulator-server.js';

const API_KEY = 'b6d8a1f7c0e34e6f9d5a2b1c8e7f6a54';
const CLICK_SECRET = 'espo-click-secret-0123456789abcdef';
const WEBHOOK = { id: '65f2a0c1b7d3e4f56', secret: 'espo-webhook-secret' };
const BIGGEST_PAGE = 200;
const UPLOAD_BYTES = 50 * 2 ** 20;

export type EspocrmSimulatorOptions = {
  /** Whether the admin has made the custom fields of the README. */
  readonly hasFields?: boolean;
  /** Rights that the role does not give: `Call: delete`. */
  readonly lacks?: readonly string[];
  /** Newer servers send `Signature` besides `X-Signature`. */
  readonly signs?: 'x-signature' | 'signature' | 'both';
  readonly now?: () => Date;
};

export interface EspocrmSimulator extends CrmSimulator {
  /** As it is stored. */
  record(entity: string, id: string): Fields | undefined;
  /** A user of the CRM changes a record. */
  change(entity: string, id: string, fields: Fields): void;
  /** The webhook that tells of a changed contact. */
  tellChange(doorUrl: string, secret?: string): Promise<Response>;
  readonly clickSecret: string;
  readonly webhook: { readonly id: string; readonly secret: string };
  /** Files that were uploaded, those that no call has included. */
  attachments(): number;
}

type Fields = Record<string, unknown>;
type Row = Fields & { id: string; createdAt: string; modifiedAt: string; numbers: string[]; isOurs: boolean };

const kinds = { contact: 'Contact', lead: 'Lead', company: 'Account' } as const;
const custom: Readonly<Record<string, readonly string[]>> = {
  Call: ['cRinglineId', 'cRecordingId', 'cRecordingName', 'cRecordingUrl'],
  User: ['cExtension'],
};
const common = ['id', 'name', 'description', 'assignedUserId', 'createdAt', 'modifiedAt', 'emailAddress'];
const attributes: Readonly<Record<string, readonly string[]>> = {
  Contact: [...common, 'firstName', 'lastName', 'phoneNumber', 'phoneNumberNumeric', 'accountName'],
  Lead: [...common, 'firstName', 'lastName', 'phoneNumber', 'phoneNumberNumeric', 'accountName', 'status', 'source'],
  Account: [...common, 'phoneNumber', 'phoneNumberNumeric'],
  User: [...common, 'userName', 'type', 'isActive'],
  Task: [...common, 'status', 'dateEnd', 'parentType', 'parentId'],
  Call: [
    ...common,
    'status',
    'dateStart',
    'dateEnd',
    'direction',
    'parentType',
    'parentId',
    'usersIds',
    'contactsIds',
    'leadsIds',
  ],
  Attachment: ['id', 'name', 'type', 'role', 'relatedType', 'field', 'size'],
};
const enums: Readonly<Record<string, readonly string[]>> = {
  'Call.status': ['Planned', 'Held', 'Not Held'],
  'Call.direction': ['Outbound', 'Inbound'],
  'Task.status': ['Not Started', 'Started', 'Completed', 'Canceled', 'Deferred'],
  'Lead.status': ['New', 'Assigned', 'In Process', 'Converted', 'Recycled', 'Dead'],
  'Lead.source': [
    '',
    'Call',
    'Email',
    'Existing Customer',
    'Partner',
    'Public Relations',
    'Web Site',
    'Campaign',
    'Other',
  ],
};
const required: Readonly<Record<string, readonly string[]>> = {
  Call: ['name', 'dateStart', 'dateEnd', 'assignedUserId'],
  Task: ['name', 'assignedUserId'],
  Contact: ['lastName'],
  Lead: [],
  Account: ['name'],
  Attachment: ['name'],
};
const parents = ['Account', 'Lead', 'Contact', 'Opportunity', 'Case'];

/** EspoCRM 8.4 and later with an API user, as its source has it. */
export async function startSimulator(options: EspocrmSimulatorOptions = {}): Promise<EspocrmSimulator> {
  const { hasFields = true, lacks = [], signs = 'both', now = () => new Date() } = options;
  const tables = new Map<string, Map<string, Row>>(Object.keys(attributes).map((entity) => [entity, new Map()]));
  const table = (entity: string): Map<string, Row> => tables.get(entity) as Map<string, Row>;
  const apiUser = insert('User', { name: 'Ringline', userName: 'ringline', type: 'api', isActive: true });

  function stamp(): string {
    return now().toISOString().slice(0, 19).replace('T', ' ');
  }

  function insert(entity: string, fields: Fields, numbers: readonly string[] = [], isOurs = false): Row {
    const id = randomUUID().replaceAll('-', '').slice(0, 17);
    const row: Row = { ...fields, id, createdAt: stamp(), modifiedAt: stamp(), numbers: [...numbers], isOurs };
    table(entity).set(id, row);
    return row;
  }

  function known(entity: string): readonly string[] {
    return [...(attributes[entity] ?? []), ...(hasFields ? (custom[entity] ?? []) : [])];
  }

  function handle(request: SimulatedRequest): SimulatedAnswer {
    if (!request.path.startsWith('/api/v1/')) return { status: 404, text: '<h1>404 Not Found</h1>' };
    // A bad key: no body at all.
    if (request.headers['x-api-key'] !== API_KEY) return { status: 401 };
    const [entity = '', id, ...more] = request.path.slice('/api/v1/'.length).split('/').map(decodeURIComponent);
    if (entity === 'App' && id === 'user') return { status: 200, json: me() };
    if (!tables.has(entity) || more.length > 0) return refused(404, '');
    const action =
      { GET: 'read', POST: 'create', PUT: 'edit', PATCH: 'edit', DELETE: 'delete' }[request.method] ?? 'none';
    if (lacks.includes(`${entity}: ${action}`)) return refused(403, `No ${action} access.`);
    if (id === undefined) {
      if (request.method === 'GET') return list(entity, request);
      if (request.method === 'POST') return entity === 'Attachment' ? upload(request) : create(entity, request);
      return refused(404, '');
    }
    const row = table(entity).get(id);
    if (row === undefined) return refused(404, '');
    switch (request.method) {
      case 'GET':
        return { status: 200, json: shown(entity, row, true) };
      case 'PUT':
      case 'PATCH':
        return update(entity, row, request);
      case 'DELETE':
        table(entity).delete(id);
        return { status: 200, json: true };
      default:
        return refused(404, '');
    }
  }

  function me(): unknown {
    const scopes = ['Call', 'Contact', 'Lead', 'Account', 'Task', 'User'].map((scope) => {
      const right = (action: string, given: string): string => (lacks.includes(`${scope}: ${action}`) ? 'no' : given);
      return [
        scope,
        {
          create: right('create', 'yes'),
          read: right('read', 'all'),
          edit: right('edit', 'all'),
          delete: right('delete', 'all'),
        },
      ];
    });
    return { user: { id: apiUser.id, userName: 'ringline', type: 'api' }, acl: { table: Object.fromEntries(scopes) } };
  }

  function list(entity: string, { query }: SimulatedRequest): SimulatedAnswer {
    const maxSize = Number(query.get('maxSize') ?? BIGGEST_PAGE);
    if (maxSize > BIGGEST_PAGE)
      return refused(403, `Max size should should not exceed ${BIGGEST_PAGE}. Use offset and limit.`);
    const where = parseWhere(query);
    const unknown = attributesIn(where).find((one) => !known(entity).includes(one));
    if (unknown !== undefined) return refused(400, `Not existing attribute '${unknown}' in where.`);
    const orderBy = query.get('orderBy') ?? 'createdAt';
    if (!known(entity).includes(orderBy)) return refused(400, `Order by non-existing field '${orderBy}'.`);
    const sign = query.get('order') === 'desc' ? -1 : 1;
    const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
    const rows = [...table(entity).values()]
      .filter((row) => where.every((item) => holds(item, row)))
      .toSorted((a, b) => sign * (compare(textOf(a[orderBy]), textOf(b[orderBy])) || compare(a.id, b.id)));
    const offset = Number(query.get('offset') ?? 0);
    const wanted = query.get('select')?.split(',');
    const page = rows.slice(offset, offset + maxSize).map((row) => {
      const whole = shown(entity, row, false);
      return wanted === undefined
        ? whole
        : Object.fromEntries(Object.entries(whole).filter(([name]) => name === 'id' || wanted.includes(name)));
    });
    return { status: 200, json: { total: rows.length, list: page } };
  }

  function create(entity: string, { json, headers }: SimulatedRequest): SimulatedAnswer {
    if (typeof json !== 'object' || json === null) return refused(400, 'Body is not JSON.');
    const fields = accepted(entity, json as Fields);
    const wrong = wrongIn(entity, fields, true);
    if (wrong !== null) return wrong;
    if (entity === 'Contact' || entity === 'Lead') fields['name'] = personName(fields);
    if (headers['x-skip-duplicate-check'] !== 'true' && ['Contact', 'Lead', 'Account'].includes(entity)) {
      const twins = [...table(entity).values()].filter(({ name }) => name === fields['name']);
      if (twins.length > 0) {
        return { ...refused(409, 'duplicate'), json: twins.map((row) => shown(entity, row, true)) };
      }
    }
    const { phoneNumber } = fields;
    const row = insert(
      entity,
      withDefaults(entity, fields),
      typeof phoneNumber === 'string' ? [phoneNumber] : [],
      true,
    );
    return { status: 200, json: shown(entity, row, true) };
  }

  function update(entity: string, row: Row, { json }: SimulatedRequest): SimulatedAnswer {
    if (typeof json !== 'object' || json === null) return refused(400, 'Body is not JSON.');
    const fields = accepted(entity, json as Fields);
    const wrong = wrongIn(entity, { ...row, ...fields }, false);
    if (wrong !== null) return wrong;
    const attachment = table('Attachment').get(textOf(fields['cRecordingId']));
    if (attachment !== undefined) fields['cRecordingName'] = attachment['name'];
    Object.assign(row, fields, { modifiedAt: stamp() });
    return { status: 200, json: shown(entity, row, true) };
  }

  function upload({ json }: SimulatedRequest): SimulatedAnswer {
    const { file, field, relatedType, parentType, role, name, type } = (json ?? {}) as Fields;
    if (typeof file !== 'string') return refused(400, 'No file contents.');
    const [, base64] = file.split(',');
    if (base64 === undefined) return refused(400, 'Bad file contents.');
    const entity = parentType ?? relatedType;
    if (typeof entity !== 'string' || typeof field !== 'string') return refused(400, 'No `field` and `parentType`.');
    if (role !== undefined && role !== 'Attachment') return refused(403, 'Role not allowed.');
    if (!known(entity).includes(`${field}Id`)) return refused(403, `Field '${field}' does not exist.`);
    const size = Buffer.from(base64, 'base64').length;
    if (size > UPLOAD_BYTES) return refused(400, 'File size should not exceed 50 Mb.');
    const row = insert('Attachment', { name, type, role, relatedType, field, size });
    return { status: 200, json: shown('Attachment', row, true) };
  }

  /** What is no field of the entity is dropped without a word. */
  function accepted(entity: string, json: Fields): Fields {
    const readOnly = ['id', 'createdAt', 'modifiedAt', 'phoneNumberNumeric'];
    return Object.fromEntries(
      Object.entries(json).filter(([name]) => known(entity).includes(name) && !readOnly.includes(name)),
    );
  }

  function wrongIn(entity: string, fields: Fields, isNew: boolean): SimulatedAnswer | null {
    for (const field of required[entity] ?? []) {
      const value = fields[field];
      if (value === undefined || value === null || value === '')
        return invalid(entity, field.replace(/Id$/, ''), 'required');
    }
    for (const [name, value] of Object.entries(fields)) {
      // As on PostgreSQL, which takes none.
      if (typeof value === 'string' && value.includes('\0')) return refused(500, 'Database error.');
      const allowed = enums[`${entity}.${name}`];
      if (allowed !== undefined && !allowed.includes(textOf(value))) return invalid(entity, name, 'valid');
      if (/^date(Start|End)$/.test(name) && !/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(textOf(value))) {
        return invalid(entity, name, 'valid');
      }
      if (name === 'name' && typeof value === 'string') {
        if (['Call', 'Task'].includes(entity) && /[<>=]/.test(value)) return invalid(entity, name, 'pattern');
        if ([...value].length > 255) return invalid(entity, name, 'maxLength');
      }
      if (isNew && name === 'phoneNumber' && value !== null && !/^\+[1-9]\d{6,14}$/.test(textOf(value))) {
        return invalid(entity, name, 'valid');
      }
      if (name === 'assignedUserId' && value !== null && !table('User').has(textOf(value))) {
        return invalid(entity, 'assignedUser', 'valid');
      }
      if (name === 'parentType' && value != null && !parents.includes(textOf(value)))
        return invalid(entity, 'parent', 'valid');
    }
    if (entity === 'Call' && textOf(fields['dateEnd']) < textOf(fields['dateStart']))
      return invalid(entity, 'dateEnd', 'after');
    return null;
  }

  function holds(item: Where, row: Row): boolean {
    const { type, attribute, value } = item;
    if (type === 'or' || type === 'and') {
      const inner = (value ?? []) as readonly Where[];
      return type === 'or' ? inner.some((one) => holds(one, row)) : inner.every((one) => holds(one, row));
    }
    if (attribute === 'phoneNumber') return row.numbers.includes(textOf(value));
    if (attribute === 'phoneNumberNumeric') return row.numbers.some((one) => one.replace(/\D/g, '') === value);
    const stored = row[attribute ?? ''];
    const text = typeof stored === 'string' ? stored : '';
    switch (type) {
      case 'equals':
        return text === value;
      case 'in':
        return Array.isArray(value) && (value as readonly unknown[]).includes(text);
      case 'contains':
        return text.toLowerCase().includes(textOf(value).toLowerCase());
      case 'after':
      case 'greaterThan':
        return text > textOf(value);
      case 'greaterThanOrEquals':
        return text >= textOf(value);
      case 'before':
        return text !== '' && text < textOf(value);
      default:
        throw new Error(`the simulator knows no filter ${type}`);
    }
  }

  function shown(entity: string, row: Row, isAlone: boolean): Fields {
    const visible = Object.entries(row).filter(
      ([name]) => known(entity).includes(name) && name !== 'phoneNumberNumeric',
    );
    const hasPhone = known(entity).includes('phoneNumber');
    return {
      ...Object.fromEntries(visible),
      ...(hasPhone && { phoneNumber: row.numbers[0] ?? null }),
      // Only a record that is read alone has all of its numbers.
      ...(hasPhone &&
        isAlone && {
          phoneNumberData: row.numbers.map((phoneNumber, index) => ({
            phoneNumber,
            type: 'Mobile',
            primary: index === 0,
            optOut: false,
            invalid: false,
          })),
        }),
    };
  }

  function toCall(row: Row): SimulatedCall {
    const text = typeof row['description'] === 'string' ? row['description'] : '';
    const time = (field: string): Date => new Date(`${textOf(row[field]).replace(' ', 'T')}Z`);
    const attachment = table('Attachment').get(textOf(row['cRecordingId']));
    const url = row['cRecordingUrl'] ?? /^» Recording: (.*)$/m.exec(text)?.[1];
    const { status } = row;
    return {
      id: row.id,
      externalId: (row['cRinglineId'] as string | undefined) ?? /^» Ringline ([0-9a-f-]{36})$/m.exec(text)?.[1] ?? null,
      direction: row['direction'] === 'Inbound' ? 'inbound' : 'outbound',
      number: null,
      seconds: (time('dateEnd').getTime() - time('dateStart').getTime()) / 1000,
      wasAnswered: status === 'Planned' ? null : status === 'Held',
      isOpen: status === 'Planned',
      startedAt: time('dateStart'),
      ownerId: (row['assignedUserId'] as string | null) ?? null,
      contactIds: [
        ...new Set([
          ...((row['contactsIds'] as string[] | undefined) ?? []),
          ...((row['leadsIds'] as string[] | undefined) ?? []),
          ...(typeof row['parentId'] === 'string' ? [row['parentId']] : []),
        ]),
      ],
      text,
      recording:
        attachment !== undefined ? { bytes: Number(attachment['size']) } : typeof url === 'string' ? { url } : null,
    };
  }

  const server = await SimulatorServer.start({ handle });

  return {
    settings: {
      url: server.url,
      apiKey: API_KEY,
      webhookSecrets: [WEBHOOK.secret],
      clickSecret: CLICK_SECRET,
      ...(hasFields && {
        idField: 'cRinglineId',
        recordingField: 'cRecording',
        recordingUrlField: 'cRecordingUrl',
        extensionField: 'cExtension',
      }),
    },
    clickSecret: CLICK_SECRET,
    webhook: WEBHOOK,
    addUser: ({ name, email = null, extension = null }) =>
      insert('User', {
        name,
        userName: name.toLowerCase().replace(/\W+/g, '.'),
        emailAddress: email,
        type: 'regular',
        isActive: true,
        ...(extension !== null && { cExtension: extension }),
      }).id,
    addContact: ({ name, numbers, kind = 'contact', ownerId = null }) => {
      const type = kinds[kind];
      return { type, id: insert(type, { name, lastName: name, assignedUserId: ownerId }, numbers).id };
    },
    calls: () => [...table('Call').values()].map(toCall),
    tasks: () =>
      [...table('Task').values()].map((row) => ({
        id: row.id,
        ownerId: (row['assignedUserId'] as string | undefined) ?? null,
        subject: textOf(row['name']),
        isOpen: row['status'] !== 'Completed' && row['status'] !== 'Canceled',
      })),
    created: () =>
      (['Lead', 'Contact'] as const).flatMap((entity) =>
        [...table(entity).values()]
          .filter(({ isOurs }) => isOurs)
          .map(({ id, numbers }) => ({ kind: entity === 'Lead' ? 'lead' : 'contact', id, numbers })),
      ),
    pops: () => [],
    writeNote: (callId, text) => {
      const row = table('Call').get(callId) as Row;
      Object.assign(row, { description: `${textOf(row['description'])}${text}`, modifiedAt: stamp() });
    },
    click: ({ userId, number, doorUrl }) => sendSignedClick(doorUrl, { userId, number }, CLICK_SECRET),
    record: (entity, id) => table(entity).get(id),
    change: (entity, id, fields) => {
      Object.assign(table(entity).get(id) as Row, { modifiedAt: stamp(), ...fields });
    },
    tellChange: (doorUrl, secret = WEBHOOK.secret) => {
      const body = JSON.stringify([{ id: randomUUID().replaceAll('-', '').slice(0, 17), phoneNumber: '+74950000000' }]);
      return post(doorUrl, body, signaturesOf(body, secret, signs));
    },
    attachments: () => table('Attachment').size,
    fail: (fault) => server.fail(fault),
    expireTokens: () => undefined,
    requests: server.requests,
    get violations() {
      return server.violations;
    },
    stop: () => server.stop(),
  };
}

/** As EspoCRM's sender builds them. */
export function signaturesOf(
  body: string,
  secret: string,
  which: NonNullable<EspocrmSimulatorOptions['signs']>,
): Record<string, string> {
  const hmac = createHmac('sha256', secret).update(body).digest();
  const raw = Buffer.concat([Buffer.from(`${WEBHOOK.id}:`), hmac]).toString('base64');
  const hex = Buffer.from(`${WEBHOOK.id}:${hmac.toString('hex')}`).toString('base64');
  return { ...(which !== 'signature' && { 'x-signature': raw }), ...(which !== 'x-signature' && { signature: hex }) };
}

function post(url: string, body: string, headers: Record<string, string>): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
}

function refused(status: number, reason: string): SimulatedAnswer {
  return { status, headers: { 'x-status-reason': reason } };
}

function invalid(entity: string, field: string, type: string): SimulatedAnswer {
  return {
    ...refused(400, `Field validation failure; entityType: ${entity}, field: ${field}, type: ${type}.`),
    json: { messageTranslation: { label: 'validationFailure', scope: null, data: { field, type } } },
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function personName({ firstName, lastName }: Fields): string {
  return [firstName, lastName].filter((part) => typeof part === 'string' && part !== '').join(' ');
}

function withDefaults(entity: string, fields: Fields): Fields {
  if (entity === 'Call')
    return { status: 'Planned', direction: 'Outbound', usersIds: [], contactsIds: [], leadsIds: [], ...fields };
  if (entity === 'Task') return { status: 'Not Started', ...fields };
  return fields;
}

type Where = { readonly type: string; readonly attribute?: string; readonly value?: unknown };

function attributesIn(where: readonly Where[]): readonly string[] {
  return where.flatMap(({ attribute, value, type }) => [
    ...(attribute === undefined ? [] : [attribute]),
    ...(type === 'or' || type === 'and' ? attributesIn((value ?? []) as readonly Where[]) : []),
  ]);
}

/** `where[0][value][1][type]=equals`, as PHP reads a query. */
function parseWhere(query: URLSearchParams): readonly Where[] {
  type Node = { [key: string]: Node | string };
  const root: Node = {};
  for (const [name, value] of query) {
    if (!name.startsWith('where[')) continue;
    const keys = [...name.matchAll(/\[(.*?)\]/g)].map(([, key]) => key ?? '');
    let node = root;
    keys.forEach((key, index) => {
      const own = key === '' ? String(Object.keys(node).length) : key;
      if (index === keys.length - 1) node[own] = value;
      else node = (node[own] ??= {}) as Node;
    });
  }
  const toList = (node: Node): unknown =>
    Object.keys(node).every((key) => /^\d+$/.test(key)) ? Object.values(node).map(unfold) : unfold(node);
  const unfold = (node: Node | string): unknown =>
    typeof node === 'string'
      ? node
      : Object.fromEntries(
          Object.entries(node).map(([key, one]) => [key, typeof one === 'string' ? one : toList(one)]),
        );
  return toList(root) as readonly Where[];
}
