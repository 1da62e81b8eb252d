import { randomUUID } from 'node:crypto';
import type { CrmSimulator, SimulatedCall } from '../../../../lab/crm/crm-simulator.js';
import { sendSignedClick } from '../../../../lab/crm/signed-click.js';
import { SimulatorServer, type SimulatedAnswer, type SimulatedRequest } from '../../../../lab/crm/simulator-server.js';
import type { PipedriveSettings } from './pipedrive-settings.js';

const CLICK_SECRET = 'pipedrive-click-secret-0123456789abcdef';
const TOKEN = '9f3c7b1e5a2d4806c8e1f0b7a6d5c4b3a2918070';
const SEARCHES = { many: 10, ms: 2000 };

export type PipedriveSimulatorOptions = {
  readonly mode?: PipedriveSettings['mode'];
  /** Requests in 2 s. Null: any. */
  readonly burst?: number | null;
  readonly dailyTokens?: number;
  /** Whether the token's user has access to account settings: without it, it logs calls for itself alone. */
  readonly isAdmin?: boolean;
  /** The company's numbers: by them people tell whose call it was, for a call log has no direction. */
  readonly ownNumbers?: readonly string[];
};

export interface PipedriveSimulator extends CrmSimulator {
  readonly token: string;
  /** As they are stored. */
  log(id: string): Fields | undefined;
  activity(id: string): Fields | undefined;
  person(id: string): Fields | undefined;
  /** Somebody changes one in Pipedrive. */
  changeActivity(id: string, fields: Fields): void;
  removeActivity(id: string): void;
  removeLog(id: string): void;
  /** Tokens of the daily budget that were used. */
  readonly tokensUsed: number;
  readonly me: string;
}

type Fields = Readonly<Record<string, unknown>>;
type Row = Record<string, unknown> & { id: number };
type Log = Record<string, unknown> & { id: string; bytes: number | null; activity_id: number };

const activityFields = [
  'subject',
  'type',
  'owner_id',
  'deal_id',
  'lead_id',
  'org_id',
  'due_date',
  'due_time',
  'duration',
  'busy',
  'done',
  'participants',
  'priority',
  'note',
];
const logFields = [
  'outcome',
  'subject',
  'duration',
  'from_phone_number',
  'to_phone_number',
  'start_time',
  'end_time',
  'note',
  'user_id',
  'person_id',
  'org_id',
  'deal_id',
  'lead_id',
  'activity_id',
];
const outcomes = ['connected', 'no_answer', 'left_message', 'left_voicemail', 'wrong_number', 'busy'];
const TIME = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/;

class Refusal extends Error {
  constructor(readonly answer: SimulatedAnswer) {
    super('refused');
  }
}

function problem(status: number, error: string, more: object = {}): SimulatedAnswer {
  const info = 'Please check developers.pipedrive.com for more information about Pipedrive API.';
  return { status, json: { success: false, error, error_info: info, data: null, additional_data: null, ...more } };
}

const invalid = (what: string): Refusal =>
  new Refusal(problem(400, `Validation failed: ${what}`, { code: 'ERR_SCHEMA_VALIDATION_FAILED' }));
const ok = (data: unknown, more: object = {}, status = 200): SimulatedAnswer => ({
  status,
  json: { success: true, data, ...more },
});

export async function startSimulator(options: PipedriveSimulatorOptions = {}): Promise<PipedriveSimulator> {
  const { mode = 'call-log', burst = 20, dailyTokens = 30_000, isAdmin = true } = options;
  const { ownNumbers = ['+442079460000', '+74951234567', '+4930901820'] } = options;
  const logs = new Map<string, Log>();
  const goneLogs = new Set<string>();
  const activities = new Map<number, Row>();
  const persons = new Map<number, Row & { phones: { value: string }[] }>();
  const organizations = new Map<number, Row>();
  const leads = new Map<string, Fields>();
  const users: Row[] = [];
  const ours = { persons: new Set<number>(), leads: new Set<string>() };
  const state = { tokensUsed: 0, violations: 0 };
  const recent: { at: number; isSearch: boolean }[] = [];
  let ids = 100;
  const nextId = (): number => ++ids;
  const now = (): string => new Date().toISOString().replace(/\.\d+Z$/, 'Z');

  const addUser = (name: string, email: string): number => {
    const id = nextId();
    users.push({ id, name, email, phone: null, active_flag: true, activated: true });
    return id;
  };
  const me = addUser('Ringline', 'ringline@example.com');

  const reference = (
    name: string,
    value: unknown,
    table: { has: (id: number) => boolean },
    isStrict: boolean,
  ): number => {
    if (typeof value !== 'number' && (isStrict || !/^\d+$/.test(String(value)))) {
      throw invalid(`${name}: Expected number, received ${typeof value}`);
    }
    if (!table.has(Number(value))) throw new Refusal(problem(404, `${name} ${String(value)} not found`));
    return Number(value);
  };
  const isUser = { has: (id: number) => users.some((user) => user.id === id) };

  const checkActivity = (given: Fields): void => {
    for (const [name, value] of Object.entries(given)) {
      if (!activityFields.includes(name)) throw invalid(`Unrecognized key: ${name}`);
      const isText = typeof value === 'string';
      if (name === 'due_date' && !(isText && /^\d{4}-\d\d-\d\d$/.test(value))) throw invalid('due_date');
      if ((name === 'due_time' || name === 'duration') && !(isText && /^\d\d:\d\d(:\d\d)?$/.test(value)))
        throw invalid(name);
      if (name === 'done' && typeof value !== 'boolean') throw invalid('done: Expected boolean');
      if (name === 'owner_id') reference(name, value, isUser, true);
      if (name === 'org_id') reference(name, value, organizations, true);
      if (name === 'lead_id' && !leads.has(String(value))) throw new Refusal(problem(404, 'lead_id not found'));
      if (name === 'type' && !['call', 'task', 'meeting', 'lunch', 'email', 'deadline'].includes(String(value))) {
        throw invalid(`type: ${String(value)} is no activity type`);
      }
      if (name === 'subject' && isText && value.length > 255) throw invalid('subject: too long');
      if (name === 'participants') {
        for (const { person_id: person } of value as { person_id?: unknown }[]) {
          reference('participants.person_id', person, persons, true);
        }
      }
    }
  };

  const addActivity = (given: Fields): Row => {
    const id = nextId();
    const row: Row = {
      type: 'call',
      done: false,
      owner_id: me,
      is_deleted: false,
      note: null,
      ...given,
      id,
      add_time: now(),
      update_time: now(),
    };
    activities.set(id, row);
    return row;
  };

  const addLog = (given: Fields): SimulatedAnswer => {
    for (const name of ['outcome', 'to_phone_number', 'start_time', 'end_time']) {
      if ((given[name] ?? '') === '') return problem(400, `${name} is required`);
    }
    const unknown = Object.keys(given).find((name) => !logFields.includes(name));
    if (unknown !== undefined) return problem(400, `${unknown} is not allowed`);
    if (!outcomes.includes(String(given['outcome'])))
      return problem(400, `outcome must be one of ${outcomes.join(', ')}`);
    if (![given['start_time'], given['end_time']].every((time) => TIME.test(String(time)))) {
      return problem(400, 'start_time and end_time must be YYYY-MM-DD HH:MM:SS');
    }
    if (
      given['duration'] !== undefined &&
      !(typeof given['duration'] === 'string' && /^\d+$/.test(given['duration']))
    ) {
      return problem(400, 'duration must be a string of seconds');
    }
    if (given['deal_id'] !== undefined && given['lead_id'] !== undefined) {
      return problem(400, 'A call log can be associated with either a deal or a lead, but not both at once');
    }
    const user = given['user_id'] === undefined ? me : reference('user_id', given['user_id'], isUser, false);
    if (user !== me && !isAdmin) {
      return problem(403, 'A user without account settings access cannot create call logs for other users');
    }
    if (given['person_id'] !== undefined) reference('person_id', given['person_id'], persons, false);
    if (given['org_id'] !== undefined) reference('org_id', given['org_id'], organizations, false);
    if (given['lead_id'] !== undefined && !leads.has(textOf(given['lead_id']))) return problem(404, 'Lead not found');
    let activity = given['activity_id'] === undefined ? undefined : activities.get(Number(given['activity_id']));
    if (given['activity_id'] !== undefined && activity === undefined) return problem(410, 'The activity is gone');
    if (activity !== undefined && [...logs.values()].some((log) => log.activity_id === activity?.id)) {
      return problem(409, 'The activity is a call log already');
    }
    activity ??= addActivity({ subject: given['subject'] ?? 'Call', type: 'call', done: true, owner_id: user });
    const id = `CA${randomUUID().replaceAll('-', '')}`;
    const log: Log = { ...given, id, user_id: user, activity_id: activity.id, company_id: 77, bytes: null };
    logs.set(id, log);
    return ok(shownLog(log), {}, 200);
  };

  const aboutLogs = (
    { method, query, json, body, headers }: SimulatedRequest,
    rest: readonly string[],
  ): SimulatedAnswer => {
    const [id, part] = rest;
    if (id === undefined && method === 'POST') return addLog((json ?? {}) as Fields);
    if (id === undefined && method === 'GET') {
      const start = Number(query.get('start') ?? 0);
      const limit = Math.min(50, Number(query.get('limit') ?? 50));
      const all = [...logs.values()].sort((a, b) => (String(a['start_time']) < String(b['start_time']) ? 1 : -1));
      const pagination = { start, limit, more_items_in_collection: start + limit < all.length };
      return ok(all.slice(start, start + limit).map(shownLog), { additional_data: { pagination } });
    }
    const log = logs.get(id ?? '');
    if (log === undefined) {
      return goneLogs.has(id ?? '') ? problem(410, 'The call log is gone') : problem(404, 'The call log was not found');
    }
    if (part === 'recordings' && method === 'POST') {
      const file = fileOf(body, headers['content-type'] ?? '');
      if (file === null) return problem(400, 'file is required');
      if (!/^audio\/|^application\/octet-stream/.test(file.type)) return problem(400, 'file must be an audio file');
      log.bytes = file.bytes;
      return { status: 200, json: { success: true } };
    }
    if (method === 'GET') return ok(shownLog(log));
    if (method === 'DELETE') {
      logs.delete(log.id);
      goneLogs.add(log.id);
      return { status: 200, json: { success: true } };
    }
    // There is neither PUT nor PATCH.
    return problem(404, 'Unknown method');
  };

  const page = (rows: readonly object[], query: URLSearchParams): SimulatedAnswer => {
    const limit = Math.min(500, Number(query.get('limit') ?? 100));
    const start =
      query.get('cursor') === null ? 0 : Number(Buffer.from(query.get('cursor') ?? '', 'base64').toString());
    const isMore = start + limit < rows.length;
    const cursor = isMore ? Buffer.from(String(start + limit)).toString('base64') : null;
    return ok(rows.slice(start, start + limit), { additional_data: { next_cursor: cursor } });
  };

  const listed = (rows: readonly Row[], query: URLSearchParams): SimulatedAnswer => {
    const since = query.get('updated_since');
    if (since !== null && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/.test(since))
      throw invalid('updated_since');
    const by = query.get('sort_by') ?? 'id';
    const sign = query.get('sort_direction') === 'desc' ? -1 : 1;
    const wanted = rows
      .filter((row) => row['is_deleted'] !== true && (since === null || String(row['update_time']) >= since))
      .sort((a, b) => sign * (String(a[by]) < String(b[by]) ? -1 : String(a[by]) > String(b[by]) ? 1 : a.id - b.id));
    return page(wanted, query);
  };

  const aboutActivities = ({ method, query, json }: SimulatedRequest, rest: readonly string[]): SimulatedAnswer => {
    const [id] = rest;
    const given = (json ?? {}) as Fields;
    if (id === undefined && method === 'GET') return listed([...activities.values()], query);
    if (id === undefined && method === 'POST') {
      checkActivity(given);
      return ok(addActivity(given), {}, 201);
    }
    const row = activities.get(Number(id));
    if (row === undefined) return problem(404, 'Activity not found');
    if (method === 'GET') return ok(row);
    if (row['is_deleted'] === true) return problem(404, 'Activity not found');
    if (method === 'PATCH') {
      checkActivity(given);
      return ok(Object.assign(row, given, { update_time: now() }));
    }
    if (method === 'DELETE') {
      row['is_deleted'] = true;
      return ok({ id: row.id });
    }
    return problem(404, 'Unknown method');
  };

  const searchPersons = (query: URLSearchParams): SimulatedAnswer => {
    const term = query.get('term') ?? '';
    if (term.length < 2) throw invalid('term: must be at least 2 characters long');
    const digits = term.replace(/\D/g, '');
    const items = [...persons.values()]
      .filter(({ phones }) =>
        phones.some(({ value }) => value.includes(term) || value.replace(/\D/g, '').includes(digits)),
      )
      .slice(0, Number(query.get('limit') ?? 100))
      .map(({ id, name, owner_id: owner, phones }) => ({
        result_score: 0.5,
        item: {
          id,
          type: 'person',
          name,
          phones: phones.map(({ value }) => value),
          emails: [],
          owner: { id: owner },
          organization: null,
        },
      }));
    return ok({ items }, { additional_data: { next_cursor: null } });
  };

  const addPerson = (given: Fields): Row => {
    if ((given['name'] ?? '') === '') throw invalid('name: Required');
    if (given['owner_id'] !== undefined) reference('owner_id', given['owner_id'], isUser, true);
    const phones = (given['phones'] ?? []) as { value: string }[];
    const row = { owner_id: me, ...given, id: nextId(), phones, add_time: now(), update_time: now() };
    persons.set(row.id, row);
    return row;
  };

  const addLead = (given: Fields): SimulatedAnswer => {
    if ((given['title'] ?? '') === '') return problem(400, 'title is required');
    if (given['person_id'] === undefined && given['organization_id'] === undefined) {
      return problem(400, 'A lead must be linked to a person or an organization');
    }
    if (given['person_id'] !== undefined) reference('person_id', given['person_id'], persons, false);
    if (given['owner_id'] !== undefined) reference('owner_id', given['owner_id'], isUser, false);
    const id = randomUUID();
    leads.set(id, { ...given, id });
    ours.leads.add(id);
    return ok(leads.get(id), {}, 201);
  };

  const handle = (request: SimulatedRequest): SimulatedAnswer => {
    const { method, path, query, headers, json } = request;
    if (headers['x-api-token'] !== TOKEN && query.get('api_token') !== TOKEN) {
      return {
        status: 401,
        json: {
          success: false,
          error: 'unauthorized access',
          errorCode: 401,
          error_info: 'Please check developers.pipedrive.com',
        },
      };
    }
    const isSearch = path.endsWith('/search');
    const refused = overLimit(isSearch);
    if (refused !== null) return refused;
    state.tokensUsed += costOf(request);
    const [, version, what, ...rest] = path
      .replace(/^\/api/, '')
      .split('/')
      .map(decodeURIComponent);
    try {
      if (version === 'v1' && what === 'callLogs') return aboutLogs(request, rest);
      if (version === 'v1' && what === 'users' && rest[0] === 'me') {
        return ok({ ...users.find(({ id }) => id === me), company_name: 'Acme', company_domain: 'acme' });
      }
      if (version === 'v1' && what === 'users' && method === 'GET') return ok(users);
      if (version === 'v1' && what === 'leads' && method === 'POST') return addLead(json as Fields);
      if (version === 'v2' && what === 'activities') return aboutActivities(request, rest);
      if (version === 'v2' && what === 'persons' && rest[0] === 'search') return searchPersons(query);
      if (version === 'v2' && what === 'persons' && method === 'GET') return listed([...persons.values()], query);
      if (version === 'v2' && what === 'persons' && method === 'POST') {
        const row = addPerson(json as Fields);
        ours.persons.add(row.id);
        return ok(row, {}, 201);
      }
    } catch (error) {
      if (error instanceof Refusal) return error.answer;
      throw error;
    }
    return problem(404, 'Unknown method');
  };

  const overLimit = (isSearch: boolean): SimulatedAnswer | null => {
    const at = Date.now();
    while (recent[0] !== undefined && recent[0].at <= at - SEARCHES.ms) recent.shift();
    const isOver =
      burst !== null &&
      (recent.length >= burst || (isSearch && recent.filter((one) => one.isSearch).length >= SEARCHES.many));
    const isDayOver = state.tokensUsed >= dailyTokens;
    if (!isOver && !isDayOver) {
      recent.push({ at, isSearch });
      return null;
    }
    state.violations++;
    return {
      ...problem(429, 'request over limit'),
      headers: {
        'x-ratelimit-limit': String(burst),
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': '2',
        'x-daily-ratelimit-token-limit': String(dailyTokens),
        'x-daily-ratelimit-token-remaining': String(Math.max(0, dailyTokens - state.tokensUsed)),
      },
    };
  };

  const server = await SimulatorServer.start({ handle });

  const neutralLog = (log: Log): SimulatedCall => {
    const [from, to] = [textOf(log['from_phone_number']), String(log['to_phone_number'])];
    const direction = ownNumbers.includes(to) ? 'inbound' : ownNumbers.includes(from) ? 'outbound' : null;
    const links = [log['person_id'], log['org_id'], log['lead_id']];
    return {
      id: log.id,
      externalId: idIn(log['note']),
      direction,
      number: direction === 'inbound' ? from : to,
      seconds: Number(log['duration']),
      wasAnswered: log['outcome'] === 'connected',
      isOpen: false,
      startedAt: new Date(`${String(log['start_time']).replace(' ', 'T')}Z`),
      ownerId: String(log['user_id']),
      contactIds: links.filter((id) => id !== undefined).map(String),
      text: `${textOf(log['subject'])}\n${plainOf(log['note'])}`,
      recording: log.bytes === null ? null : { bytes: log.bytes },
    };
  };

  const isCall = (row: Row): boolean =>
    row['type'] === 'call' &&
    row['is_deleted'] !== true &&
    ![...logs.values()].some((log) => log.activity_id === row.id);

  return {
    token: TOKEN,
    me: String(me),
    settings: {
      url: server.url,
      apiToken: TOKEN,
      clickSecret: CLICK_SECRET,
      mode,
      dailyTokens,
      ...(burst !== null && { burst }),
    },
    addUser: ({ name, email = '' }) => String(addUser(name, email)),
    addContact: ({ name, numbers, kind = 'contact', ownerId }) => {
      if (kind === 'company') {
        const id = nextId();
        organizations.set(id, { id, name });
        return { type: 'organization', id: String(id) };
      }
      const owner = ownerId === undefined ? {} : { owner_id: Number(ownerId) };
      const { id } = addPerson({ name, phones: numbers.map((value) => ({ value })), ...owner });
      return { type: 'person', id: String(id) };
    },
    calls: () => [
      ...[...logs.values()].map(neutralLog),
      ...[...activities.values()].filter(isCall).map(neutralActivity),
    ],
    tasks: () =>
      [...activities.values()]
        .filter((row) => row['type'] === 'task' && row['is_deleted'] !== true)
        .map((row) => ({
          id: String(row.id),
          ownerId: String(row['owner_id']),
          subject: String(row['subject']),
          isOpen: row['done'] !== true,
        })),
    created: () => {
      const numbersOf = (id: unknown): string[] => (persons.get(Number(id))?.phones ?? []).map(({ value }) => value);
      const made = [...ours.leads].map((id) => ({ id, person: leads.get(id)?.['person_id'] }));
      // A lead and the person who was made for it are one.
      const forLeads = new Set(made.map(({ person }) => Number(person)));
      return [
        ...made.map(({ id, person }) => ({ kind: 'lead', id, numbers: numbersOf(person) })),
        ...[...ours.persons]
          .filter((id) => !forLeads.has(id))
          .map((id) => ({ kind: 'contact', id: String(id), numbers: numbersOf(id) })),
      ];
    },
    pops: () => [],
    click: ({ userId, number, doorUrl }) => sendSignedClick(doorUrl, { userId, number }, CLICK_SECRET),
    writeNote: (id, text) => {
      const row = activities.get(Number(id));
      if (row === undefined) throw new Error(`there is no activity ${id}`);
      row['note'] = `${textOf(row['note'])}<p>${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</p>`;
    },
    log: (id) => logs.get(id),
    activity: (id) => activities.get(Number(id)),
    person: (id) => persons.get(Number(id)),
    changeActivity: (id, fields) =>
      void Object.assign(activities.get(Number(id)) ?? {}, fields, { update_time: now() }),
    removeActivity: (id) => void Object.assign(activities.get(Number(id)) ?? {}, { is_deleted: true }),
    removeLog: (id) => {
      logs.delete(id);
      goneLogs.add(id);
    },
    get tokensUsed() {
      return state.tokensUsed;
    },
    fail: (fault) => server.fail(fault),
    // An API token does not expire.
    expireTokens: () => undefined,
    requests: server.requests,
    get violations() {
      return state.violations;
    },
    stop: () => server.stop(),
  };
}

/** In tokens, as its documents say. */
function costOf({ method, path }: SimulatedRequest): number {
  const isVersion2 = path.includes('/v2/');
  const half = isVersion2 ? 0.5 : 1;
  if (path.endsWith('/search')) return 40 * half;
  const isOne = /\/(me|CA\w+|\d+)$/.test(path);
  switch (method) {
    case 'GET':
      return (isOne ? 2 : 20) * half;
    case 'DELETE':
      return 6 * half;
    default:
      return 10 * half;
  }
}

function shownLog({ bytes, ...log }: Log): object {
  return { ...log, has_recording: bytes !== null };
}

function neutralActivity(row: Row): SimulatedCall {
  const [hours = 0, minutes = 0, seconds = 0] = textOf(row['duration']).split(':').map(Number);
  const participants = (row['participants'] ?? []) as { person_id: number }[];
  const links = [...participants.map(({ person_id: id }) => id), row['org_id'], row['lead_id']];
  const url = /Recording: (\S+)/.exec(plainOf(row['note']))?.[1];
  return {
    id: String(row.id),
    externalId: idIn(row['note']),
    direction: null,
    number: null,
    seconds: hours * 3600 + minutes * 60 + seconds,
    wasAnswered: null,
    isOpen: row['done'] !== true,
    startedAt: new Date(`${String(row['due_date'])}T${String(row['due_time'])}Z`),
    ownerId: String(row['owner_id']),
    contactIds: links.filter((id) => id !== undefined).map(String),
    text: `${textOf(row['subject'])}\n${plainOf(row['note'])}`,
    recording: url === undefined ? null : { url },
  };
}

function idIn(note: unknown): string | null {
  return /Ringline ([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})/.exec(textOf(note))?.[1] ?? null;
}

function plainOf(html: unknown): string {
  return textOf(html)
    .replace(/<br>|<\/p>/g, '\n')
    .replace(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
}

/** The part named `file` of a form, RFC 7578. */
function fileOf(body: Buffer, contentType: string): { readonly bytes: number; readonly type: string } | null {
  const boundary = /boundary="?([^";]+)/.exec(contentType)?.[1];
  if (boundary === undefined) return null;
  for (const part of body.toString('latin1').split(`--${boundary}`)) {
    const end = part.indexOf('\r\n\r\n');
    const head = part.slice(0, end);
    if (end < 0 || !/name="file"/.test(head) || !/filename="/.test(head)) continue;
    const type = /content-type: *([^\r\n]+)/i.exec(head)?.[1] ?? 'application/octet-stream';
    return { bytes: part.length - end - 4 - 2, type };
  }
  return null;
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
