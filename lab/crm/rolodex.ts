import { z } from 'zod';
import { defineCrmAdapter, type CrmAdapter } from '../../src/crm/port/crm-adapter.js';
import type { CrmContact } from '../../src/crm/port/crm-objects.js';
import { done, failureOf } from '../../src/crm/port/verdict.js';
import { SimulatorServer, type Fault, type SeenRequest } from './simulator-server.js';

const PAGE = 10;

/** A CRM with nothing but contacts, which can be searched, and listed as they change. */
export class Rolodex {
  readonly #contacts = new Map<string, { readonly contact: CrmContact; readonly change: number }>();
  #changes = 0;
  #server!: SimulatorServer;

  static async start(): Promise<Rolodex> {
    const rolodex = new Rolodex();
    rolodex.#server = await SimulatorServer.start({
      handle: ({ path, query }) =>
        path === '/find' ? { status: 200, json: rolodex.#find(query) } : { status: 200, json: rolodex.#changed(query) },
    });
    return rolodex;
  }

  get url(): string {
    return this.#server.url;
  }

  get requests(): readonly SeenRequest[] {
    return this.#server.requests;
  }

  put(id: string, numbers: readonly string[], changes: Partial<CrmContact> = {}): void {
    const contact = {
      type: 'card',
      id,
      kind: 'contact',
      name: `Card ${id}`,
      company: null,
      ownerId: null,
      url: null,
    } as const;
    this.#contacts.set(id, { contact: { ...contact, numbers, ...changes }, change: ++this.#changes });
  }

  fail(fault: Fault): void {
    this.#server.fail(fault);
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  /** By the last ten digits, as many do. */
  #find(query: URLSearchParams): readonly CrmContact[] {
    const last = (text: string): string => text.replace(/\D/g, '').slice(-10);
    const wanted = last(query.get('number') ?? '');
    const all = [...this.#contacts.values()].map(({ contact }) => contact);
    return all.filter(({ numbers }) => numbers.some((number) => last(number) === wanted));
  }

  #changed(query: URLSearchParams): { contacts: readonly CrmContact[]; cursor: string; isLast: boolean } {
    const since = Number(query.get('cursor') ?? 0);
    const newer = [...this.#contacts.values()]
      .filter(({ change }) => change > since)
      .toSorted((a, b) => a.change - b.change);
    const page = newer.slice(0, PAGE);
    return {
      contacts: page.map(({ contact }) => contact),
      cursor: String(page.at(-1)?.change ?? since),
      isLast: newer.length <= PAGE,
    };
  }
}

/** Its adapter. `lists`: whether it tells what has changed. */
export const rolodexAdapter: CrmAdapter = defineCrmAdapter({
  name: 'rolodex',
  title: 'Rolodex',
  settings: z.strictObject({ url: z.url(), lists: z.boolean().default(false) }),
  secrets: [],
  capabilities: ({ lists }) => ({
    live: false,
    updateAfterClose: false,
    idempotency: 'key',
    search: true,
    contactSync: lists,
    users: false,
    pop: false,
    recording: 'none',
    note: 'none',
    creates: [],
    tasks: false,
    remove: false,
    cost: false,
    doors: [],
    limits: [],
  }),
  baseUrl: ({ url }) => url,
  auth: () => ({ kind: 'none' }),
  connect: (client) => ({
    test: () => Promise.resolve(done('Rolodex')),
    closeCall: (_, call) => Promise.resolve(done(call.id)),
    findContacts: async ({ digits }) => {
      const answer = await client.request({ method: 'GET', path: '/find', query: { number: digits } });
      return failureOf(answer) ?? done(answer.kind === 'answered' ? (answer.json as CrmContact[]) : []);
    },
    listContacts: async (cursor) => {
      const query = cursor === null ? undefined : { cursor };
      const answer = await client.request({ method: 'GET', path: '/changes', ...(query && { query }) });
      const nothing = { contacts: [], cursor: cursor ?? '', isLast: true };
      return failureOf(answer) ?? done(answer.kind === 'answered' ? (answer.json as typeof nothing) : nothing);
    },
  }),
});
