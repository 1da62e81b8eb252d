import { randomUUID } from 'node:crypto';
import type { CrmSimulator, SimulatedCall } from '../../../../lab/crm/crm-simulator.js';
import { SimulatorServer, type SimulatedAnswer, type SimulatedRequest } from '../../../../lab/crm/simulator-server.js';

type Json = Record<string, unknown>;
type Person = { id: string; name: string; phones: string[]; owner: string | null; kind: 'contact' | 'lead' };

const SECRET = 'toy-client-secret';

/** A CRM of the kit's own. Its errors come with status 200, as those of many do. */
export async function startSimulator(): Promise<CrmSimulator> {
  const calls = new Map<string, Json & { key: string; text: string }>();
  const people: Person[] = [];
  const users: Json[] = [];
  const tasks = new Map<string, { owner: string; subject: string; open: boolean }>();
  const made: Person[] = [];
  const pops: { userIds: string[]; number: string; at: number }[] = [];
  const tokens = new Set<string>();
  let ids = 100;
  const next = (): string => String(++ids);
  const ok = (json: Json): SimulatedAnswer => ({ status: 200, json: { ok: true, ...json } });
  const error = (code: string): SimulatedAnswer => ({ status: 200, json: { ok: false, error: code } });

  const handle = ({ method, path, query, headers, json, form }: SimulatedRequest): SimulatedAnswer => {
    if (path === '/token') {
      if (form['client_secret'] !== SECRET) return { status: 400, json: { error: 'invalid_client' } };
      const token = randomUUID();
      tokens.add(token);
      return { status: 200, json: { access_token: token, expires_in: 3600 } };
    }
    if (!tokens.has((headers['authorization'] ?? '').replace('Bearer ', ''))) {
      return { status: 401, json: { ok: false, error: 'token' } };
    }
    const body = (json ?? {}) as Json;
    const [, what, id = '', part] = path.split('/');
    if (what === 'me') return ok({ name: 'Toy Ltd' });
    if (what === 'users') return ok({ users });
    if (what === 'people' && method === 'POST') {
      const { name, phone, owner, kind } = body as { name: string; phone: string; owner: string; kind: 'lead' };
      const person: Person = { id: next(), name, phones: [phone], owner, kind };
      people.push(person);
      made.push(person);
      return ok({ id: person.id });
    }
    if (what === 'people') {
      const phone = query.get('phone');
      return ok({ people: people.filter(({ phones }) => phone === null || phones.includes(phone)) });
    }
    if (what === 'pops') {
      pops.push({ userIds: body['users'] as string[], number: String(body['phone']), at: Date.now() });
      return ok({});
    }
    if (what === 'tasks' && method === 'POST') {
      const taskId = next();
      tasks.set(taskId, { owner: String(body['owner']), subject: String(body['subject']), open: true });
      return ok({ id: taskId });
    }
    if (what === 'tasks') {
      const task = tasks.get(id);
      if (task === undefined) return error('not-found');
      task.open = false;
      return ok({});
    }
    if (what === 'calls' && method === 'PUT') {
      const known = [...calls].find(([, { key }]) => key === id)?.[0] ?? next();
      calls.set(known, { text: '', ...calls.get(known), ...body, key: id });
      return ok({ id: known });
    }
    const call = calls.get(id);
    if (what !== 'calls' || call === undefined) return error('not-found');
    if (method === 'GET') return ok({ call });
    if (method === 'DELETE') calls.delete(id);
    else if (part === 'recording') Object.assign(call, { recording: body['url'] });
    else Object.assign(call, body);
    return ok({ id });
  };

  const server = await SimulatorServer.start({ handle, limits: [{ kind: 'window', requests: 200, seconds: 1 }] });
  return {
    settings: { url: server.url, clientId: 'toy', clientSecret: SECRET },
    addUser: ({ name, email = null, extension = null }) => {
      const id = next();
      users.push({ id, name, email, extension });
      return id;
    },
    addContact: ({ name, numbers, ownerId = null }) => {
      const person: Person = { id: next(), name, phones: [...numbers], owner: ownerId, kind: 'contact' };
      people.push(person);
      return { type: 'person', id: person.id };
    },
    calls: () => [...calls].map(([id, call]) => neutral(id, call)),
    tasks: () => [...tasks].map(([id, { owner, subject, open }]) => ({ id, ownerId: owner, subject, isOpen: open })),
    created: () => made.map(({ kind, id, phones }) => ({ kind, id, numbers: phones })),
    pops: () => pops,
    writeNote: (id, text) => {
      const call = calls.get(id);
      if (call !== undefined) call.text = `${call.text}\n${text}`;
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

function neutral(id: string, call: Json & { key: string; text: string }): SimulatedCall {
  const { recording } = call;
  return {
    id,
    externalId: call.key,
    direction: call['way'] === 'in' ? 'inbound' : 'outbound',
    number: call['phone'] as string,
    seconds: call['seconds'] as number,
    wasAnswered: call['answered'] as boolean,
    isOpen: call['open'] === true,
    startedAt: new Date(call['started'] as string),
    ownerId: call['owner'] as string | null,
    contactIds: typeof call['person'] === 'string' ? [call['person']] : [],
    text: call.text,
    recording: typeof recording === 'string' ? { url: recording } : null,
  };
}
