import { randomUUID } from 'node:crypto';
import type { CrmAdapter, CrmCapabilities, CrmSession } from '../../../src/crm/port/crm-adapter.js';
import type { CrmCall } from '../../../src/crm/port/crm-objects.js';
import type { DoorVerdict } from '../../../src/crm/port/door.js';
import { done, type Verdict } from '../../../src/crm/port/verdict.js';
import type { LackingField } from './kit/scene.js';

/** A bug that an author could make, around an adapter that has none. */
export type Mutation = {
  readonly name: string;
  readonly mutate: (adapter: CrmAdapter) => CrmAdapter;
  /** Where it is a bug at all: not where the CRM has no place for what it spoils. */
  readonly applies?: (capabilities: CrmCapabilities, lacks: (field: LackingField) => boolean) => boolean;
};

type Settings = Readonly<Record<string, unknown>>;

/** Steps that the adapter has, done otherwise; `isNew`: also one that it has not. */
function around(
  change: (session: CrmSession, settings: Settings) => Partial<CrmSession>,
  { isNew = false }: { isNew?: boolean } = {},
): Mutation['mutate'] {
  return (adapter) => ({
    ...adapter,
    connect: (client, settings) => {
      const session = adapter.connect(client, settings);
      const changed = Object.entries(change(session, settings)).filter(([name]) => isNew || name in session);
      return withSteps(session, Object.fromEntries(changed));
    },
  });
}

function withSteps(session: CrmSession, steps: Readonly<Record<string, unknown>>): CrmSession {
  return new Proxy(session, {
    has: (target, name) => name in steps || name in target,
    get: (target, name) => {
      const step: unknown = Reflect.get(steps, name) ?? Reflect.get(target, name, target);
      return typeof step === 'function' ? (...given: unknown[]): unknown => Reflect.apply(step, target, given) : step;
    },
  });
}

/** The bug is in what the adapter makes of an answer. */
function misheard(change: (text: string) => string): Mutation['mutate'] {
  return (adapter) => ({
    ...adapter,
    connect: (client, settings) =>
      adapter.connect(
        {
          remember: (key, seconds, ask) => client.remember(key, seconds, ask),
          request: async (request) => {
            const answer = await client.request(request);
            if (answer.kind !== 'answered' || answer.json === undefined) return answer;
            const text = change(answer.text);
            return { ...answer, text, json: JSON.parse(text) as unknown };
          },
        },
        settings,
      ),
  });
}

/** The bug is in how a call is read, wherever it is given. */
function misread(change: (call: CrmCall) => Partial<CrmCall>): Mutation['mutate'] {
  const wrong = (call: CrmCall): CrmCall => ({ ...call, ...change(call) });
  return around((session) => ({
    findCall: (call) => session.findCall!(wrong(call)),
    openCall: (call) => session.openCall!(wrong(call)),
    updateCall: (id, call) => session.updateCall!(id, wrong(call)),
    closeCall: (id, call) => session.closeCall(id, wrong(call)),
  }));
}

/** The bug is in what is made of every answer. */
function misjudge(change: (verdict: Verdict<unknown>, settings: Settings) => Verdict<unknown>): Mutation['mutate'] {
  return around((session, settings) =>
    Object.fromEntries(
      STEPS.filter((name) => name in session).map((name) => [
        name,
        async (...given: unknown[]) => {
          const step = Reflect.get(session, name) as (...g: unknown[]) => Promise<Verdict<unknown>>;
          return change(await Reflect.apply(step, session, given), settings);
        },
      ]),
    ),
  );
}

const STEPS = [
  'test',
  'findContacts',
  'listContacts',
  'listUsers',
  'popScreen',
  'findCall',
  'openCall',
  'updateCall',
  'closeCall',
  'attachRecording',
  'addNote',
  'createObject',
  'createTask',
  'closeTask',
  'removeCall',
  'tellDialled',
] as const satisfies readonly (keyof CrmSession)[];

const has =
  (field: LackingField): Mutation['applies'] =>
  (_can, lacks) =>
    !lacks(field);

const shift = (at: Date | null, hours: number): Date | null =>
  at === null ? null : new Date(at.getTime() + hours * 3_600_000);

/** By its end too: some CRMs take the length from the times. */
function longer(call: CrmCall, times: number): Partial<CrmCall> {
  const { startedAt, endedAt, talkSeconds, durationSeconds } = call;
  const end =
    endedAt === null ? null : new Date(startedAt.getTime() + (endedAt.getTime() - startedAt.getTime()) * times);
  return { talkSeconds: talkSeconds * times, durationSeconds: durationSeconds * times, endedAt: end };
}

export const mutations: readonly Mutation[] = [
  {
    name: 'directions swapped',
    applies: has('direction'),
    mutate: misread(({ direction }) => ({ direction: direction === 'inbound' ? 'outbound' : 'inbound' })),
  },
  { name: 'outgoing told as incoming', applies: has('direction'), mutate: misread(() => ({ direction: 'inbound' })) },
  {
    name: 'milliseconds for seconds',
    applies: has('seconds'),
    mutate: misread((c) => longer(c, 1000)),
  },
  {
    name: 'seconds over a thousand',
    applies: has('seconds'),
    mutate: misread((c) => longer(c, 1 / 1000)),
  },
  { name: 'no idempotency key', mutate: misread(() => ({ id: randomUUID() })) },
  { name: 'one idempotency key for all', mutate: misread(() => ({ id: '3d1bd1ba-3f0c-4b6c-8f0d-3b1f8f5d0c11' })) },
  {
    name: 'the own line for the outside party',
    applies: has('number'),
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
    applies: has('wasAnswered'),
    mutate: misread(({ status }) => (status === 'ended' ? { outcome: 'answered' } : {})),
  },
  { name: 'answered told as missed', applies: has('wasAnswered'), mutate: misread(() => ({ outcome: 'missed' })) },
  { name: 'summary dropped', applies: has('text'), mutate: misread(() => ({ summary: '' })) },
  { name: 'note dropped', applies: ({ note }) => note === 'in-call', mutate: misread(() => ({ note: null })) },
  { name: 'never closed', applies: ({ live }) => live, mutate: misread(() => ({ status: 'talking' })) },
  {
    name: 'closing does nothing',
    applies: ({ live }) => live,
    mutate: around((s) => ({
      closeCall: (id, call) => (id === null ? s.closeCall(id, call) : Promise.resolve(done(id))),
    })),
  },
  {
    name: 'closing makes a second call',
    applies: ({ live }) => live,
    mutate: around((s) => ({
      closeCall: (id, call) => s.closeCall(null, id === null ? call : { ...call, id: randomUUID() }),
    })),
  },
  {
    name: 'recording dropped',
    applies: ({ recording }) => recording !== 'none',
    mutate: around(() => ({ attachRecording: () => Promise.resolve(done()) })),
  },
  {
    name: 'the recording of another',
    applies: ({ recording }) => recording === 'link' || recording === 'both',
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
    name: 'done for an error inside 200',
    applies: ({ updateAfterClose }) => updateAfterClose,
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
    name: 'everybody found for an anonymous caller',
    applies: ({ search, contactSync }) => search && contactSync,
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
    applies: ({ search }) => search,
    mutate: around((s) => ({
      findContacts: async (number) => {
        const v = await s.findContacts!(number);
        return v.verdict === 'done' ? done(v.value.slice(0, 1)) : v;
      },
    })),
  },
  {
    name: 'removal does nothing',
    applies: ({ remove }) => remove,
    mutate: around(() => ({ removeCall: () => Promise.resolve(done()) })),
  },
  {
    name: 'task stays open',
    applies: ({ tasks }) => tasks,
    mutate: around(() => ({ closeTask: () => Promise.resolve(done()) })),
  },
  {
    name: 'pop shown to nobody',
    applies: ({ pop }) => pop !== false,
    mutate: around((s) => ({ popScreen: (call, _users, id) => s.popScreen!(call, [], id) })),
  },
  {
    name: 'a step that throws',
    applies: ({ users }) => users,
    mutate: around(() => ({ listUsers: () => Promise.reject(new Error('x')) })),
  },
  {
    name: 'an undeclared step',
    applies: ({ note }) => note !== 'beside',
    mutate: around(() => ({ addNote: () => Promise.resolve(done('kept')) }), { isNew: true }),
  },
  {
    name: 'a note of an agent overwritten',
    applies: ({ note }) => note === 'in-call',
    mutate: misheard((text) => text.replaceAll('Wants a discount', '')),
  },
  {
    name: 'the vendor’s limits not declared',
    applies: ({ limits }) => limits.some(({ kind }) => kind !== 'concurrent'),
    mutate: (adapter) => ({
      ...adapter,
      capabilities: (settings) => ({ ...adapter.capabilities(settings), limits: [] }),
    }),
  },
  {
    name: 'a forged click only ignored',
    applies: ({ doors }) => doors.includes('dial'),
    mutate: (adapter) => {
      const read = (...given: Parameters<NonNullable<CrmAdapter['parseInbound']>>): DoorVerdict => {
        const verdict = adapter.parseInbound!(...given);
        return verdict.kind === 'forged' ? { kind: 'ignored' } : verdict;
      };
      return adapter.parseInbound === undefined ? adapter : { ...adapter, parseInbound: read };
    },
  },
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
