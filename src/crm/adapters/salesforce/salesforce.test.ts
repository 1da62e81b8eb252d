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
import { soqlText, soslPhrase } from './salesforce-api.js';
import { descriptionWith } from './salesforce-text.js';
import { salesforce } from './salesforce.adapter.js';
import { startSimulator, type SalesforceSimulator, type SalesforceSimulatorOptions } from './simulator.test-support.js';

let crm: SalesforceSimulator;
let session: Required<CrmSession>;
let close: () => Promise<void>;
let anna: string;

async function connect(options?: SalesforceSimulatorOptions, settings: object = {}): Promise<void> {
  crm = await startSimulator(options);
  ({ session, close } = sessionWith(salesforce, { ...crm.settings, ...settings }));
  anna = crm.addUser({ name: 'Anna Álvarez', email: 'anna@example.com', extension: '101' });
}

async function disconnect(): Promise<void> {
  await close();
  await crm.stop();
}

async function reconnect(options: SalesforceSimulatorOptions, settings: object = {}): Promise<void> {
  await disconnect();
  await connect(options, settings);
}

const theCall = () => {
  expect(crm.calls()).toHaveLength(1);
  return crm.calls()[0] as ReturnType<SalesforceSimulator['calls']>[number];
};

beforeEach(() => connect());
afterEach(disconnect);

describe('a call in Salesforce', () => {
  it('is a task of subtype Call, in progress and then completed', async () => {
    const call = aCall({ userId: anna });
    const id = valueOf(await session.openCall(call));
    expect(crm.record('Task', id)).toMatchObject({ Status: 'In Progress', TaskSubtype: 'Call', IsClosed: false });
    valueOf(await session.updateCall(id, { ...call, status: 'talking' }));
    expect(valueOf(await session.closeCall(id, answeredBy(anna, call)))).toBe(id);
    expect(crm.record('Task', id)).toMatchObject({
      Ringline_Id__c: call.id,
      CallObject: call.id,
      CallType: 'Inbound',
      CallDurationInSeconds: 95,
      CallDisposition: 'Answered',
      Status: 'Completed',
      ActivityDate: '2026-03-07',
      OwnerId: anna,
      Ringline_Number__c: '+79062195047',
      Ringline_Started_At__c: '2026-03-07T10:20:30.000+0000',
    });
  });

  it.each([
    ['missed', 'Missed'],
    ['no-answer', 'No Answer'],
    ['busy', 'Busy'],
    ['rejected', 'Rejected'],
    ['cancelled', 'Canceled'],
    ['blocked', 'Blocked'],
    ['voicemail', 'Voicemail'],
    ['failed', 'Failed'],
  ] as const)('that was %s has the result %s', async (outcome, word) => {
    const id = valueOf(await session.closeCall(null, { ...missed(aCall()), outcome }));
    expect(crm.record('Task', id)).toMatchObject({ CallDisposition: word, CallDurationInSeconds: 0 });
  });

  it('is there once when the answer was lost, and what somebody wrote meanwhile is still in it', async () => {
    const call = aCall({ userId: anna });
    crm.fail({ what: 'lost-answer', times: 1, matches: ({ method }) => method === 'PATCH' });
    expect(await session.openCall(call)).toMatchObject({ verdict: 'retry', mayBeDone: true });
    crm.writeNote?.(theCall().id, 'Wants an offer');
    const id = valueOf(await session.closeCall(null, { ...answeredBy(anna, call), note: 'From Ringline' }));
    valueOf(await session.updateCall(id, { ...answeredBy(anna, call), note: 'Better' }));
    expect(theCall().text).toContain('Wants an offer');
    expect(theCall().text).toContain('» Better');
    expect(theCall().text).not.toContain('From Ringline');
  });

  it('keeps title, status and owner that somebody chose once it is over', async () => {
    const boris = crm.addUser({ name: 'Boris' });
    const over = answeredBy(anna, aCall());
    const id = valueOf(await session.closeCall(null, over));
    crm.change('Task', id, { Subject: 'Offer', OwnerId: boris, CallDisposition: 'Wants more' });
    valueOf(await session.updateCall(id, over));
    expect(crm.record('Task', id)).toMatchObject({ CallDisposition: 'Wants more' });
    valueOf(await session.updateCall(id, { ...over, tags: ['vip'], disposition: 'Sold' }));
    expect(crm.record('Task', id)).toMatchObject({ Subject: 'Offer', OwnerId: boris, CallDisposition: 'Sold' });
    expect(theCall().text).toContain('Tags: vip');
  });

  it('is with a person, a lead or a company, each in its field', async () => {
    for (const [kind, field] of [
      ['contact', 'WhoId'],
      ['lead', 'WhoId'],
      ['company', 'WhatId'],
    ] as const) {
      const contact = crm.addContact({ name: 'Acme', kind, numbers: ['+493011111111'] });
      const id = valueOf(await session.closeCall(null, answeredBy(anna, aCall({ contact }))));
      expect(crm.record('Task', id)?.[field]).toBe(contact.id);
    }
  });

  it('is tried again where Salesforce has taken its id in the same moment', async () => {
    const message = 'duplicate value found: Ringline_Id__c duplicates value on record with id: 00T000000000001';
    const json = [{ errorCode: 'DUPLICATE_VALUE', message, fields: [] }];
    crm.fail({ what: 'status', times: 1, status: 400, json, matches: ({ method }) => method === 'PATCH' });
    const call = answeredBy(anna, aCall());
    expect(await session.closeCall(null, call)).toMatchObject({ verdict: 'retry', mayBeDone: true });
    valueOf(await session.closeCall(null, call));
  });

  it('is refused, with Salesforce’s reason, where two tasks have its id', async () => {
    const over = answeredBy(anna, aCall());
    crm.duplicate(valueOf(await session.closeCall(null, over)));
    const verdict = await session.closeCall(null, over);
    expect(verdict).toEqual({ verdict: 'rejected', why: expect.stringContaining('not unique') });
  });

  it('is refused where the field for our id is not there, and not taken for one that is not', async () => {
    await reconnect({ hasFields: false });
    const verdict = await session.closeCall(null, answeredBy(anna, aCall()));
    expect(verdict).toMatchObject({ verdict: 'rejected', why: expect.stringContaining('Ringline_Id__c') });
    expect(await session.test()).toMatchObject({ verdict: 'rejected', why: expect.stringContaining('Ringline_Id__c') });
  });

  it('has fields by the field map', async () => {
    const over = answeredBy(anna, aCall({ fields: { Priority: 'High' } }));
    const id = valueOf(await session.closeCall(null, over));
    expect(crm.record('Task', id)?.['Priority']).toBe('High');
    const verdict = await session.updateCall(id, { ...over, fields: { No_Such__c: 1 } });
    expect(verdict).toMatchObject({ verdict: 'rejected', why: expect.stringContaining('No_Such__c') });
  });

  it('has the link to its recording in a field, or there is no such step', async () => {
    const over = answeredBy(anna, aCall());
    const id = valueOf(await session.closeCall(null, over));
    valueOf(await session.attachRecording(id, over, aRecording()));
    expect(theCall().recording).toEqual({ url: aRecording().url });
    expect(await session.attachRecording(id, over, aRecording({ url: null }))).toMatchObject({ verdict: 'rejected' });
    await reconnect({}, { recordingField: null });
    expect('attachRecording' in session).toBe(false);
    valueOf(await session.closeCall(null, { ...over, recordingUrl: 'https://ringline.example/r/1' }));
    expect(theCall().text).toContain('Recording: https://ringline.example/r/1');
  });

  it('that was removed is gone', async () => {
    const over = answeredBy(anna, aCall());
    const id = valueOf(await session.closeCall(null, over));
    valueOf(await session.removeCall(id));
    expect(await session.removeCall(id)).toMatchObject({ verdict: 'gone' });
    expect(await session.updateCall(id, over)).toMatchObject({ verdict: 'gone' });
  });
});

describe('people in Salesforce', () => {
  const number = numberOf('+493090182055', '030 90182055');

  it('are found in whatever form their number is, people before leads before companies', async () => {
    crm.addAs('Account', { Name: 'Acme', Phone: '0049 30 9018 2055' });
    crm.addAs('Lead', { LastName: 'Lena', Company: 'Acme', MobilePhone: '030/90182055' });
    crm.addAs('Contact', { LastName: 'Carla', OtherPhone: '+49 (30) 90182055', 'Account.Name': 'Acme' });
    crm.addAs('Contact', { LastName: 'Other', Phone: '+44 20 90182055' });
    const found = valueOf(await session.findContacts(number));
    expect(found.map(({ name, kind }) => [name, kind])).toEqual([
      ['Carla', 'contact'],
      ['Lena', 'lead'],
      ['Acme', 'company'],
    ]);
    expect(found[0]).toMatchObject({ company: 'Acme', numbers: ['+49 (30) 90182055'] });
    expect(found[0]?.url).toMatch(/\/003\w{15}$/);
  });

  it('are not asked for by an extension', async () => {
    expect(valueOf(await session.findContacts({ raw: '204', e164: null, national: null, digits: '204' }))).toEqual([]);
    expect(crm.requests).toEqual([]);
  });

  it('are searched by text in which nothing has a meaning of its own', () => {
    expect(soslPhrase('+49 (30) {9}*')).toBe('"\\+49 \\(30\\) \\{9\\}\\*"');
    expect(soqlText("O'Brien \\ x")).toBe("'O\\'Brien \\\\ x'");
  });

  it('whose number breaks out of no query', async () => {
    const evil = { raw: "1' OR Name != '", e164: null, national: null, digits: '1234567' };
    valueOf(await session.createObject('lead', aCall({ number: evil })));
    expect(crm.created()).toEqual([{ kind: 'lead', id: expect.any(String), numbers: [evil.raw] }]);
    expect(valueOf(await session.findContacts({ ...evil, raw: '"} RETURNING User(Id) 1234567' }))).toEqual([]);
  });

  it('are made once of one call', async () => {
    const call = aCall({ userId: anna, startedAt: new Date(Date.now() - 60_000) });
    const first = valueOf(await session.createObject('lead', call));
    expect(valueOf(await session.createObject('lead', call))).toEqual(first);
    expect(crm.record('Lead', first.id)).toMatchObject({ Phone: '+79062195047', OwnerId: anna });
    expect(await session.createObject('unsorted', call)).toMatchObject({ verdict: 'rejected' });
  });

  it('are listed to the last page, and then those that changed', async () => {
    const round = async (from: string | null) => {
      const names: string[] = [];
      for (let cursor = from; ;) {
        const page = valueOf(await session.listContacts(cursor));
        names.push(...page.contacts.map(({ name }) => name));
        cursor = page.cursor;
        if (page.isLast) return { names, cursor };
      }
    };
    for (let i = 0; i < 1203; i++) crm.addAs('Contact', { LastName: `Person ${i}`, Phone: `+4930901${i}` });
    crm.addAs('Lead', { LastName: 'Lena', Company: 'Acme', Phone: '1' });
    crm.addAs('Account', { Name: 'Acme' });
    const all = await round(null);
    expect(new Set(all.names).size).toBe(1205);
    const at = '2100-01-01T00:00:00.000Z';
    const seen = { at, id: null };
    const later = JSON.stringify({ type: 'Contact', seen: { Contact: seen, Lead: seen, Account: seen } });
    expect((await round(later)).names).toEqual([]);
    expect((await round(all.cursor)).names).toContain('Lena');
  });
});

describe('Salesforce', () => {
  it('is connected by My Domain, not by the address of its pages', () => {
    const settings = { ...crm.settings, url: 'https://acme.lightning.force.com' };
    expect(salesforce.settings.safeParse(settings).success).toBe(false);
    expect(salesforce.settings.safeParse({ ...settings, url: 'https://acme.my.salesforce.com/' }).success).toBe(true);
  });

  it('lists users over several pages', async () => {
    for (let i = 0; i < 2100; i++) crm.addUser({ name: `User ${i}` });
    const users = valueOf(await session.listUsers());
    expect(users).toHaveLength(2101);
    expect(users[0]).toEqual({
      id: anna,
      name: 'Anna Álvarez',
      email: 'anna@example.com',
      extension: '101',
      isActive: true,
    });
  });

  it('makes one task for a call, with a reminder, and closes it with a line of ours', async () => {
    const call = aCall({ contact: crm.addContact({ name: 'Carla', numbers: ['+79062195047'] }) });
    const task = {
      subject: 'Call back',
      text: 'Nobody answered',
      userId: anna,
      dueAt: new Date('2026-03-07T11:20:30Z'),
    };
    const id = valueOf(await session.createTask(call, task));
    expect(valueOf(await session.createTask(call, task))).toBe(id);
    expect(crm.record('Task', id)).toMatchObject({
      ReminderDateTime: '2026-03-07T11:20:30.000+0000',
      IsReminderSet: true,
    });
    crm.change('Task', id, { Description: 'My notes' });
    for (const _ of [1, 2]) valueOf(await session.closeTask(id, 'Boris called back.'));
    expect(crm.record('Task', id)).toMatchObject({
      Status: 'Completed',
      Description: 'My notes\n\n» Boris called back.\n',
    });
    expect(crm.calls()).toEqual([]);
  });

  it.each([
    [403, 'REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.', { verdict: 'rate-limited', afterMs: 900_000 }],
    [
      403,
      'REQUEST_LIMIT_EXCEEDED',
      'ConcurrentPerOrgLongTxn Limit exceeded.',
      { verdict: 'rate-limited', afterMs: 5_000 },
    ],
    [401, 'INVALID_SESSION_ID', 'Session expired or invalid', { verdict: 'credentials-refused' }],
    [403, 'API_DISABLED_FOR_ORG', 'The API is disabled', { verdict: 'credentials-refused' }],
    [403, 'INSUFFICIENT_ACCESS', 'No access', { verdict: 'rejected' }],
    [400, 'UNABLE_TO_LOCK_ROW', 'unable to obtain exclusive access', { verdict: 'retry' }],
    [503, 'SERVER_UNAVAILABLE', 'Server Unavailable', { verdict: 'retry' }],
  ])('means by %i %s, %s: %o', async (status, errorCode, message, expected) => {
    crm.fail({
      what: 'status',
      times: 2,
      status,
      json: [{ errorCode, message }],
      matches: ({ path }) => path.includes('/data/'),
    });
    const verdict = await session.test();
    expect(verdict).toMatchObject({ ...expected, why: expect.stringContaining(message) });
  });

  it('counts the requests of a day', async () => {
    await reconnect({ limits: [{ kind: 'daily', budget: 3 }] });
    valueOf(await session.test());
    expect(await session.test()).toMatchObject({ verdict: 'rate-limited', afterMs: 900_000 });
    expect(crm.violations).toBe(1);
  });

  it('has no more in a description than it takes, and leaves out of ours what is too much', () => {
    const theirs = 'x'.repeat(31_900);
    const text = descriptionWith(theirs, ['Ringline', '😀'.repeat(200), 'not this']);
    expect(text.length).toBeLessThanOrEqual(32_000);
    expect(text).toContain(theirs);
    expect(text).toContain('» Ringline');
    expect(text).not.toMatch(/\p{Surrogate}|not this/u);
    expect(descriptionWith(text, ['Ringline'])).toBe(`${theirs}\n\n» Ringline\n`);
  });
});
