import type { CrmAdapter, CrmSession } from '../../../src/crm/port/crm-adapter.js';
import type { CrmCall } from '../../../src/crm/port/crm-objects.js';
import { done, type Verdict } from '../../../src/crm/port/verdict.js';
import { randomUUID } from 'node:crypto';

/** A bug that an author could make, around an adapter that has none. */
export type Mutation = { readonly name: string; readonly mutate: (adapter: CrmAdapter) => CrmAdapter };

type Settings = Readonly<Record<string, unknown>>;

function around(change: (session: CrmSession, settings: Settings) => Partial<CrmSession>): Mutation['mutate'] {
  return (adapter) => ({
    ...adapter,
    connect: (client, settings) => {
      const session = adapter.connect(client, settings);
      return { ...session, ...change(session, settings) };
    },
  });
}

/** The bug is in how a call is read, wherever it is given. */
function misread(change: (call: CrmCall) => Partial<CrmCall>): Mutation['mutate'] {
  const wrong = (call: CrmCall): CrmCall => ({ ...call, ...change(call) });
  return around((session) => ({
    openCall: (call) => session.openCall!(wrong(call)),
    updateCall: (id, call) => session.updateCall!(id, wrong(call)),
    closeCall: (id, call) => session.closeCall(id, wrong(call)),
  }));
}

/** The bug is in what is made of every answer. */
function misjudge(change: (verdict: Verdict<unknown>, settings: Settings) => Verdict<unknown>): Mutation['mutate'] {
  return around((session, settings) =>
    Object.fromEntries(
      Object.entries(session).map(([name, step]) => [
        name,
        async (...given: unknown[]) => change(await Reflect.apply(step, session, given), settings),
      ]),
    ),
  );
}

const shift = (at: Date | null, hours: number): Date | null =>
  at === null ? null : new Date(at.getTime() + hours * 3_600_000);

export const mutations: readonly Mutation[] = [
  {
    name: 'directions swapped',
    mutate: misread(({ direction }) => ({ direction: direction === 'inbound' ? 'outbound' : 'inbound' })),
  },
  { name: 'outgoing told as incoming', mutate: misread(() => ({ direction: 'inbound' })) },
  {
    name: 'milliseconds for seconds',
    mutate: misread((c) => ({ talkSeconds: c.talkSeconds * 1000, durationSeconds: c.durationSeconds * 1000 })),
  },
  {
    name: 'seconds over a thousand',
    mutate: misread((c) => ({ talkSeconds: c.talkSeconds / 1000, durationSeconds: c.durationSeconds / 1000 })),
  },
  { name: 'no idempotency key', mutate: misread(() => ({ id: randomUUID() })) },
  { name: 'one idempotency key for all', mutate: misread(() => ({ id: '3d1bd1ba-3f0c-4b6c-8f0d-3b1f8f5d0c11' })) },
  {
    name: 'the own line for the outside party',
    mutate: misread(({ line, number }) => ({
      number:
        line === null ? number : { raw: line.number, e164: line.number, national: null, digits: line.number.slice(1) },
    })),
  },
  { name: 'owner lost', mutate: misread(() => ({ userId: null })) },
  {
    name: 'owner is who came first',
    mutate: misread(({ people, userId }) => ({ userId: people[0]?.userId ?? userId })),
  },
  { name: 'contact lost', mutate: misread(() => ({ contact: null })) },
  {
    name: 'local time told as UTC',
    mutate: misread((c) => ({ startedAt: shift(c.startedAt, 1)!, endedAt: shift(c.endedAt, 1) })),
  },
  {
    name: 'missed told as answered',
    mutate: misread(({ status }) => (status === 'ended' ? { outcome: 'answered' } : {})),
  },
  { name: 'answered told as missed', mutate: misread(() => ({ outcome: 'missed' })) },
  { name: 'summary dropped', mutate: misread(() => ({ summary: '' })) },
  { name: 'note dropped', mutate: misread(() => ({ note: null })) },
  { name: 'never closed', mutate: misread(() => ({ status: 'talking' })) },
  {
    name: 'closing does nothing',
    mutate: around((s) => ({
      closeCall: (id, call) => (id === null ? s.closeCall(id, call) : Promise.resolve(done(id))),
    })),
  },
  {
    name: 'closing makes a second call',
    mutate: around((s) => ({
      closeCall: (id, call) => s.closeCall(null, id === null ? call : { ...call, id: randomUUID() }),
    })),
  },
  { name: 'recording dropped', mutate: around(() => ({ attachRecording: () => Promise.resolve(done()) })) },
  {
    name: 'the recording of another',
    mutate: around((s) => ({
      attachRecording: (id, call, one) => s.attachRecording!(id, call, { ...one, url: `${one.url ?? ''}x` }),
    })),
  },
  {
    name: 'rejected for an outage',
    mutate: misjudge((v) => (v.verdict === 'retry' ? { verdict: 'rejected', why: v.why } : v)),
  },
  {
    name: 'every failure is an outage',
    mutate: misjudge((v) => (v.verdict === 'done' ? v : { verdict: 'retry', why: v.why })),
  },
  {
    name: 'may be done is not said',
    mutate: misjudge((v) => (v.verdict === 'retry' ? { verdict: 'retry', why: v.why } : v)),
  },
  {
    name: 'done for an error inside 200',
    mutate: around((s) => ({
      updateCall: async (id, call) => {
        const v = await s.updateCall!(id, call);
        return v.verdict === 'gone' ? done() : v;
      },
    })),
  },
  {
    name: 'Retry-After not read',
    mutate: misjudge((v) => (v.verdict === 'rate-limited' ? { verdict: 'rate-limited', why: v.why } : v)),
  },
  {
    name: 'a secret in a why',
    mutate: misjudge((v, settings) =>
      v.verdict === 'done' ? v : { ...v, why: `${v.why} ${Object.values(settings).join(' ')}` },
    ),
  },
  {
    name: 'everybody found for an anonymous caller',
    mutate: around((s) => ({
      findContacts: async (number) => {
        if (number.digits !== '') return s.findContacts!(number);
        const v = await s.listContacts!(null);
        return v.verdict === 'done' ? done(v.value.contacts) : v;
      },
    })),
  },
  {
    name: 'only the first contact',
    mutate: around((s) => ({
      findContacts: async (number) => {
        const v = await s.findContacts!(number);
        return v.verdict === 'done' ? done(v.value.slice(0, 1)) : v;
      },
    })),
  },
  { name: 'removal does nothing', mutate: around(() => ({ removeCall: () => Promise.resolve(done()) })) },
  { name: 'task stays open', mutate: around(() => ({ closeTask: () => Promise.resolve(done()) })) },
  {
    name: 'pop shown to nobody',
    mutate: around((s) => ({ popScreen: (call, _users, id) => s.popScreen!(call, [], id) })),
  },
  { name: 'a step that throws', mutate: around(() => ({ listUsers: () => Promise.reject(new Error('x')) })) },
  { name: 'an undeclared step', mutate: around(() => ({ addNote: () => Promise.resolve(done()) })) },
  {
    name: 'a retry inside a step',
    mutate: around((s) => ({
      test: async () => {
        for (let n = 0; n < 3; n++) {
          const v = await s.test();
          if (v.verdict === 'done') return v;
        }
        return s.test();
      },
    })),
  },
];
