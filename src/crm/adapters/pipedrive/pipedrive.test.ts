import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CrmSession } from '../../port/crm-adapter.js';
import {
  aCall,
  answeredBy,
  aRecording,
  missed,
  numberOf,
  sessionWith,
  valueOf,
} from '../adapter-session.test-support.js';
import { pipedrive } from './pipedrive.adapter.js';
import { startSimulator, type PipedriveSimulator, type PipedriveSimulatorOptions } from './simulator.test-support.js';

let crm: PipedriveSimulator;
let session: Required<CrmSession>;
let close: () => Promise<void>;
let anna: string;

async function connect(options?: PipedriveSimulatorOptions): Promise<void> {
  crm = await startSimulator({ burst: null, ...options });
  ({ session, close } = sessionWith(pipedrive, crm.settings));
  anna = crm.addUser({ name: 'Anna', email: 'anna@example.com' });
}

async function disconnect(): Promise<void> {
  await close();
  await crm.stop();
}

async function reconnect(options: PipedriveSimulatorOptions): Promise<void> {
  await disconnect();
  await connect(options);
}

const theCall = () => {
  expect(crm.calls()).toHaveLength(1);
  return crm.calls()[0] as ReturnType<PipedriveSimulator['calls']>[number];
};

beforeEach(() => connect());
afterEach(disconnect);

describe('a call log of Pipedrive', () => {
  it('has the call once, complete, with times in UTC without a zone', async () => {
    const call = answeredBy(anna, aCall());
    const id = valueOf(await session.closeCall(null, call));
    expect(crm.log(id)).toMatchObject({
      outcome: 'connected',
      start_time: '2026-03-07 10:20:30',
      end_time: '2026-03-07 10:22:10',
      duration: '95',
      from_phone_number: '+79062195047',
      to_phone_number: '+74951234567',
      user_id: Number(anna),
      subject: call.subject,
    });
    expect(theCall().text).toContain(`Ringline ${call.id}`);
  });

  it('is left as it is when the call is told of again', async () => {
    const id = valueOf(await session.closeCall(null, answeredBy(anna, aCall())));
    const asked = crm.requests.length;
    expect(valueOf(await session.closeCall(id, answeredBy(anna, aCall({ subject: 'Other' }))))).toBe(id);
    expect(crm.requests).toHaveLength(asked);
    expect('openCall' in session || 'updateCall' in session).toBe(false);
  });

  it.each([
    ['missed', null, 'no_answer'],
    ['busy', null, 'busy'],
    ['voicemail', null, 'left_voicemail'],
    ['cancelled', null, 'no_answer'],
    ['missed', 'wrong_number', 'wrong_number'],
    ['missed', 'Sold', 'no_answer'],
  ] as const)('of a call that was %s with disposition %s has the outcome %s', async (outcome, disposition, word) => {
    const id = valueOf(await session.closeCall(null, { ...missed(aCall()), outcome, disposition }));
    expect(crm.log(id)?.['outcome']).toBe(word);
  });

  it('is found by our id when the answer was lost, also behind many others', async () => {
    const call = answeredBy(anna, aCall());
    crm.fail({ what: 'lost-answer', times: 1, matches: ({ method }) => method === 'POST' });
    expect(await session.closeCall(null, call)).toMatchObject({ verdict: 'retry', mayBeDone: true });
    const { id } = theCall();
    for (let i = 0; i < 60; i++) valueOf(await session.closeCall(null, answeredBy(anna, aCall())));
    expect(valueOf(await session.findCall(call))).toBe(id);
    expect(valueOf(await session.findCall(aCall()))).toBeNull();
  });

  it('is not looked for among those that began minutes before it', async () => {
    const then = aCall({ startedAt: new Date(aCall().startedAt.getTime() - 120_000) });
    for (let i = 0; i < 60; i++)
      valueOf(await session.closeCall(null, { ...missed(aCall()), startedAt: then.startedAt }));
    const before = crm.requests.length;
    expect(valueOf(await session.findCall(aCall()))).toBeNull();
    expect(crm.requests).toHaveLength(before + 1);
  });

  it('is with its person, organization or lead', async () => {
    const person = crm.addContact({ name: 'Carla', numbers: ['+79062195047'] });
    const one = valueOf(await session.closeCall(null, answeredBy(anna, aCall({ contact: person }))));
    expect(crm.log(one)?.['person_id']).toBe(Number(person.id));
    const company = crm.addContact({ name: 'Acme', kind: 'company', numbers: [] });
    const two = valueOf(await session.closeCall(null, answeredBy(anna, aCall({ contact: company }))));
    expect(crm.log(two)?.['org_id']).toBe(Number(company.id));
    const lead = valueOf(await session.createObject('lead', aCall()));
    const three = valueOf(await session.closeCall(null, answeredBy(anna, aCall({ contact: lead }))));
    expect(crm.log(three)?.['lead_id']).toBe(lead.id);
  });

  it('is rejected, not gone, where its person is not there', async () => {
    const contact = { type: 'person', id: '999999' };
    const verdict = await session.closeCall(null, answeredBy(anna, aCall({ contact })));
    expect(verdict).toMatchObject({ verdict: 'rejected', why: expect.stringContaining('person_id') });
  });

  it('of somebody else needs a token with access to account settings', async () => {
    await reconnect({ isAdmin: false });
    const verdict = await session.closeCall(null, answeredBy(anna, aCall()));
    expect(verdict).toMatchObject({ verdict: 'rejected', why: expect.stringContaining('account settings') });
    valueOf(await session.closeCall(null, answeredBy(crm.me, aCall())));
  });

  it('takes one recording, once', async () => {
    const call = answeredBy(anna, aCall());
    const id = valueOf(await session.closeCall(null, call));
    valueOf(await session.attachRecording(id, call, aRecording()));
    const asked = crm.requests.length;
    valueOf(await session.attachRecording(id, call, aRecording({ read: () => Promise.reject(new Error('read')) })));
    expect(crm.requests).toHaveLength(asked + 1);
    expect(theCall().recording).toEqual({ bytes: 4 });
  });

  it('goes with its activity, and is gone then', async () => {
    const id = valueOf(await session.closeCall(null, answeredBy(anna, aCall())));
    const activity = String(crm.log(id)?.['activity_id']);
    valueOf(await session.removeCall(id));
    expect(crm.calls()).toEqual([]);
    expect(crm.activity(activity)).toMatchObject({ is_deleted: true });
    expect(await session.removeCall(id)).toMatchObject({ verdict: 'gone' });
    expect(await session.attachRecording(id, aCall(), aRecording())).toMatchObject({ verdict: 'gone' });
  });
});

describe('a call activity of Pipedrive', () => {
  beforeEach(() => reconnect({ mode: 'activity' }));

  it('is open while the call goes on, and done afterwards', async () => {
    const person = crm.addContact({ name: 'Carla', numbers: ['+79062195047'] });
    const call = aCall({ userId: anna, contact: person });
    const id = valueOf(await session.openCall(call));
    expect(crm.activity(id)).toMatchObject({ done: false, type: 'call', due_date: '2026-03-07', due_time: '10:20:30' });
    valueOf(await session.updateCall(id, { ...call, status: 'talking' }));
    expect(valueOf(await session.closeCall(id, answeredBy(anna, call)))).toBe(id);
    expect(crm.activity(id)).toMatchObject({
      done: true,
      duration: '00:01:35',
      owner_id: Number(anna),
      participants: [{ person_id: Number(person.id), primary: true }],
    });
  });

  it('keeps what an agent wrote, and title and owner that somebody chose once it is over', async () => {
    const call = answeredBy(anna, aCall());
    const id = valueOf(await session.closeCall(null, call));
    crm.writeNote?.(id, 'Wants an offer <b>now</b>');
    crm.changeActivity(id, { subject: 'Offer', owner_id: Number(crm.me) });
    valueOf(await session.updateCall(id, { ...call, note: 'From Ringline' }));
    valueOf(await session.updateCall(id, { ...call, note: 'Better' }));
    expect(theCall().text).toContain('Wants an offer <b>now</b>');
    expect(theCall().text).toContain('» Better');
    expect(theCall().text).not.toContain('From Ringline');
    expect(crm.activity(id)).toMatchObject({ subject: 'Offer', owner_id: Number(crm.me) });
  });

  it('keeps the link to its recording through later changes', async () => {
    const call = answeredBy(anna, aCall());
    const id = valueOf(await session.closeCall(null, call));
    for (const _ of [1, 2]) valueOf(await session.attachRecording(id, call, aRecording()));
    valueOf(await session.updateCall(id, { ...call, tags: ['vip'] }));
    expect(theCall().text.match(/Recording: /g)).toHaveLength(1);
    expect(theCall().recording).toEqual({ url: aRecording().url });
    expect(await session.attachRecording(id, call, aRecording({ url: null }))).toMatchObject({ verdict: 'rejected' });
  });

  it('is found by our id, and is not taken for the task of the same call', async () => {
    const call = aCall({ userId: anna, startedAt: new Date(Date.now() - 60_000) });
    const dueAt = new Date('2026-03-07T11:20:30Z');
    const task = valueOf(await session.createTask(call, { subject: 'Call back', text: 'x', userId: anna, dueAt }));
    expect(valueOf(await session.findCall(call))).toBeNull();
    const id = valueOf(await session.openCall(call));
    expect(valueOf(await session.findCall(call))).toBe(id);
    expect(id).not.toBe(task);
  });

  it('that somebody deleted is gone, though Pipedrive keeps it for a month', async () => {
    const call = answeredBy(anna, aCall());
    const id = valueOf(await session.closeCall(null, call));
    crm.removeActivity(id);
    expect(await session.updateCall(id, call)).toMatchObject({ verdict: 'gone' });
    expect(await session.removeCall(id)).toMatchObject({ verdict: 'gone' });
  });
});

describe('people in Pipedrive', () => {
  const number = numberOf('+493090182055', '030 90182055');

  it('are found by any form of their number, with their page', async () => {
    const one = crm.addContact({ name: 'Carla', numbers: ['+49 30 90182055'], ownerId: anna });
    crm.addContact({ name: 'Other', numbers: ['+493090182055123'] });
    expect(valueOf(await session.findContacts(number))).toEqual([
      {
        type: 'person',
        id: one.id,
        kind: 'contact',
        name: 'Carla',
        company: null,
        ownerId: anna,
        numbers: ['+49 30 90182055'],
        url: `${String(crm.settings['url'])}/person/${one.id}`,
      },
    ]);
  });

  it('are made for a lead, or taken where they are there', async () => {
    const call = aCall({ userId: anna });
    const lead = valueOf(await session.createObject('lead', call));
    const again = valueOf(await session.createObject('lead', call));
    expect(again.id).not.toBe(lead.id);
    expect(crm.created().map(({ kind, numbers }) => [kind, numbers])).toEqual([
      ['lead', ['+79062195047']],
      ['lead', ['+79062195047']],
    ]);
    expect(crm.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/persons'))).toHaveLength(1);
  });

  it('are listed to the last page, and then those that changed', async () => {
    for (let i = 0; i < 1003; i++) crm.addContact({ name: `Person ${i}`, numbers: [`+4930901${i}`] });
    const round = async (from: string | null) => {
      const names: string[] = [];
      for (let cursor = from; ;) {
        const page = valueOf(await session.listContacts(cursor));
        names.push(...page.contacts.map(({ name }) => name));
        cursor = page.cursor;
        if (page.isLast) return { names, cursor };
      }
    };
    const all = await round(null);
    expect(new Set(all.names).size).toBe(1003);
    const later = { since: '2100-01-01T00:00:00Z', page: null, newest: null };
    expect((await round(JSON.stringify(later))).names).toEqual([]);
    crm.addContact({ name: 'Zoe', numbers: [] });
    expect((await round(all.cursor)).names).toContain('Zoe');
  });
});

describe('Pipedrive', () => {
  it('lists users', async () => {
    expect(valueOf(await session.listUsers())).toContainEqual({
      id: anna,
      name: 'Anna',
      email: 'anna@example.com',
      extension: null,
      isActive: true,
    });
  });

  it('makes one task for a call, and closes it with a line of ours', async () => {
    const call = aCall({ startedAt: new Date(Date.now() - 60_000) });
    const dueAt = new Date('2026-03-07T11:20:30Z');
    const task = { subject: 'Call back', text: 'Nobody answered', userId: anna, dueAt };
    const id = valueOf(await session.createTask(call, task));
    expect(valueOf(await session.createTask(call, task))).toBe(id);
    for (const _ of [1, 2]) valueOf(await session.closeTask(id, 'Boris called back.'));
    expect(crm.activity(id)).toMatchObject({ done: true, due_date: '2026-03-07', due_time: '11:20:30' });
    expect(String(crm.activity(id)?.['note']).match(/Boris called back/g)).toHaveLength(1);
    expect(crm.calls()).toEqual([]);
  });

  it('tells by its headers how long to wait, and that a day’s tokens are used up', async () => {
    await reconnect({ burst: 10 });
    for (let i = 0; i < 10; i++)
      crm.fail({ what: 'status', times: 1, status: 429, headers: { 'x-ratelimit-reset': '2' } });
    expect(await session.test()).toMatchObject({ verdict: 'rate-limited', afterMs: 2000 });
    await reconnect({ dailyTokens: 1000 });
    for (let i = 0; i < 50; i++) valueOf(await session.listUsers());
    expect(crm.tokensUsed).toBe(1000);
    expect(await session.test()).toMatchObject({ verdict: 'rate-limited', afterMs: 900_000 });
    expect(crm.violations).toBe(1);
  });

  it.each([
    [402, { success: false, error: 'Payment required' }, { verdict: 'credentials-refused' }],
    [403, { success: false, error: 'Scope and URL mismatch' }, { verdict: 'rejected' }],
    [404, { success: false, error: 'Not found' }, { verdict: 'gone' }],
    [409, { success: false, error: 'Conflict' }, { verdict: 'rejected' }],
    [410, { success: false, error: 'Gone' }, { verdict: 'gone' }],
  ])('means by %i %o: %o', async (status, json, expected) => {
    crm.fail({ what: 'status', times: 1, status, json });
    expect(await session.test()).toMatchObject({ ...expected, why: expect.stringContaining(json.error) });
  });

  it('keeps out who asks too often by a page, which is no refusal of the token', async () => {
    crm.fail({ what: 'html', times: 1, status: 403 });
    expect(await session.test()).toMatchObject({ verdict: 'rate-limited', afterMs: 60_000 });
  });

  it('is asked for no more in two seconds than the plan allows, whatever a request costs', () => {
    const settings = pipedrive.settings.parse({ url: 'https://acme.pipedrive.com', apiToken: 'x', burst: 40 });
    expect(pipedrive.capabilities(settings).limits).toEqual([
      { kind: 'daily', budget: 30_000 },
      { kind: 'window', requests: 200, seconds: 2 },
      { kind: 'window', requests: 200, seconds: 2, lane: 'search' },
    ]);
  });
});
