import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { SimulatorServer } from '../../lab/crm/simulator-server.js';
import { defineCrmAdapter } from '../../src/crm/port/crm-adapter.js';
import { done, failureOf } from '../../src/crm/port/verdict.js';
import type { DoorVerdict } from '../../src/crm/port/door.js';

/** What the toy CRM sends to a door. */
export type ToyRequest = {
  readonly id?: string;
  readonly event: string;
  readonly user?: string;
  readonly number?: string;
  readonly line?: string;
  readonly entity?: { readonly type: string; readonly id: string };
  readonly callId?: string;
};

/** A CRM with nothing but doors: requests are signed, or carry the secret where they are sent by GET. */
export const toyAdapter = defineCrmAdapter({
  name: 'toy',
  title: 'Toy',
  settings: z.strictObject({ url: z.url(), secret: z.string(), listsUsers: z.boolean().default(true) }),
  secrets: ['secret'],
  capabilities: ({ listsUsers }) => ({
    live: false,
    updateAfterClose: false,
    idempotency: 'key',
    search: false,
    contactSync: false,
    users: listsUsers,
    pop: false,
    recording: 'none',
    note: 'none',
    creates: [],
    tasks: false,
    remove: false,
    cost: false,
    doors: ['dial', 'call-back', 'contacts-changed'],
    limits: [],
  }),
  baseUrl: ({ url }) => url,
  auth: () => ({ kind: 'none' }),
  connect: (client) => ({
    test: () => Promise.resolve(done('Toy')),
    closeCall: (remoteId, call) => Promise.resolve(done(remoteId ?? call.id)),
    listUsers: async () => {
      const answer = await client.request({ method: 'GET', path: '/users' });
      return failureOf(answer) ?? done(answer.kind === 'answered' ? (answer.json as []) : []);
    },
    tellDialled: async (wish, result) => {
      const answer = await client.request({ method: 'POST', path: '/told', body: { json: { wish, result } } });
      return failureOf(answer) ?? done();
    },
  }),
  parseInbound: ({ method, headers, query, body }, { secret }): DoorVerdict => {
    if (method === 'GET') {
      if (query['token'] !== secret) return { kind: 'forged' };
      return wishOf({ event: 'click', ...query });
    }
    const given = Buffer.from(headers['x-toy-signature'] ?? '', 'hex');
    const right = createHmac('sha256', secret).update(body).digest();
    if (given.length !== right.length || !timingSafeEqual(given, right)) return { kind: 'forged' };
    // Throws for what is no JSON: an adapter of somebody else may as well.
    return wishOf(JSON.parse(Buffer.from(body).toString('utf8')) as ToyRequest);
  },
});

function wishOf({ id, event, user, number, line, entity, callId }: ToyRequest): DoorVerdict {
  const common = { key: id ?? null, number: number ?? '', entity: entity ?? null, line: line ?? null };
  switch (event) {
    case 'click':
      if (user === undefined) return { kind: 'malformed', why: 'user is missing' };
      return { kind: 'wished', wish: { ...common, wish: 'dial', userId: user, remoteCallId: callId ?? null } };
    case 'form':
      return { kind: 'wished', wish: { ...common, wish: 'call-back', text: null } };
    case 'contact':
      return { kind: 'wished', wish: { wish: 'contacts-changed', key: null } };
    default:
      return { kind: 'ignored' };
  }
}

export const SECRET = 'toy-secret';

export const sign = (body: string, secret: string = SECRET): string =>
  createHmac('sha256', secret).update(body).digest('hex');

/** Sends to a door as the toy CRM does. */
export async function knock(doorUrl: string, request: ToyRequest | string, secret: string = SECRET) {
  const body = typeof request === 'string' ? request : JSON.stringify(request);
  const answer = await fetch(doorUrl, {
    method: 'POST',
    headers: { 'x-toy-signature': sign(body, secret), 'content-type': 'application/json' },
    body,
  });
  return readAnswer(answer);
}

export async function readAnswer(answer: Response) {
  const text = await answer.text();
  const { requestId: _, ...body } = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
  return { status: answer.status, headers: answer.headers, body };
}

/** The toy CRM's server: its users, and what it was told. */
export async function startToyCrm() {
  const told: { wish: { number: string }; result: Record<string, unknown> }[] = [];
  const users: object[] = [];
  const server = await SimulatorServer.start({
    handle: ({ path, json }) => {
      if (path === '/users') return { status: 200, json: users };
      told.push(json as (typeof told)[number]);
      return { status: 200, json: {} };
    },
  });
  return { server, told, users };
}
