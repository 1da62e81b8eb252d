import { z } from 'zod';
import {
  defineCrmAdapter,
  type CreatedKind,
  type CrmAdapter,
  type CrmCapabilities,
  type CrmSession,
} from '../../src/crm/port/crm-adapter.js';
import type { CrmCall, CrmContact, CrmTask, CrmUser } from '../../src/crm/port/crm-objects.js';
import { done, type Failure, type Verdict } from '../../src/crm/port/verdict.js';

/** What happens to a step: what the toy answers, before or after it did it; or that it never answers, as to who was killed. */
export type Fate = Failure | { readonly after: Failure } | 'killed-before' | 'killed-after' | 'throws' | null;

export type ToyCall = {
  readonly id: string;
  view: CrmCall;
  isClosed: boolean;
  readonly recordings: string[];
  readonly notes: string[];
};

export type Given = { readonly step: string; readonly callId: string | null };

export const everything: CrmCapabilities = {
  live: true,
  updateAfterClose: true,
  idempotency: 'find',
  search: true,
  contactSync: false,
  users: true,
  pop: true,
  recording: 'both',
  note: 'beside',
  creates: ['lead', 'contact'],
  tasks: true,
  remove: true,
  cost: false,
  doors: [],
  limits: [],
};

/** A CRM in memory, with what it was asked and what it holds. A step's fate is as the test scripts it. */
export class ToyCrm {
  hasPlaceForNotes = true;
  readonly calls: ToyCall[] = [];
  readonly contacts: CrmContact[] = [];
  readonly users: CrmUser[] = [];
  readonly created: { readonly kind: CreatedKind; readonly digits: string }[] = [];
  readonly tasks: { readonly id: string; readonly task: CrmTask; isClosed: boolean; closedWith: string | null }[] = [];
  readonly pops: { readonly callId: string; readonly userIds: readonly string[] }[] = [];
  readonly removed: string[] = [];
  readonly uploads: Uint8Array[] = [];
  /** In the order in which they came. */
  readonly given: Given[] = [];
  fate: (step: string, call: CrmCall | null, times: number) => Fate = () => null;
  /** Its search does not find what was made through its API. */
  isSlowToFind = false;
  #lastId = 0;
  readonly #open = new Map<string, number>();
  /** Steps of one call that were open together, at most; and calls. */
  mostStepsOfOneCall = 0;
  mostCalls = 0;

  stepsOf(callId: string): readonly string[] {
    return this.given.filter((given) => given.callId === callId).map(({ step }) => step);
  }

  callsOf(callId: string): readonly ToyCall[] {
    return this.calls.filter(({ view }) => view.id === callId);
  }

  session(capabilities: CrmCapabilities): CrmSession {
    const remote = (id: string): ToyCall | undefined => this.calls.find((call) => call.id === id);
    const upsert = (call: CrmCall, isClosed: boolean): string => {
      const known = capabilities.idempotency === 'key' ? this.callsOf(call.id)[0] : undefined;
      if (known !== undefined) {
        known.view = call;
        known.isClosed ||= isClosed;
        return known.id;
      }
      const id = this.#newId('call');
      this.calls.push({ id, view: call, isClosed, recordings: [], notes: [] });
      return id;
    };
    const change = (id: string, how: (call: ToyCall) => void): Verdict => {
      const call = remote(id);
      if (call === undefined) return { verdict: 'gone', why: `there is no call ${id}` };
      how(call);
      return done();
    };
    return {
      test: () => Promise.resolve(done('toy')),
      findContacts: ({ digits }) =>
        this.#do('findContacts', null, () =>
          done(this.contacts.filter(({ numbers }) => numbers.some((one) => one.replace(/\D/g, '') === digits))),
        ),
      listUsers: () => this.#do('listUsers', null, () => done([...this.users])),
      popScreen: (call, userIds) =>
        this.#do('popScreen', call, () => {
          this.pops.push({ callId: call.id, userIds });
          return done();
        }),
      findCall: (call) => this.#do('findCall', call, () => done(this.callsOf(call.id)[0]?.id ?? null)),
      openCall: (call) => this.#do('openCall', call, () => done(upsert(call, false))),
      updateCall: (id, call) => this.#do('updateCall', call, () => change(id, (known) => (known.view = call))),
      closeCall: (id, call) =>
        this.#do('closeCall', call, () => {
          if (id === null) return done(upsert(call, true));
          const changed = change(id, (known) => {
            known.view = call;
            known.isClosed = true;
          });
          return changed.verdict === 'done' ? done(id) : changed;
        }),
      attachRecording: async (id, call, recording) => {
        const bytes = recording.url === null ? await recording.read() : null;
        return this.#do('attachRecording', call, () =>
          change(id, ({ recordings }) => {
            if (!recordings.includes(recording.id)) recordings.push(recording.id);
            if (bytes !== null) this.uploads.push(bytes);
          }),
        );
      },
      addNote: (id, call, text) =>
        this.#do('addNote', call, () => {
          if (!this.hasPlaceForNotes) return done('no-place');
          change(id, ({ notes }) => notes.push(text));
          return done('kept');
        }),
      createObject: (kind, call) =>
        this.#do('createObject', call, () => {
          const { digits } = call.number;
          const id = this.#newId(kind);
          this.created.push({ kind, digits });
          const named = { type: kind, id, name: digits, company: null, ownerId: null, url: null };
          if (!this.isSlowToFind)
            this.contacts.push({ ...named, kind: kind === 'unsorted' ? 'lead' : kind, numbers: [digits] });
          return done({ type: kind, id });
        }),
      createTask: (call, task) =>
        this.#do('createTask', call, () => {
          const id = this.#newId('task');
          this.tasks.push({ id, task, isClosed: false, closedWith: null });
          return done(id);
        }),
      closeTask: (id, text) =>
        this.#do('closeTask', null, () => {
          const task = this.tasks.find((one) => one.id === id);
          if (task === undefined) return { verdict: 'gone', why: `there is no task ${id}` };
          task.isClosed = true;
          task.closedWith = text;
          return done();
        }),
      removeCall: (id) =>
        this.#do('removeCall', remote(id)?.view ?? null, () => {
          const at = this.calls.findIndex((call) => call.id === id);
          if (at < 0) return { verdict: 'gone', why: `there is no call ${id}` };
          this.removed.push(...this.calls.splice(at, 1).map((call) => call.id));
          return done();
        }),
    };
  }

  async #do<Value>(step: string, call: CrmCall | null, act: () => Verdict<Value>): Promise<Verdict<Value>> {
    const callId = call?.id ?? null;
    this.given.push({ step, callId });
    const times = this.given.filter((given) => given.step === step && given.callId === callId).length;
    const fate = this.fate(step, call, times);
    if (fate === 'throws') throw new Error('a defect of the adapter');
    if (fate === 'killed-before') return never();
    if (fate !== null && typeof fate === 'object' && 'verdict' in fate) return fate;
    if (callId !== null) this.#open.set(callId, (this.#open.get(callId) ?? 0) + 1);
    this.mostStepsOfOneCall = Math.max(this.mostStepsOfOneCall, ...this.#open.values());
    this.mostCalls = Math.max(this.mostCalls, this.#open.size);
    // A CRM takes its time, in which others are asked too.
    await new Promise((resolve) => setTimeout(resolve, 2));
    const verdict = act();
    if (callId !== null) {
      const left = (this.#open.get(callId) ?? 1) - 1;
      if (left === 0) this.#open.delete(callId);
      else this.#open.set(callId, left);
    }
    if (fate === 'killed-after') return never();
    return fate === null ? verdict : fate.after;
  }

  #newId(of: string): string {
    return `${of}-${(this.#lastId += 1)}`;
  }
}

function never(): Promise<never> {
  return new Promise<never>(() => undefined);
}

/** An adapter whose connections go to the toys that their setting `toy` names. */
export function toyAdapter(
  toys: ReadonlyMap<string, { readonly crm: ToyCrm; readonly capabilities: CrmCapabilities }>,
): CrmAdapter {
  const toyOf = (name: string) => {
    const toy = toys.get(name);
    if (toy === undefined) throw new Error(`there is no toy ${name}`);
    return toy;
  };
  return defineCrmAdapter({
    name: 'toy',
    title: 'Toy',
    settings: z.object({ toy: z.string(), token: z.string() }),
    secrets: ['token'],
    capabilities: ({ toy }) => toyOf(toy).capabilities,
    baseUrl: () => 'https://toy.example',
    auth: () => ({ kind: 'none' }),
    connect: (_client, { toy }) => {
      const { crm, capabilities } = toyOf(toy);
      return crm.session(capabilities);
    },
  });
}
