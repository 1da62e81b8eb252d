import { randomUUID } from 'node:crypto';
import type { CrmSimulator, SimulatedCall } from '../../../../lab/crm/crm-simulator.js';
import { SimulatorServer, type SimulatedAnswer, type SimulatedRequest } from '../../../../lab/crm/simulator-server.js';
import type { Limit } from '../../port/limit.js';

const ACCESS_SECONDS = 86_400;
const WON = 142;
/** So often may an address ask too much before it is kept out. */
const PATIENCE = 50;
const LONG_LIVED = 'long-lived-token';

type Fields = Readonly<Record<string, unknown>>;
type CardType = 'contacts' | 'companies' | 'leads';
type User = { id: number; name: string; email: string; isActive: boolean };
type Card = {
  type: CardType;
  id: number;
  name: string;
  numbers: readonly string[];
  ownerId: number | null;
  contactIds: number[];
  statusId: number;
  updatedAt: number;
  isOurs: boolean;
  /** Of an incoming lead that nobody has taken: it and its contact are found by nothing else. */
  isHidden: boolean;
};
type Note = {
  id: number;
  type: CardType;
  entityId: number;
  noteType: string;
  params: Record<string, unknown>;
  authorId: number | null;
  at: number;
};
type Unsorted = {
  uid: string;
  sourceUid: string;
  metadata: Fields;
  leadId: number;
  contactId: number;
  at: number;
  isOpen: boolean;
};
type Task = { id: number; text: string; ownerId: number; isOpen: boolean; result: string; entity: string | null };

export type AmocrmSimulatorOptions = {
  readonly limits?: readonly Limit[];
  readonly now?: () => number;
  /** How the settings sign requests; `oauth2` unless given. */
  readonly auth?: 'oauth2' | 'long-lived';
};

/** What a test of this adapter wants to know besides. */
export interface AmocrmSimulator extends CrmSimulator {
  /** Makes a lead of a contact. */
  addLead(contactId: string, name: string, options?: { readonly isWon?: boolean }): string;
  notes(): readonly { readonly card: string; readonly noteType: string; readonly params: Fields }[];
  unsorted(): readonly { readonly uid: string; readonly metadata: Fields }[];
  /** A user takes an incoming lead: its contact and its call are there from then on. */
  accept(uid: string): void;
  taskResult(taskId: string): string;
  sent(path: string): readonly unknown[];
  demote(): void;
}

export async function startSimulator(options: AmocrmSimulatorOptions = {}): Promise<AmocrmSimulator> {
  const simulator = new Simulator(options);
  await simulator.start();
  return simulator;
}

class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly body: unknown,
  ) {
    super(String(status));
  }
}

function problem(status: number, title: string, detail: string, more: Fields = {}): Refusal {
  return new Refusal(status, { ...more, title, type: `https://httpstatus.es/${status}`, status, detail });
}

function invalid(path: string, detail: string, code = 'NotBlank'): Refusal {
  const errors = [{ request_id: '0', errors: [{ code, path, detail }] }];
  return problem(400, 'Bad Request', 'Request validation failed', { 'validation-errors': errors });
}

const empty: SimulatedAnswer = { status: 204 };

class Simulator implements AmocrmSimulator {
  readonly #now: () => number;
  readonly #users: User[] = [];
  readonly #cards: Card[] = [];
  readonly #notes: Note[] = [];
  readonly #unsorted: Unsorted[] = [];
  readonly #tasks: Task[] = [];
  readonly #pops: { userIds: readonly string[]; number: string; at: number }[] = [];
  readonly #sent: { path: string; json: unknown }[] = [];
  readonly #access = new Map<string, number>();
  #refresh = 'first-refresh-token';
  #isAdmin = true;
  #ids = 1000;
  #server: SimulatorServer | null = null;

  constructor(private readonly options: AmocrmSimulatorOptions) {
    this.#now = options.now ?? Date.now;
    this.addUser({ name: 'Admin', email: 'admin@example.com' });
  }

  async start(): Promise<void> {
    const limits = this.options.limits ?? [{ kind: 'window', requests: 7, seconds: 1 }];
    this.#server = await SimulatorServer.start({
      handle: (request) => this.#handle(request),
      limits: limits.map((limit) => ({ ...limit, lane: 'api' })),
      laneOf: ({ path }) => (path.startsWith('/api/') ? 'api' : undefined),
      refuse: () => ({ status: 429, json: problem(429, 'Too Many Requests', 'Request limit exceeded').body }),
    });
  }

  get #http(): SimulatorServer {
    if (this.#server === null) throw new Error('not started');
    return this.#server;
  }

  get settings(): Readonly<Record<string, unknown>> {
    const domain = this.#http.url;
    const doorSecret = 'secret-of-the-widget';
    if (this.options.auth === 'long-lived') return { domain, doorSecret, accessToken: LONG_LIVED };
    return {
      domain,
      doorSecret,
      clientId: 'integration-id',
      clientSecret: 'integration-secret',
      redirectUri: 'https://ringline.example/amocrm',
      refreshToken: 'first-refresh-token',
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

  addUser: CrmSimulator['addUser'] = ({ name, email }) => {
    const id = this.#newId();
    this.#users.push({ id, name, email: email ?? '', isActive: true });
    return String(id);
  };

  addContact: CrmSimulator['addContact'] = ({ name, numbers, kind = 'contact', ownerId }) => {
    const owner = ownerId === undefined ? null : Number(ownerId);
    if (kind === 'company') return refOf(this.#addCard('companies', name, numbers, owner));
    const contact = this.#addCard('contacts', name, numbers, owner);
    if (kind === 'contact') return refOf(contact);
    // Numbers are a contact's; a lead has them by it.
    const lead = this.#addCard('leads', name, [], owner);
    lead.contactIds.push(contact.id);
    return refOf(lead);
  };

  addLead(contactId: string, name: string, { isWon = false }: { readonly isWon?: boolean } = {}): string {
    const lead = this.#addCard('leads', name, [], null);
    lead.contactIds.push(Number(contactId));
    if (isWon) lead.statusId = WON;
    return String(lead.id);
  }

  calls(): readonly SimulatedCall[] {
    const onCards = this.#notes.filter(({ noteType }) => isCallNote(noteType)).map((note) => this.#callOfNote(note));
    const waiting = this.#unsorted.filter(({ isOpen }) => isOpen).map((unsorted) => this.#callOfUnsorted(unsorted));
    return [...onCards, ...waiting];
  }

  /** A recording that came later stands in a note beside it. */
  #callOfUnsorted({ uid, metadata, leadId, contactId, at }: Unsorted): SimulatedCall {
    const uniq = text(metadata['uniq']);
    const beside = this.#textBeside('leads', leadId, uniq);
    return {
      id: `unsorted/${uid}/${uniq}`,
      externalId: uniq,
      direction: 'inbound',
      number: text(metadata['phone']),
      seconds: Number(metadata['duration']),
      wasAnswered: Number(metadata['duration']) > 0,
      isOpen: false,
      startedAt: new Date(at * 1000),
      ownerId: metadata['call_responsible'] === undefined ? null : text(metadata['call_responsible']),
      contactIds: [String(contactId)],
      text: beside,
      recording: recordingOf(text(metadata['link']) || (/https?:\S+/.exec(beside)?.[0] ?? '')),
    };
  }

  /** Of the notes on a card those that name the call. */
  #textBeside(type: CardType, entityId: number, uniq: string): string {
    return this.#notes
      .filter((note) => note.noteType === 'common' && note.type === type && note.entityId === entityId)
      .map(({ params }) => text(params['text']))
      .filter((one) => one.includes(uniq))
      .join('\n');
  }

  #callOfNote({ type, entityId, noteType, params, authorId, at }: Note): SimulatedCall {
    const uniq = text(params['uniq']);
    const link = text(params['link']);
    return {
      id: `${type}/${entityId}/${uniq}`,
      externalId: uniq === '' ? null : uniq,
      direction: noteType === 'call_in' ? 'inbound' : 'outbound',
      number: text(params['phone']),
      seconds: Number(params['duration']),
      wasAnswered: params['call_status'] === 4,
      isOpen: false,
      startedAt: new Date(at * 1000),
      ownerId: authorId === null ? null : String(authorId),
      contactIds: [String(entityId), ...(this.#card(type, entityId)?.contactIds ?? []).map(String)],
      text: [text(params['call_result']), this.#textBeside(type, entityId, uniq)]
        .filter((one) => one !== '')
        .join('\n'),
      recording: recordingOf(link),
    };
  }

  tasks() {
    return this.#tasks.map(({ id, ownerId, text: subject, isOpen }) => ({
      id: String(id),
      ownerId: String(ownerId),
      subject,
      isOpen,
    }));
  }

  taskResult(taskId: string): string {
    return this.#tasks.find(({ id }) => id === Number(taskId))?.result ?? '';
  }

  created() {
    const cards = this.#cards
      .filter(({ isOurs, isHidden }) => isOurs && !isHidden)
      .map(({ type, id, numbers, contactIds }) => ({
        kind: type === 'leads' ? 'lead' : 'contact',
        id: String(id),
        numbers: type === 'leads' ? contactIds.flatMap((one) => this.#card('contacts', one)?.numbers ?? []) : numbers,
      }));
    const waiting = this.#unsorted.map(({ uid, metadata }) => ({
      kind: 'unsorted',
      id: uid,
      numbers: [text(metadata['phone'])],
    }));
    return [...cards, ...waiting];
  }

  pops() {
    return this.#pops;
  }

  notes() {
    return this.#notes.map(({ type, entityId, noteType, params }) => ({
      card: `${type}/${entityId}`,
      noteType,
      params,
    }));
  }

  unsorted() {
    return this.#unsorted;
  }

  accept(uid: string): void {
    const unsorted = this.#unsorted.find((one) => one.uid === uid);
    if (unsorted === undefined) throw new Error(`no unsorted ${uid}`);
    const { metadata, leadId, contactId, at } = unsorted;
    unsorted.isOpen = false;
    for (const card of this.#cards) if (card.id === leadId || card.id === contactId) card.isHidden = false;
    const { uniq, duration, phone, link } = metadata as Record<string, string | number>;
    const params = {
      uniq,
      duration,
      phone,
      link,
      source: 'Ringline',
      call_result: '',
      call_status: Number(duration) > 0 ? 4 : 6,
    };
    this.#addNote({ type: 'leads', entityId: leadId, noteType: 'call_in', params, authorId: null, at });
  }

  sent(path: string): readonly unknown[] {
    return this.#sent.filter((one) => one.path === path).map(({ json }) => json);
  }

  demote(): void {
    this.#isAdmin = false;
  }

  /** What our part of the widget sends. */
  click = ({ userId, number, doorUrl }: { userId: string; number: string; doorUrl: string }): Promise<Response> =>
    fetch(doorUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-ringline-secret': 'secret-of-the-widget' },
      body: JSON.stringify({ event: 'dial', id: randomUUID(), userId, number }),
    });

  #handle(request: SimulatedRequest): SimulatedAnswer {
    try {
      if (request.path === '/oauth2/access_token' && request.method === 'POST')
        return this.#token(request.json as Fields);
      if (this.violations > PATIENCE) return { status: 403, text: '<html><body>Forbidden</body></html>' };
      this.#authorize(request.headers['authorization']);
      this.#sent.push({ path: request.path, json: request.json });
      return this.#api(request);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { status: error.status, json: error.body };
    }
  }

  /** A refresh token is good once. */
  #token(fields: Fields): SimulatedAnswer {
    const { client_id, client_secret, grant_type, refresh_token, redirect_uri } = fields;
    const isClient = client_id === 'integration-id' && client_secret === 'integration-secret';
    const isGrant = grant_type === 'refresh_token' && refresh_token === this.#refresh;
    if (!isClient || !isGrant || redirect_uri !== 'https://ringline.example/amocrm') {
      const hint = isClient ? 'Token has been revoked' : 'Check the `client_id` parameter';
      throw problem(isClient ? 401 : 400, 'Bad Request', 'The request is missing a required parameter or is invalid.', {
        hint,
      });
    }
    const access = randomUUID();
    this.#refresh = randomUUID();
    this.#access.set(access, this.#now() + ACCESS_SECONDS * 1000);
    const json = {
      token_type: 'Bearer',
      expires_in: ACCESS_SECONDS,
      access_token: access,
      refresh_token: this.#refresh,
    };
    return { status: 200, json };
  }

  #authorize(header: string | undefined): void {
    const token = header?.replace(/^Bearer /, '') ?? '';
    if (this.options.auth === 'long-lived' ? token === LONG_LIVED : (this.#access.get(token) ?? 0) > this.#now())
      return;
    throw problem(401, 'Unauthorized', 'Неверный логин или пароль');
  }

  #api({ method, path, query, json }: SimulatedRequest): SimulatedAnswer {
    if (method === 'GET' && path === '/api/v4/account') {
      return { status: 200, json: { id: 28805383, name: 'Example Ltd', subdomain: 'example' } };
    }
    if (method === 'GET' && path === '/api/v4/users') return this.#listUsers(query);
    if (method === 'POST' && path === '/api/v2/events/') return this.#notify(json as Fields);
    if (method === 'POST' && path === '/api/v4/calls') return this.#addCalls(json as readonly Fields[]);
    if (path === '/api/v4/tasks')
      return method === 'POST' ? this.#addTasks(json as readonly Fields[]) : this.#listTasks(query);
    const task = /^\/api\/v4\/tasks\/(\d+)$/.exec(path);
    if (task !== null && method === 'PATCH') return this.#changeTask(Number(task[1]), json as Fields);
    if (path === '/api/v4/leads/unsorted' && method === 'GET') return this.#listUnsorted();
    if (path === '/api/v4/leads/unsorted/sip' && method === 'POST') return this.#addUnsorted(json as readonly Fields[]);
    const one = /^\/api\/v4\/leads\/unsorted\/([^/]+)$/.exec(path);
    if (one !== null && method === 'GET') {
      const found = this.#unsorted.find(({ uid }) => uid === one[1]);
      return found === undefined ? empty : { status: 200, json: unsortedView(found) };
    }
    if (path === '/api/v4/leads/complex' && method === 'POST') return this.#addComplex(json as readonly Fields[]);
    const notes = /^\/api\/v4\/(contacts|companies|leads)(?:\/(\d+))?\/notes(?:\/(\d+))?$/.exec(path);
    if (notes !== null) return this.#notesOf(method, notes[1] as CardType, notes[2], notes[3], query, json);
    const cards = /^\/api\/v4\/(contacts|companies|leads)$/.exec(path);
    if (cards !== null) {
      const type = cards[1] as CardType;
      return method === 'POST' ? this.#addCards(type, json as readonly Fields[]) : this.#listCards(type, query);
    }
    throw problem(404, 'Not Found', 'Cannot find the requested resource');
  }

  #listUsers(query: URLSearchParams): SimulatedAnswer {
    if (!this.#isAdmin) throw problem(403, 'Forbidden', 'Not enough rights');
    const { items, next } = page(this.#users, query);
    if (items.length === 0) return empty;
    const users = items.map(({ id, name, email, isActive }) => ({ id, name, email, rights: { is_active: isActive } }));
    return { status: 200, json: { _links: { ...(next && { next: { href: 'next' } }) }, _embedded: { users } } };
  }

  #notify(json: Fields): SimulatedAnswer {
    for (const event of (json['add'] ?? []) as readonly Fields[]) {
      if (event['type'] !== 'phone_call') throw invalid('type', 'This value should not be blank.');
      if (text(event['phone_number']) === '') throw invalid('phone_number', 'This value should not be blank.');
      const users = ((event['users'] ?? []) as readonly number[]).map(String);
      this.#pops.push({ userIds: users, number: text(event['phone_number']), at: Date.now() });
    }
    const items = [{ element_id: null, element_type: null, uid: randomUUID() }];
    return {
      status: 200,
      json: { _links: { self: { href: '/api/v2/events', method: 'post' } }, _embedded: { items } },
    };
  }

  /** On the card with the number: the lead, if the contact has exactly one that is open. */
  #addCalls(json: readonly Fields[]): SimulatedAnswer {
    const errors: Fields[] = [];
    const calls: Fields[] = [];
    for (const [i, call] of json.entries()) {
      const at = (name: string): Refusal => invalid(`${i}.${name}`, 'This value should not be blank.');
      if (call['direction'] !== 'inbound' && call['direction'] !== 'outbound') throw at('direction');
      for (const name of ['source', 'phone']) if (text(call[name]) === '') throw at(name);
      if (!Number.isInteger(call['duration'])) throw at('duration');
      const status = call['call_status'];
      if (status !== undefined && ![1, 2, 3, 4, 5, 6, 7, 8].includes(Number(status))) {
        throw invalid(`${i}.call_status`, 'The value you selected is not a valid choice.', 'NotSupportedChoice');
      }
      const owner = call['responsible_user_id'];
      if (owner !== undefined && !this.#users.some(({ id }) => id === owner)) {
        throw invalid(
          `${i}.responsible_user_id`,
          'The value you selected is not a valid choice.',
          'NotSupportedChoice',
        );
      }
      const card = this.#cardForCall(text(call['phone']));
      const request_id = text(call['request_id'] ?? i);
      if (card === null) {
        errors.push({
          title: 'Entity not found',
          type: 'https://httpstatus.es/404',
          status: 263,
          detail: 'Entity not found',
          request_id,
        });
        continue;
      }
      const { direction, responsible_user_id: ownerId, created_at: at2, request_id: _request, ...params } = call;
      const note = this.#addNote({
        type: card.type,
        entityId: card.id,
        noteType: direction === 'inbound' ? 'call_in' : 'call_out',
        params,
        authorId: typeof ownerId === 'number' ? ownerId : null,
        at: Number(at2 ?? this.#now() / 1000),
      });
      calls.push({
        id: note.id,
        entity_id: card.id,
        entity_type: card.type === 'leads' ? 'lead' : card.type === 'contacts' ? 'contact' : 'company',
        account_id: 28805383,
        request_id,
        _embedded: { entity: { id: card.id } },
      });
    }
    const status = calls.length === 0 ? 400 : 200;
    return { status, json: { _total_items: calls.length, ...(errors.length > 0 && { errors }), _embedded: { calls } } };
  }

  #cardForCall(phone: string): Card | null {
    const card = this.#visible().find(
      ({ type, numbers }) => type !== 'leads' && numbers.some((one) => tail(one) === tail(phone)),
    );
    if (card === undefined) return null;
    const open = this.#visible().filter(
      ({ type, contactIds, statusId }) => type === 'leads' && statusId !== WON && contactIds.includes(card.id),
    );
    return open.length === 1 ? (open[0] ?? card) : card;
  }

  #listCards(type: CardType, query: URLSearchParams): SimulatedAnswer {
    const wanted = query.get('query')?.replace(/\D/g, '') ?? '';
    const ids = query.getAll('filter[id][]').map(Number);
    const since = Number(query.get('filter[updated_at][from]') ?? 0);
    const found = this.#visible()
      .filter(
        (card) =>
          card.type === type &&
          (wanted === '' || card.numbers.some((number) => number.replace(/\D/g, '').includes(wanted))) &&
          (ids.length === 0 || ids.includes(card.id)) &&
          card.updatedAt >= since,
      )
      .toSorted((one, other) => one.updatedAt - other.updatedAt || one.id - other.id);
    const { items } = page(found, query);
    if (items.length === 0) return empty;
    return { status: 200, json: { _page: 1, _embedded: { [type]: items.map((card) => this.#cardView(card)) } } };
  }

  #addCards(type: CardType, json: readonly Fields[]): SimulatedAnswer {
    const made = json.map((fields) => {
      const card = this.#addCard(type, text(fields['name']), phonesOf(fields), ownerOf(fields), true);
      const { contacts = [] } = (fields['_embedded'] ?? {}) as { contacts?: readonly { id: number }[] };
      card.contactIds.push(...contacts.map(({ id }) => id));
      return { id: card.id, request_id: '0' };
    });
    return { status: 200, json: { _embedded: { [type]: made } } };
  }

  #addComplex(json: readonly Fields[]): SimulatedAnswer {
    const made = json.map((fields) => {
      const { contacts = [] } = (fields['_embedded'] ?? {}) as { contacts?: readonly Fields[] };
      const [first] = contacts;
      if (first === undefined) throw invalid('0._embedded.contacts', 'This field is missing.');
      const contact = this.#addCard('contacts', text(first['name']), phonesOf(first), ownerOf(first), false);
      const lead = this.#addCard('leads', text(fields['name']), [], ownerOf(fields), true);
      lead.contactIds.push(contact.id);
      return { id: lead.id, contact_id: contact.id, company_id: null, request_id: ['0'], merged: false };
    });
    return { status: 200, json: made };
  }

  #listUnsorted(): SimulatedAnswer {
    const open = this.#unsorted.filter(({ isOpen }) => isOpen).toReversed();
    if (open.length === 0) return empty;
    return { status: 200, json: { _page: 1, _embedded: { unsorted: open.slice(0, 250).map(unsortedView) } } };
  }

  #addUnsorted(json: readonly Fields[]): SimulatedAnswer {
    const made = json.map((fields) => {
      const metadata = (fields['metadata'] ?? {}) as Fields;
      for (const name of ['source_uid', 'source_name']) {
        if (text(fields[name]) === '') throw invalid(`0.${name}`, 'This value should not be blank.');
      }
      for (const name of ['from', 'phone', 'called_at', 'duration', 'link', 'service_code', 'uniq']) {
        if (metadata[name] === undefined) throw invalid(`0.metadata.${name}`, 'This field is missing.');
      }
      const sourceUid = text(fields['source_uid']);
      if (this.#unsorted.some((one) => one.sourceUid === sourceUid))
        throw invalid('0.source_uid', 'It was added already.', 'NotUnique');
      const { leads = [], contacts = [] } = (fields['_embedded'] ?? {}) as Record<string, readonly Fields[]>;
      const contact = this.#addCard('contacts', text(contacts[0]?.['name']), phonesOf(contacts[0] ?? {}), null, false);
      const lead = this.#addCard('leads', text(leads[0]?.['name']), [], null, false);
      lead.contactIds.push(contact.id);
      contact.isHidden = true;
      lead.isHidden = true;
      const at = Number(fields['created_at'] ?? this.#now() / 1000);
      const unsorted = {
        uid: randomUUID().replaceAll('-', ''),
        sourceUid,
        metadata,
        leadId: lead.id,
        contactId: contact.id,
        at,
        isOpen: true,
      };
      this.#unsorted.push(unsorted);
      return unsortedView(unsorted);
    });
    return { status: 200, json: { _total_items: made.length, _embedded: { unsorted: made } } };
  }

  #notesOf(
    method: string,
    type: CardType,
    cardId: string | undefined,
    noteId: string | undefined,
    query: URLSearchParams,
    json: unknown,
  ): SimulatedAnswer {
    if (method === 'GET') {
      const types = query.getAll('filter[note_type][]');
      const ids = cardId === undefined ? query.getAll('filter[entity_id][]').map(Number) : [Number(cardId)];
      const found = this.#notes
        .filter(
          (note) =>
            note.type === type && ids.includes(note.entityId) && (types.length === 0 || types.includes(note.noteType)),
        )
        .toReversed()
        .slice(0, 250);
      return found.length === 0
        ? empty
        : { status: 200, json: { _page: 1, _embedded: { notes: found.map(noteView) } } };
    }
    if (method === 'PATCH') {
      const note = this.#notes.find(({ id, entityId }) => id === Number(noteId) && entityId === Number(cardId));
      if (note === undefined) throw problem(404, 'Not Found', 'Entity not found');
      const { params } = json as { params: Record<string, unknown> };
      if (isCallNote(note.noteType)) checkCallNote(params);
      note.params = params;
      return { status: 200, json: { id: note.id, updated_at: Math.floor(this.#now() / 1000) } };
    }
    if (this.#card(type, Number(cardId)) === undefined) throw problem(404, 'Not Found', 'Entity not found');
    const made = (json as readonly Fields[]).map((fields) => {
      const params = (fields['params'] ?? {}) as Record<string, unknown>;
      const noteType = text(fields['note_type']);
      if (isCallNote(noteType)) checkCallNote(params);
      else if (text(params['text']) === '') throw invalid('0.params.text', 'This value should not be blank.');
      const author = fields['created_by'];
      const at = Number(fields['created_at'] ?? this.#now() / 1000);
      return this.#addNote({
        type,
        entityId: Number(cardId),
        noteType,
        params,
        authorId: typeof author === 'number' ? author : null,
        at,
      });
    });
    return { status: 200, json: { _embedded: { notes: made.map(noteView) } } };
  }

  #listTasks(query: URLSearchParams): SimulatedAnswer {
    const owners = query.getAll('filter[responsible_user_id][]').map(Number);
    const found = this.#tasks.filter(({ ownerId }) => owners.length === 0 || owners.includes(ownerId)).toReversed();
    if (found.length === 0) return empty;
    const tasks = found
      .slice(0, 250)
      .map(({ id, text: words, isOpen }) => ({ id, text: words, is_completed: !isOpen }));
    return { status: 200, json: { _page: 1, _embedded: { tasks } } };
  }

  #addTasks(json: readonly Fields[]): SimulatedAnswer {
    const tasks = json.map((fields) => {
      if (text(fields['text']) === '') throw invalid('0.text', 'This value should not be blank.');
      if (!Number.isInteger(fields['complete_till']))
        throw invalid('0.complete_till', 'This value should be of type int.');
      const ownerId = Number(fields['responsible_user_id']);
      if (!this.#users.some(({ id }) => id === ownerId)) {
        throw invalid('0.responsible_user_id', 'The value you selected is not a valid choice.', 'NotSupportedChoice');
      }
      const entity =
        fields['entity_id'] === undefined ? null : `${text(fields['entity_type'])}/${text(fields['entity_id'])}`;
      const task = { id: this.#newId(), text: text(fields['text']), ownerId, isOpen: true, result: '', entity };
      this.#tasks.push(task);
      return { id: task.id, request_id: text(fields['request_id']) };
    });
    return { status: 200, json: { _embedded: { tasks } } };
  }

  #changeTask(id: number, fields: Fields): SimulatedAnswer {
    const task = this.#tasks.find((one) => one.id === id);
    if (task === undefined) throw problem(404, 'Not Found', 'Entity not found');
    if (fields['is_completed'] === true) task.isOpen = false;
    task.result = text((fields['result'] as Fields | undefined)?.['text']);
    return { status: 200, json: { id, updated_at: Math.floor(this.#now() / 1000), request_id: '0' } };
  }

  #cardView({ type, id, name, numbers, ownerId, updatedAt, statusId }: Card): Fields {
    const leads = this.#visible().filter((card) => card.type === 'leads' && card.contactIds.includes(id));
    const phone = {
      field_id: 1,
      field_code: 'PHONE',
      field_type: 'multitext',
      values: numbers.map((value) => ({ value, enum_code: 'WORK' })),
    };
    return {
      id,
      name,
      responsible_user_id: ownerId ?? 0,
      updated_at: updatedAt,
      ...(type === 'leads'
        ? { status_id: statusId }
        : {
            custom_fields_values: numbers.length === 0 ? null : [phone],
            _embedded: { leads: leads.map((lead) => ({ id: lead.id })) },
          }),
    };
  }

  #visible(): readonly Card[] {
    return this.#cards.filter(({ isHidden }) => !isHidden);
  }

  #card(type: CardType, id: number): Card | undefined {
    return this.#cards.find((card) => card.type === type && card.id === id);
  }

  #addCard(type: CardType, name: string, numbers: readonly string[], ownerId: number | null, isOurs = false): Card {
    const updatedAt = Math.floor(this.#now() / 1000);
    const made = {
      type,
      id: this.#newId(),
      name,
      numbers,
      ownerId,
      contactIds: [],
      statusId: 1,
      updatedAt,
      isOurs,
      isHidden: false,
    };
    this.#cards.push(made);
    return made;
  }

  #addNote(note: Omit<Note, 'id'>): Note {
    const made = { id: this.#newId(), ...note };
    this.#notes.push(made);
    return made;
  }

  #newId(): number {
    return ++this.#ids;
  }
}

function refOf({ type, id }: Card): { type: string; id: string } {
  return { type, id: String(id) };
}

function page<One>(all: readonly One[], query: URLSearchParams): { items: readonly One[]; next: boolean } {
  const limit = Math.min(250, Number(query.get('limit') ?? 50));
  const from = (Number(query.get('page') ?? 1) - 1) * limit;
  return { items: all.slice(from, from + limit), next: from + limit < all.length };
}

function isCallNote(noteType: string): boolean {
  return noteType === 'call_in' || noteType === 'call_out';
}

function checkCallNote(params: Fields): void {
  for (const name of ['uniq', 'duration', 'source', 'link', 'phone', 'call_result', 'call_status']) {
    if (params[name] === undefined || params[name] === null) {
      throw invalid(`0.params.${name}`, 'This value should not be null.', 'NotNullable');
    }
  }
}

function noteView({ id, entityId, noteType, params }: Note): Fields {
  return { id, entity_id: entityId, note_type: noteType, params };
}

function unsortedView({ uid, sourceUid, metadata, leadId, contactId, at }: Unsorted): Fields {
  const { is_call_event_needed: _flag, ...shown } = metadata;
  return {
    uid,
    source_uid: sourceUid,
    category: 'sip',
    created_at: at,
    metadata: shown,
    account_id: 28805383,
    _embedded: { contacts: [{ id: contactId }], leads: [{ id: leadId }], companies: [] },
  };
}

function phonesOf(fields: Fields): readonly string[] {
  const custom = (fields['custom_fields_values'] ?? []) as readonly {
    field_code?: string;
    values: readonly { value: string }[];
  }[];
  return custom
    .filter(({ field_code: code }) => code === 'PHONE')
    .flatMap(({ values }) => values.map(({ value }) => value));
}

function ownerOf(fields: Fields): number | null {
  const owner = fields['responsible_user_id'];
  return typeof owner === 'number' ? owner : null;
}

function tail(number: string): string {
  return number.replace(/\D/g, '').slice(-10);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

function recordingOf(link: string): SimulatedCall['recording'] {
  return link === '' ? null : { url: link };
}
