import { describe, expect, it } from 'vitest';
import { callDocument } from '../../../lab/call-document.js';
import { everything } from '../../../test/integration/crm-toy.js';
import type { Call } from '../../calls/domain/call.js';
import { connectionRulesSchema } from '../connections/connection-rules.js';
import type { CrmCapabilities } from '../port/crm-adapter.js';
import { callView, fingerprint } from './call-view.js';
import type { Links } from './links.js';
import { linksAfter, linksAfterGone, makingStep, type DoneStep } from './links-after.js';
import { nextStep, type Situation, type Step } from './next-step.js';

const startedAt = '2026-03-01T09:30:00.000Z';
const endedAt = '2026-03-01T09:31:00.000Z';
const ringing: Partial<Call> = { status: 'ringing', ringingAt: startedAt };
const talking: Partial<Call> = { ...ringing, status: 'answered', answeredAt: '2026-03-01T09:30:10.000Z' };
const over: Partial<Call> = { ...talking, status: 'ended', endedAt, outcome: 'answered', outcomeReason: 'talked' };
const missed: Partial<Call> = {
  ...ringing,
  status: 'ended',
  endedAt,
  outcome: 'missed',
  outcomeReason: 'caller-gave-up',
};
const contact = { type: 'Contact', id: 'c1', kind: 'contact', name: 'Carol', ownerId: 'u9' } as const;
const recordingId = '01936c7e-0000-7000-8000-0000000000aa';
const recorded = (state: 'ready' | 'finished'): Partial<Call> => ({
  recordings: [{ id: recordingId, state, startedAt, durationSeconds: 9, failure: null }],
});

type Given = {
  readonly call: Partial<Call>;
  readonly links?: Links;
  readonly can?: Partial<CrmCapabilities>;
  readonly rules?: object;
  readonly sought?: readonly string[];
  readonly isCalledBack?: boolean;
  readonly popsFirst?: boolean;
  readonly now?: string;
  /** The CRM was told of exactly this. */
  readonly isTold?: boolean;
};

const ids = { id: '01936c7e-0000-7000-8000-000000000001', tenantId: '01936c7e-0000-7000-8000-000000000002' };
const lineId = '01936c7e-0000-7000-8000-000000000003';

function situation(given: Given): Situation {
  const line = { id: lineId, number: '+4930123456', name: 'Sales' };
  const call = callDocument({ ...ids, startedAt, line, ...given.call });
  const rules = connectionRulesSchema.parse(given.rules ?? {});
  const capabilities = { ...everything, ...given.can };
  const links = given.links ?? {};
  const view = callView(call, { links, rules, agents: new Map(), region: 'DE', recordingUrl: null });
  return {
    call,
    view,
    links: given.isTold === true ? { ...links, told: fingerprint(view, capabilities) } : links,
    capabilities,
    rules,
    region: 'DE',
    sought: given.sought ?? [],
    isCalledBack: given.isCalledBack ?? false,
    popsFirst: given.popsFirst ?? false,
    now: new Date(given.now ?? '2026-03-01T09:32:00.000Z'),
  };
}

const after = (given: Given): Step | null => nextStep(situation(given));
const closed: Links = { contact, remoteId: 'r1', isClosed: true };
/** Its pop opens the call, and nothing of it can be removed. */
const bound: Partial<CrmCapabilities> = { pop: 'opens-call', idempotency: 'key', remove: false };
const createOnly: Partial<CrmCapabilities> = { live: false, updateAfterClose: false };

describe('the next step of a call', () => {
  const table: readonly (readonly [string, Given, Partial<Step> | null])[] = [
    ['asks whose number it is first', { call: ringing }, { step: 'findContacts' }],
    [
      'asks nothing of who hides his number',
      { call: { ...ringing, remote: { raw: 'anonymous', e164: null, name: null } } },
      { step: 'openCall' },
    ],
    [
      'asks nothing inside the company',
      { call: { ...ringing, direction: 'internal' }, rules: { log: { internal: true } } },
      { step: 'openCall' },
    ],
    ['asks nothing where the CRM matches by itself', { call: ringing, can: { search: false } }, { step: 'openCall' }],
    [
      'shows the call to who is sought',
      { call: ringing, links: { contact }, sought: ['u1'] },
      { step: 'popScreen', userIds: ['u1'] },
    ],
    [
      'shows it to whom it has not been shown',
      { call: ringing, links: { contact, popped: ['u1'] }, sought: ['u1', 'u2'] },
      { step: 'popScreen', userIds: ['u2'] },
    ],
    [
      'shows nothing where that cannot be done',
      { call: ringing, links: { contact }, sought: ['u1'], can: { pop: false } },
      { step: 'openCall' },
    ],
    ['opens the call', { call: ringing, links: { contact } }, { step: 'openCall' }],
    ['is none while it goes on as told', { call: ringing, links: { contact, remoteId: 'r1' }, isTold: true }, null],
    [
      'updates it when it goes on otherwise',
      { call: talking, links: { contact, remoteId: 'r1', told: 'old' } },
      { step: 'updateCall', remoteId: 'r1' },
    ],
    ['closes it at its end', { call: over, links: { contact, remoteId: 'r1' } }, { step: 'closeCall', remoteId: 'r1' }],
    [
      'makes it complete when it was not opened',
      { call: over, links: { contact } },
      { step: 'closeCall', remoteId: null },
    ],
    ['is none when all is there', { call: over, links: closed, isTold: true }, null],
    [
      'corrects what came late',
      { call: { ...over, tags: ['a'] }, links: { ...closed, told: 'old' } },
      { step: 'updateCall', remoteId: 'r1' },
    ],
    [
      'corrects nothing where that cannot be done',
      { call: over, links: { ...closed, told: 'old' }, can: { updateAfterClose: false } },
      null,
    ],
    ['waits for the end where the CRM takes it once', { call: talking, links: { contact }, can: createOnly }, null],
    [
      'tells it once at its end',
      { call: over, links: { contact }, can: createOnly },
      { step: 'closeCall', remoteId: null },
    ],
    [
      'does not wait for its recording',
      { call: { ...over, ...recorded('finished') }, links: { contact }, can: createOnly },
      { step: 'closeCall', remoteId: null },
    ],
    [
      'attaches a recording that is ready',
      { call: { ...over, ...recorded('ready') }, links: closed, isTold: true },
      { step: 'attachRecording', recordingId, by: 'link' },
    ],
    [
      'attaches it as its rules say',
      { call: { ...over, ...recorded('ready') }, links: closed, isTold: true, rules: { recordings: 'upload' } },
      { step: 'attachRecording', by: 'upload' },
    ],
    [
      'attaches it as the CRM can',
      { call: { ...over, ...recorded('ready') }, links: closed, isTold: true, can: { recording: 'upload' } },
      { step: 'attachRecording', by: 'upload' },
    ],
    [
      'attaches none that is there',
      { call: { ...over, ...recorded('ready') }, links: { ...closed, recordings: [recordingId] }, isTold: true },
      null,
    ],
    [
      'attaches none that is not ready',
      { call: { ...over, ...recorded('finished') }, links: closed, isTold: true },
      null,
    ],
    [
      'attaches none where nobody wants them',
      { call: { ...over, ...recorded('ready') }, links: closed, isTold: true, rules: { recordings: 'none' } },
      null,
    ],
    [
      'adds a note beside the call',
      { call: { ...over, note: 'n' }, links: closed, isTold: true },
      { step: 'addNote', text: 'n' },
    ],
    [
      'adds a changed note',
      { call: { ...over, note: 'n2' }, links: { ...closed, note: 'n' }, isTold: true },
      { step: 'addNote', text: 'n2' },
    ],
    ['adds a note once', { call: { ...over, note: 'n' }, links: { ...closed, note: 'n' }, isTold: true }, null],
    [
      'updates the call where the note stands in it',
      { call: { ...over, note: 'n' }, links: { ...closed, told: 'old' }, can: { note: 'in-call' } },
      { step: 'updateCall' },
    ],
    ['logs no internal call unless asked to', { call: { ...over, direction: 'internal' } }, null],
    ['logs no blocked call unless asked to', { call: { ...missed, outcome: 'blocked' } }, null],
    [
      'logs a blocked call when asked to',
      { call: { ...missed, outcome: 'blocked' }, links: { contact }, rules: { log: { blocked: true } } },
      { step: 'closeCall' },
    ],
    [
      'opens no call that may stay unanswered where those are not logged',
      { call: ringing, links: { contact }, rules: { log: { unanswered: false } } },
      null,
    ],
    [
      'opens it once it is answered',
      { call: talking, links: { contact }, rules: { log: { unanswered: false } } },
      { step: 'openCall' },
    ],
    [
      'makes something of an unknown caller before it is shown',
      { call: ringing, sought: ['u1'], links: { contact: null }, rules: { unknownCallers: [{ make: 'lead' }] } },
      { step: 'createObject' },
    ],
    [
      'shows it without, where nothing could be made',
      {
        call: ringing,
        sought: ['u1'],
        links: { contact: null },
        rules: { unknownCallers: [{ make: 'lead' }] },
        popsFirst: true,
      },
      { step: 'popScreen' },
    ],
    [
      'tries again to make it, once it is shown',
      {
        call: ringing,
        sought: ['u1'],
        links: { contact: null, popped: ['u1'] },
        rules: { unknownCallers: [{ make: 'lead' }] },
        popsFirst: true,
      },
      { step: 'createObject' },
    ],
    [
      'still shows a call that may not be logged',
      { call: ringing, sought: ['u1'], links: { contact }, rules: { log: { unanswered: false } } },
      { step: 'popScreen' },
    ],
    [
      'closes what is there though it is not logged',
      { call: missed, links: { contact, remoteId: 'r1' }, rules: { log: { unanswered: false } } },
      { step: 'closeCall' },
    ],
    [
      'removes what merged away',
      { call: { ...over, mergedInto: ids.tenantId }, links: { contact, remoteId: 'r1' } },
      { step: 'removeCall', remoteId: 'r1' },
    ],
    [
      'closes what merged away where it cannot be removed',
      { call: { ...over, mergedInto: ids.tenantId }, links: { contact, remoteId: 'r1' }, can: { remove: false } },
      { step: 'closeCall' },
    ],
    ['tells nothing of what merged away before', { call: { ...over, mergedInto: ids.tenantId } }, null],
    [
      'tells nothing more of what was removed',
      { call: { ...over, mergedInto: ids.tenantId }, links: { ...closed, isRemoved: true } },
      null,
    ],
    [
      'closes the task of what merged away',
      {
        call: { ...missed, mergedInto: ids.tenantId },
        links: { ...closed, isRemoved: true, task: { id: 't1', isClosed: false } },
      },
      { step: 'closeTask', taskId: 't1' },
    ],
    [
      'looks for a call whose opening got no answer',
      { call: ringing, links: { contact, begun: 'openCall' } },
      { step: 'findCall' },
    ],
    [
      'opens it again under its key, though it has ended',
      { call: over, links: { contact, begun: 'openCall' }, can: { idempotency: 'key' } },
      { step: 'openCall' },
    ],
    [
      'makes it again under its key',
      { call: over, links: { contact, begun: 'closeCall' }, can: { idempotency: 'key' } },
      { step: 'closeCall', remoteId: null },
    ],
    [
      'looks for it also when it merged away',
      { call: { ...over, mergedInto: ids.tenantId }, links: { contact, begun: 'openCall' } },
      { step: 'findCall' },
    ],
    [
      'opens what its pop has opened, when it merged away before its id was told',
      { call: { ...ringing, mergedInto: ids.tenantId }, links: { contact, popped: ['u1'] }, can: bound },
      { step: 'openCall' },
    ],
    [
      'and closes it then',
      {
        call: { ...ringing, mergedInto: ids.tenantId },
        links: { contact, popped: ['u1'], remoteId: 'r1' },
        can: bound,
      },
      { step: 'closeCall', remoteId: 'r1' },
    ],
    [
      'opens nothing that was only shown',
      { call: { ...ringing, mergedInto: ids.tenantId }, links: { contact, popped: ['u1'] } },
      null,
    ],
    [
      'opens nothing that was not shown',
      { call: { ...ringing, mergedInto: ids.tenantId }, links: { contact }, can: bound },
      null,
    ],
    [
      'asks again whose number it is when the making of a lead got no answer',
      { call: ringing, links: { contact: null, begun: 'createObject' } },
      { step: 'findContacts' },
    ],
  ];
  it.each(table)('%s', (_name, given, expected) => {
    if (expected === null) expect(after(given)).toBeNull();
    else expect(after(given)).toMatchObject(expected);
  });
});

describe('a caller whom the CRM does not know', () => {
  const lead = { unknownCallers: [{ make: 'lead' }] };
  const unknown: Links = { contact: null };
  const table: readonly (readonly [string, Given, Partial<Step>])[] = [
    [
      'becomes a lead before the call is opened',
      { call: ringing, links: unknown, rules: lead },
      { step: 'createObject', kind: 'lead' },
    ],
    [
      'becomes one once',
      { call: ringing, links: { ...unknown, created: { type: 'l', id: '1', kind: 'lead' } }, rules: lead },
      { step: 'openCall' },
    ],
    [
      'becomes one at the end where the CRM is told then',
      { call: over, links: unknown, rules: lead, can: createOnly },
      { step: 'createObject' },
    ],
    ['becomes nothing without a rule', { call: ringing, links: unknown }, { step: 'openCall' }],
    [
      'becomes nothing where he was not asked for',
      { call: ringing, rules: lead, can: { search: false } },
      { step: 'openCall' },
    ],
    [
      'becomes nothing on another line',
      { call: ringing, links: unknown, rules: { unknownCallers: [{ lineIds: [ids.id], make: 'lead' }] } },
      { step: 'openCall' },
    ],
    [
      'becomes what the line makes of him',
      { call: ringing, links: unknown, rules: { unknownCallers: [{ lineIds: [lineId], make: 'contact' }] } },
      { step: 'createObject', kind: 'contact' },
    ],
    [
      'becomes nothing when he is called, by default',
      { call: { ...ringing, direction: 'outbound' }, links: unknown, rules: lead },
      { step: 'openCall' },
    ],
    [
      'becomes a lead when he is called and that is wanted',
      {
        call: { ...ringing, direction: 'outbound' },
        links: unknown,
        rules: { unknownCallers: [{ direction: 'any', make: 'lead' }] },
      },
      { step: 'createObject' },
    ],
    [
      'becomes nothing of a call of last week',
      { call: over, links: unknown, rules: lead, now: '2026-03-08T00:00:00.000Z' },
      { step: 'closeCall' },
    ],
    [
      'becomes nothing of a call that is not logged',
      { call: talking, links: { ...unknown, remoteId: 'r', told: 'x' }, rules: {} },
      { step: 'updateCall' },
    ],
    [
      'is a task after the call, where the rule says so',
      {
        call: over,
        links: { ...closed, contact: null },
        isTold: true,
        rules: { unknownCallers: [{ make: 'task' }], users: { defaultUserId: 'u0' } },
      },
      { step: 'createTask' },
    ],
  ];
  it.each(table)('%s', (_name, given, expected) => {
    expect(after(given)).toMatchObject(expected);
  });
});

describe('a missed call', () => {
  const rules = { missedCalls: { task: 'owner', userId: 'u5', dueMinutes: 30 } };
  const told: Given = { call: missed, links: closed, isTold: true, rules };

  it('is a task of the contact’s owner, due after the minutes of the rule', () => {
    expect(after(told)).toMatchObject({
      step: 'createTask',
      task: { userId: 'u9', subject: 'Call back Carol (+14155550123)', dueAt: new Date('2026-03-01T10:01:00.000Z') },
    });
  });

  it('is a task of the named person where there is no owner, or he is wanted', () => {
    const ofNobody = { ...told, links: { ...closed, contact: null } };
    expect(after(ofNobody)).toMatchObject({ task: { userId: 'u5' } });
    expect(after({ ...told, rules: { missedCalls: { task: 'user', userId: 'u5' } } })).toMatchObject({
      task: { userId: 'u5' },
    });
    expect(after({ ...told, rules: { missedCalls: { task: 'user' } } })).toBeNull();
  });

  const none: readonly (readonly [string, Partial<Given>])[] = [
    ['was answered', { call: over }],
    ['went out', { call: { ...missed, direction: 'outbound', outcome: 'no-answer' } }],
    ['was cancelled by an application', { call: { ...missed, outcome: 'cancelled' } }],
    ['has been called back', { isCalledBack: true }],
    ['is of another day', { now: '2026-03-03T00:00:00.000Z' }],
    ['has its task', { links: { ...closed, task: { id: 't1', isClosed: false } } }],
    ['cannot be one there', { can: { tasks: false } }],
  ];
  it.each(none)('is no task when it %s', (_name, changes) => {
    expect(after({ ...told, ...changes })).toBeNull();
  });

  it('is asked for again when its answer was lost, though somebody has called back, and closed then', () => {
    const links: Links = { ...closed, begun: 'createTask' };
    expect(after({ ...told, links, isCalledBack: true })).toMatchObject({ step: 'createTask' });
    const { step } = after({ ...told, links: { ...closed, task: { id: 't1', isClosed: false } }, isCalledBack: true })!;
    expect(step).toBe('closeTask');
    expect(after({ ...told, links, can: { tasks: false } })).toBeNull();
  });

  it('has its task closed once somebody has talked with that number', () => {
    const links: Links = { ...closed, task: { id: 't1', isClosed: false } };
    expect(after({ ...told, links, isCalledBack: true })).toMatchObject({ step: 'closeTask', taskId: 't1' });
    expect(after({ ...told, links: { ...links, task: { id: 't1', isClosed: true } }, isCalledBack: true })).toBeNull();
  });
});

describe('what a CRM has', () => {
  /** Gives steps as a CRM would that takes everything. */
  function give(given: Given): { readonly steps: readonly string[]; readonly links: Links } {
    const steps: string[] = [];
    let links = given.links ?? {};
    for (;;) {
      const now = situation({ ...given, links });
      const step = nextStep(now);
      if (step === null) return { steps, links };
      steps.push(step.step);
      if (steps.length > 20) throw new Error(`no end: ${steps.join(', ')}`);
      const values = {
        findContacts: [{ ...contact, company: null, numbers: [], url: null }],
        findCall: 'r1',
        openCall: 'r1',
        closeCall: 'r1',
        createObject: { type: 'lead', id: 'l1' },
        createTask: 't1',
      };
      const value = values[step.step as keyof typeof values];
      links = linksAfter({ ...step, value } as DoneStep, now);
    }
  }

  it('comes in one order, and to an end', () => {
    const whole: Given = {
      call: { ...missed, ...recorded('ready'), note: 'n' },
      rules: { missedCalls: { task: 'owner' } },
    };
    expect(give(whole).steps).toEqual(['findContacts', 'closeCall', 'attachRecording', 'addNote', 'createTask']);
  });

  it('is the same whether the call was told as it went or at its end', () => {
    const begun = give({ call: ringing, sought: ['u1'] });
    expect(begun.steps).toEqual(['findContacts', 'popScreen', 'openCall']);
    const went = give({ call: talking, links: begun.links });
    expect(went.steps).toEqual(['updateCall']);
    const { popped: _, ...end } = give({ call: over, links: went.links }).links;
    expect(end).toEqual(give({ call: over }).links);
  });

  it('found after a lost answer is closed again where it takes changes, and is complete where it takes none', () => {
    const links: Links = { contact, begun: 'closeCall' };
    expect(give({ call: over, links }).steps).toEqual(['findCall', 'closeCall']);
    expect(give({ call: over, links, can: createOnly }).steps).toEqual(['findCall']);
    const opened: Links = { contact, begun: 'openCall' };
    expect(give({ call: over, links: opened }).steps).toEqual(['findCall', 'closeCall']);
  });

  it('that is gone is made anew once, with all that belonged to it', () => {
    const gone = situation({ call: over, links: { ...closed, recordings: [recordingId], note: 'n', popped: ['u1'] } });
    const step: Step = { step: 'updateCall', remoteId: 'r1' };
    const remade = linksAfterGone(step, gone);
    expect(remade).toEqual({ contact, popped: ['u1'], isRemade: true });
    expect(linksAfterGone(step, { ...gone, links: { ...closed, isRemade: true } })).toBeNull();
  });

  it('is bound anew once where nothing of it was there: its contact is what is gone, also one that was picked', () => {
    for (const links of [{ contact }, { contact: null, picked: contact }] satisfies Links[]) {
      const anew = linksAfterGone({ step: 'closeCall', remoteId: null }, situation({ call: over, links }));
      expect(anew).toEqual({ isAskedAnew: true });
    }
    const begun = situation({ call: over, links: { contact, isAskedAnew: true } });
    expect(linksAfterGone({ step: 'openCall' }, begun)).toBeNull();
    expect(linksAfterGone({ step: 'openCall' }, situation({ call: over, links: { contact: null } }))).toBeNull();
  });

  it('is only made by steps that are written down before they are given', () => {
    const now = situation({ call: ringing });
    expect(makingStep({ step: 'closeCall', remoteId: null }, now)).toBe('closeCall');
    expect(makingStep({ step: 'closeCall', remoteId: 'r1' }, now)).toBeNull();
    expect(makingStep({ step: 'addNote', remoteId: 'r1', text: 'n' }, now)).toBe('addNote');
    expect(makingStep({ step: 'updateCall', remoteId: 'r1' }, now)).toBeNull();
    const pop = { step: 'popScreen', userIds: ['u1'] } as const;
    expect(makingStep(pop, now)).toBeNull();
    expect(makingStep(pop, situation({ call: ringing, can: bound }))).toBe('openCall');
    expect(makingStep(pop, situation({ call: ringing, can: bound, links: { remoteId: 'r1' } }))).toBeNull();
  });
});
