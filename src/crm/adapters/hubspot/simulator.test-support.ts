import { randomUUID } from 'node:crypto';
import type { CrmSimulator, SimulatedCall } from '../../../../lab/crm/crm-simulator.js';
import { sendSignedClick } from '../../../../lab/crm/signed-click.js';
import { SimulatorServer, type SimulatedAnswer, type SimulatedRequest } from '../../../../lab/crm/simulator-server.js';
import type { Limit } from '../../port/limit.js';

const CLICK_SECRET = 'hubspot-click-secret-0123456789abcdef';
const TOKEN = 'pat-eu1-5b1f6a8e-1c2d-4e3f-9a0b-c1d2e3f4a5b6';
/** As the README names it. */
const ID_PROPERTY = 'ringline_call_id';
const PORTAL = 48291765;

export type HubspotSimulatorOptions = {
  /** Until the search finds what was made or changed through the API. */
  readonly lagMs?: number;
  /** Scopes that the private app was not given: what begins with such a path is refused. */
  readonly lacks?: readonly string[];
  /** Whether the admin has made `ringline_call_id` by hand, for calls, contacts and tasks. */
  readonly hasIdProperties?: boolean;
  readonly limits?: readonly Limit[];
  /** Links to recordings that are not secure are refused, but for a lab on loopback. */
  readonly takesHttpLinks?: boolean;
};

export interface HubspotSimulator extends CrmSimulator {
  lagMs: number;
  readonly token: string;
  /** Properties as they are stored. */
  record(type: ObjectType, id: string): Readonly<Record<string, string>> | undefined;
  /** Somebody changes one in HubSpot. */
  change(type: ObjectType, id: string, properties: Readonly<Record<string, string>>): void;
  /** Somebody deletes one in HubSpot. */
  remove(type: ObjectType, id: string): void;
  /** Those of an object, such as `contacts/101`. */
  associations(type: ObjectType, id: string): readonly string[];
  properties(type: ObjectType): readonly string[];
}

export type ObjectType = 'calls' | 'contacts' | 'companies' | 'tasks';
type Stored = {
  readonly id: string;
  properties: Record<string, string>;
  createdAt: number;
  updatedAt: number;
  /** From when on a search finds it. */
  indexedAt: number;
  readonly isOurs: boolean;
  readonly links: Set<string>;
};
type Property = { readonly name: string; readonly hasUniqueValue?: boolean };

const common = ['hubspot_owner_id', 'hs_object_id', 'hs_createdate', 'createdate'];
const calculatedNames = [
  'hs_searchable_calculated_phone_number',
  'hs_searchable_calculated_mobile_number',
  'lastmodifieddate',
  'hs_lastmodifieddate',
];
const builtIn: Readonly<Record<ObjectType, readonly string[]>> = {
  calls: [
    ...common,
    'hs_timestamp',
    'hs_call_title',
    'hs_call_body',
    'hs_call_direction',
    'hs_call_status',
    'hs_call_duration',
    'hs_call_source',
    'hs_call_from_number',
    'hs_call_to_number',
    'hs_call_disposition',
    'hs_call_recording_url',
  ],
  contacts: [...common, 'firstname', 'lastname', 'email', 'company', 'phone', 'mobilephone', 'lifecyclestage'],
  companies: [...common, 'name', 'domain', 'phone'],
  tasks: [
    ...common,
    'hs_timestamp',
    'hs_task_subject',
    'hs_task_body',
    'hs_task_status',
    'hs_task_type',
    'hs_task_priority',
  ],
};
const enums: Readonly<Record<string, readonly string[]>> = {
  hs_call_direction: ['INBOUND', 'OUTBOUND'],
  hs_call_status: [
    'BUSY',
    'CALLING_CRM_USER',
    'CANCELED',
    'COMPLETED',
    'CONNECTING',
    'FAILED',
    'IN_PROGRESS',
    'NO_ANSWER',
    'QUEUED',
    'RINGING',
  ],
  hs_call_source: ['INTEGRATIONS_PLATFORM'],
  hs_task_status: ['NOT_STARTED', 'IN_PROGRESS', 'WAITING', 'DEFERRED', 'COMPLETED'],
  hs_task_type: ['EMAIL', 'CALL', 'TODO'],
};
const dispositions = [
  { id: '9d9162e7-6cf3-4944-bf63-4dff82258764', label: 'Busy', deleted: false },
  { id: 'f240bbac-87c9-4f6e-bf70-924b57d47db7', label: 'Connected', deleted: false },
  { id: 'a4c4c377-d246-4b32-a13b-75a56a4cd0ff', label: 'Left live message', deleted: false },
  { id: 'b2cf5968-551e-4856-9783-52b3da59a7d0', label: 'Left voicemail', deleted: false },
  { id: '73a0d17f-1163-4015-bdd5-ec830791da20', label: 'No answer', deleted: false },
  { id: '17b47fee-58de-441e-a44c-c6300d46f273', label: 'Wrong number', deleted: false },
  { id: 'c2a1d6b0-2f0e-4b8e-9a53-0a1b2c3d4e5f', label: 'Wants an offer', deleted: false },
];
const LENGTH = 65_536;
const openStatuses = ['RINGING', 'IN_PROGRESS', 'CONNECTING', 'QUEUED', 'CALLING_CRM_USER'];
const searchLimit: Limit = { kind: 'window', requests: 5, seconds: 1, lane: 'search' };
const burst: Limit = { kind: 'window', requests: 190, seconds: 10 };

class Refusal extends Error {
  constructor(readonly answer: SimulatedAnswer) {
    super('refused');
  }
}

function problem(status: number, category: string, message: string, more: object = {}): SimulatedAnswer {
  return { status, json: { status: 'error', message, correlationId: randomUUID(), category, ...more } };
}

function invalid(name: string, error: string, message: string): Refusal {
  const list = JSON.stringify([{ isValid: false, message, error, name }]);
  return new Refusal(problem(400, 'VALIDATION_ERROR', `Property values were not valid: ${list}`));
}

export async function startSimulator(options: HubspotSimulatorOptions = {}): Promise<HubspotSimulator> {
  const { lacks = [], limits = [burst, searchLimit] } = options;
  const state = { lagMs: options.lagMs ?? 0 };
  let ids = 100;
  const next = (): string => String(++ids);
  const objects: Record<ObjectType, Map<string, Stored>> = {
    calls: new Map(),
    contacts: new Map(),
    companies: new Map(),
    tasks: new Map(),
  };
  const owners: { id: string; email: string; firstName: string; lastName: string; archived: boolean }[] = [];
  const custom = new Map<ObjectType, Property[]>();
  const groups = new Set<string>();
  if (options.hasIdProperties === true) {
    for (const type of ['calls', 'contacts', 'tasks'] as const) {
      custom.set(type, [{ name: ID_PROPERTY, hasUniqueValue: true }]);
    }
  }

  const known = (type: ObjectType): readonly string[] => [
    ...builtIn[type],
    ...calculatedNames,
    ...(custom.get(type) ?? []).map(({ name }) => name),
  ];

  const check = (type: ObjectType, id: string | null, given: Readonly<Record<string, unknown>>): void => {
    for (const [name, value] of Object.entries(given)) {
      if (!known(type).includes(name)) {
        throw invalid(name, 'PROPERTY_DOESNT_EXIST', `Property "${name}" does not exist`);
      }
      if (calculatedNames.includes(name)) throw invalid(name, 'READ_ONLY_VALUE', `"${name}" is a read only property`);
      const text = String(value);
      if (text === '') continue;
      if (enums[name]?.includes(text) === false) {
        throw invalid(
          name,
          'INVALID_OPTION',
          `${text} was not one of the allowed options: [${enums[name].join(', ')}]`,
        );
      }
      if (text.length > LENGTH) throw invalid(name, 'TOO_LONG', `Property "${name}" is longer than ${LENGTH}`);
      if (name === 'hs_call_duration' && !/^\d+$/.test(text))
        throw invalid(name, 'INVALID_INTEGER', `${text} is no number`);
      if (name === 'hs_timestamp' && Number.isNaN(timeOf(text)))
        throw invalid(name, 'INVALID_DATE', `${text} is no time`);
      if (name === 'hubspot_owner_id' && !owners.some((owner) => owner.id === text)) {
        throw invalid(name, 'INVALID_OWNER_ID', `Owner ${text} does not exist`);
      }
      if (name === 'hs_call_disposition' && !dispositions.some((one) => one.id === text)) {
        throw invalid(name, 'INVALID_OPTION', `${text} is no disposition`);
      }
      const isSecure = text.startsWith('https://') || options.takesHttpLinks === true;
      if (name === 'hs_call_recording_url' && !isSecure) {
        throw invalid(name, 'INVALID_URL', `${text} is not an https URL`);
      }
      const isUnique = custom.get(type)?.some((one) => one.name === name && one.hasUniqueValue) === true;
      const other = [...objects[type].values()].find((one) => one.properties[name] === text && one.id !== id);
      if (isUnique && other !== undefined) {
        throw new Refusal(problem(409, 'CONFLICT', `${name} ${text} is already of ${other.id}`));
      }
    }
  };

  const write = (
    type: ObjectType,
    id: string | null,
    given: Readonly<Record<string, unknown>>,
    isOurs = true,
  ): Stored => {
    if (isOurs) check(type, id, given);
    const before = id === null ? undefined : objects[type].get(id);
    const texts = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)]));
    const properties = { ...before?.properties, ...texts };
    if ((type === 'calls' || type === 'tasks') && (properties['hs_timestamp'] ?? '') === '') {
      throw invalid('hs_timestamp', 'REQUIRED_FIELD', 'Property "hs_timestamp" is required');
    }
    const now = Date.now();
    properties[type === 'contacts' ? 'lastmodifieddate' : 'hs_lastmodifieddate'] = new Date(now).toISOString();
    properties['hs_searchable_calculated_phone_number'] = searchable(properties['phone']);
    properties['hs_searchable_calculated_mobile_number'] = searchable(properties['mobilephone']);
    const stored: Stored = {
      id: before?.id ?? next(),
      properties,
      createdAt: before?.createdAt ?? now,
      updatedAt: now,
      indexedAt: isOurs ? now + state.lagMs : 0,
      isOurs: before?.isOurs ?? isOurs,
      links: before?.links ?? new Set(),
    };
    stored.properties['hs_object_id'] = stored.id;
    objects[type].set(stored.id, stored);
    return stored;
  };

  const shown = ({ id, properties, createdAt, updatedAt }: Stored, wanted?: readonly string[]): object => ({
    id,
    properties: Object.fromEntries(
      (wanted ?? Object.keys(properties)).map((name) => [
        name,
        properties[name] === '' ? null : (properties[name] ?? null),
      ]),
    ),
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(updatedAt).toISOString(),
    archived: false,
  });

  const find = (type: ObjectType, id: string, idProperty: string | null): Stored => {
    const isUnique = custom.get(type)?.some((one) => one.name === idProperty && one.hasUniqueValue) === true;
    if (idProperty !== null && !isUnique) {
      throw new Refusal(problem(400, 'VALIDATION_ERROR', `${idProperty} is not a unique property of ${type}`));
    }
    const found =
      idProperty === null
        ? objects[type].get(id)
        : [...objects[type].values()].find(({ properties }) => properties[idProperty] === id);
    if (found === undefined) {
      throw new Refusal(problem(404, 'OBJECT_NOT_FOUND', 'Object not found.  objectId are usually numeric.'));
    }
    return found;
  };

  const upsert = (type: ObjectType, json: unknown): SimulatedAnswer => {
    const { inputs = [] } = json as { inputs?: { id?: unknown; idProperty?: string; properties?: object }[] };
    if (inputs.length === 0 || inputs.length > 100) {
      return problem(400, 'VALIDATION_ERROR', 'The number of inputs must be between 1 and 100');
    }
    const results = inputs.map(({ id, idProperty, properties }) => {
      if (typeof id !== 'string' || properties === undefined) {
        throw new Refusal(problem(400, 'VALIDATION_ERROR', 'Invalid input JSON: id and properties are required'));
      }
      const isUnique = custom.get(type)?.some((one) => one.name === idProperty && one.hasUniqueValue) === true;
      if (idProperty === undefined || !isUnique) {
        throw new Refusal(
          problem(400, 'VALIDATION_ERROR', `${idProperty ?? 'id'} is not a unique property of ${type}`),
        );
      }
      const before = [...objects[type].values()].find((one) => one.properties[idProperty] === id);
      const stored = write(type, before?.id ?? null, { ...properties, [idProperty]: id });
      return { ...shown(stored), new: before === undefined };
    });
    const at = new Date().toISOString();
    return { status: 200, json: { status: 'COMPLETE', results, startedAt: at, completedAt: at } };
  };

  const search = (type: ObjectType, json: unknown): SimulatedAnswer => {
    const asked = json as Search;
    const { filterGroups = [], sorts = [], limit = 10, properties } = asked;
    const after = Number(asked.after ?? 0);
    if (filterGroups.length > 5 || filterGroups.some(({ filters }) => filters.length > 6) || sorts.length > 1) {
      return problem(400, 'VALIDATION_ERROR', 'There is a problem with the request: too many filters or sorts');
    }
    if (limit > 200 || after + limit > 10_000) {
      return problem(400, 'VALIDATION_ERROR', 'The search goes beyond 10,000 results');
    }
    const unknown = filterGroups
      .flatMap(({ filters }) => filters)
      .find((one) => !known(type).includes(one.propertyName));
    if (unknown !== undefined) {
      return problem(400, 'VALIDATION_ERROR', `There is no property ${unknown.propertyName}`);
    }
    const now = Date.now();
    const [sort] = sorts;
    const matches = [...objects[type].values()]
      .filter((one) => one.indexedAt <= now && filterGroups.some(({ filters }) => filters.every((f) => fits(one, f))))
      .sort((a, b) => {
        const by = sort?.propertyName ?? 'hs_object_id';
        const [left, right] = [a.properties[by] ?? '', b.properties[by] ?? ''];
        return (left < right ? -1 : left > right ? 1 : 0) * (sort?.direction === 'DESCENDING' ? -1 : 1);
      });
    const page = matches.slice(after, after + limit);
    const isMore = after + limit < matches.length;
    return {
      status: 200,
      json: {
        total: matches.length,
        results: page.map((one) => shown(one, properties)),
        ...(isMore && { paging: { next: { after: String(after + limit) } } }),
      },
    };
  };

  const list = (type: ObjectType, query: URLSearchParams): SimulatedAnswer => {
    const limit = Number(query.get('limit') ?? 10);
    if (limit > 100) return problem(400, 'VALIDATION_ERROR', 'limit must be at most 100');
    const after = Number(query.get('after') ?? 0);
    const all = [...objects[type].values()]
      .filter(({ id }) => Number(id) > after)
      .sort((a, b) => Number(a.id) - Number(b.id));
    const page = all.slice(0, limit);
    const last = page.at(-1)?.id;
    return {
      status: 200,
      json: {
        results: page.map((one) => shown(one, query.get('properties')?.split(','))),
        ...(all.length > limit && { paging: { next: { after: last, link: '' } } }),
      },
    };
  };

  const aboutObjects = ({ method, query, json }: SimulatedRequest, rest: readonly string[]): SimulatedAnswer => {
    const [name = '', id, what, , to = '', toId = ''] = rest;
    if (!(name in objects)) return problem(404, 'OBJECT_NOT_FOUND', `There are no ${name}`);
    const type = name as ObjectType;
    if (id === undefined && method === 'GET') return list(type, query);
    if (id === undefined && method === 'POST') {
      const stored = write(type, null, (json as { properties: Record<string, string> }).properties);
      return { status: 201, json: shown(stored) };
    }
    if (id === 'search') return search(type, json);
    if (id === 'batch' && what === 'upsert') return upsert(type, json);
    if (id === undefined || id === 'batch') return problem(405, 'METHOD_NOT_ALLOWED', 'No such method');
    if (what === 'associations' && method === 'PUT') {
      find(type, id, null).links.add(`${to}/${find(to as ObjectType, toId, null).id}`);
      return { status: 200, json: { status: 'COMPLETE', results: [{ from: { id }, to: { id: toId } }] } };
    }
    if (method === 'GET') {
      return { status: 200, json: shown(find(type, id, query.get('idProperty')), query.get('properties')?.split(',')) };
    }
    if (method === 'PATCH') {
      const { properties } = json as { properties: Record<string, string> };
      return { status: 200, json: shown(write(type, find(type, id, query.get('idProperty')).id, properties)) };
    }
    if (method === 'DELETE') {
      objects[type].delete(id);
      return { status: 204 };
    }
    return problem(405, 'METHOD_NOT_ALLOWED', 'No such method');
  };

  const aboutProperties = ({ method, json }: SimulatedRequest, rest: readonly string[]): SimulatedAnswer => {
    const [name = '', property] = rest;
    const type = name as ObjectType;
    const mine = custom.get(type) ?? [];
    if (property === 'groups' && method === 'POST') {
      const { name: group } = json as { name: string };
      if (groups.has(`${type}/${group}`)) return problem(409, 'OBJECT_ALREADY_EXISTS', `Group ${group} exists`);
      groups.add(`${type}/${group}`);
      return { status: 201, json: { name: group, label: group, archived: false, displayOrder: -1 } };
    }
    if (property !== undefined) {
      const found = mine.find((one) => one.name === property);
      if (found !== undefined) return { status: 200, json: { ...found, type: 'string', fieldType: 'text' } };
      return problem(404, 'OBJECT_NOT_FOUND', `Property "${property}" does not exist`);
    }
    const given = json as Property & { groupName?: string; label?: string; type?: string; fieldType?: string };
    if ([given.name, given.groupName, given.label, given.type, given.fieldType].includes(undefined)) {
      return problem(400, 'VALIDATION_ERROR', 'Invalid input JSON: a required field is missing');
    }
    if (!groups.has(`${type}/${given.groupName}`)) {
      return problem(400, 'VALIDATION_ERROR', `Property group ${given.groupName} does not exist`);
    }
    if (mine.some((one) => one.name === given.name)) {
      return problem(409, 'PROPERTY_ALREADY_EXISTS', `A property named ${given.name} already exists`);
    }
    custom.set(type, [...mine, { name: given.name, hasUniqueValue: given.hasUniqueValue ?? false }]);
    return { status: 201, json: given };
  };

  const handle = (request: SimulatedRequest): SimulatedAnswer => {
    const { method, path, query, headers } = request;
    if (headers['authorization'] !== `Bearer ${TOKEN}`) {
      return problem(
        401,
        'INVALID_AUTHENTICATION',
        'Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview',
      );
    }
    // Versions by number and by date stand at different places.
    const place = path.replace(/\/(v\d|20\d\d-\d\d)(?=\/|$)/, '').replace(/\/$/, '');
    if (lacks.some((one) => place.startsWith(one))) {
      return problem(403, 'MISSING_SCOPES', "This app hasn't been granted all required scopes to make this call.", {
        errors: [{ message: 'One or more of the following scopes are required.' }],
      });
    }
    const [, area, what, ...rest] = place.split('/').map(decodeURIComponent);
    if (place === '/account-info/details') {
      return { status: 200, json: { portalId: PORTAL, accountType: 'STANDARD', uiDomain: 'app-eu1.hubspot.com' } };
    }
    if (place === '/calling/dispositions') return { status: 200, json: dispositions };
    if (area !== 'crm') return problem(404, 'OBJECT_NOT_FOUND', 'No such resource');
    try {
      if (what === 'objects') return aboutObjects(request, rest);
      if (what === 'properties') return aboutProperties(request, rest);
      if (what === 'owners' && method === 'GET') {
        const after = Number(query.get('after') ?? 0);
        const limit = Number(query.get('limit') ?? 100);
        const isMore = after + limit < owners.length;
        const results = owners.slice(after, after + limit);
        return {
          status: 200,
          json: { results, ...(isMore && { paging: { next: { after: String(after + limit) } } }) },
        };
      }
    } catch (error) {
      if (error instanceof Refusal) return error.answer;
      throw error;
    }
    return problem(404, 'OBJECT_NOT_FOUND', 'No such resource');
  };

  const server = await SimulatorServer.start({
    handle,
    limits,
    laneOf: ({ path }) => (path.endsWith('/search') ? 'search' : undefined),
    refuse: (limit) => {
      const isSearch = limit.lane === 'search';
      const message = isSearch
        ? 'You have reached your secondly limit.'
        : 'You have reached your ten_secondly_rolling limit.';
      const policyName = isSearch ? 'SECONDLY' : limit.kind === 'daily' ? 'DAILY' : 'TEN_SECONDLY_ROLLING';
      const json = { status: 'error', message, errorType: 'RATE_LIMIT', correlationId: randomUUID(), policyName };
      return { status: 429, json };
    },
  });

  return {
    settings: { accessToken: TOKEN, apiUrl: server.url, clickSecret: CLICK_SECRET },
    token: TOKEN,
    get lagMs() {
      return state.lagMs;
    },
    set lagMs(ms: number) {
      state.lagMs = ms;
    },
    addUser: ({ name, email = '' }) => {
      const [firstName = '', ...others] = name.split(' ');
      const id = next();
      owners.push({ id, email, firstName, lastName: others.join(' '), archived: false });
      return id;
    },
    addContact: ({ name, numbers, kind = 'contact', ownerId }) => {
      const type = kind === 'company' ? 'companies' : 'contacts';
      const [phone = '', mobilephone = ''] = numbers;
      const own = ownerId === undefined ? {} : { hubspot_owner_id: ownerId };
      const names = type === 'companies' ? { name } : { firstname: name, mobilephone };
      const { id } = write(type, null, { ...names, phone, ...own }, false);
      return { type: type === 'companies' ? 'company' : 'contact', id };
    },
    calls: () => [...objects.calls.values()].map(neutral),
    tasks: () =>
      [...objects.tasks.values()].map(({ id, properties: p }) => ({
        id,
        ownerId: p['hubspot_owner_id'] ?? null,
        subject: p['hs_task_subject'] ?? '',
        isOpen: p['hs_task_status'] !== 'COMPLETED',
      })),
    created: () =>
      [...objects.contacts.values()]
        .filter(({ isOurs }) => isOurs)
        .map(({ id, properties: p }) => ({ kind: 'contact', id, numbers: [p['phone'] ?? ''] })),
    pops: () => [],
    click: ({ userId, number, doorUrl }) => sendSignedClick(doorUrl, { userId, number }, CLICK_SECRET),
    writeNote: (id, text) => {
      const call = objects.calls.get(id);
      if (call === undefined) throw new Error(`there is no call ${id}`);
      const paragraph = `<p style="margin:0;">${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</p>`;
      const body = call.properties['hs_call_body'] ?? '';
      call.properties['hs_call_body'] = `<div style="" dir="auto" data-top-level="true">${body}${paragraph}</div>`;
    },
    record: (type, id) => objects[type].get(id)?.properties,
    change: (type, id, properties) => void write(type, id, properties),
    remove: (type, id) => void objects[type].delete(id),
    associations: (type, id) => [...(objects[type].get(id)?.links ?? [])],
    properties: (type) => (custom.get(type) ?? []).map(({ name }) => name),
    fail: (fault) => server.fail(fault),
    // A private app's token does not expire.
    expireTokens: () => undefined,
    requests: server.requests,
    get violations() {
      return server.violations;
    },
    stop: () => server.stop(),
  };
}

type Filter = { readonly propertyName: string; readonly operator: string; readonly value?: unknown };
type Search = {
  readonly filterGroups?: readonly { readonly filters: readonly Filter[] }[];
  readonly sorts?: readonly { readonly propertyName: string; readonly direction?: string }[];
  readonly limit?: number;
  readonly after?: string | number;
  readonly properties?: readonly string[];
};

function fits({ properties }: Stored, { propertyName, operator, value }: Filter): boolean {
  const held = properties[propertyName] ?? '';
  const text = String(value);
  switch (operator) {
    case 'EQ':
      return held === text;
    case 'CONTAINS_TOKEN':
      return text.startsWith('*') ? held.endsWith(text.slice(1)) : held.split(/\W+/).includes(text);
    case 'GTE':
      return timeOf(held) >= Number(value);
    default:
      throw new Refusal(problem(400, 'VALIDATION_ERROR', `${operator} is no operator`));
  }
}

function timeOf(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : Date.parse(text);
}

/** Digits, without country code and leading zeros, as far as HubSpot knows the country. */
function searchable(number: string | undefined): string {
  const digits = (number ?? '').replace(/\D/g, '');
  const country = ['49', '44', '7', '1', '380'].find((code) => number?.startsWith(`+${code}`) === true);
  return digits.slice(country?.length ?? 0).replace(/^0+/, '');
}

function neutral({ id, properties: p, links }: Stored): SimulatedCall {
  const isInbound = p['hs_call_direction'] === 'INBOUND';
  const url = p['hs_call_recording_url'];
  const body = (p['hs_call_body'] ?? '')
    .replace(/<br>|<\/p>/g, '\n')
    .replace(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
  return {
    id,
    externalId: p['ringline_call_id'] ?? null,
    direction: isInbound ? 'inbound' : 'outbound',
    number: p[isInbound ? 'hs_call_from_number' : 'hs_call_to_number'] ?? null,
    seconds: p['hs_call_duration'] === undefined ? null : Number(p['hs_call_duration']) / 1000,
    wasAnswered: p['hs_call_status'] === 'COMPLETED',
    isOpen: openStatuses.includes(p['hs_call_status'] ?? ''),
    startedAt: new Date(timeOf(p['hs_timestamp'] ?? '')),
    ownerId: p['hubspot_owner_id'] ?? null,
    contactIds: [...links].map((link) => link.split('/')[1] ?? ''),
    text: `${p['hs_call_title'] ?? ''}\n${body}`,
    recording: url === undefined ? null : { url },
  };
}
