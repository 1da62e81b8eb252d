import { randomUUID } from 'node:crypto';
import type { CrmSimulator, SimulatedCall } from '../../../../lab/crm/crm-simulator.js';
import { SimulatorServer, type SimulatedAnswer, type SimulatedRequest } from '../../../../lab/crm/simulator-server.js';
import type { Limit } from '../../port/limit.js';

/** A repeated registration with the same key gives the same call for so long. */
const DEDUPE_MS = 30 * 60_000;
const ACCESS_SECONDS = 3600;
const PAGE = 50;

type Fields = Readonly<Record<string, unknown>>;
type User = { id: string; name: string; email: string; extension: string | null; isActive: boolean };
type Kind = 'CONTACT' | 'COMPANY' | 'LEAD';
type Entity = {
  kind: Kind;
  id: string;
  name: string;
  numbers: readonly string[];
  ownerId: string | null;
  changedAt: number;
  origin: string | null;
  isOurs: boolean;
};
type Call = {
  id: string;
  key: string | null;
  registeredAt: number;
  externalId: string | null;
  type: number;
  number: string;
  line: string | null;
  userId: string;
  startedAt: Date;
  entity: { kind: Kind; id: string } | null;
  shownTo: Set<string>;
  finished: { userId: string; seconds: number; code: string; reason: string; cost: number; currency: string } | null;
  record: { url: string } | { bytes: number } | null;
  wasClicked: boolean;
};
type Task = {
  id: string;
  title: string;
  description: string;
  ownerId: string;
  status: string;
  bindings: readonly string[];
};

export type Bitrix24SimulatorOptions = {
  /** The vendor's for all plans but Enterprise, unless given. */
  readonly limits?: readonly Limit[];
  readonly now?: () => number;
  readonly applicationToken?: string;
};

/** What a test of this adapter wants to know besides. */
export interface Bitrix24Simulator extends CrmSimulator {
  cards(callId: string): readonly string[];
  lines(): readonly string[];
  comments(): readonly { readonly entity: string; readonly text: string }[];
  finishedAs(
    callId: string,
  ): { readonly code: string; readonly reason: string; readonly cost: number; readonly currency: string } | null;
  /** What was sent to a method. */
  sent(method: string): readonly Fields[];
  /** A visitor asks to be called, by a form. */
  askForCallBack(form: { readonly number: string; readonly text: string; readonly doorUrl: string }): Promise<Response>;
  disableUser(userId: string): void;
}

export async function startSimulator(options: Bitrix24SimulatorOptions = {}): Promise<Bitrix24Simulator> {
  const simulator = new Simulator(options);
  await simulator.start();
  return simulator;
}

/** The documented body of a refusal. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    text: string,
  ) {
    super(text);
  }
}
const core = (text: string): Refusal => new Refusal(400, 'ERROR_CORE', text);

class Simulator implements Bitrix24Simulator {
  readonly #applicationToken: string;
  readonly #now: () => number;
  readonly #users: User[] = [];
  readonly #entities: Entity[] = [];
  readonly #calls: Call[] = [];
  readonly #tasks: Task[] = [];
  readonly #comments: { id: string; entity: string; text: string }[] = [];
  readonly #pops: { userIds: readonly string[]; number: string; at: number }[] = [];
  readonly #clicks: { number: string; ok: boolean; text: string }[] = [];
  readonly #lines: string[] = [];
  readonly #sent: { method: string; params: Fields }[] = [];
  /** The one that was given last, and the one it was given for, until the new one is used. */
  readonly #refresh = new Set(['first-refresh-token']);
  readonly #access = new Map<string, number>();
  #ids = 100;
  #server: SimulatorServer | null = null;

  constructor(private readonly options: Bitrix24SimulatorOptions) {
    this.#now = options.now ?? Date.now;
    this.#applicationToken = options.applicationToken ?? 'application-token-of-the-portal';
    this.addUser({ name: 'Ivan Admin', email: 'admin@example.com' });
  }

  async start(): Promise<void> {
    const limits = this.options.limits ?? [{ kind: 'bucket', capacity: 50, perSecond: 2 }];
    this.#server = await SimulatorServer.start({
      handle: (request) => this.#handle(request),
      // The token endpoint is another server.
      limits: limits.map((limit) => ({ ...limit, lane: 'rest' })),
      laneOf: ({ path }) => (path.startsWith('/rest/') ? 'rest' : undefined),
      refuse: () => answerOf(new Refusal(503, 'QUERY_LIMIT_EXCEEDED', 'Too many requests')),
    });
  }

  get #http(): SimulatorServer {
    if (this.#server === null) throw new Error('not started');
    return this.#server;
  }

  get settings(): Readonly<Record<string, unknown>> {
    return {
      portal: this.#http.url,
      authServer: this.#http.url,
      clientId: 'local.5f8a0c',
      clientSecret: 'client-secret',
      refreshToken: 'first-refresh-token',
      applicationToken: this.#applicationToken,
    };
  }

  get requests() {
    return this.#http.requests;
  }

  get violations(): number {
    return this.#http.violations;
  }

  fail: CrmSimulator['fail'] = (fault) => this.#http.fail(fault);

  expireTokens(): void {
    for (const token of this.#access.keys()) this.#access.set(token, 0);
  }

  stop(): Promise<void> {
    return this.#http.stop();
  }

  addUser: CrmSimulator['addUser'] = ({ name, email, extension }) => {
    const id = this.#newId();
    this.#users.push({ id, name, email: email ?? '', extension: extension ?? null, isActive: true });
    return id;
  };

  disableUser(userId: string): void {
    const user = this.#users.find(({ id }) => id === userId);
    if (user !== undefined) user.isActive = false;
  }

  addContact: CrmSimulator['addContact'] = ({ name, numbers, kind = 'contact', ownerId }) => {
    const entity = this.#addEntity(kind.toUpperCase() as Kind, name, numbers, ownerId ?? null, null, false);
    return { type: entity.kind, id: entity.id };
  };

  calls(): readonly SimulatedCall[] {
    return this.#calls.map((call) => ({
      id: call.id,
      externalId: call.externalId,
      direction: call.type === 1 || call.type === 4 ? 'outbound' : 'inbound',
      number: call.number,
      seconds: call.finished?.seconds ?? null,
      wasAnswered: call.finished === null ? null : call.finished.code === '200',
      isOpen: call.finished === null,
      startedAt: call.startedAt,
      ownerId: call.finished?.userId ?? call.userId,
      contactIds: call.entity === null ? [] : [call.entity.id],
      text: [
        call.finished?.reason ?? '',
        ...this.#comments
          .filter(({ text }) => call.externalId !== null && text.includes(call.externalId))
          .map(({ text }) => text),
      ].join('\n'),
      recording: call.record,
    }));
  }

  tasks() {
    return this.#tasks.map(({ id, ownerId, title, status }) => ({
      id,
      ownerId,
      subject: title,
      isOpen: status !== '5',
    }));
  }

  created() {
    return this.#entities
      .filter(({ isOurs }) => isOurs)
      .map(({ kind, id, numbers }) => ({ kind: kind.toLowerCase(), id, numbers }));
  }

  pops() {
    return this.#pops;
  }

  clicksTold() {
    return this.#clicks;
  }

  cards(callId: string): readonly string[] {
    return [...(this.#calls.find(({ id }) => id === callId)?.shownTo ?? [])];
  }

  lines(): readonly string[] {
    return this.#lines;
  }

  comments() {
    return this.#comments;
  }

  finishedAs(callId: string) {
    return this.#calls.find(({ id }) => id === callId)?.finished ?? null;
  }

  sent(method: string): readonly Fields[] {
    return this.#sent.filter((one) => one.method === method.toLowerCase()).map(({ params }) => params);
  }

  /** Bitrix24 registers the call by itself, without an id of ours, shows its card, and tells the application. */
  click = async ({
    userId,
    number,
    doorUrl,
  }: {
    userId: string;
    number: string;
    doorUrl: string;
  }): Promise<Response> => {
    const call = this.#newCall({
      userId,
      number,
      type: 1,
      key: null,
      externalId: null,
      line: null,
      startedAt: new Date(this.#now()),
    });
    call.wasClicked = true;
    this.#show(call, [userId]);
    return this.#send(doorUrl, 'ONEXTERNALCALLSTART', {
      PHONE_NUMBER: number,
      PHONE_NUMBER_INTERNATIONAL: number,
      EXTENSION: '',
      USER_ID: userId,
      CALL_LIST_ID: '0',
      LINE_NUMBER: '',
      IS_MOBILE: '0',
      CALL_ID: call.id,
      CRM_ENTITY_TYPE: call.entity?.kind ?? '',
      CRM_ENTITY_ID: call.entity?.id ?? '0',
    });
  };

  askForCallBack({ number, text, doorUrl }: { number: string; text: string; doorUrl: string }): Promise<Response> {
    const entity = this.#findByNumber(number)[0];
    return this.#send(doorUrl, 'ONEXTERNALCALLBACKSTART', {
      PHONE_NUMBER: number,
      TEXT: text,
      VOICE: 'ruinternalfemale',
      CRM_ENTITY_TYPE: entity?.kind ?? '',
      CRM_ENTITY_ID: entity?.id ?? '0',
      LINE_NUMBER: this.#lines[0] ?? '',
    });
  }

  #send(doorUrl: string, event: string, fields: Readonly<Record<string, string>>): Promise<Response> {
    const body = new URLSearchParams({ event, event_handler_id: '1055' });
    for (const [name, value] of Object.entries(fields)) body.set(`data[${name}]`, value);
    body.set('ts', textOf(Math.floor(this.#now() / 1000)));
    const auth = {
      access_token: randomUUID(),
      expires_in: '3600',
      scope: 'telephony',
      domain: 'example.bitrix24.com',
      server_endpoint: 'https://oauth.bitrix.info/rest/',
      status: 'L',
      client_endpoint: 'https://example.bitrix24.com/rest/',
      member_id: 'a223c6b9410f85df78e9377d6c4f7213',
      application_token: this.#applicationToken,
    };
    for (const [name, value] of Object.entries(auth)) body.set(`auth[${name}]`, value);
    return fetch(doorUrl, { method: 'POST', body });
  }

  #handle(request: SimulatedRequest): SimulatedAnswer {
    try {
      if (request.path === '/oauth/token/') return this.#token(request.query);
      if (!request.path.startsWith('/rest/')) return { status: 404, text: '<html><body>Not found</body></html>' };
      const { auth: inBody, ...params } = (request.json ?? request.form) as Record<string, unknown>;
      this.#authorize(request.query.get('auth') ?? (typeof inBody === 'string' ? inBody : null));
      const method = request.path
        .slice('/rest/'.length)
        .replace(/\.json$/, '')
        .toLowerCase();
      this.#sent.push({ method, params });
      const { result, ...beside } = this.#method(method, params);
      return { status: 200, json: { result, ...beside, time: this.#time() } };
    } catch (error) {
      if (error instanceof Refusal) return answerOf(error);
      throw error;
    }
  }

  #token(query: URLSearchParams): SimulatedAnswer {
    if (query.get('client_id') !== 'local.5f8a0c' || query.get('client_secret') !== 'client-secret') {
      throw new Refusal(401, 'invalid_client', 'Client not found');
    }
    const given = query.get('refresh_token') ?? '';
    if (query.get('grant_type') !== 'refresh_token' || !this.#refresh.has(given)) {
      throw new Refusal(400, 'invalid_grant', 'Invalid grant');
    }
    for (const other of this.#refresh) if (other !== given) this.#refresh.delete(other);
    const access = randomUUID();
    const refresh = randomUUID();
    this.#refresh.add(refresh);
    this.#access.set(access, this.#now() + ACCESS_SECONDS * 1000);
    return {
      status: 200,
      json: {
        access_token: access,
        refresh_token: refresh,
        expires_in: ACCESS_SECONDS,
        client_endpoint: `${this.#http.url}/rest/`,
        member_id: 'a223c6b9410f85df78e9377d6c4f7213',
        scope: 'crm,telephony,task,user',
        status: 'L',
      },
    };
  }

  #authorize(token: string | null): void {
    const until = token === null ? undefined : this.#access.get(token);
    if (until === undefined) throw new Refusal(401, 'NO_AUTH_FOUND', 'Wrong authorization data');
    if (until <= this.#now()) throw new Refusal(401, 'expired_token', 'The access token provided has expired.');
  }

  #method(method: string, params: Fields): { result: unknown; next?: number; total?: number } {
    switch (method) {
      case 'user.current':
        return { result: userView(this.#users[0]) };
      case 'user.get': {
        const { ID: id, ACTIVE: active } = (params['FILTER'] ?? {}) as Fields;
        const wanted = this.#users.filter(
          (user) => (id === undefined || user.id === textOf(id)) && (active === undefined || user.isActive),
        );
        return paged(wanted.map(userView), params['start']);
      }
      case 'telephony.externalline.add': {
        const number = textOf(params['NUMBER']);
        if (number === '') throw core('NUMBER should not be empty');
        if (this.#lines.includes(number)) throw core('Line already exists');
        this.#lines.push(number);
        return { result: { ID: this.#lines.length } };
      }
      case 'telephony.externalcall.searchcrmentities': {
        const number = textOf(params['PHONE_NUMBER']);
        if (number === '') throw core('PHONE_NUMBER is empty');
        return { result: this.#findByNumber(number).map((entity) => this.#foundView(entity)) };
      }
      case 'telephony.externalcall.register':
        return { result: this.#register(params) };
      case 'telephony.externalcall.show':
      case 'telephony.externalcall.hide': {
        const call = this.#calls.find(({ id }) => id === textOf(params['CALL_ID']));
        if (call === undefined || (call.finished !== null && method.endsWith('show'))) return { result: false };
        const ids = [params['USER_ID']].flat().map(textOf);
        if (method.endsWith('show')) this.#show(call, ids);
        else for (const id of ids) call.shownTo.delete(id);
        return { result: true };
      }
      case 'telephony.externalcall.finish':
        return { result: this.#finish(params) };
      case 'telephony.externalcall.attachrecord':
        return { result: this.#attach(params) };
      case 'voximplant.statistic.get': {
        const { CALL_ID: id, EXTERNAL_CALL_ID: externalId } = (params['FILTER'] ?? {}) as Fields;
        const found = this.#calls.filter(
          (call) =>
            call.finished !== null &&
            (id === undefined || call.id === id) &&
            (externalId === undefined || call.externalId === externalId),
        );
        return paged(found.map(statisticView), params['start']);
      }
      case 'crm.contact.list':
      case 'crm.company.list':
      case 'crm.lead.list':
        return this.#list(method.split('.')[1]?.toUpperCase() as Kind, params);
      case 'crm.contact.add':
      case 'crm.lead.add':
        return { result: this.#create(method === 'crm.lead.add' ? 'LEAD' : 'CONTACT', params) };
      case 'crm.timeline.comment.list': {
        const { ENTITY_ID: id, ENTITY_TYPE: type } = (params['filter'] ?? {}) as Fields;
        if (id === undefined || type === undefined) throw new Refusal(400, '100', 'Required fields are not provided');
        const found = this.#comments.filter(({ entity }) => entity === `${textOf(type)}:${textOf(id)}`).toReversed();
        return paged(
          found.map((one) => ({ ID: one.id, COMMENT: one.text })),
          params['start'],
        );
      }
      case 'crm.timeline.comment.add': {
        const { ENTITY_ID: id, ENTITY_TYPE: type, COMMENT: text } = (params['fields'] ?? {}) as Fields;
        if (textOf(text) === '') throw new Refusal(400, 'INVALID_ARG_VALUE', 'Empty comment');
        const owner = this.#entities.find((one) => one.id === textOf(id) && one.kind.toLowerCase() === type);
        if (owner === undefined) throw new Refusal(400, 'OWNER_NOT_FOUND', 'Owner was not found');
        const comment = { id: this.#newId(), entity: `${textOf(type)}:${textOf(id)}`, text: textOf(text) };
        this.#comments.push(comment);
        return { result: Number(comment.id) };
      }
      case 'tasks.task.list': {
        const { RESPONSIBLE_ID: ownerId, TITLE: title } = (params['filter'] ?? {}) as Fields;
        const found = this.#tasks
          .filter(
            (task) =>
              (ownerId === undefined || task.ownerId === textOf(ownerId)) &&
              (title === undefined || task.title === title),
          )
          .toReversed();
        return { result: { tasks: found.slice(0, PAGE).map(taskView) }, total: found.length };
      }
      case 'tasks.task.get': {
        const task = this.#tasks.find(({ id }) => id === textOf(params['taskId']));
        return { result: task === undefined ? [] : { task: taskView(task) } };
      }
      case 'tasks.task.add':
        return { result: { task: taskView(this.#addTask(params)) } };
      case 'tasks.task.update': {
        const task = this.#taskOf(params);
        const { DESCRIPTION: description } = (params['fields'] ?? {}) as Fields;
        if (description !== undefined) task.description = textOf(description);
        return { result: { task: taskView(task) } };
      }
      case 'tasks.task.complete': {
        const task = this.#taskOf(params);
        if (task.status === '5') throw new Refusal(400, '0', 'Action on the task is not allowed');
        task.status = '5';
        return { result: { task: taskView(task) } };
      }
      default:
        throw new Refusal(404, 'ERROR_METHOD_NOT_FOUND', 'Method not found!');
    }
  }

  #register(params: Fields): unknown {
    const user = this.#userOf(params);
    const number = textOf(params['PHONE_NUMBER']);
    if (!/\d/.test(number)) throw core('Unsupported phone number format');
    const type = Number(params['TYPE']);
    if (![1, 2, 3, 4, 5].includes(type)) throw core('Unknown TYPE');
    const start = params['CALL_START_DATE'];
    if (start !== undefined && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$/.test(textOf(start))) {
      throw core('CALL_START_DATE should be in the ISO-8601 format');
    }
    const line = params['LINE_NUMBER'] === undefined ? null : textOf(params['LINE_NUMBER']);
    const externalId = params['EXTERNAL_CALL_ID'] === undefined ? null : textOf(params['EXTERNAL_CALL_ID']);
    const key = JSON.stringify([number, type, user.id, line, externalId]);
    const known = this.#calls.find((one) => one.key === key && one.registeredAt > this.#now() - DEDUPE_MS);
    const startedAt = start === undefined ? new Date(this.#now()) : new Date(textOf(start));
    const call = known ?? this.#newCall({ userId: user.id, number, type, key, externalId, line, startedAt });
    const { CRM_ENTITY_TYPE: kind, CRM_ENTITY_ID: id } = params;
    if (known === undefined && kind !== undefined && id !== undefined) {
      const entity = this.#entities.find((one) => one.kind === kind && one.id === textOf(id));
      if (entity !== undefined) call.entity = entity;
    }
    let lead: Entity | null = null;
    if (call.entity === null && Number(params['CRM_CREATE'] ?? 0) === 1) {
      lead = this.#addEntity('LEAD', `${number} - Incoming call`, [number], user.id, null, true);
      call.entity = lead;
    }
    if (Number(params['SHOW'] ?? 1) === 1) this.#show(call, [user.id]);
    return {
      CALL_ID: call.id,
      CRM_CREATED_LEAD: lead === null ? null : Number(lead.id),
      CRM_CREATED_ENTITIES: lead === null ? [] : [{ ENTITY_TYPE: 'LEAD', ENTITY_ID: Number(lead.id) }],
      CRM_ENTITY_TYPE: call.entity?.kind ?? '',
      CRM_ENTITY_ID: call.entity === null ? null : Number(call.entity.id),
    };
  }

  #finish(params: Fields): unknown {
    if (typeof params['CALL_ID'] !== 'string') throw new Refusal(400, 'INVALID_ARGUMENT', 'CALL_ID must be a string');
    const user = this.#userOf(params);
    const call = this.#calls.find(({ id, finished }) => id === params['CALL_ID'] && finished === null);
    if (call === undefined) throw core('Call is not found (call should be registered prior to finishing)');
    const seconds = Number(params['DURATION'] ?? 0);
    const code = textOf(params['STATUS_CODE'] ?? (seconds > 0 ? '200' : '304'));
    call.finished = {
      userId: user.id,
      seconds,
      code,
      reason: textOf(params['FAILED_REASON']),
      cost: Number(params['COST'] ?? 0),
      currency: textOf(params['COST_CURRENCY']),
    };
    if (call.wasClicked && code !== '200')
      this.#clicks.push({ number: call.number, ok: false, text: call.finished.reason });
    return { ...statisticView(call), CALL_DURATION: seconds, CRM_ACTIVITY_ID: Number(this.#newId()) };
  }

  #attach(params: Fields): unknown {
    const { RECORD_URL: url, FILENAME: name, FILE_CONTENT: content } = params;
    if (url === undefined && name === undefined) {
      throw core('Required parameters are not set. Request should contain either URL or FILENAME parameter');
    }
    const call = this.#calls.find(({ id, finished }) => id === params['CALL_ID'] && finished !== null);
    if (call === undefined) throw core('Call is not found in the statistic table. Looks like it is not finished yet.');
    if (name !== undefined && textOf(name) === '') throw core('File name is empty');
    if (name !== undefined && !/\.(wav|mp3)$/i.test(textOf(name))) {
      throw core('Wrong file extension. Only wav and mp3 are allowed');
    }
    if (url !== undefined) call.record = { url: textOf(url) };
    else if (content === undefined)
      return { uploadUrl: `${this.#http.url}/rest/upload.json?token=telephony`, fieldName: 'file' };
    else {
      if (textOf(content) === '') throw core('File content is empty.');
      if (!/^[A-Za-z0-9+/]+=*$/.test(textOf(content))) {
        throw core('File content is not properly encoded. Base64 encoding is expected.');
      }
      call.record = { bytes: Buffer.from(textOf(content), 'base64').byteLength };
    }
    return { FILE_ID: Number(this.#newId()) };
  }

  #list(kind: Kind, params: Fields): { result: unknown; next?: number; total?: number } {
    const filter = (params['filter'] ?? {}) as Fields;
    const since = filter['>=DATE_MODIFY'];
    const found = this.#entities
      .filter(
        (entity) =>
          entity.kind === kind &&
          (since === undefined || entity.changedAt >= new Date(textOf(since)).getTime()) &&
          (filter['ORIGIN_ID'] === undefined ||
            entity.origin === `${textOf(filter['ORIGINATOR_ID'])}:${textOf(filter['ORIGIN_ID'])}`),
      )
      .toSorted((one, other) => one.changedAt - other.changedAt || Number(one.id) - Number(other.id));
    return paged(
      found.map(({ id, name, numbers, ownerId, changedAt }) => ({
        ID: id,
        ...(kind === 'CONTACT' ? { NAME: name, LAST_NAME: null } : { TITLE: name }),
        ASSIGNED_BY_ID: ownerId,
        DATE_MODIFY: new Date(changedAt).toISOString().replace(/\.\d+Z$/, '+00:00'),
        ...(numbers.length > 0 && { PHONE: numbers.map((VALUE) => ({ VALUE, VALUE_TYPE: 'WORK', TYPE_ID: 'PHONE' })) }),
      })),
      params['start'],
    );
  }

  #create(kind: Kind, params: Fields): number {
    const fields = (params['fields'] ?? {}) as Fields;
    const owner = fields['ASSIGNED_BY_ID'];
    const phones = (fields['PHONE'] ?? []) as readonly { VALUE: string }[];
    const origin =
      fields['ORIGIN_ID'] === undefined ? null : `${textOf(fields['ORIGINATOR_ID'])}:${textOf(fields['ORIGIN_ID'])}`;
    const name = textOf(fields['TITLE'] ?? fields['NAME']);
    const numbers = phones.map(({ VALUE }) => VALUE);
    return Number(this.#addEntity(kind, name, numbers, owner === undefined ? null : textOf(owner), origin, true).id);
  }

  #addTask(params: Fields): Task {
    const fields = params['fields'] as Fields | undefined;
    if (fields === undefined) throw new Refusal(400, '100', 'Could not find value for parameter {fields}');
    const title = textOf(fields['TITLE']);
    if (title === '') throw core('Task title is not specified<br>');
    const ownerId = textOf(fields['RESPONSIBLE_ID']);
    if (ownerId === '') throw core('Responsible person not specified<br>');
    if (!this.#users.some(({ id }) => id === ownerId))
      throw core('User specified in the "Responsible" field not found<br>');
    const task: Task = {
      id: this.#newId(),
      title,
      description: textOf(fields['DESCRIPTION']),
      ownerId,
      status: '2',
      bindings: (fields['UF_CRM_TASK'] ?? []) as readonly string[],
    };
    this.#tasks.push(task);
    return task;
  }

  #taskOf(params: Fields): Task {
    const task = this.#tasks.find(({ id }) => id === textOf(params['taskId']));
    if (task === undefined) throw new Refusal(400, '0', 'Action on the task is not allowed');
    return task;
  }

  #userOf(params: Fields): User {
    const { USER_ID: id, USER_PHONE_INNER: extension } = params;
    if (id === undefined && extension === undefined) throw core('USER_ID or USER_PHONE_INNER should be set');
    const user = this.#users.find((one) => (id === undefined ? one.extension === extension : one.id === textOf(id)));
    if (user === undefined || !user.isActive) throw core('User is not found or is not active');
    return user;
  }

  #newCall(call: Pick<Call, 'userId' | 'number' | 'type' | 'key' | 'externalId' | 'line' | 'startedAt'>): Call {
    const now = this.#now();
    const made: Call = {
      ...call,
      id: `externalCall.${randomUUID().replaceAll('-', '')}.${Math.floor(now / 1000)}`,
      registeredAt: now,
      entity: this.#findByNumber(call.number)[0] ?? null,
      shownTo: new Set(),
      finished: null,
      record: null,
      wasClicked: false,
    };
    this.#calls.push(made);
    return made;
  }

  #show(call: Call, userIds: readonly string[]): void {
    for (const id of userIds) call.shownTo.add(id);
    this.#pops.push({ userIds, number: call.number, at: Date.now() });
  }

  #addEntity(
    kind: Kind,
    name: string,
    numbers: readonly string[],
    ownerId: string | null,
    origin: string | null,
    isOurs: boolean,
  ): Entity {
    const entity = { kind, id: this.#newId(), name, numbers, ownerId, origin, isOurs, changedAt: this.#now() };
    this.#entities.push(entity);
    return entity;
  }

  /** Numbers are compared in one form, whatever the country's way of writing them. */
  #findByNumber(number: string): readonly Entity[] {
    const tail = (text: string): string => text.replace(/\D/g, '').slice(-10);
    return this.#entities.filter(({ numbers }) => numbers.some((one) => tail(one) === tail(number)));
  }

  #foundView({ kind, id, name, ownerId }: Entity): unknown {
    const owner = this.#users.find((user) => user.id === ownerId) ?? this.#users[0];
    return {
      CRM_ENTITY_TYPE: kind,
      CRM_ENTITY_ID: Number(id),
      ASSIGNED_BY_ID: ownerId === null ? null : Number(ownerId),
      NAME: name,
      ASSIGNED_BY: { ID: owner?.id, TIMEMAN_STATUS: 'OPENED', USER_PHONE_INNER: owner?.extension ?? null },
    };
  }

  #time(): unknown {
    const now = this.#now() / 1000;
    return { start: now, finish: now, duration: 0.1, processing: 0.1, operating: 0, operating_reset_at: now + 600 };
  }

  #newId(): string {
    return textOf(++this.#ids);
  }
}

function answerOf({ status, code, message }: Refusal): SimulatedAnswer {
  return { status, json: { error: code, error_description: message } };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

function paged(all: readonly unknown[], start: unknown): { result: unknown; next?: number; total: number } {
  const from = Math.max(0, Number(start ?? 0));
  const next = from + PAGE;
  return { result: all.slice(from, next), ...(next < all.length && { next }), total: all.length };
}

function userView(user: User | undefined): unknown {
  return {
    ID: user?.id,
    ACTIVE: user?.isActive,
    NAME: user?.name.split(' ')[0],
    LAST_NAME: user?.name.split(' ').slice(1).join(' '),
    EMAIL: user?.email,
    USER_TYPE: 'employee',
    // The field is left out for who has none.
    ...(user?.extension != null && { UF_PHONE_INNER: user.extension }),
  };
}

function taskView({ id, title, description, ownerId, status }: Task): unknown {
  return { id, title, description, responsibleId: ownerId, status };
}

function statisticView(call: Call): Fields {
  return {
    CALL_ID: call.id,
    EXTERNAL_CALL_ID: call.externalId,
    PORTAL_USER_ID: call.finished?.userId ?? null,
    PORTAL_NUMBER: call.line,
    PHONE_NUMBER: call.number,
    CALL_DURATION: textOf(call.finished?.seconds ?? 0),
    CALL_FAILED_CODE: call.finished?.code ?? null,
    CALL_FAILED_REASON: call.finished?.reason ?? '',
    COST: call.finished?.cost ?? 0,
    COST_CURRENCY: call.finished?.currency ?? '',
    CRM_ENTITY_TYPE: call.entity?.kind ?? '',
    CRM_ENTITY_ID: call.entity === null ? null : call.entity.id,
  };
}
