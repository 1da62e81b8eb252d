import { z } from 'zod';
import { defineCrmAdapter } from '../../../../src/crm/port/crm-adapter.js';
import type { CrmClient, CrmRequest } from '../../../../src/crm/port/crm-client.js';
import type { CrmCall } from '../../../../src/crm/port/crm-objects.js';
import { done, failureOf, type Verdict } from '../../../../src/crm/port/verdict.js';

const settings = z.object({ url: z.url(), clientId: z.string().min(1), clientSecret: z.string().min(1) });

const id = z.string().min(1);
const person = z.object({
  id,
  name: z.string(),
  phones: z.array(z.string()),
  owner: id.nullable(),
  kind: z.enum(['contact', 'lead']),
});
const user = z.object({ id, name: z.string(), email: z.string().nullable(), extension: z.string().nullable() });
const error = z.object({ ok: z.literal(false), error: z.string() });
const anything = z.object({ ok: z.literal(true) });

/** The kit's own toy, on which its mutations are shown. */
export const toyAdapter = defineCrmAdapter({
  name: 'toy',
  title: 'Toy',
  settings,
  secrets: ['clientSecret'],
  capabilities: () => ({
    live: true,
    updateAfterClose: true,
    idempotency: 'key',
    search: true,
    contactSync: true,
    users: true,
    pop: true,
    recording: 'link',
    note: 'in-call',
    creates: ['lead', 'contact'],
    tasks: true,
    remove: true,
    cost: false,
    doors: [],
    limits: [{ kind: 'window', requests: 200, seconds: 1 }],
  }),
  baseUrl: ({ url }) => url.replace(/\/+$/, ''),
  auth: ({ clientId, clientSecret }) => ({
    kind: 'oauth2',
    tokenUrl: '/token',
    grant: 'client_credentials',
    clientId,
    clientSecret,
    fields: 'form',
    place: 'bearer',
  }),
  connect: (client) => {
    const people = async (phone?: string) =>
      map(
        await ask(
          client,
          { method: 'GET', path: '/people', ...(phone !== undefined && { query: { phone } }) },
          z.object({ ok: z.literal(true), people: z.array(person) }),
        ),
        (answer) => answer.people.map(toContact),
      );
    /** What stands in the call and is not ours is kept. */
    const write = async (remoteId: string, call: CrmCall): Promise<Verdict> => {
      const read = z.object({ ok: z.literal(true), call: z.object({ text: z.string() }) });
      const known = await ask(client, { method: 'GET', path: `/calls/${encodeURIComponent(remoteId)}` }, read);
      if (known.verdict !== 'done') return known;
      const json = { ...fieldsOf(call), text: withOurs(known.value.call.text, call) };
      const path = `/calls/${encodeURIComponent(remoteId)}`;
      return map(await ask(client, { method: 'PATCH', path, body: { json } }, anything), () => undefined);
    };
    const make = async (call: CrmCall): Promise<Verdict<string>> => {
      const request = { method: 'PUT', path: `/calls/${call.id}`, body: { json: fieldsOf(call) } } as const;
      const made = await ask(client, request, z.object({ ok: z.literal(true), id }));
      if (made.verdict !== 'done') return made;
      const written = await write(made.value.id, call);
      return written.verdict === 'done' ? done(made.value.id) : written;
    };
    return {
      test: async () =>
        map(
          await ask(client, { method: 'GET', path: '/me' }, z.object({ ok: z.literal(true), name: id })),
          ({ name }) => name,
        ),
      findContacts: async ({ e164 }) => (e164 === null ? done([]) : people(e164)),
      listContacts: async () => map(await people(), (contacts) => ({ contacts, cursor: '', isLast: true })),
      listUsers: async () =>
        map(
          await ask(client, { method: 'GET', path: '/users' }, z.object({ ok: z.literal(true), users: z.array(user) })),
          ({ users }) => users.map((one) => ({ ...one, isActive: true })),
        ),
      popScreen: async ({ number }, users) => {
        const json = { users, phone: number.e164 ?? number.raw };
        return map(await ask(client, { method: 'POST', path: '/pops', body: { json } }, anything), () => undefined);
      },
      openCall: make,
      updateCall: write,
      closeCall: async (remoteId, call) => {
        if (remoteId === null) return make(call);
        return map(await write(remoteId, call), () => remoteId);
      },
      attachRecording: async (remoteId, _call, { url }) => {
        const path = `/calls/${encodeURIComponent(remoteId)}/recording`;
        return map(await ask(client, { method: 'POST', path, body: { json: { url } } }, anything), () => undefined);
      },
      createObject: async (kind, { number, userId }) => {
        const json = { kind, name: number.e164 ?? number.raw, phone: number.e164 ?? number.raw, owner: userId };
        const made = await ask(
          client,
          { method: 'POST', path: '/people', body: { json } },
          z.object({ ok: z.literal(true), id }),
        );
        return map(made, (answer) => ({ type: 'person', id: answer.id }));
      },
      createTask: async (_call, { subject, text, userId }) => {
        const json = { subject, text, owner: userId };
        const made = await ask(
          client,
          { method: 'POST', path: '/tasks', body: { json } },
          z.object({ ok: z.literal(true), id }),
        );
        return map(made, (answer) => answer.id);
      },
      closeTask: async (taskId, text) =>
        map(
          await ask(
            client,
            { method: 'PATCH', path: `/tasks/${encodeURIComponent(taskId)}`, body: { json: { text } } },
            anything,
          ),
          () => undefined,
        ),
      removeCall: async (remoteId) =>
        map(
          await ask(client, { method: 'DELETE', path: `/calls/${encodeURIComponent(remoteId)}` }, anything),
          () => undefined,
        ),
    };
  },
});

async function ask<Value>(client: CrmClient, request: CrmRequest, expected: z.ZodType<Value>): Promise<Verdict<Value>> {
  const answer = await client.request(request);
  const failure = failureOf(answer);
  if (failure !== null) return failure;
  const json = answer.kind === 'answered' ? answer.json : undefined;
  const refused = error.safeParse(json);
  if (refused.success) {
    const why = `It answered ${refused.data.error}.`;
    return { verdict: refused.data.error === 'not-found' ? 'gone' : 'rejected', why };
  }
  const read = expected.safeParse(json);
  return read.success
    ? done(read.data)
    : { verdict: 'retry', why: 'It answered something that is not of its API.', mayBeDone: true };
}

function map<From, To>(verdict: Verdict<From>, to: (value: From) => To): Verdict<To> {
  return verdict.verdict === 'done' ? { verdict: 'done', value: to(verdict.value) } : verdict;
}

function toContact({ phones, owner, ...rest }: z.output<typeof person>) {
  return { ...rest, type: 'person', company: null, ownerId: owner, numbers: phones, url: null };
}

function fieldsOf(call: CrmCall): Readonly<Record<string, unknown>> {
  return {
    way: call.direction === 'inbound' ? 'in' : 'out',
    phone: call.number.e164 ?? call.number.raw,
    started: call.startedAt.toISOString(),
    seconds: call.talkSeconds,
    answered: call.outcome === 'answered',
    open: call.status !== 'ended',
    owner: call.userId,
    person: call.contact?.id ?? null,
  };
}

const [BEGIN, END] = ['[Ringline]', '[/Ringline]'];

function withOurs(text: string, { summary, note }: CrmCall): string {
  const ours = [BEGIN, summary, ...(note === null ? [] : [note]), END].join('\n');
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END, begin);
  if (begin === -1 || end === -1) return text === '' ? ours : `${ours}\n${text}`;
  return `${text.slice(0, begin)}${ours}${text.slice(end + END.length)}`;
}
